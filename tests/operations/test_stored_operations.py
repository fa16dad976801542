"""Operations of another version of Slipway: shown as what they are, never carried out, and nothing else breaks."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from slipway.bot.chat.model import Choice
from slipway.bot.core.model import canonical
from slipway.bot.operations.audit import AuditEntry, AuditKey, StepPhase
from slipway.bot.operations.model import (
    OperationState,
)
from tests.operations.builders import SPOILT, Document, Spoil
from tests.support.azure import ARM
from tests.support.clock import DAY, NOW
from tests.support.configuration import declared_with
from tests.support.harness import BotHarness, another_goes_on, audit_trail, propose, running_bot
from tests.support.memory_chat import MemoryChat, PostedMessage
from tests.toys.subject import TOYS, ToyServices

WITH_TOYS = declared_with(subjects=(TOYS,))


@asynccontextmanager
async def bot_with_spoilt(
    tmp_path: Path, spoil: Spoil, state: str = "proposed"
) -> AsyncIterator[tuple[BotHarness, PostedMessage, str]]:
    """The bot with an operation that another version stored, and its card."""
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot)
        operation = await bot.running.operations.get(name)
        document = operation.plan.document
        spoilt = spoil(document)
        text = spoilt if isinstance(spoilt, str) else json.dumps(document)
        await change(bot, "UPDATE operation SET plan = :plan, state = :state", plan=text, state=state)
        yield bot, card, name


async def change(bot: BotHarness, statement: str, **values: Any) -> None:
    """Change the database behind the bot's back."""
    async with bot.running.database.writing() as connection:
        await connection.execute(sa.text(statement), values)


async def propose_as_stored(bot: BotHarness, name: str, plan: str) -> None:
    """Let the newest operation be one that was proposed with this plan, to the letter, as the audit trail has it."""
    operation = await bot.running.operations.get(name)
    digest = hashlib.sha256(plan.encode()).hexdigest()
    await change(bot, "UPDATE operation SET plan = :plan, digest = :digest", plan=plan, digest=digest)
    await change(bot, "DROP TRIGGER audit_no_delete")
    await change(bot, "DELETE FROM audit WHERE number = (SELECT max(number) FROM audit)")
    await bot.running.operations.note(
        AuditEntry(
            key=AuditKey.of_state(name, OperationState.PROPOSED),
            at=bot.clock(),
            actor=operation.requester,
            action="proposed",
            operation_id=name,
            detail=(("digest", digest),),
        )
    )


async def sweep(bot: BotHarness) -> None:
    """What happens once a minute, and all that follows from it."""
    await bot.running.housekeeping.sweep()
    await bot.running.workflows.idle()


GARBAGE: dict[str, tuple[Spoil, str]] = {
    "garbage": (lambda _document: "garbage", "cannot read its plan"),
    "garbage without an end": (lambda _document: "[" * 100_000, "cannot read its plan"),
}

TRIED = (
    "a kind of operation",
    "a kind of step",
    "a newer request",
    "a newer plan",
    "garbage",
    "garbage without an end",
)
"""What is tried on the whole bot."""

EVERYTHING = {name: entry for name, entry in (SPOILT | GARBAGE).items() if name in TRIED}


@pytest.mark.parametrize(("spoil", "why"), EVERYTHING.values(), ids=EVERYTHING)
async def test_a_proposal_is_shown_not_approved_and_can_be_rejected(
    tmp_path: Path, spoil: Spoil, why: str
) -> None:
    async with bot_with_spoilt(tmp_path, spoil) as (bot, card, name):
        for command in ("!history", "!pending"):
            (listed,) = await bot.say("carol", command)
            assert name in listed.text
        (full,) = await bot.say("carol", f"!op {name}")
        assert f"{name} promote: waits for 1 approval" in full.text
        assert f"Another version of Slipway planned this, and this one {why}." in full.text

        for refused in (
            await bot.press("bob", Choice.APPROVE, card),
            await bot.say("bob", f"!approve {name}"),
        ):
            assert (
                f"{name} was proposed by another version of Slipway, and this one {why}." in refused[0].text
            )
        await sweep(bot)
        assert (await bot.running.operations.get(name)).state is OperationState.PROPOSED
        assert bot.azure.writes == []
        await another_goes_on(bot)

        await bot.say("bob", f"!reject {name} it is not known here")
        assert (await bot.running.operations.get(name)).state is OperationState.REJECTED
        assert "Rejected by Bob: it is not known here. Nothing was changed." in card.text
        said = [each.text for each in bot.messages if each is card or each.thread == card.id]
        assert sum("Another version of Slipway planned this" in each for each in said) == 1


