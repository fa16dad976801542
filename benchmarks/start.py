"""How long `slipway run` takes to be ready, beside what Python and DBOS take to be there at all."""

from __future__ import annotations

import asyncio
import importlib.util
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.figures import Figures, aim, say, spread
from benchmarks.program import Clouds, document, environment, simulated_clouds, slipway_run, write_toml

LIMIT_SECONDS = 3.0

_BASELINES = {"python": ("-c", "pass"), "python_and_dbos": ("-c", "import dbos")}
_PROGRAMS = {
    "slipway_version": ("-m", "slipway", "version"),
    "slipway_check": ("-m", "slipway", "check", "--config"),
}

_READY = ("ready_first", "ready_again", "ready_matrix")


async def measure(*, runs: int, matrix: bool, aws: bool) -> Figures:
    """Start everything so many times, taking turns, so that a busy moment falls on all alike."""
    with TemporaryDirectory(prefix="slipway-bench-") as folder:
        async with simulated_clouds(with_aws=aws) as clouds:
            console = await asyncio.to_thread(_prepare, Path(folder), clouds, "console", None)
            seconds = await _console(console, runs)
            if matrix:
                seconds |= await _matrix(Path(folder), clouds, runs)
    typical = {name: median(samples) for name, samples in seconds.items()}
    ready = {name: value for name, value in typical.items() if name in _READY}
    return {
        "unit": "seconds",
        **{name: spread(samples) for name, samples in seconds.items()},
        "ratios": {
            f"ready_again{which}_to_{baseline}": round(
                typical[f"ready_again{which}"] / typical[f"{baseline}{which}"], 2
            )
            for which in ("", "_processor")
            for baseline in _BASELINES
        },
        "aim": aim(max(ready.values()), LIMIT_SECONDS, "seconds until ready, the slowest median of all ways"),
        "matrix": "measured" if "ready_matrix" in seconds else "left out, or no Synapse is installed",
    }


async def _console(config: Path, runs: int) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = defaultdict(list)
    state = config.parent / "state"
    for run in range(runs):
        say(f"start: {run + 1} of {runs}")
        for name, arguments in _BASELINES.items():
            before = _processor()
            seconds[name].append(await _until_exit(*arguments))
            seconds[f"{name}_processor"].append(_processor() - before)
        seconds["slipway_version"].append(await _until_exit(*_PROGRAMS["slipway_version"]))
        seconds["slipway_check"].append(await _until_exit(*_PROGRAMS["slipway_check"], str(config)))
        for name in ("ready_first", "ready_again"):  # a fresh state folder, and one that was used before
            async with slipway_run(config) as bot:
                seconds[name].append(bot.ready_after)
                seconds[f"{name}_processor"].append(bot.processor_seconds)
        state.rename(state.with_name(f"state-{run}"))
    return seconds


async def _matrix(folder: Path, clouds: Clouds, runs: int) -> dict[str, list[float]]:
    """The same with a Matrix account on a real Synapse, until its first sync is through."""
    if any(importlib.util.find_spec(name) is None for name in ("synapse", "pytest")):
        return {}
    say("start: starting a Synapse")
    found: list[float] = []
    synapse = _synapse(folder / "synapse")
    table = await asyncio.to_thread(synapse.__enter__)
    try:
        config = await asyncio.to_thread(_prepare, folder, clouds, "matrix", table)
        for run in range(runs + 1):
            say(f"start with Matrix: {run} of {runs}")
            async with slipway_run(config) as bot:
                if run:  # the first one made the state folder
                    found.append(bot.ready_after)
    finally:
        await asyncio.to_thread(synapse.__exit__, None, None, None)
    return {"ready_matrix": found}


@contextmanager
def _synapse(folder: Path) -> Iterator[dict[str, str]]:
    """A real homeserver, and the ``[matrix]`` table of an account on it."""
    from tests.support.processes.synapse import running_synapse

    folder.mkdir()
    with running_synapse(folder) as synapse:
        account = synapse.register()
        token = folder / "token"
        token.write_text(account.access_token)
        token.chmod(0o600)
        yield {
            "homeserver": synapse.url,
            "user_id": account.user_id,
            "device_id": account.device_id,
            "access_token_file": str(token),
        }


def _prepare(folder: Path, clouds: Clouds, name: str, matrix: dict[str, str] | None) -> Path:
    directory = folder / name
    directory.mkdir()
    configuration = document(clouds, directory / "state")
    if matrix is not None:
        configuration["matrix"] = matrix
    write_toml(directory / "slipway.toml", configuration)
    return directory / "slipway.toml"


def _processor() -> float:
    """Processor seconds of all processes that this one started and saw end."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


async def _until_exit(*arguments: str) -> float:
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        env=environment(),
    )
    if await process.wait() != 0:
        raise RuntimeError(f"python {' '.join(arguments)} failed")
    return time.perf_counter() - began
