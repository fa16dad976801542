"""A file that every entry is added to, a line of JSON each; logrotate may rename it at any time."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Sequence
from pathlib import Path

from slipway.bot.operations.audit import Recorded, json_line
from slipway.bot.operations.trail.sinks.model import SinkError

MODE = 0o640
"""For its group as well, which is who collects logs; never for everybody."""


class FileSink:
    """Adds at the end, and has it on the disk before it says so.

    The file is opened anew for each batch, so that one that was renamed is left alone and another begins: logrotate
    needs neither ``copytruncate`` nor a signal.

    Args:
        path: the file; its folder has to be there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        """The path."""
        return str(self._path)

    @property
    def setting(self) -> str:
        """Its key."""
        return "audit.entries_file"

    async def try_it(self) -> None:
        """See that the file can be written, or made where it is not there. Neither makes nor changes it.

        Raises:
            SinkError: it cannot.
        """
        try:
            await asyncio.to_thread(self._look)
        except OSError as error:
            raise SinkError(error.strerror or type(error).__name__) from error

    def _look(self) -> None:
        try:
            os.close(os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW))
        except FileNotFoundError:
            folder = self._path.absolute().parent
            if not folder.is_dir():
                raise
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(
                    errno.EACCES, f"it is not there, and {folder} may not be written"
                ) from None

    async def take(self, entries: Sequence[Recorded]) -> None:
        """Add them.

        Raises:
            SinkError: the file cannot be written.
        """
        lines = [f"{json_line(each)}\n".encode() for each in entries]
        try:
            await asyncio.to_thread(self._add, lines)
        except OSError as error:
            raise SinkError(error.strerror or type(error).__name__) from error

    def _add(self, lines: Sequence[bytes]) -> None:
        descriptor = os.open(
            self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, MODE
        )
        try:
            size = os.fstat(descriptor).st_size
            longest = max(map(len, lines), default=0) + 1
            tail = os.pread(descriptor, longest, max(0, size - longest))
            text = b"".join(lines[_there(tail, lines) :])
            if tail and not tail.endswith(b"\n"):  # a line that was cut short stays by itself
                text = b"\n" + text
            try:
                while text:
                    text = text[os.write(descriptor, text) :]
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, size)  # all of them come again: a full disk must not fill with parts
                raise
        finally:
            os.close(descriptor)

    async def close(self) -> None:
        """Nothing is held open."""


def _there(tail: bytes, lines: Sequence[bytes]) -> int:
    """How many of these a process that died right after has added already, by what the file ends with."""
    seen = (
        tail if len(tail) > max(map(len, lines), default=0) else b"\n" + tail
    )  # which is all of a short file
    return next((at for at in range(len(lines), 0, -1) if seen.endswith(b"\n" + lines[at - 1])), 0)
