"""What is noted before a message is sent, so that it is looked for before it is sent again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from slipway.bot.chat.slack.sending.send_attempts import SendAttempts
from tests.support.key_value_store import InMemoryStore

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


class SlowStore(InMemoryStore):
    """One whose disk takes its time: it saves once it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.may = asyncio.Event()
        self.saved = 0

    async def save(self, name: str, value: str) -> None:
        """Wait, and keep it."""
        await self.may.wait()
        self.saved += 1
        await super().save(name, value)


async def test_messages_to_many_channels_wait_for_the_disk_together() -> None:
    store = SlowStore()
    attempts = SendAttempts(store, lambda: NOW)
    keys = [f"slack:Ev{number}" for number in range(50)]
    sending = [asyncio.create_task(attempts.record(key)) for key in keys]
    for _ in range(3):
        await asyncio.sleep(0)  # all of them begin
    async with asyncio.timeout(5):
        assert await attempts.last_attempt("slack:EvOther") is None, "looking waits for no disk"
    assert not any(each.done() for each in sending), "nothing is sent before it is noted"
    store.may.set()
    await asyncio.gather(*sending)
    assert store.saved <= 2
    again = SendAttempts(InMemoryStore(store.values), lambda: NOW)
    assert [await again.last_attempt(key) for key in keys] == [NOW] * 50