@pytest.mark.parametrize("which", ["a kind of operation", "a newer plan", "garbage"])
async def test_a_proposal_expires_at_its_time(tmp_path: Path, which: str) -> None:
    spoil, _ = EVERYTHING[which]
    async with bot_with_spoilt(tmp_path, spoil) as (bot, card, name):
        bot.clock.advance(DAY)
        await sweep(bot)
        assert (await bot.running.operations.get(name)).state is OperationState.EXPIRED
        assert "Too few people agreed in time." in card.text


@pytest.mark.parametrize(("spoil", "why"), EVERYTHING.values(), ids=EVERYTHING)
async def test_what_was_approved_fails_before_anything_is_changed(
    tmp_path: Path, spoil: Spoil, why: str
) -> None:
    async with bot_with_spoilt(tmp_path, spoil, "approved") as (bot, card, name):
        await sweep(bot)
        assert (await bot.running.operations.get(name)).state is OperationState.FAILED
        assert "It failed before anything was changed." in card.text
        assert f"This version of Slipway {why}." in bot.chat.report_of(card).text
        assert "Whose move: whoever runs Slipway." in card.text
        assert bot.azure.writes == []
        await another_goes_on(bot)


@pytest.mark.parametrize(("spoil", "why"), EVERYTHING.values(), ids=EVERYTHING)
@pytest.mark.parametrize("begun", [False, True], ids=["before its first step", "in its first step"])
async def test_what_was_running_ends_without_touching_the_cloud(
    tmp_path: Path, spoil: Spoil, why: str, begun: bool
) -> None:
    async with bot_with_spoilt(tmp_path, spoil, "running") as (bot, card, name):
        if begun:
            await _note_begun(bot, name)
        await bot.running.workflows.start("do", f"do:{name}", {"operation": name})
        await bot.running.workflows.idle()
        await sweep(bot)
        operation = await bot.running.operations.get(name)
        assert operation.state is OperationState.FAILED
        assert f"This version of Slipway {why}." in bot.chat.report_of(card).text
        assert bot.azure.writes == []
        await another_goes_on(bot)


async def _note_begun(bot: BotHarness, name: str) -> None:
    key = AuditKey.of_step(name, 1, StepPhase.BEGUN)
    entry = AuditEntry(key, NOW, "slipway", "step-1:begun", name)
    await bot.running.operations.note(entry)


async def test_what_broke_off_in_a_step_that_cannot_be_read_ends(tmp_path: Path) -> None:
    """Its run is over, and nothing tells what the step was."""
    async with bot_with_spoilt(tmp_path, lambda _document: "garbage", "approved") as (bot, _, name):
        await sweep(bot)
        await change(bot, "UPDATE operation SET state = 'running', ended_at = NULL, outcome = NULL")
        await _note_begun(bot, name)
        other, _ = await propose(bot, f"!promote {ARM}")
        bot.clock.advance(DAY)
        await sweep(bot)
        assert (await bot.running.operations.get(name)).state is OperationState.FAILED
        assert "expired" in other.card.title  # what comes behind it in the sweep is looked after, too


async def test_an_unknown_state_is_shown_and_nothing_is_done_with_it(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot)
        await change(bot, "UPDATE operation SET state = 'paused'")
        (history,) = await bot.say("carol", "!history")
        assert "unknown" in history.text
        (full,) = await bot.say("carol", f"!op {name}")
        assert f"{name} promote: unknown" in full.text
        (refused,) = await bot.press("bob", Choice.APPROVE, card)
        assert f"{name} is unknown; nothing was changed by this." in refused.text
        for line in (f"!cancel {name}", f"!reject {name}"):
            (refused,) = await bot.say("alice", line)
            assert f"{name} is unknown; nothing was changed by this." in refused.text
        bot.clock.advance(DAY)
        await sweep(bot)
        async with bot.running.database.reading() as connection:
            assert await connection.scalar(sa.text("SELECT state FROM operation")) == "paused"
        await another_goes_on(bot)


