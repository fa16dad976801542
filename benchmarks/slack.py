"""How soon the bot acknowledges what a simulated Slack sends, beside a bare Bolt app that does nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from benchmarks.figures import Figures, aim, percentile, say, spread
from benchmarks.program import (
    ROOT,
    TIMEOUT_SECONDS,
    BotProcess,
    document,
    environment,
    simulated_clouds,
    slipway_run,
    write_toml,
)

LIMIT_MS = 50.0
MOST_GROWTH_MIB = 3.0
"""How much the bot's resident memory may grow from the middle to the end of a minute and still count as flat."""

WARM_UP = 40

QUIET = 5.0
"""Seconds without any answer after which nothing more is expected."""

LOOKS = 6
"""How often the bot's memory is looked at, from the first command to the last."""

COMMAND = "!whoami"


async def measure(*, rate: int, seconds: int) -> Figures:
    """Say so many commands a second to the bot for so long; before and after it, half as long to the bare Bolt app.

    Slack bears one message a second in a channel, and the simulator holds the bot to that. So the commands are
    spread over twice as many channels as there are commands in a second.
    """
    channels = 2 * rate
    say("slack: starting the bare Bolt app")
    async with (
        simulator(channels) as bare_slack,
        _bolt(bare_slack),
        simulator(channels) as slack,
        _slipway(slack) as bot,
    ):
        bare = await _acks(bare_slack, rate, max(1, seconds // 4))
        ack, memory, found = await _conversation(slack, bot, rate, seconds)
        bare += await _acks(bare_slack, rate, max(1, seconds // 4))
    growth = memory[-1] - memory[len(memory) // 2]
    met = aim(
        percentile(sorted(ack), 99),
        LIMIT_MS,
        f"milliseconds to the acknowledgement, p99; none lost or doubled; at most {MOST_GROWTH_MIB} MiB more "
        "in the second half",
    )
    met["met"] = met["met"] and not found["lost"] and not found["doubled"] and growth <= MOST_GROWTH_MIB
    return {
        "unit": "milliseconds",
        "command": COMMAND,
        "commands_a_second": rate,
        "seconds": seconds,
        "acknowledged": spread(ack),
        "acknowledged_by_bare_bolt": spread(bare),
        **found,
        "memory": {"rss_mib": memory, "growth_in_the_second_half_mib": round(growth, 1)},
        "load_average": [round(each, 2) for each in os.getloadavg()],
        "aim": met,
    }


class Slack:
    """A simulated Slack in a process of its own, and the people before it."""

    def __init__(self, facts: dict[str, Any], session: aiohttp.ClientSession) -> None:
        self.facts = facts
        self.more = [each for name, each in facts["channels"].items() if name.startswith("more-")]
        self._session = session
        self._said = 0

    async def ask(self, name: str, **asked: str) -> Any:
        """Look at something through the control API."""
        async with self._session.get(f"{self.facts['url']}/control/{name}", params=asked) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def do(self, name: str, **asked: Any) -> Any:
        """Do something through the control API."""
        async with self._session.post(f"{self.facts['url']}/control/{name}", json=asked) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def say(self, rate: int, count: int) -> dict[str, float]:
        """Say the command so many times at this rate, in one channel after the other, each in a new thread.

        The pace is kept whether or not the bot keeps up. Gives the threads, which tell the answers apart, with
        the moment of each.
        """
        threads: dict[str, float] = {}
        began = time.perf_counter()

        async def one(number: int, channel: str) -> None:
            thread = f"1700000000.{number:06}"
            await asyncio.sleep(max(0.0, began + (number - first) / rate - time.perf_counter()))
            said = await self.do("post", user="alice", channel=channel, text=COMMAND, thread=thread)
            threads[thread] = float(said["ts"])

        first, self._said = self._said, self._said + count
        await asyncio.gather(*(one(n, self.more[n % len(self.more)]) for n in range(first, first + count)))
        return threads

    async def heard(self, count: int) -> list[float]:
        """Milliseconds to the acknowledgement of every command, once so many are acknowledged; oldest first."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while True:
                found: list[float] = (await self.ask("acks")).get("message", [])
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.1)

    async def answers(self) -> list[tuple[str, float]]:
        """Thread and moment of all that the bot said."""
        said = []
        for channel in self.more:
            found = (await self.ask("messages", channel=channel))["messages"]
            said += [(each.get("thread_ts", ""), float(each["ts"])) for each in found if "bot_id" in each]
        return said


async def _acks(slack: Slack, rate: int, seconds: int) -> list[float]:
    say(f"slack: the bare Bolt app, {seconds} seconds")
    before = len(await slack.heard(0))
    await slack.say(rate, rate * seconds)
    return (await slack.heard(before + rate * seconds))[before:]


async def _conversation(
    slack: Slack, bot: BotProcess, rate: int, seconds: int
) -> tuple[list[float], list[float], Figures]:
    """Milliseconds to each acknowledgement, the bot's memory over time, and all the rest."""
    await slack.say(rate, WARM_UP)
    await slack.heard(WARM_UP)
    await slack.do("limits", enforced=True)
    say(f"slack: {rate} commands a second for {seconds} seconds")
    sizes: list[float] = []
    spent, waited = bot.processor(), bot.waited()

    async def look() -> None:
        for number in range(LOOKS + 1):
            await asyncio.sleep(seconds / LOOKS if number else 0)
            sizes.append(bot.memory()["rss_mib"])

    threads, _ = await asyncio.gather(slack.say(rate, rate * seconds), look())
    spent, waits = bot.processor() - spent, bot.waited()
    acknowledged = (await slack.heard(WARM_UP + len(threads)))[WARM_UP:]
    answers = await settled(slack, WARM_UP + len(threads))
    counted = Counter(thread for thread, _ in answers)
    state = await slack.ask("state")
    found: Figures = {
        "answered": spread([(at - threads[thread]) * 1000 for thread, at in answers if thread in threads]),
        "sent": len(threads),
        "lost": sum(1 for thread in threads if not counted[thread]),
        "doubled": sum(1 for thread in threads if counted[thread] > 1),
        "refused_as_too_fast": state["rate_limited"],
        "processor_share_of_one_core": round(spent / seconds, 3),
        "share_of_time_that_it_waited_for_a_core": (
            round((waits - waited) / seconds, 3) if waits is not None and waited is not None else None
        ),
    }
    return acknowledged, sizes, found


async def settled(slack: Slack, wanted: int) -> list[tuple[str, float]]:
    """All answers, once nothing more has come for a while: a doubled one comes late, if at all."""
    said = await slack.answers()
    changed = time.perf_counter()
    while time.perf_counter() - changed < (QUIET if len(said) < wanted else 1.0):
        await asyncio.sleep(0.2)
        before, said = len(said), await slack.answers()
        if len(said) != before:
            changed = time.perf_counter()
    return said


@asynccontextmanager
async def simulator(channels: int) -> AsyncIterator[Slack]:
    """A simulated Slack with so many channels to spread commands over."""
    arguments = ("-m", "tests.slack.simulator", "--port", "0", "--channels", str(channels))
    async with process_of(*arguments) as process, aiohttp.ClientSession() as session:
        assert process.stdout is not None
        facts = json.loads(await asyncio.wait_for(process.stdout.readline(), TIMEOUT_SECONDS))
        yield Slack(facts, session)


@asynccontextmanager
async def _bolt(slack: Slack) -> AsyncIterator[None]:
    async with process_of("-m", "benchmarks.bare_bolt_bot") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(slack.facts).encode() + b"\n")
        if await asyncio.wait_for(process.stdout.readline(), TIMEOUT_SECONDS) != b"ready\n":
            raise RuntimeError("the bare Bolt app did not become ready")
        yield


@asynccontextmanager
async def _slipway(slack: Slack) -> AsyncIterator[BotProcess]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="slipway-bench-")))
        clouds = await stack.enter_async_context(simulated_clouds(with_aws=False))
        configuration = document(clouds, folder / "state")
        tell_of_slack(configuration, slack, folder)
        write_toml(folder / "slipway.toml", configuration)
        yield await stack.enter_async_context(slipway_run(folder / "slipway.toml"))


def tell_of_slack(configuration: dict[str, Any], slack: Slack, folder: Path) -> None:
    """Have a configuration listen in the channels that commands are spread over, and know Alice there."""
    table: dict[str, Any] = {"endpoint": slack.facts["api_url"], "channels": slack.more}
    for name in ("bot_token", "app_token"):
        path = folder / name
        path.write_text(slack.facts[name])
        path.chmod(0o600)
        table[f"{name}_file"] = str(path)
    configuration["slack"] = table
    configuration["person"][0]["identities"].append(f"slack:{slack.facts['users']['alice']}")


@asynccontextmanager
async def process_of(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Python process for as long as the block lasts."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment(),
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
