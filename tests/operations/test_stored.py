"""What another version of Slipway stored: shown as what it is, never carried out, and nothing else breaks by it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.chat.model import Choice
from slipway.bot.operations.audit import AuditEntry, AuditKey, StepPhase
from slipway.bot.operations.model import (
    Failure,
    OperationState,
    Outcome,
    Plan,
    StepReport,
    UnknownRequest,
    UnknownStep,
)
from slipway.bot.operations.stored import UnknownFormatError, read_outcome, read_plan, read_report, write_plan
from slipway.bot.workflows.engine import WorkflowEngine
from tests.operations.builders import plan as built_plan
from tests.operations.version_before import DATA
from tests.support.azure import ARM, ARM_CANDIDATE, X64
from tests.support.clock import DAY, NOW
from tests.support.configuration import DECLARED, declared_with
from tests.support.harness import BotHarness, audit_trail, propose, running_bot
from tests.support.memory_chat import MemoryChat, PostedMessage
from tests.toys.subject import TOYS, MakeToy, ToyServices

WITH_TOYS = declared_with(subjects=(TOYS,))

Document = dict[str, Any]
Spoil = Callable[[Document], Any]
"""Makes of a plan's document what another version would have stored, in place or anew."""


def read(stored: object) -> Plan:
    """A plan, from JSON or from any text."""
    text = stored if isinstance(stored, str) else json.dumps(stored)
    return read_plan(text, DECLARED.registry, kind="promote", requester="alice", expires_at=NOW)


def stored() -> Document:
    """A plan as this version stores it."""
    document: Document = json.loads(write_plan(built_plan(command="promote X")))
    return document


def put(*place: str | int, value: Any) -> Spoil:
    """Set what stands at a place."""

    def spoil(document: Document) -> None:
        here: Any = document
        for key in place[:-1]:
            here = here[key]
        here[place[-1]] = value

    return spoil


SPOILT: dict[str, tuple[Spoil, str]] = {
    "a kind of operation": (
        put("request", value={"format": 1, "kind": "hold", "definition": "X"}),
        "does not know operations of the kind hold",
    ),
    "a kind of step": (
        put(
            "steps", 0, value={"format": 1, "kind": "hold-version", "title": "hold X", "reason": "asked for"}
        ),
        "does not know steps of the kind hold-version",
    ),
    "a newer request": (put("request", "format", value=2), "does not know format 2 of promote"),
    "a newer step": (put("steps", 0, "format", value=9), "does not know format 9 of set-excluded"),
    "a newer plan": (put("format", value=3), "does not know plans of format 3"),
    "a request with a field more": (put("request", "speed", value=3), "cannot read this promote"),
    "a step with a field more": (put("steps", 0, "speed", value=3), "cannot read this set-excluded"),
    "a plan with a field more": (put("speed", value=3), "cannot read its plan"),
    "a request without a format that counts": (
        put("request", "format", value="two"),
        "does not know format two of promote",
    ),
    "no request": (lambda document: document.pop("request"), "cannot read its plan"),
    "a step that is none": (put("steps", 0, value="promote"), "cannot read its plan"),
    "steps that are none": (put("steps", value=3), "cannot read its plan"),
    "a format that is none": (put("format", value="two"), "cannot read its plan"),
}


