"""Where lines come from: a pipe or a file, a terminal, or a story that is told (`slipway.bot.chat.console.tour`)."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import termios
import threading
import tty
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from rich.cells import cell_len

from slipway.bot.chat.console.editor import LONGEST, Closed, Editor, Entered, TooLong
from slipway.bot.chat.console.screen import Screen

_CHUNK = 65536  # bytes

TELL_PASTES, TELL_NO_PASTES = "\x1b[?2004h", "\x1b[?2004l"
"""Whether the terminal marks what is pasted. Source: xterm control sequences, “Bracketed Paste Mode”."""


@dataclass(frozen=True, slots=True)
class Narration:
    """A sentence for the reader, said by nobody."""

    text: str


Line = Entered | TooLong | Narration


class Input(Protocol):
    """Where lines come from."""

    @property
    def live(self) -> bool:
        """Whether a person is typing.

        A person is not made to wait and sees their own typing; a script's next line waits until all is quiet, and is
        shown as it is said.
        """
        ...

    @property
    def pasted(self) -> bool:
        """Whether the line that came last was pasted with another one behind it, which waits as a script's does."""
        ...

    def lines(self) -> AsyncGenerator[Line, None]:
        """The lines, until there are no more."""
        ...


async def chunks(fd: int) -> AsyncGenerator[bytes, None]:
    """What can be read from a file descriptor, as it comes, without blocking the event loop.

    A terminal that was hung up counts as its end. Only as much is read as is asked for.
    """
    while data := await _read(fd):
        yield data


async def _read(fd: int) -> bytes:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def on_ready() -> None:
        loop.remove_reader(fd)  # else the loop would spin until the data is taken
        if not ready.done():
            ready.set_result(None)

    try:
        loop.add_reader(fd, on_ready)
    except PermissionError:  # epoll watches no regular files; they are always ready, but the disk may be slow
        return await asyncio.to_thread(os.read, fd, _CHUNK)
    try:
        await ready
    finally:
        loop.remove_reader(fd)
    try:
        return os.read(fd, _CHUNK)
    except OSError:
        return b""


class PipedLines:
    """Lines of a pipe or a file, or of a terminal whose own line discipline does the editing.

    Args:
        fd: what to read.
        live: whether a person is typing there.
        screen: where the prompt goes, if there is one.
        prompt: the prompt; empty for none.
    """

    def __init__(
        self, fd: int, *, live: bool = False, screen: Screen | None = None, prompt: str = ""
    ) -> None:
        self._fd = fd
        self._live = live
        self._screen = screen
        self._prompt = prompt

    @property
    def live(self) -> bool:
        """Whether a person is typing."""
        return self._live

    @property
    def pasted(self) -> bool:
        """Whether another line is there already: a terminal that edits lines itself hands over whole ones."""
        return bool(select.select([self._fd], [], [], 0)[0])

    async def lines(self) -> AsyncGenerator[Line, None]:
        """The lines until the end; the last one needs no newline. Broken UTF-8 becomes ``\\ufffd``."""
        splitter = _Splitter()
        await self._ask()
        async with aclosing(chunks(self._fd)) as data:
            async for chunk in data:
                for line in splitter.feed(chunk):
                    self._answered()
                    yield line
                    await self._ask()
        for line in splitter.end():
            yield line
        if self._screen and self._prompt:
            await self._screen.prompt("")

    async def _ask(self) -> None:
        if self._screen and self._prompt:
            await self._screen.prompt(self._prompt)

    def _answered(self) -> None:
        if self._screen and self._prompt:
            self._screen.entered()


class _Splitter:
    """Cuts bytes into lines and lets go of what is too long, so that memory stays bounded."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._overflow = False

    def feed(self, chunk: bytes) -> Iterator[Entered | TooLong]:
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            self._add(part)
            yield self._take()
        self._add(rest)

    def end(self) -> Iterator[Entered | TooLong]:
        if self._held or self._overflow:
            yield self._take()

    def _add(self, part: bytes) -> None:
        if self._overflow or len(self._held) + len(part) > LONGEST:
            self._overflow = True
            self._held.clear()
        else:
            self._held += part

    def _take(self) -> Entered | TooLong:
        line: Entered | TooLong = (
            TooLong() if self._overflow else Entered(self._held.decode("utf-8", "replace"))
        )
        self._held.clear()
        self._overflow = False
        return line


class EditedLines:
    """Lines typed at a terminal, with a prompt that stays below what the bot says meanwhile.

    Args:
        fd: the terminal.
        screen: where the prompt goes.
        prompt: the prompt as it is shown, colours included.
        plain_prompt: the prompt without colours, for its width.
        columns: how wide the terminal is now.
    """

    def __init__(
        self, fd: int, *, screen: Screen, prompt: str, plain_prompt: str, columns: Callable[[], int]
    ) -> None:
        self._fd = fd
        self._screen = screen
        self._prompt = prompt
        self._indent = cell_len(plain_prompt)
        self._columns = columns
        self._editor = Editor()
        self._behind = 0  # finished lines that were handed over at once, behind the one that was given last

    @property
    def live(self) -> bool:
        """Always: a person is typing."""
        return True

    @property
    def pasted(self) -> bool:
        """Whether the terminal said that it is pasting, or handed over the next line at once."""
        return self._behind > 0 or self._editor.pasting

    async def lines(self) -> AsyncGenerator[Line, None]:
        """The lines until Ctrl-D. The terminal is left as it was found, however this ends."""
        with _keys_at_once(self._fd), _signals(self._keys_again):
            try:
                await self._screen.control(TELL_PASTES)
                await self._draw()
                async with aclosing(chunks(self._fd)) as data:
                    async for chunk in data:
                        events = self._editor.feed(chunk)
                        for number, event in enumerate(events, start=1):
                            if isinstance(event, Closed):
                                return
                            self._behind = len(events) - number
                            await self._leave(event)
                            yield event
                        await self._draw()
            finally:
                if not self._screen.gone.is_set():
                    await self._screen.prompt("")
                    await self._screen.control(TELL_NO_PASTES)

    def _row(self) -> str:
        text, cursor = self._editor.view(max(8, self._columns() - self._indent - 1))
        return f"{self._prompt}{text}\r\x1b[{self._indent + cursor}C"

    async def _draw(self) -> None:
        await self._screen.prompt(self._row())

    async def _leave(self, event: Entered | TooLong) -> None:
        await self._screen.enter(self._prompt + (event.text if isinstance(event, Entered) else "…"))

    def _keys_again(self) -> None:
        """After Ctrl-Z and `fg`, the shell has set the terminal its own way."""
        with suppress(termios.error):  # hung up, which the kernel tells with the same signal
            tty.setcbreak(self._fd, termios.TCSANOW)


@contextmanager
def _keys_at_once(fd: int) -> Iterator[None]:
    """Have the terminal hand over each key instead of whole lines; Ctrl-C still interrupts."""
    before = termios.tcgetattr(fd)
    tty.setcbreak(fd, termios.TCSANOW)
    try:
        yield
    finally:
        with suppress(termios.error):  # hung up: there is no terminal left to give back
            termios.tcsetattr(fd, termios.TCSANOW, before)


@contextmanager
def _signals(on_continue: Callable[[], None]) -> Iterator[None]:
    """Call back when the program goes on after it was stopped. Only the main thread can have signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGCONT, on_continue)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGCONT)
