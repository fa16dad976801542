"""A bot that dies while its platform takes a card: what follows finds that card, whoever is first afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.model import Card, Room
from slipway.bot.messages.model import WORKING
from slipway.bot.messages.service import MessageService, Report
from slipway.bot.store.database import DATABASE, Database
from tests.support.clock import FakeClock
from tests.support.memory_chat import MemoryChat

ROOM = Room(platform=CONSOLE, id="console")


class SilentChat(MemoryChat):
    """A platform that takes what is sent, and does not say so as long as it is silent."""

    silent = True

    async def send(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        """Show it."""
        sent = await super().send(room, card, thread=thread, key=key)
        if self.silent:
            await asyncio.Event().wait()
        return sent


@asynccontextmanager
async def _process(folder: Path, chat: MemoryChat) -> AsyncIterator[MessageService]:
    """What one process says; several on one folder stand for one that died and its successor."""
    database = Database(folder / DATABASE)
    await database.open()
    messages = MessageService(database, {CONSOLE: chat}, FakeClock())
    await messages.open()
    try:
        yield messages
    finally:
        await messages.close()
        await database.close()


async def test_a_report_stands_in_the_thread_of_a_card_whose_sender_died(tmp_path: Path) -> None:
    chat = SilentChat()
    async with _process(tmp_path, chat) as dead:
        waiting = Card(title="op-7k3f waits for 1 approval")
        saying = asyncio.create_task(dead.say(ROOM, waiting, key="hear:console:1", operation_id="op-7k3f"))
        await asyncio.wait_for(chat.changed.wait(), 20)  # it hangs from here on, as one that is killed
        chat.silent = False
        async with _process(tmp_path, chat) as successor:
            report = Report("op-7k3f:report", ROOM, None, Card(title="It is promoted."))
            await successor.conclude("op-7k3f", Card(title="op-7k3f is done"), report)
            await successor.idle()
        card, said = chat.messages
        assert (card.card.title, said.card.title) == ("op-7k3f is done", "It is promoted.")
        assert (card.thread, said.thread) == (None, card.id)
        saying.cancel()
        await asyncio.gather(saying, return_exceptions=True)


@pytest.mark.parametrize("said_before", [None, WORKING])
async def test_a_report_stands_below_the_card_of_what_ended_before_that_was_said(
    tmp_path: Path, said_before: Card | None
) -> None:
    chat = MemoryChat()
    async with _process(tmp_path, chat) as messages:
        if said_before is not None:
            await messages.say(ROOM, said_before, key="hear:console:1")
        report = Report("op-7k3f:report", ROOM, None, Card(title="It is promoted."))
        await messages.conclude("op-7k3f", Card(title="op-7k3f is done"), report, "hear:console:1")
        await messages.idle()
        assert await messages.shows_operation("hear:console:1", "op-7k3f")
    card, said = chat.messages
    assert (card.card.title, said.card.title) == ("op-7k3f is done", "It is promoted.")
    assert (card.thread, said.thread) == (None, card.id)
