"""The program that is measured: `slipway run` as a process of its own, and the clouds it is told of."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
import tomllib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import IO, Any

import psutil  # type: ignore[import-untyped]

from slipway.bot.clouds.simulated.aws.process import SimulatorError
from slipway.bot.clouds.simulated.aws.seed import fedora_machines
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery

ROOT = Path(__file__).parents[1]
TIMEOUT_SECONDS = 60.0
"""Seconds after which a program that says nothing counts as stuck."""


@dataclass(frozen=True)
class Clouds:
    """Where the simulated clouds listen; without moto there is no AWS."""

    azure: str
    aws: str | None


@asynccontextmanager
async def simulated_clouds(*, with_aws: bool = True) -> AsyncIterator[Clouds]:
    """The clouds of the demo, all there before anything is measured."""
    async with AsyncExitStack() as stack:
        azure = SimulatedAzure(fedora_gallery(datetime.now(UTC)))
        azure_url = await azure.start()
        stack.push_async_callback(azure.stop)
        if not with_aws:
            yield Clouds(azure_url, None)
            return
        aws = SimulatedAws(fedora_machines(datetime.now(UTC)))
        try:
            aws_url: str | None = await aws.start()
        except SimulatorError:
            aws_url = None
        else:
            stack.push_async_callback(aws.stop)
            await aws.ready()
        yield Clouds(azure_url, aws_url)


def document(clouds: Clouds, state: Path) -> dict[str, Any]:
    """The demo's configuration, told where the clouds listen."""
    found = tomllib.loads(files("slipway.bot.cli").joinpath("demo.toml").read_text("utf-8"))
    found["state_dir"] = str(state)
    found["log_format"] = "json"
    found["azure"]["endpoint"] = clouds.azure
    if clouds.aws is None:
        del found["aws"], found["profiles"]
    else:
        found["aws"]["endpoint"] = clouds.aws
    return found


def write_toml(path: Path, found: dict[str, Any]) -> None:
    """Write a configuration of scalars, lists, tables of them, and lists of flat tables."""
    lines: list[str] = []
    _table(lines, (), found)
    path.write_text("\n".join(lines) + "\n")


def _table(lines: list[str], name: tuple[str, ...], found: dict[str, Any]) -> None:
    nested = {key: value for key, value in found.items() if _is_nested(value)}
    lines += [f"{_key(key)} = {json.dumps(value)}" for key, value in found.items() if key not in nested]
    for key, value in nested.items():
        path = ".".join(map(_key, (*name, key)))
        if isinstance(value, dict):
            lines.append(f"[{path}]")
            _table(lines, (*name, key), value)
        else:
            for each in value:
                lines.append(f"[[{path}]]")
                _table(lines, (*name, key), each)


def _key(name: str) -> str:
    """A key as TOML has it: what is more than letters, digits and dashes, such as a machine's type, in quotes."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def _is_nested(value: object) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)
    )


class BotProcess:
    """A `slipway run` that is ready. Its console takes lines and gives JSON."""

    def __init__(self, process: asyncio.subprocess.Process, ready_after: float) -> None:
        self._process = process
        self.ready_after = ready_after
        """Seconds from the start of the process until its log said "ready"."""
        self.processor_seconds = self.processor()
        """What that took of a processor, which a busy machine stretches less."""

    async def ask(self, line: str, times: int = 1) -> None:
        """Say a line so many times, and read that many answers."""
        for _ in range(times):
            await self.tell(line)

    async def tell(self, line: str, until: str = "") -> str:
        """Say a line, and give the first answer that has this in it: JSON, as the console writes it to a pipe."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line.encode() + b"\n")
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while answer := await self._process.stdout.readline():
                if until in (said := answer.decode()):
                    return said
        raise RuntimeError("slipway run ended in the middle")

    def processor(self) -> float:
        """Seconds that it has spent of a processor."""
        spent = psutil.Process(self._process.pid).cpu_times()
        return float(spent.user + spent.system)

    def waited(self) -> float | None:
        """Seconds that its main thread was ready and had no processor: others had it. None where nobody tells."""
        try:
            told = Path(f"/proc/{self._process.pid}/schedstat").read_text().split()
        except FileNotFoundError:
            return None
        return int(told[1]) / 1e9  # proc(5): nanoseconds on a run queue

    def memory(self) -> dict[str, float]:
        """What it occupies, in MiB: resident, and of that what no other process shares."""
        return memory_of(self._process.pid)


def memory_of(pid: int) -> dict[str, float]:
    """Resident (RSS) and unique (USS) memory of a process, in MiB."""
    found = psutil.Process(pid).memory_full_info()
    return {"rss_mib": round(found.rss / 2**20, 1), "uss_mib": round(found.uss / 2**20, 1)}


def environment() -> dict[str, str]:
    """The environment of what is measured: this checkout, and credentials that nobody looks at."""
    return os.environ | {
        "SLIPWAY_AWS_ACCESS_KEY_ID": "benchmark",
        "SLIPWAY_AWS_SECRET_ACCESS_KEY": "benchmark",
        "PYTHONPATH": str(ROOT),
    }


@asynccontextmanager
async def slipway_run(config: Path) -> AsyncIterator[BotProcess]:
    """Run `slipway run` from its start until it is ready and for as long as the block lasts."""
    log = config.with_suffix(".log")
    with log.open("wb") as sink:
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "slipway", "run", "--config", str(config)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment(),
            limit=2**22,
        )
        assert process.stderr is not None
        said: asyncio.Task[None] | None = None
        try:
            await asyncio.wait_for(_until_ready(process.stderr, sink), TIMEOUT_SECONDS)
            ready_after = time.perf_counter() - began
            said = asyncio.create_task(_drain(process.stderr, sink))
            yield BotProcess(process, ready_after)
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.wait_for(process.communicate() if said is None else process.wait(), TIMEOUT_SECONDS)
            if said is not None:
                await said


async def _until_ready(stderr: asyncio.StreamReader, sink: IO[bytes]) -> None:
    said = b""
    while line := await stderr.readline():
        sink.write(line)
        said += line
        if line.startswith(b"{") and json.loads(line).get("event") == "ready":
            return
    raise RuntimeError(f"slipway run did not become ready:\n{said.decode(errors='replace')[-2000:]}")


async def _drain(stderr: asyncio.StreamReader, sink: IO[bytes]) -> None:
    while line := await stderr.readline():
        sink.write(line)
