"""What people and clouds write, kept by either database: no sign that one of them refuses loses an answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.chat.model import ButtonEvent, Choice, Room
from slipway.bot.core.text import is_storable
from tests.support.azure import CANDIDATE, X64
from tests.support.clock import NOW
from tests.support.harness import audit_trail, propose, running_bot
from tests.support.memory_chat import MemoryChat
from tests.support.processes.postgres import Postgres

ODD = "because\x00of \ud800 \U0001f600\u202e"


@given(said=st.text(st.characters(exclude_categories=())))
def test_a_reason_is_kept_but_for_what_no_database_holds(said: str) -> None:
    press = ButtonEvent(
        event_id="e",
        room=Room(platform=MemoryChat().platform, id="console"),
        sender="bob",
        choice=Choice.REJECT,
        reason=said,
        sent_at=NOW,
    )
    assert is_storable(press.reason)
    assert all(kept in (sign, "\ufffd") for kept, sign in zip(press.reason, said, strict=True))
    assert press.reason == said or not is_storable(said)


@pytest.mark.parametrize("where", ["sqlite", "postgresql"])
async def test_odd_signs_lose_nobody_an_answer(
    tmp_path: Path, where: str, request: pytest.FixtureRequest
) -> None:
    changes = {}
    if where == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        changes = {"database": {"url": await asyncio.to_thread(server.new)}}
    async with running_bot(tmp_path, changes=changes) as bot:
        (refused,) = await bot.say("alice", f"!hold {X64}/{CANDIDATE} {ODD}")
        assert "holds control characters" in refused.text
        card, operation_id = await propose(bot)
        assert bot.chat.accept is not None
        press = ButtonEvent(
            event_id="press",
            room=Room(platform=bot.chat.platform, id="console"),
            sender="bob",
            choice=Choice.REJECT,
            operation_id=operation_id,
            reason=f"{ODD} {'x' * 100_000}",
            sent_at=bot.clock(),
        )
        await bot.chat.accept(press)
        await bot.running.idle()
        assert "rejected" in card.card.title
        assert "because\ufffdof" in card.text
        assert await audit_trail(bot)
