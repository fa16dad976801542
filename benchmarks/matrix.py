"""How long an answer takes on a real Matrix homeserver, beside bare bots (nio, aiohttp); and what bursts lose."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figures import Figures, aim, say, spread
from benchmarks.program import document, environment, simulated_clouds, slipway_run, write_toml

LIMIT_RATIO = 1.15
"""Times the round trip of a bot that is nothing but aiohttp, in the plain room, medians."""

ECHOES = {"nio": "benchmarks.bare_nio_bot", "aiohttp": "benchmarks.bare_aiohttp_bot"}
"""The bots beside, each a module that is run as a program. That of aiohttp speaks in the plain room alone."""

BURSTS, BURST = 3, 200
WARM_UP = 10
TIMEOUT_SECONDS = 120.0
"""Seconds after which an answer counts as lost."""

QUIET = 10.0
"""Seconds without any message after which nothing more is expected."""


async def measure(*, messages: int, encrypted: bool = True, bursts: bool = True) -> Figures:
    """Ask all bots so many times, taking turns; then send the bursts to Slipway.

    Args:
        messages: questions to each bot in each room.
        encrypted: whether an encrypted room is measured too.
        bursts: whether bursts are sent.
    """
    if any(importlib.util.find_spec(name) is None for name in ("synapse", "pytest")):
        return {"left_out": "no Synapse is installed"}
    kinds = ("plain", "encrypted") if encrypted else ("plain",)
    async with _environment(kinds) as driver:
        figures: Figures = {"unit": "milliseconds", "command": "!whoami"}
        ratios = {}
        for kind in kinds:
            samples = await _take_turns(driver, kind, messages)
            typical = {name: median(each) for name, each in samples.items()}
            ratios[kind] = {name: typical["slipway"] / typical[name] for name in samples if name in ECHOES}
            figures[kind] = {
                **{name: spread(each) for name, each in samples.items()},
                "ratios": {name: round(ratio, 2) for name, ratio in ratios[kind].items()},
            }
        lost = await _bursts(driver) if bursts else None
    met = aim(
        ratios["plain"]["aiohttp"],
        LIMIT_RATIO,
        "times a bare aiohttp bot's round trip, medians; no command lost or doubled",
    )
    if lost is not None:
        met["met"] = met["met"] and not lost["lost"] and not lost["doubled"]
        figures["bursts"] = lost
    return {**figures, "aim": met}


class Driver:
    """A person: a nio client of its own that notes when it sees something."""

    def __init__(self, client: Any, rooms: dict[tuple[str, str], str], bots: dict[str, str]) -> None:
        self._client = client
        self.rooms = rooms  # by bot and kind
        self.bots = bots
        self._heard: asyncio.Queue[tuple[str, str, float]] = asyncio.Queue()

    async def note(self, room: Any, event: Any) -> None:
        """Take in what a bot says."""
        if event.sender in self.bots.values():
            self._heard.put_nowait((room.room_id, event.body, time.perf_counter()))

    async def say(self, room: str, text: str) -> None:
        """Say something."""
        content = {"msgtype": "m.text", "body": text}
        answer = await self._client.room_send(room, "m.room.message", content, ignore_unverified_devices=True)
        assert hasattr(answer, "event_id"), answer

    async def ask(self, bot: str, kind: str) -> float:
        """Seconds from saying something until the bot's answer is seen."""
        room = self.rooms[bot, kind]
        began = time.perf_counter()
        await self.say(room, "!whoami")
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while True:
                where, _, at = await self._heard.get()
                if where == room:
                    return at - began

    async def answers(self, room: str, since: str) -> list[str]:
        """All that bots said in a room since a token, read from its history: a sync may leave some out."""
        import nio

        said = []
        token: str | None = since
        while token is not None:
            page = await self._client.room_messages(
                room, start=token, direction=nio.MessageDirection.front, limit=100
            )
            said += [each.body for each in page.chunk if each.sender in self.bots.values()]
            token = page.end if page.chunk else None
        return said

    @property
    def here(self) -> str:
        """The token of what was seen last."""
        return str(self._client.next_batch)


async def _take_turns(driver: Driver, kind: str, messages: int) -> dict[str, list[float]]:
    there = [bot for bot in driver.bots if (bot, kind) in driver.rooms]
    samples: dict[str, list[float]] = {bot: [] for bot in there}
    for number in range(-WARM_UP, messages):
        if number % 50 == 0:
            say(f"matrix, {kind} room: {number} of {messages}")
        for bot, found in samples.items():
            took = await driver.ask(bot, kind)
            if number >= 0:
                found.append(took * 1000)
    return samples


async def _bursts(driver: Driver) -> Figures:
    """Send bursts faster than a sync can hold them, and see which command got how many answers."""
    room, since = driver.rooms["slipway", "plain"], driver.here
    names = [[f"op-{burst}{number:03}" for number in range(BURST)] for burst in range(BURSTS)]
    seconds = []
    for burst, some in enumerate(names):
        began = time.perf_counter()
        await asyncio.gather(*(driver.say(room, f"!op {name}") for name in some))
        await _settled(driver, room, since, BURST * (burst + 1))
        seconds.append(time.perf_counter() - began)
        say(f"matrix: burst {burst + 1} of {BURSTS} after {seconds[-1]:.0f} seconds")
    said = await _settled(driver, room, since, BURSTS * BURST + 1)  # a doubled answer comes late, if at all
    answers = Counter({name: sum(name in each for each in said) for some in names for name in some})
    lost = sum(1 for count in answers.values() if not count)
    doubled = sum(1 for count in answers.values() if count > 1)
    return {
        "sent": BURSTS * BURST,
        "lost": lost,
        "doubled": doubled,
        "seconds_a_burst": spread(seconds),
    }


