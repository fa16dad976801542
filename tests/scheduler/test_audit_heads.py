"""The head of the audit trail, told at its times in a room and in a file outside the state folder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from slipway.bot.cli.main import main
from tests.operations.test_audit import tamper
from tests.support.clock import NOW, FakeClock
from tests.support.harness import BotHarness, audit_trail, propose, running_bot
from tests.support.memory_chat import MemoryChat, PostedMessage

SIX = datetime(2026, 11, 21, 6, tzinfo=UTC)
"""The first time after NOW at which a head is told."""


class AuditedBot(BotHarness):
    """A bot whose clock is moved to a moment, where it looks at what is due."""

    async def at(self, moment: datetime) -> list[PostedMessage]:
        """Let it be this moment, and return what the bot says then."""
        self.clock.now = moment
        before = len(self.messages)
        await self.running.audit_heads.wake()
        await self.running.workflows.idle()
        return self.messages[before:]


class Place:
    """A folder of the bot, with its file of heads beside it."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.heads = folder / "heads.jsonl"
        self.clock = FakeClock()
        self.chat = MemoryChat()

    @asynccontextmanager
    async def bot(self, **audit: Any) -> AsyncIterator[AuditedBot]:
        table = {"room": "console:console", "file": str(self.heads)} | audit
        changes = {"audit": {key: value for key, value in table.items() if value is not None}}
        async with running_bot(self.state, changes=changes, clock=self.clock, chat=self.chat) as bot:
            yield AuditedBot(bot.running, bot.chat, bot.clock, bot.azure)

    def written(self) -> list[dict[str, Any]]:
        lines = self.heads.read_text().splitlines() if self.heads.exists() else []
        return [json.loads(line) for line in lines]

    async def verify(self, *options: str) -> Result:
        words = ["audit", "verify", "--state", str(self.state), *options]
        return await asyncio.to_thread(CliRunner().invoke, main, words)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


async def test_a_head_is_told_once_a_day_in_the_room_and_in_the_file(place: Place) -> None:
    async with place.bot() as bot:
        await propose(bot)
        assert await bot.at(SIX - timedelta(seconds=1)) == []
        (card,) = await bot.at(SIX)
        head = (await audit_trail(bot))[-1]["hash"]
        assert card.card.title == "The audit trail holds: 2 entries."
        assert head in card.text
        assert f"slipway audit verify --expect {head[:16]}" in card.text
        assert await bot.at(SIX + timedelta(minutes=1)) == []
        await propose(bot, "!rollback Fedora-Cloud-43-x64")
        (second,) = await bot.at(SIX + timedelta(days=1))
        assert second.card.title == "The audit trail holds: 3 entries."
    assert [(line["entries"], line["at"]) for line in place.written()] == [
        (2, "2026-11-21T06:00:00.000000+00:00"),
        (3, "2026-11-22T06:00:00.000000+00:00"),
    ]
    assert place.written()[0]["head"] == head
    assert (await place.verify("--heads", str(place.heads))).exit_code == 0


async def test_a_time_that_fell_into_an_absence_is_made_up_for_however_late(place: Place) -> None:
    async with place.bot() as bot:
        await bot.at(NOW)
    async with place.bot() as bot:
        assert len(await bot.at(SIX + timedelta(days=40))) == 1
    assert len(place.written()) == 1


@pytest.mark.parametrize(("room", "file"), [(None, "here"), ("console:console", None), (None, None)])
async def test_it_is_told_where_it_is_wanted_and_nowhere_else(
    place: Place, room: str | None, file: str | None
) -> None:
    async with place.bot(room=room, file=str(place.heads) if file else None) as bot:
        assert len(await bot.at(SIX)) == (1 if room else 0)
        assert (bot.running.audit_heads.next_wake() is None) is (room is None and file is None)
    assert len(place.written()) == (1 if file else 0)


async def test_a_trail_that_was_written_anew_is_told_of_in_the_room(place: Place) -> None:
    async with place.bot() as bot:
        await propose(bot)
        await bot.at(SIX)
        tamper(
            place.state,
            "DELETE FROM audit",
            "DELETE FROM operation",
            "UPDATE audit_head SET entries = 0, head = '0'",
        )
        (card,) = await bot.at(SIX + timedelta(days=1))
        assert card.card.title == "The audit trail does not hold."
        assert "entry 2 was noted with the head" in card.text
    assert len(place.written()) == 1
    assert (await place.verify("--heads", str(place.heads))).exit_code == 1


async def test_a_file_that_cannot_be_written_is_told_of_in_the_room(place: Place) -> None:
    place.heads.mkdir()
    async with place.bot() as bot:
        await bot.at(NOW)
        (card,) = await bot.at(SIX)
        assert "The audit trail holds" in card.card.title
        assert f"{place.heads} cannot be written: Is a directory" in card.text


async def test_a_file_of_heads_that_is_none_is_an_error_of_use(place: Place) -> None:
    async with place.bot() as bot:
        await propose(bot)
    for content, said in {
        "": "holds no head, so nothing would be proved",
        "horse\n": f"Line 1 of {place.heads} is no head of an audit trail",
        '{"entries": 1, "head": "f"}\n': f"Line 1 of {place.heads} is no head",
        '{"entries": true, "head": "' + "f" * 64 + '"}\n': f"Line 1 of {place.heads} is no head",
        "\0\udcff": "cannot be read",
    }.items():
        place.heads.write_bytes(content.encode(errors="surrogateescape"))
        found = await place.verify("--heads", str(place.heads))
        assert found.exit_code == 2
        assert " ".join(said.split()) in " ".join(found.output.split())
