"""A console on real pipes, and a recorder in place of the dispatcher."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field

from slipway.bot.chat.console.adapter import ConsoleChat
from slipway.bot.chat.console.board import Board
from slipway.bot.chat.console.inputs import Input, Line, PipedLines
from slipway.bot.chat.console.rendering import PlainRenderer, Renderer
from slipway.bot.chat.console.screen import Screen
from slipway.bot.chat.model import AnyEvent, Button, ButtonEvent, Card, Choice, MessageEvent, Tone
from tests.support.clock import NOW


async def nothing() -> None:
    """Quiet and settled at once."""


def buttons(operation: str, digest: str = "c0ffee") -> tuple[Button, ...]:
    return tuple(
        Button(choice=choice, label=choice.value.title(), operation_id=operation, digest_prefix=digest)
        for choice in (Choice.APPROVE, Choice.REJECT)
    )


def proposal(operation: str = "op-7k3f") -> Card:
    return Card(tone=Tone.WAITING, title="Promote 43.20261120.0?", buttons=buttons(operation))


@dataclass
class EventRecorder:
    """Records every event, and answers as it is told to."""

    answer: Callable[[AnyEvent], Awaitable[None]] | None = None
    events: list[AnyEvent] = field(default_factory=list)

    async def accept(self, event: AnyEvent) -> None:
        self.events.append(event)
        if self.answer:
            await self.answer(event)

    @property
    def said(self) -> list[tuple[str, str]]:
        return [(event.sender, event.text) for event in self.events if isinstance(event, MessageEvent)]


class ScriptedInput:
    """Lines from a list, as from a script."""

    def __init__(self, *lines: Line, live: bool = False) -> None:
        self._lines = lines
        self.live = live
        self.pasted = False

    async def lines(self) -> AsyncGenerator[Line, None]:
        for line in self._lines:
            yield line


def console_chat(
    source: Input,
    *,
    screen: Screen | None = None,
    renderer: Renderer | None = None,
    board: Board | None = None,
    quiet: Callable[[], Awaitable[None]] = nothing,
    settled: Callable[[], Awaitable[None]] = nothing,
) -> ConsoleChat:
    return ConsoleChat(
        source=source,
        screen=screen or Screen(io.StringIO()),
        renderer=renderer or PlainRenderer(),
        board=board or Board("s1", "console"),
        speaker="alice",
        clock=lambda: NOW,
        quiet=quiet,
        settled=settled,
    )


async def run_script(script: bytes, recorder: EventRecorder, *, renderer: Renderer | None = None) -> str:
    """Pipe a script into a console where every event is answered; return its output at the end."""
    output = io.StringIO()
    reading, writing = os.pipe()
    chat = console_chat(PipedLines(reading), screen=Screen(output), renderer=renderer)
    recorder.answer = recorder.answer or _repeat(chat)
    sender = asyncio.create_task(asyncio.to_thread(_write_all, writing, script))
    try:
        await chat.run(recorder.accept)
        await sender
    finally:
        os.close(reading)
    return output.getvalue()


def _repeat(chat: ConsoleChat) -> Callable[[AnyEvent], Awaitable[None]]:
    async def answer(event: AnyEvent) -> None:
        assert isinstance(event, MessageEvent | ButtonEvent)
        title = f"heard {len(event.text)}" if isinstance(event, MessageEvent) else f"pressed {event.choice}"
        await chat.send("console", Card(title=title), thread=None, key=event.event_id)

    return answer


def _write_all(descriptor: int, data: bytes) -> None:
    with os.fdopen(descriptor, "wb") as pipe:
        pipe.write(data)
