"""Handing the document over: into a file that is never seen half-written, or to a command."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from slipway.bot.core.problems import one_line
from slipway.bot.core.times import format_duration
from slipway.bot.subjects.images.publishing.settings import PublishingSettings

_LONGEST = 300
"""Characters of what a command said last."""

_KEPT = 4096  # bytes of it

_SECRETS = "SLIPWAY_"
"""With this begin the variables that hold the bot's own secrets; a command gets all others."""


class DeliveryError(Exception):
    """The document was not taken.

    Args:
        sentence: what happened.
        remedy: what to do, as a sentence.
    """

    def __init__(self, sentence: str, remedy: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.remedy = remedy


class Destination(Protocol):
    """Where the document goes."""

    @property
    def name(self) -> str:
        """What tells it from others, and people read; no secret."""
        ...

    def lacks(self) -> bool:
        """Whether what was handed over before is certainly not there any more."""
        ...

    async def deliver(self, text: bytes) -> None:
        """Hand the document over; the same one again does no harm.

        Raises:
            DeliveryError: it was not taken.
        """
        ...


class FileDestination:
    """A file that everybody may read, replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        """Its path."""
        return str(self._path)

    def lacks(self) -> bool:
        """Whether it is gone."""
        return not self._path.exists()

    async def deliver(self, text: bytes) -> None:
        """Write it beside, and put it in the place of the one before in one go, on the disk when this returns."""
        try:
            await asyncio.to_thread(self._write, text)
        except FileNotFoundError:
            raise DeliveryError(
                f"There is no folder {self._path.parent}.", "Make it, or change publishing.file."
            ) from None
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise DeliveryError(
                    f"Slipway may not write into {self._path.parent}: {error.strerror}.",
                    "Let the user write there as whom Slipway runs (under systemd: ReadWritePaths=), or change "
                    "publishing.file.",
                ) from None
            raise DeliveryError(
                f"{self._path} could not be written: {error.strerror}.",
                "Mend that, or change publishing.file.",
            ) from error

    def _write(self, text: bytes) -> None:
        beside = self._path.with_name(f".{self._path.name}.new")
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(file.fileno(), 0o644)
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class CommandDestination:
    """A command that gets the document on its standard input, and ends with status 0 once it has taken it.

    Args:
        settings: the command, and how long it may take.
        environ: the bot's own environment.
    """

    def __init__(self, settings: PublishingSettings, environ: Mapping[str, str]) -> None:
        self._command = settings.command
        self._timeout = settings.timeout
        self._environ = {name: value for name, value in environ.items() if not name.startswith(_SECRETS)}

    @property
    def name(self) -> str:
        """The program; what follows it may be secret."""
        return self._command[0]

    def lacks(self) -> bool:
        """What became of it is the command's to know."""
        return False

    async def deliver(self, text: bytes) -> None:
        """Run it, in a process group of its own, which ends with it."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                env=self._environ,
                start_new_session=True,
            )
        except (FileNotFoundError, PermissionError) as error:
            raise DeliveryError(
                f"{self.name} could not be run: {error.strerror}.",
                "Put it there, executable for the user as whom Slipway runs, or change publishing.command.",
            ) from None
        except OSError as error:
            raise DeliveryError(
                f"{self.name} could not be run: {error.strerror}.", "Mend that, or change publishing.command."
            ) from error
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                said, *_ = await asyncio.gather(_tail(process), _feed(process, text), process.wait())
        except TimeoutError:
            raise DeliveryError(
                f"{self.name} did not end within {format_duration(self._timeout)}, and was stopped.",
                "Make it quicker, or raise publishing.timeout.",
            ) from None
        finally:
            await _end(process)
        if process.returncode:
            raise DeliveryError(
                f"{self.name} ended with status {process.returncode}{_last_line(said)}.",
                "Mend what it says; run by hand, it takes the document on its standard input.",
            )


async def _feed(process: asyncio.subprocess.Process, text: bytes) -> None:
    """Hand the document over; a command need not read it to its end."""
    assert process.stdin is not None  # noqa: S101 - for the type checker; it has a pipe
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(text)
        await process.stdin.drain()
        process.stdin.close()


async def _tail(process: asyncio.subprocess.Process) -> bytes:
    """What it said last, however much it says."""
    assert process.stderr is not None  # noqa: S101 - as above
    said = b""
    while some := await process.stderr.read(_KEPT):
        said = (said + some)[-_KEPT:]
    return said


async def _end(process: asyncio.subprocess.Process) -> None:
    """Stop a command, with whatever it began, and wait until it is gone."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _last_line(said: bytes) -> str:
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    return f", and said last: {one_line(lines[-1])[:_LONGEST].rstrip('.')}" if lines else ""


def destination(settings: PublishingSettings, environ: Mapping[str, str]) -> Destination:
    """Where the configuration has the document go."""
    if settings.file is not None:
        return FileDestination(settings.file)
    return CommandDestination(settings, environ)
