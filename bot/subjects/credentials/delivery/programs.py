"""A command that is given a secret on its standard input: no shell, no argument and no variable holds any of it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from slipway.bot.core.times import format_duration
from slipway.bot.subjects.credentials.delivery.addresses import Form
from slipway.bot.subjects.credentials.delivery.model import Delivery, sink_error

_PASSED_ON = ("HOME", "LANG", "LC_ALL", "PATH", "TZ")
"""Of the bot's environment a command gets these alone: the rest may hold other secrets."""


@dataclass(frozen=True)
class CommandSink:
    """A command, which ends with 0 once it has put what it read where it belongs.

    Its output is not read: it could hold the secret, and stands in no message and no log.

    Attributes:
        title: what people call it.
        words: the program and its arguments.
        form: how the secret is written.
        timeout: seconds that it may take; then it is ended, with whatever it has started.
    """

    title: str
    words: tuple[str, ...]
    form: Form
    timeout: float
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    can_undo: bool = False

    async def prepare(self, delivery: Delivery) -> PreparedCommand:
        """Nothing but to look: it is run at the commit."""
        await self.look()
        return PreparedCommand(self, delivery)

    async def look(self) -> None:
        """See that there is such a program."""
        program = Path(self.words[0])
        if not await asyncio.to_thread(lambda: program.is_file() and os.access(program, os.X_OK)):
            raise sink_error(self.title, "there is no such program, or it cannot be run")


@dataclass(frozen=True)
class PreparedCommand:
    """A command, and what it is to be given."""

    sink: CommandSink
    delivery: Delivery

    @property
    def title(self) -> str:
        """What people call it."""
        return self.sink.title

    async def commit(self) -> None:
        """Run it."""
        sink = self.sink
        environ = {name: sink.environ[name] for name in _PASSED_ON if name in sink.environ}
        try:
            process = await asyncio.create_subprocess_exec(
                *sink.words,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env=environ,
                start_new_session=True,
            )
        except OSError as error:
            raise sink_error(sink.title, (error.strerror or "it cannot be run").lower()) from None
        try:
            async with asyncio.timeout(sink.timeout):
                await process.communicate(self.delivery.written(sink.form))
        except TimeoutError:
            within = format_duration(timedelta(seconds=sink.timeout))
            raise sink_error(sink.title, f"it did not end within {within}", doubtful=True) from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if process.returncode:
            raise sink_error(sink.title, f"it ended with status {process.returncode}")

    async def undo(self) -> bool:
        """What a command did, nobody knows how to take back."""
        return False

    async def discard(self) -> None:
        """It was not run."""