async def _settled(driver: Driver, room: str, since: str, wanted: int) -> list[str]:
    """What bots said in a room, once it is as much as wanted or nothing more has come for a while."""
    said = await driver.answers(room, since)
    quiet_since = time.perf_counter()
    while len(said) < wanted and time.perf_counter() - quiet_since < QUIET:
        await asyncio.sleep(0.5)
        before, said = len(said), await driver.answers(room, since)
        if len(said) > before:
            quiet_since = time.perf_counter()
    return said


@asynccontextmanager
async def _environment(kinds: tuple[str, ...]) -> AsyncIterator[Driver]:
    """A Synapse without limits, each bot as a process of its own, and a person in a room with each."""
    logging.getLogger("nio").setLevel(logging.ERROR)
    from tests.support.processes.synapse import running_synapse

    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="slipway-bench-")))
        (folder / "synapse").mkdir()
        say("matrix: starting a Synapse")
        synapse = await asyncio.to_thread(stack.enter_context, running_synapse(folder / "synapse"))
        person, slipway = (synapse.register() for _ in range(2))
        echoes = {name: synapse.register() for name in ECHOES}
        bots = {"slipway": slipway.user_id, **{name: each.user_id for name, each in echoes.items()}}
        (folder / "person").mkdir()
        client = await client_of(synapse.url, person, folder / "person")
        stack.push_async_callback(client.close)
        rooms = {
            (bot, kind): await make_room(client, bots[bot], kind)
            for bot in bots
            for kind in kinds
            if kind == "plain" or bot != "aiohttp"
        }
        mine = [rooms["slipway", kind] for kind in kinds]
        for name, account in echoes.items():
            theirs = [room for (bot, _), room in rooms.items() if bot == name]
            await stack.enter_async_context(_echo(name, synapse.url, account, folder, theirs))
        clouds = await stack.enter_async_context(simulated_clouds(with_aws=False))
        configuration = document(clouds, folder / "state")
        tell_of_matrix(configuration, synapse.url, slipway, mine, folder)
        configuration["person"][0]["identities"].append(f"matrix:{person.user_id}")
        write_toml(folder / "slipway.toml", configuration)
        await stack.enter_async_context(slipway_run(folder / "slipway.toml"))
        driver = Driver(client, rooms, bots)
        await gather_in(client, driver.note, rooms.values())
        listening = asyncio.create_task(client.sync_forever(timeout=30_000))
        try:
            yield driver
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


def tell_of_matrix(
    configuration: dict[str, Any], homeserver: str, account: Any, rooms: list[str], folder: Path
) -> None:
    """Have a configuration listen in these rooms as that account."""
    token = folder / "token"
    token.write_text(account.access_token)
    token.chmod(0o600)
    configuration["matrix"] = {
        "homeserver": homeserver,
        "user_id": account.user_id,
        "device_id": account.device_id,
        "access_token_file": str(token),
        "rooms": rooms,
    }


async def client_of(url: str, account: Any, store: Path) -> Any:
    """A person's client, logged in."""
    import nio

    config = nio.AsyncClientConfig(encryption_enabled=True, store_sync_tokens=True)
    client = nio.AsyncClient(
        url, account.user_id, device_id=account.device_id, store_path=str(store), config=config
    )
    client.restore_login(account.user_id, account.device_id, account.access_token)
    await client.keys_upload()
    return client


async def make_room(client: Any, bot: str, kind: str) -> str:
    """A new room to which a bot is invited: ``plain`` or ``encrypted``."""
    encryption = {"type": "m.room.encryption", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
    answer = await client.room_create(invite=[bot], initial_state=[encryption] if kind == "encrypted" else [])
    return str(answer.room_id)


async def gather_in(client: Any, note: Callable[[Any, Any], Awaitable[None]], rooms: Any) -> None:
    """Sync until every bot is in its rooms, and only then listen."""
    import nio

    async with asyncio.timeout(TIMEOUT_SECONDS):
        await client.sync(timeout=0, full_state=True)
        while any(client.rooms[room].joined_count < 2 for room in rooms):
            await client.sync(timeout=1000)
    if client.should_query_keys:
        await client.keys_query()
    client.add_event_callback(note, (nio.RoomMessageText, nio.RoomMessageNotice))


@asynccontextmanager
async def _echo(name: str, url: str, account: Any, folder: Path, rooms: list[str]) -> AsyncIterator[None]:
    (folder / name).mkdir()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", ECHOES[name]),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment(),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    told = {
        "url": url,
        "user_id": account.user_id,
        "device_id": account.device_id,
        "access_token": account.access_token,
        "store": str(folder / name),
        "rooms": rooms,
    }
    try:
        process.stdin.write(json.dumps(told).encode() + b"\n")
        ready = await asyncio.wait_for(process.stdout.readline(), TIMEOUT_SECONDS)
        if ready != b"ready\n":
            raise RuntimeError("the echo bot did not become ready")
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
