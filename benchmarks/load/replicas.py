"""What it costs that two replicas hear, on PostgreSQL: the same commands to one, and then to two."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.figures import Figures, aim, say, spread
from benchmarks.program import BotProcess, Clouds, document, simulated_clouds, slipway_run, write_toml
from benchmarks.slack import Slack, settled, simulator, tell_of_slack

LIMIT_RATIO = 1.5
"""Times the median of one replica: one more commit and one notification for the half that the other one heard."""

WARM_UP = 100
TURNS = 3
"""How often one and two take turns, so that a busy moment falls on both."""


async def measure(commands: int, rate: int) -> Figures:
    """Say so many commands to one replica, and as many to two."""
    from tests.support.processes.postgres import NoPostgresError, running_postgres

    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="slipway-bench-")))
        try:
            server = await asyncio.to_thread(stack.enter_context, running_postgres())
        except NoPostgresError as error:
            return {"left_out": f"no PostgreSQL: {error}"}
        url = await asyncio.to_thread(server.empty)
        slack = await stack.enter_async_context(simulator(2 * rate))
        clouds = await stack.enter_async_context(simulated_clouds(with_aws=False))
        return await _compare(slack, folder, clouds, url, commands, rate)


async def _compare(slack: Slack, folder: Path, clouds: Clouds, url: str, commands: int, rate: int) -> Figures:
    found: dict[str, list[dict[str, Any]]] = {"one": [], "two": []}
    async with _replica(slack, folder, clouds, url, "first") as first:
        await slack.say(rate, WARM_UP)
        await settled(slack, WARM_UP)
        for turn in range(TURNS):
            say(f"replicas: turn {turn + 1} of {TURNS}")
            found["one"].append(await _say(slack, [first], commands // TURNS, rate))
            async with _replica(slack, folder, clouds, url, "second") as second:
                await slack.say(rate, WARM_UP)
                await settled(slack, len(await slack.answers()) + WARM_UP)
                found["two"].append(await _say(slack, [first, second], commands // TURNS, rate))
    figures = {name: _together(each) for name, each in found.items()}
    one, two = figures["one"], figures["two"]
    wrong = sum(each["lost"] + each["doubled"] for each in figures.values())
    return {
        "unit": "milliseconds",
        **figures,
        "ratio_of_processor_time": round(two["processor_ms_a_command"] / one["processor_ms_a_command"], 2),
        "ratio_of_p99": round(two["answered"]["p99"] / one["answered"]["p99"], 2),
        "aims": {
            "two beside one": aim(
                two["answered"]["median"] / one["answered"]["median"], LIMIT_RATIO, "times the median answer"
            ),
            "lost or doubled": aim(wrong, 1, f"of {2 * commands} commands"),
        },
    }


async def _say(slack: Slack, bots: Sequence[BotProcess], commands: int, rate: int) -> dict[str, Any]:
    before = len(await slack.answers())
    spent = sum(bot.processor() for bot in bots)
    threads = await slack.say(rate, commands)
    answers = [each for each in await settled(slack, before + len(threads)) if each[0] in threads]
    counted = Counter(thread for thread, _ in answers)
    return {
        "milliseconds": [(at - threads[thread]) * 1000 for thread, at in answers],
        "sent": len(threads),
        "lost": sum(1 for thread in threads if not counted[thread]),
        "doubled": sum(1 for thread in threads if counted[thread] > 1),
        "processor_seconds": sum(bot.processor() for bot in bots) - spent,
    }


def _together(turns: Sequence[dict[str, Any]]) -> dict[str, Any]:
    sent = sum(each["sent"] for each in turns)
    return {
        "sent": sent,
        "lost": sum(each["lost"] for each in turns),
        "doubled": sum(each["doubled"] for each in turns),
        "answered": spread(list(itertools.chain.from_iterable(each["milliseconds"] for each in turns))),
        "processor_ms_a_command": round(sum(each["processor_seconds"] for each in turns) * 1000 / sent, 2),
    }


@asynccontextmanager
async def _replica(
    slack: Slack, folder: Path, clouds: Clouds, url: str, name: str
) -> AsyncIterator[BotProcess]:
    configuration = document(clouds, folder / name)
    configuration["database"] = {"url": url}
    tell_of_slack(configuration, slack, folder)
    path = folder / f"{name}.toml"
    write_toml(path, configuration)
    async with slipway_run(path) as bot:
        yield bot
