"""How much memory the bot takes, beside what Python with DBOS launched takes."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.figures import Figures, say
from benchmarks.program import (
    TIMEOUT_SECONDS,
    BotProcess,
    document,
    environment,
    memory_of,
    simulated_clouds,
    slipway_run,
    write_toml,
)

TALK = ("!whoami", "!help", "!status", "!pending", "!history", "!whomai")
"""Commands that need no cloud, and one that is no command: as many lines of each."""

_FLOOR = """
import sys
from dbos import DBOS
url = "sqlite:///" + sys.argv[1] + "/floor.db"
DBOS(config={"name": "floor", "system_database_url": url, "log_level": "ERROR", "enable_otlp": False})
DBOS.launch()
print("ready", flush=True)
sys.stdin.read()
DBOS.destroy()
"""


async def measure(*, runs: int, commands: int, aws: bool) -> Figures:
    """Look at fresh processes: idle, after so many commands, after as many again, and with the clouds in use."""
    seen: dict[str, list[dict[str, float]]] = {}
    async with simulated_clouds(with_aws=aws) as clouds:
        for run in range(runs):
            say(f"memory: {run + 1} of {runs}")
            with TemporaryDirectory(prefix="slipway-bench-") as folder:
                directory = Path(folder)
                seen.setdefault("floor_python_and_dbos", []).append(await _baseline(directory))
                write_toml(directory / "slipway.toml", document(clouds, directory / "state"))
                async with slipway_run(directory / "slipway.toml") as bot:
                    await _look(bot, commands, seen, with_aws=clouds.aws is not None)
    found = {name: _medians(each) for name, each in seen.items()}
    idle, once, twice = (found[name]["uss_mib"] for name in ("idle", "after_commands", "after_as_many_again"))
    return {
        "unit": "MiB, medians",
        "runs": runs,
        "commands": commands,
        **found,
        "growth_kib_a_command": {
            "at_first": round((once - idle) * 1024 / commands, 3),
            "then": round((twice - once) * 1024 / commands, 3),
        },
        "ratio_of_idle_rss_to_floor": round(
            found["idle"]["rss_mib"] / found["floor_python_and_dbos"]["rss_mib"], 2
        ),
    }


async def _look(
    bot: BotProcess, commands: int, seen: dict[str, list[dict[str, float]]], *, with_aws: bool
) -> None:
    seen.setdefault("idle", []).append(bot.memory())
    for name in ("after_commands", "after_as_many_again"):
        for number in range(commands):
            await bot.ask(TALK[number % len(TALK)])
        seen.setdefault(name, []).append(bot.memory())
    await bot.ask("!images")
    seen.setdefault("with_azure_in_use", []).append(bot.memory())
    if with_aws:
        await bot.ask("!instances")
        seen.setdefault("with_both_clouds_in_use", []).append(bot.memory())


async def _baseline(folder: Path) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", _FLOOR, str(folder)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout is not None
    try:
        if await asyncio.wait_for(process.stdout.readline(), TIMEOUT_SECONDS) != b"ready\n":
            raise RuntimeError("DBOS alone did not start")
        return memory_of(process.pid)
    finally:
        assert process.stdin is not None
        process.stdin.close()  # which it waits for
        await asyncio.wait_for(process.wait(), TIMEOUT_SECONDS)


def _medians(found: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(median(each[key] for each in found), 1) for key in found[0]}
