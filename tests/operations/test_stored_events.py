"""Events and other work that another version of Slipway took in: answered where it is known, and else left alone."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.store.database import DATABASE, Database
from slipway.bot.store.storage import Storage
from slipway.bot.workflows.engine import WorkflowEngine
from tests.operations.builders import Document
from tests.support.azure import X64
from tests.support.harness import BotHarness, another_goes_on, propose, running_bot


async def hear(bot: BotHarness, key: str, payload: Document) -> None:
    """An event as a version of Slipway stored it."""
    await bot.running.workflows.start("hear", key, {"key": key, **payload})
    await bot.running.workflows.idle()


ROOM = {"platform": "console", "id": "console"}


def event_of_format_1(kind: str, **more: Any) -> Document:
    at = {"event_id": "e7", "room": ROOM, "speaker": "bob", "sent_at": "2026-11-20T12:00:00Z"}
    return {"event": {"type": kind, **at, **more}}


async def test_events_of_format_1_are_answered(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes={"policy": {"promote": {"approvals": 2}}}) as bot:
        received = {"text": "!whoami", "address": "room", "thread": None, "assurance": "full", "doubt": ""}
        await hear(bot, "hear:console:h1", event_of_format_1("heard", **received))
        assert bot.messages[-1].card.title == "You are Bob."

        card, name = await propose(bot)
        pressed = {
            "choice": "approve",
            "message_id": card.id,
            "operation_id": None,
            "digest_prefix": None,
            "reason": "",
            "assurance": "full",
            "doubt": "",
            "forgeable": False,
        }
        await hear(bot, "hear:console:p1", event_of_format_1("press", **pressed))
        assert [vote.person for vote in (await bot.running.operations.get(name)).votes] == ["bob"]
        await hear(bot, "hear:console:w1", event_of_format_1("withdrawal", press_event_id="p1"))
        assert (await bot.running.operations.get(name)).votes == ()


async def test_events_of_format_2_are_answered_and_an_id_is_asked_for_only_where_it_is_needed(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path) as bot:
        card, _ = await propose(bot)
        at = {"event_id": "e7", "room": ROOM, "sender": "bob", "sent_at": "2026-11-20T12:00:00Z"}
        said = {"type": "message", "text": "!approve", "address": "room", "thread": None, **at}
        payload: Document = {
            "format": 2,
            "event_key": "hear:console:e7",
            "event": {**said, "assurance": "full", "doubt": ""},
            "reading": {"line": ["approve"], "unknown": [], "unreadable": ""},
            "thread": None,
        }
        await bot.running.workflows.start("hear", "hear:console:e7", payload)
        await bot.running.workflows.idle()
        assert "done" in card.card.title


async def test_a_tick_of_format_1_is_answered(tmp_path: Path) -> None:
    entry = {
        "name": "weekly",
        "cron": "0 9 * * mon",
        "command": f"images {X64}",
        "room": "console:console",
        "roles": ["releng"],
    }
    async with running_bot(tmp_path, changes={"schedule": [entry]}) as bot:
        tick: Document = {"schedule": "weekly", "at": "2026-11-20T11:57:00Z", "room": ROOM, "quiet": False}
        payload: Document = {"tick": tick | {"text": f"images {X64}"}}
        await bot.running.workflows.start("tick", "tick:weekly:2026-11-20T11:57Z", payload)
        await bot.running.workflows.idle()
        (told,) = bot.messages
        assert f"the schedule weekly: `!images {X64}`" in told.text


@pytest.mark.parametrize(
    "payload",
    [
        {"format": 5, "event": {"type": "message"}},
        {"format": 2, "event": {"type": "wave"}},
        {"format": 2},
        {"format": "two", "event": {}},
        {"event": {"type": "wave"}},
        {"event": 3},
        {},
    ],
)
async def test_an_event_that_is_not_known_is_left_alone(tmp_path: Path, payload: Document) -> None:
    async with running_bot(tmp_path) as bot:
        await hear(bot, "hear:console:newer", payload)
        await bot.running.workflows.start("ask", "broker:1", {"request": {"format": 2}})
        await bot.running.workflows.start("ask", "broker:2", {"asked": "images"})
        await bot.running.workflows.idle()
        assert bot.messages == []
        assert await bot.running.workflows.over("hear:console:newer")
        (answer,) = await bot.say("carol", "!whoami")
        assert answer.card.title == "You are Carol."


async def test_work_of_a_sort_that_is_not_known_is_kept_and_waited_for_by_nobody(tmp_path: Path) -> None:
    database = Database(tmp_path / DATABASE)  # both databases are made at a first start
    await database.open()
    await database.close()
    newer, begun = WorkflowEngine(tmp_path, Storage(tmp_path)), asyncio.Event()

    async def upload(_payload: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    newer.register("upload", upload)
    await newer.launch()
    await newer.start("upload", "upload:1", {})
    await begun.wait()
    await newer.close(timedelta())

    async with running_bot(tmp_path) as bot:
        async with asyncio.timeout(20):
            await bot.running.workflows.idle()
        await another_goes_on(bot)
        assert not await bot.running.workflows.over("upload:1")
