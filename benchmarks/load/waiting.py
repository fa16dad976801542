"""What many operations cost that wait at once for somebody to agree."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.azure import simulator
from benchmarks.figures import Figures, aim, say
from benchmarks.program import Clouds, document, slipway_run, write_toml

LIMIT_MIB = 50.0
"""Of resident memory, for all that wait."""

WARM_UP = 30
"""Operations that wait before: with the first ones the cloud's SDK is loaded, and caches fill."""

FIRST = 1000
"""The number in the name of the simulated gallery's first definition."""


async def measure(operations: int) -> Figures:
    """Propose a promotion of each of so many definitions, and look at the bot's memory while nobody agrees."""
    say(f"waiting: {operations} operations at once")
    with TemporaryDirectory(prefix="slipway-bench-") as name:
        folder = Path(name)
        async with simulator(WARM_UP + operations, 4, 1) as azure:
            configuration = document(Clouds(azure["url"], None), folder / "state")
            configuration["azure"].update(
                {key: azure[key] for key in ("subscription_id", "resource_group", "gallery")}
            )
            write_toml(folder / "slipway.toml", configuration)
            async with slipway_run(folder / "slipway.toml") as bot:
                for number in range(WARM_UP):
                    await bot.tell(_proposal(number), until="waits for")
                before = bot.memory()
                for number in range(WARM_UP, WARM_UP + operations):
                    await bot.tell(_proposal(number), until="waits for")
                after = bot.memory()
                await bot.tell("!pending", until=str(WARM_UP + operations))  # or it times out: not all wait
    grown = after["rss_mib"] - before["rss_mib"]
    return {
        "unit": "MiB",
        "operations": operations,
        "before": before,
        "after": after,
        "kib_an_operation": round(grown * 1024 / operations, 1),
        "aim": aim(grown, LIMIT_MIB, f"MiB more RSS for {operations} operations that wait"),
    }


def _proposal(number: int) -> str:
    return f"!promote Fedora-Cloud-{FIRST + number}-x64"
