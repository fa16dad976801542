"""The output stream, with lines at the bottom: that work is under way, and where somebody may be typing."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TextIO

from slipway.bot.core.errors import ChatError

ERASE = "\r\x1b[K"  # back to the first column, clear the line
UP = "\x1b[1A"  # to the line above
BREAK = "\n"  # for a terminal that cannot erase: leave the prompt where it is


class Screen:
    """Writes blocks of text in order, off the event loop, and keeps the prompt below them.

    A terminal can be stopped (Ctrl-S) and a pipe can be full; only the writing thread waits then.

    Args:
        stream: where to write; its encoding is respected, and what it cannot carry becomes ``?``.
        erase: what takes a prompt off the line it stands on.
    """

    def __init__(self, stream: TextIO, *, erase: str = ERASE) -> None:
        self._stream = stream
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._erase = erase
        self._row = ""
        self._status = ""
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="console")
        self.gone = asyncio.Event()
        """Set once nobody can read the output any more."""

    async def show(self, block: str) -> None:
        """Write a block and a newline, above the prompt if there is one.

        Raises:
            ChatError: nobody can read the output any more.
        """
        await self._put(f"{self._lifted}{block}\n{self._below}")

    async def prompt(self, row: str) -> None:
        """Show this as the prompt, in place of the one before.

        Raises:
            ChatError: nobody can read the output any more.
        """
        before, self._row = self._lifted, row
        await self._put(before + self._below)

    @property
    def has_status(self) -> bool:
        """Whether a line can be taken away again."""
        return self._erase == ERASE

    async def status(self, line: str) -> None:
        """Show this line above the prompt until another takes its place; none for an empty one.

        Raises:
            ChatError: nobody can read the output any more.
        """
        before, self._status = self._lifted, line
        await self._put(before + self._below)

    @property
    def _lifted(self) -> str:
        """What takes the lines at the bottom off the screen."""
        if self._status:
            return f"{self._erase}{UP}{self._erase}"
        return self._erase if self._row else ""

    @property
    def _below(self) -> str:
        return f"{self._status}\n{self._row}" if self._status else self._row

    async def control(self, sequence: str) -> None:
        """Send the terminal a sequence that shows nothing.

        Raises:
            ChatError: nobody can read the output any more.
        """
        await self._put(sequence)

    async def enter(self, line: str) -> None:
        """Leave ``line`` standing where the prompt was; there is no prompt then.

        Raises:
            ChatError: nobody can read the output any more.
        """
        await self.prompt("")
        await self.show(line)

    def entered(self) -> None:
        """The terminal itself ended the prompt's line, as it does when it echoes what is typed."""
        self._row = ""

    async def _put(self, text: str) -> None:
        if self.gone.is_set():
            raise _closed()
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._writer, self._write, text)
        except OSError as error:
            self.gone.set()
            raise _closed() from error

    def _write(self, text: str) -> None:
        if self._stream.closed:
            raise BrokenPipeError
        try:
            self._stream.write(text.encode(self._encoding, "replace").decode(self._encoding))
            self._stream.flush()
        except OSError:  # a pipe without a reader, a terminal that was hung up
            self._turn_away()
            raise

    def _turn_away(self) -> None:
        """Point the stream at nothing: what it still holds would fail again when the program ends."""
        try:
            target = self._stream.fileno()
        except OSError:  # a stream in memory has no file
            return
        nothing = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nothing, target)
        finally:
            os.close(nothing)


def _closed() -> ChatError:
    return ChatError("The console's output is closed, so nobody can read this.", passing=False)
