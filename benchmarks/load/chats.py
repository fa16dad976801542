"""Thousands of commands over a simulated Slack and a real Synapse to one bot that is on both; what it takes idle."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figures import Figures, aim, say, spread
from benchmarks.load import Sizes
from benchmarks.matrix import client_of, gather_in, make_room, tell_of_matrix
from benchmarks.program import BotProcess, document, simulated_clouds, slipway_run, write_toml
from benchmarks.slack import Slack, settled, simulator, tell_of_slack

LIMIT_IDLE = 0.3
"""Percent of a core that the whole bot may take while nobody says anything."""

LIMIT_GROWTH = 10.0
"""Percent that its resident memory may grow from the end of the warm-up until after the last command."""

LIMIT_P99_SECONDS = 1.0
"""Until an answer stands in the chat: what people take for at once. On a machine that keeps up it is far below."""

SETTLE_SECONDS = 20.0
"""After a start, the caches of libraries fill and checks of the first minute run: that is not idling."""

WARM_UP = 500
"""Commands after which caches are full: memory is compared with what it is then."""

ROOMS = 8
"""Of Matrix, over which commands are spread."""

QUIET_SECONDS = 15.0
"""Without any answer, after which nothing more is expected."""

_EVERYTHING = {"room": {"timeline": {"limit": 5000}}}
"""A sync that leaves nothing out, however much was said since the last one."""


async def measure(sizes: Sizes) -> Figures:
    """Let the bot idle, then speak to it in Slack, then in Matrix."""
    if any(importlib.util.find_spec(name) is None for name in ("synapse", "pytest")):
        return {"left_out": "no Synapse is installed"}
    async with _environment(channels=2 * sizes.rate) as (slack, people, bot):
        idle = await _idle(bot, sizes.idle_seconds)
        say(f"load: warming up, {WARM_UP} commands in Slack")
        await slack.say(min(20, sizes.rate), min(WARM_UP, sizes.slack))
        await settled(slack, min(WARM_UP, sizes.slack))
        memory = [bot.memory()["rss_mib"]]
        in_slack = await _slack(slack, bot, sizes)
        memory.append(bot.memory()["rss_mib"])
        in_matrix = await _matrix(people, bot, sizes)
        memory.append(bot.memory()["rss_mib"])
    growth = (max(memory[1:]) / memory[0] - 1) * 100
    return {
        "idle_percent_of_a_core": idle,
        "slack": in_slack,
        "matrix": in_matrix,
        "rss_mib_after_warm_up_slack_and_matrix": memory,
        "load_average": [round(each, 2) for each in os.getloadavg()],
        "aims": {
            "idle": aim(idle, LIMIT_IDLE, "percent of a core"),
            **_aims("Slack", in_slack),
            **_aims("Matrix", in_matrix),
            "memory": aim(growth, LIMIT_GROWTH, "percent more RSS after all commands"),
        },
    }


def _aims(where: str, found: dict[str, Any]) -> Figures:
    return {
        f"{where}, lost": aim(found["lost"], 1, f"of {found['sent']:,} commands"),
        f"{where}, doubled": aim(found["doubled"], 1, f"of {found['sent']:,} commands"),
        f"{where}, answered, p99": aim(
            found["answered"]["p99"] / 1000, LIMIT_P99_SECONDS, "seconds until the answer stands there"
        ),
    }


async def _idle(bot: BotProcess, seconds: int) -> float:
    say(f"load: idle for {seconds} s after {SETTLE_SECONDS:g}")
    await asyncio.sleep(SETTLE_SECONDS)
    began, spent = time.monotonic(), bot.processor()
    await asyncio.sleep(seconds)
    return round((bot.processor() - spent) / (time.monotonic() - began) * 100, 3)


async def _slack(slack: Slack, bot: BotProcess, sizes: Sizes) -> dict[str, Any]:
    say(f"load: {sizes.slack:,} commands in Slack, {sizes.rate} a second")
    await slack.do("limits", enforced=True)
    before = len(await slack.answers())
    began, spent = time.monotonic(), bot.processor()
    threads = await slack.say(sizes.rate, sizes.slack)
    answers = await settled(slack, before + len(threads))
    took = time.monotonic() - began
    found = {thread: at for thread, at in answers if thread in threads}
    counted = Counter(thread for thread, _ in answers if thread in threads)
    return {
        "rate": sizes.rate,
        "refused_as_too_fast": (await slack.ask("state"))["rate_limited"],
        **_told(threads, counted, [(at - threads[thread]) * 1000 for thread, at in found.items()]),
        **_cost(bot, spent, took, len(threads)),
    }


def _told(sent: Iterable[str], counted: Counter[str], milliseconds: list[float]) -> dict[str, Any]:
    names = list(sent)
    return {
        "sent": len(names),
        "lost": sum(1 for name in names if not counted[name]),
        "doubled": sum(1 for name in names if counted[name] > 1),
        "unit": "milliseconds",
        "answered": spread(milliseconds),
    }


def _cost(bot: BotProcess, spent_before: float, seconds: float, commands: int) -> Figures:
    spent = bot.processor() - spent_before
    return {
        "seconds": round(seconds, 1),
        "processor_milliseconds_a_command": round(spent * 1000 / commands, 2),
        "processor_share_of_one_core": round(spent / seconds, 3),
    }


@dataclass
class People:
    """A person in rooms of Matrix: when they said what, and when they saw what was answered."""

    client: Any
    bot: str
    rooms: list[str]
    asked: dict[str, float] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)
    counted: Counter[str] = field(default_factory=Counter)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def note(self, room: Any, event: Any) -> None:
        """Take in what the bot says: which question it answers stands in it."""
        if event.sender != self.bot:
            return
        now = time.perf_counter()
        self.heard.set()
        for name in (word.strip("`“”\"'.,:") for word in event.body.split()):
            if name in self.asked:
                self.counted[name] += 1
                self.answered.setdefault(name, now)
                return

    async def ask(self, name: str, room: str) -> None:
        """Ask for an operation of this name, which does not exist: the answer names it."""
        self.asked[name] = time.perf_counter()
        content = {"msgtype": "m.text", "body": f"!op {name}"}
        answer = await self.client.room_send(room, "m.room.message", content)
        if not hasattr(answer, "event_id"):
            raise RuntimeError(f"Synapse did not take a question in: {answer}")

    async def satisfied(self) -> None:
        """Wait until all that was asked is answered, or nothing more comes."""
        with suppress(TimeoutError):
            while len(self.answered) < len(self.asked):
                self.heard.clear()
                await asyncio.wait_for(self.heard.wait(), QUIET_SECONDS)


async def _matrix(people: People, bot: BotProcess, sizes: Sizes) -> dict[str, Any]:
    say(f"load: {sizes.matrix:,} commands in Matrix, {sizes.matrix_rate} a second")
    names = [f"op-{number:06}" for number in range(sizes.matrix)]
    began, spent = time.monotonic(), bot.processor()
    start = time.perf_counter()

    async def one(number: int, name: str) -> None:
        await asyncio.sleep(max(0.0, start + number / sizes.matrix_rate - time.perf_counter()))
        await people.ask(name, people.rooms[number % len(people.rooms)])

    await asyncio.gather(*(one(number, name) for number, name in enumerate(names)))
    await people.satisfied()
    took = time.monotonic() - began
    await asyncio.sleep(2.0)  # a doubled answer comes late, if at all
    milliseconds = [(people.answered[name] - people.asked[name]) * 1000 for name in people.answered]
    return {
        "rate": sizes.matrix_rate,
        **_told(names, people.counted, milliseconds),
        **_cost(bot, spent, took, len(names)),
    }


@asynccontextmanager
async def _environment(channels: int) -> AsyncIterator[tuple[Slack, People, BotProcess]]:
    """A simulated Slack, a Synapse without limits, and a bot that is on both; each a process of its own."""
    logging.getLogger("nio").setLevel(logging.ERROR)
    from tests.support.processes.synapse import running_synapse

    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="slipway-bench-")))
        (folder / "synapse").mkdir()
        (folder / "person").mkdir()
        say("load: starting a Synapse and a Slack")
        synapse = await asyncio.to_thread(stack.enter_context, running_synapse(folder / "synapse"))
        slack = await stack.enter_async_context(simulator(channels))
        person, account = synapse.register(), synapse.register()
        client = await client_of(synapse.url, person, folder / "person")
        stack.push_async_callback(client.close)
        rooms = [await make_room(client, account.user_id, "plain") for _ in range(ROOMS)]
        clouds = await stack.enter_async_context(simulated_clouds(with_aws=False))
        configuration = document(clouds, folder / "state")
        tell_of_slack(configuration, slack, folder)
        tell_of_matrix(configuration, synapse.url, account, rooms, folder)
        configuration["person"][0]["identities"].append(f"matrix:{person.user_id}")
        write_toml(folder / "slipway.toml", configuration)
        bot = await stack.enter_async_context(slipway_run(folder / "slipway.toml"))
        people = People(client, account.user_id, rooms)
        await gather_in(client, people.note, rooms)
        listening = asyncio.create_task(client.sync_forever(timeout=30_000, sync_filter=_EVERYTHING))
        try:
            yield slack, people, bot
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