async def test_a_vote_that_only_another_version_knows_keeps_it_from_being_done(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot)
        await change(
            bot,
            "INSERT INTO vote (operation_id, person, choice, reason, at, event_key) "
            "VALUES (:id, 'carol', 'object', '', '2026-11-20 12:00:00.000000', 'e')",
            id=name,
        )
        (history,) = await bot.say("carol", "!history")
        assert name in history.text
        (refused,) = await bot.press("bob", Choice.APPROVE, card)
        assert "this one does not know what the vote “object” means" in refused.text
        await change(bot, "UPDATE operation SET state = 'approved'")
        await sweep(bot)
        assert (await bot.running.operations.get(name)).state is OperationState.FAILED
        assert bot.azure.writes == []
        await another_goes_on(bot)


async def test_reports_and_an_outcome_of_a_newer_version_are_shown(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        outcome = {"summary": "It is latest, and everybody was told.", "told": ["bob"]}
        report = {"number": 1, "title": "t", "done": {"summary": "so it is", "speed": 3}, "seconds": 3}
        await change(bot, "UPDATE operation SET outcome = :outcome", outcome=json.dumps(outcome))
        await change(bot, "UPDATE step_report SET report = :report", report=json.dumps(report))
        (full,) = await bot.say("carol", f"!op {name}")
        assert "It is latest, and everybody was told." in full.text
        assert "✔ so it is" in full.text
        await change(bot, "UPDATE step_report SET report = 'garbage'")
        (full,) = await bot.say("carol", f"!op {name}")
        assert "- another version of Slipway says how it ended" in full.text


async def test_what_a_version_with_more_subjects_left_is_shown_and_never_carried_out(tmp_path: Path) -> None:
    """A toy is made by a version that knows toys, which is stopped in a step; then one that does not goes on."""
    changes: Document = {"roles": {"releng": {"may": ["*"]}}}
    chat = MemoryChat()
    reached, never = asyncio.Event(), asyncio.Event()
    async with running_bot(
        tmp_path, changes=changes, declarations=WITH_TOYS, chat=chat, grace=timedelta()
    ) as bot:
        workshop = bot.running.services.get(ToyServices).workshop
        waiting, waits = await propose(bot, "!toy make duck")
        running, runs = await propose(bot, "!toy make horse")

        async def carve(name: str, token: str) -> None:
            reached.set()
            await never.wait()

        workshop.carve = carve  # type: ignore[method-assign]
        await bot.press("bob", Choice.APPROVE, running, wait=False)
        await reached.wait()

    async with running_bot(tmp_path, changes=changes, chat=chat) as bot:
        await bot.running.workflows.idle()
        assert f"{runs} toy-make: failed" in running.card.title
        report = chat.report_of(running)
        assert "This version of Slipway does not know operations of the kind toy-make." in report.text
        (history,) = await bot.say("carol", "!history")
        assert "toy make horse --colour red" in history.text
        (full,) = await bot.say("carol", f"!op {waits}")
        for shown in (
            "toy-make: waits for 1 approval",
            "carve duck",
            "paint duck red",
            "bare wood is no toy",
        ):
            assert shown in full.text
        (refused,) = await bot.press("bob", Choice.APPROVE, waiting)
        assert "It can be rejected or cancelled here." in refused.text
        assert [line["action"] for line in await audit_trail(bot)].count("proposed") == 2
        await another_goes_on(bot)

    async with running_bot(tmp_path, changes=changes, declarations=WITH_TOYS, chat=chat) as bot:
        await bot.press("bob", Choice.APPROVE, waiting)  # the version that knows it is back
        assert "toy-make: done" in waiting.card.title
        assert bot.running.services.get(ToyServices).workshop.toys == {"duck": "red"}


async def test_a_toy_of_format_1_is_approved_and_made(tmp_path: Path) -> None:
    changes: Document = {"roles": {"releng": {"may": ["*"]}}}
    async with running_bot(tmp_path, changes=changes, declarations=WITH_TOYS) as bot:
        card, name = await propose(bot, "!toy make horse --colour blue")
        document = (await bot.running.operations.get(name)).plan.document
        document["request"] = {"format": 1, "kind": "toy-make", "name": "horse", "paint": "blue"}
        await propose_as_stored(bot, name, canonical(document))
        await bot.press("bob", Choice.APPROVE, card)
        assert "toy-make: done" in card.card.title
        assert bot.running.services.get(ToyServices).workshop.toys == {"horse": "blue"}
