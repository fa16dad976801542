"""The parent's side of moto's process: starting it, talking to it, and ending it."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, TypeVar

import aiohttp

from slipway.bot.clouds.simulated.aws.seed import SeedMachines

MOTO = (
    sys.executable,
    "-P",  # the script's own folder holds modules named like packages
    str(Path(__file__).with_name("moto_server.py")),
)
"""The program that runs moto, as ``moto_server.py`` speaks with whoever starts it."""

_START_TIMEOUT = 60.0  # seconds; importing moto takes about two on an idle machine
_STOP_TIMEOUT = 10.0
_ERROR_TAIL = 400  # characters of what moto wrote last that an error quotes

T = TypeVar("T")


class SimulatorError(Exception):
    """The simulated AWS did not start, or ended by itself."""


@dataclass(frozen=True)
class MotoAnswer:
    """What moto answered."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class MotoProcess:
    """Moto in a process of its own. Requests wait until it is there."""

    def __init__(self, process: asyncio.subprocess.Process, errors: IO[bytes], seed: SeedMachines) -> None:
        self._process = process
        self._errors = errors
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_START_TIMEOUT))
        self._address = asyncio.create_task(self._handshake(seed))

    @classmethod
    async def start(cls, seed: SeedMachines, program: Sequence[str] = MOTO) -> MotoProcess:
        """Start the process, and do not wait for it.

        Args:
            seed: what moto holds at first.
            program: what to start.

        Raises:
            SimulatorError: moto is not installed.
        """
        if find_spec("moto") is None:
            raise SimulatorError("The simulated AWS needs moto: install slipway[demo].")
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in stop()
        process = await asyncio.create_subprocess_exec(
            *program,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # an interrupt at the terminal is the parent's to answer
        )
        return cls(process, errors, seed)

    async def ready(self) -> None:
        """Wait until it answers.

        Raises:
            SimulatorError: it did not start; the words hold the end of what it said.
        """
        await self._url()

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> MotoAnswer:
        """Hand a request on.

        Raises:
            SimulatorError: there is no answer.
        """
        try:
            async with self._session.post(await self._url() + path, data=body, headers=headers) as answer:
                return MotoAnswer(answer.status, await answer.read(), dict(answer.headers))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SimulatorError(f"The simulated AWS does not answer. {self._error_tail()}") from error

    async def state(self) -> dict[str, Any]:
        """What it holds, as ``moto_server.describe`` tells it.

        Raises:
            SimulatorError: it did not start.
        """
        async with self._session.get(await self._url() + "/_sim/state") as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def stop(self) -> None:
        """End it by the end of its input; by force where it is still starting or that is not enough."""
        if not self._address.done():
            self._process.kill()
        self._address.cancel()
        with suppress(asyncio.CancelledError, SimulatorError):
            await self._address
        await self._session.close()
        _require_pipe(self._process.stdin).close()
        try:
            async with asyncio.timeout(_STOP_TIMEOUT):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        self._errors.close()

    async def _url(self) -> str:
        return await asyncio.shield(self._address)

    async def _handshake(self, seed: SeedMachines) -> str:
        _require_pipe(self._process.stdin).write(seed.model_dump_json().encode() + b"\n")
        line = b""
        with suppress(TimeoutError):
            async with asyncio.timeout(_START_TIMEOUT):
                line = await _require_pipe(self._process.stdout).readline()
        if not line:
            raise SimulatorError(f"The simulated AWS did not start. {self._error_tail()}")
        return f"http://127.0.0.1:{json.loads(line)['port']}"

    def _error_tail(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-_ERROR_TAIL:].decode(errors="replace").strip()


def _require_pipe(pipe: T | None) -> T:
    if pipe is None:
        raise SimulatorError("The simulated AWS has no pipe to its process.")
    return pipe