class TestPlans:
    def test_what_this_version_stored_comes_back_as_it_was(self) -> None:
        plan = built_plan(command="promote X")
        assert read(write_plan(plan)) == plan
        assert read(write_plan(plan)).digest == plan.digest
        assert plan.unknown == ""

    @pytest.mark.parametrize(("spoil", "why"), SPOILT.values(), ids=SPOILT)
    def test_what_is_not_known_says_so(self, spoil: Spoil, why: str) -> None:
        document = stored()
        spoil(document)
        plan = read(document)
        assert plan.unknown == why
        assert plan.kind == "promote"
        assert plan.summary == "X promoted."
        assert plan.command == "promote X"

    def test_a_step_of_an_unknown_kind_is_shown_by_its_own_words(self) -> None:
        document = stored()
        document["steps"].append({"format": 1, "kind": "hold-version", "title": "hold X", "reason": "asked"})
        known, unknown = read(document).steps
        assert (unknown.title, unknown.reason) == ("hold X", "asked")
        assert known == built_plan().steps[0]

    def test_a_step_of_a_newer_plan_keeps_its_words(self) -> None:
        document = stored() | {"format": 3}
        (step,) = read(document).steps
        assert isinstance(step, UnknownStep)
        assert step.title == built_plan().steps[0].title

    @pytest.mark.parametrize(
        "text", ["", "null", "[]", "3", "{", "\0", '"promote"', "{}", "[" * 100_000, '{"steps": [[]]}']
    )
    def test_garbage_is_a_plan_of_which_nothing_is_known(self, text: str) -> None:
        plan = read(text)
        assert plan.unknown == "cannot read its plan"
        assert plan.summary == "Another version of Slipway planned it."
        assert isinstance(plan.request, UnknownRequest)
        assert plan.policy.approvals == 1

    @given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
    def test_no_text_is_too_odd(self, text: str) -> None:
        assert read(text).unknown

    @given(st.data())
    def test_no_change_of_a_plan_is_too_odd(self, data: st.DataObject) -> None:
        document = stored()
        here: Any = data.draw(st.sampled_from([document, document["request"], document["steps"][0]]))
        odd = (
            st.none()
            | st.integers()
            | st.text()
            | st.lists(st.none())
            | st.dictionaries(st.text(), st.none())
        )
        here[data.draw(st.sampled_from([*here, "more"]))] = data.draw(odd)
        plan = read(document)
        assert plan.digest  # it can be shown, and compared

    def test_plans_of_format_1_are_read_and_can_be_planned_again(self) -> None:
        """As the version before stored them; its rows are in data/slipway-0.1."""
        plans = [line for line in _rows("operation") if "Fedora-Cloud-43-Arm64" in line]
        assert plans
        for row in plans:
            text = next(field for field in row.split("','") if field.startswith('{"evidence"'))
            document = json.loads(text.replace("''", "'"))
            assert "format" not in document
            plan = read(document)
            assert plan.unknown == ""
            assert plan.command == "promote Fedora-Cloud-43-Arm64"
            assert [step.title for step in plan.steps] == [f"promote {ARM_CANDIDATE} of {ARM}"]

    def test_a_toy_of_format_1_is_upgraded(self) -> None:
        document = stored() | {"kind": "toy-make", "steps": []}
        document["request"] = {"format": 1, "kind": "toy-make", "name": "horse", "paint": "blue"}
        text = json.dumps(document)
        plan = read_plan(text, WITH_TOYS.registry, kind="toy-make", requester="alice", expires_at=NOW)
        assert plan.request == MakeToy(name="horse", colour="blue")
        assert plan.document["request"] == {
            "format": 2,
            "kind": "toy-make",
            "name": "horse",
            "colour": "blue",
        }

    def test_an_upgrade_that_can_make_nothing_of_it_says_so(self) -> None:
        def refuse(_stored: Document) -> Document:
            raise UnknownFormatError

        (kind,) = TOYS.kinds
        refusing = replace(TOYS, kinds=(replace(kind, upgrades={1: refuse}),))
        registry = declared_with(subjects=(refusing,)).registry
        document = stored()
        document["request"] = {"kind": "toy-make", "name": "horse"}
        text = json.dumps(document)
        plan = read_plan(text, registry, kind="toy-make", requester="alice", expires_at=NOW)
        assert plan.unknown == "cannot read this toy-make"


def _rows(table: str) -> list[str]:
    lines = (DATA / "slipway.sql").read_text().splitlines()
    return [line for line in lines if line.startswith(f'INSERT INTO "{table}" ')]


class TestReportsAndOutcomes:
    def test_fields_of_a_newer_version_are_left_out(self) -> None:
        report = read_report('{"number": 1, "title": "t", "done": {"summary": "s"}, "speed": 3}', 1)
        assert report.done is not None
        assert (report.title, report.done.summary) == ("t", "s")
        assert read_outcome('{"summary": "s", "speed": 3}') == Outcome(summary="s")

    def test_fields_of_format_1_are_read(self) -> None:
        fault = '{"code": "", "hint": "op x", "mover": "whoever runs Slipway", "sentence": "No."}'
        outcome = read_outcome(f'{{"differences": [], "summary": "s", "trouble": {fault}}}')
        assert isinstance(outcome.failure, Failure)
        assert outcome.failure.sentence == "No."
        report = read_report(f'{{"number": 2, "title": "t", "done": null, "trouble": {fault}}}', 2)
        assert report.failure == outcome.failure

    @pytest.mark.parametrize("text", ["", "{", "null", "[]", "[" * 100_000, '{"number": {}}'])
    def test_garbage_is_said_to_be_of_another_version(self, text: str) -> None:
        assert read_report(text, 7) == StepReport(
            number=7, title="a step that another version of Slipway reported"
        )
        assert read_outcome(text).summary == "Another version of Slipway says how it ended."


# The whole bot


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


async def sweep(bot: BotHarness) -> None:
    """What happens once a minute, and all that follows from it."""
    await bot.running.housekeeping.sweep()
    await bot.running.workflows.idle()


async def another_goes_on(bot: BotHarness) -> None:
    """Other operations are proposed, approved and done."""
    card, _ = await propose(bot, f"!promote {ARM}")
    await bot.press("bob", Choice.APPROVE, card)
    assert "promote: done" in card.card.title
    await audit_trail(bot)


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
        assert f"This version of Slipway {why}." in card.text
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
        assert f"This version of Slipway {why}." in card.text
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
        assert "This version of Slipway does not know operations of the kind toy-make." in running.text
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
        await change(bot, "UPDATE operation SET plan = :plan", plan=json.dumps(document))
        await bot.press("bob", Choice.APPROVE, card)
        assert "toy-make: done" in card.card.title
        assert bot.running.services.get(ToyServices).workshop.toys == {"horse": "blue"}


# Events


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
        {"format": 3, "event": {"type": "message"}},
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
    newer, begun = WorkflowEngine(tmp_path), asyncio.Event()

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
