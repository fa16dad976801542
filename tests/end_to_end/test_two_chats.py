"""A bot on two chats, one of which fails: at the start that is told, later the other one goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from slipway.bot.app import App
from slipway.bot.chat.matrix.platform import MATRIX
from slipway.bot.chat.model import Accept, MessageEvent, Room
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.core.errors import ChatError
from slipway.bot.wiring.parts import ChatBuilder
from tests.support.azure import simulated_gallery
from tests.support.clock import FakeClock
from tests.support.configuration import DECLARED, simulated_settings
from tests.support.memory_chat import MemoryChat
from tests.support.pauses import nobody_waits

REVOKED = ChatError("The token does not work any more.", passing=False)


class FailingChat(MemoryChat):
    """A chat that fails for good when it is told to."""

    def __init__(self) -> None:
        super().__init__(platform=MATRIX)
        self.failing = asyncio.Event()

    async def run(self, accept: Accept) -> None:
        self.accept = accept
        await self.failing.wait()
        self.accept = None
        raise REVOKED


async def _hears(chat: MemoryChat, clock: FakeClock) -> bool:
    assert chat.accept is not None
    room = Room(platform=chat.platform, id="room")
    received = MessageEvent(event_id="e1", room=room, sender="alice", text="!help", sent_at=clock())
    return bool(await chat.accept(received))


def _builder(chat: MemoryChat) -> ChatBuilder:
    return ChatBuilder(chat.platform, lambda _: chat)


async def _logged(capsys: pytest.CaptureFixture[str], words: str) -> None:
    said = ""
    async with asyncio.timeout(20):
        while words not in said:  # nothing tells when the log is written
            await asyncio.sleep(0.01)
            said += capsys.readouterr().out


async def test_a_chat_that_fails_at_the_start_ends_the_bot(tmp_path: Path) -> None:
    async with simulated_gallery() as azure:
        configured = simulated_settings(tmp_path, azure)
        failing = FailingChat()
        failing.failing.set()
        chats = (_builder(MemoryChat()), _builder(failing))
        app = App(configured, DECLARED, chats=chats, clock=FakeClock(), sleep=nobody_waits)
        with pytest.raises(ChatError, match="does not work any more"):
            await app.run(asyncio.Event())


async def test_a_chat_that_fails_later_leaves_the_other_one_to_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with simulated_gallery() as azure:
        clock, configured = FakeClock(), simulated_settings(tmp_path, azure)
        other, failing = MemoryChat(platform=SLACK), FailingChat()
        chats = (_builder(other), _builder(failing))
        app = App(configured, DECLARED, chats=chats, clock=clock, sleep=nobody_waits)
        async with app.running() as bot:
            await _logged(capsys, "ready")
            failing.failing.set()
            await _logged(capsys, "the others go on")
            assert await _hears(other, clock)
            await bot.workflows.idle()
            assert len(other.messages) == 1
