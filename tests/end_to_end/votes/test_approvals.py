"""Agreeing, refusing and withdrawing, as people in the room do it and see it."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.operations.model import OperationState
from tests.support.azure import ARM, ARM_CANDIDATE, CANDIDATE, RAWHIDE, X64, writes
from tests.support.configuration import TWO_APPROVALS
from tests.support.harness import (
    audit_trail,
    inject_fault,
    newest_operation,
    newest_state,
    press_forged,
    propose,
    running_bot,
)

BOB_TWICE = {
    "person": [
        {"id": "alice", "name": "Alice", "identities": ["console:alice", "matrix:@a:x"], "roles": ["releng"]},
        {"id": "bob", "name": "Bob", "identities": ["console:bob", "console:robert"], "roles": ["releng"]},
        {"id": "dan", "name": "Dan", "identities": ["console:dan", "console:dan2"], "roles": ["releng"]},
        {"id": "carol", "name": "Carol", "identities": ["console:carol"], "roles": ["reader"]},
    ]
}


async def test_two_approvals_are_those_of_two_people_whatever_accounts_they_use(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes=TWO_APPROVALS | BOB_TWICE) as bot:
        card, _ = await propose(bot, who="dan")
        assert "waits for 2 approvals" in card.text
        assert "2 approvals: Alice, Bob (role releng)" in card.text

        assert await bot.press("bob", Choice.APPROVE, card) == []
        assert "waits for 1 approval" in card.text
        assert "Bob approved" in card.text
        assert await bot.press("robert", Choice.APPROVE, card) == []
        assert await bot.press("bob", Choice.APPROVE, card) == []
        assert "waits for 1 approval" in card.text

        for account in ("dan", "dan2"):
            (refusal,) = await bot.press(account, Choice.APPROVE, card)
            assert "You asked for" in refusal.text
            assert "somebody else must approve it: Alice, Bob" in refusal.text
        assert bot.excluded(X64, CANDIDATE) is True

        (report,) = await bot.press("alice", Choice.APPROVE, card)
        assert "done" in report.text
        assert bot.excluded(X64, CANDIDATE) is False
        assert len(bot.azure.writes) == 1


async def test_who_may_not_decide_is_told_who_can_and_strangers_are_told_nothing(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot)
        before = await audit_trail(bot)

        (refusal,) = await bot.press("carol", Choice.APPROVE, card)
        assert refusal.thread == card.id
        assert "that takes the role releng" in refusal.text
        assert "Who can: Bob" in refusal.text
        assert "Alice" not in refusal.text
        for what in ("approve", "reject", "cancel"):
            (refusal,) = await bot.say("carol", f"!{what} {name}")
            assert "Bob" in refusal.text
        for by_value in (True, False):
            assert await bot.press("eve", Choice.APPROVE, card, by_value=by_value) == []
            assert await bot.press("eve", Choice.REJECT, card, by_value=by_value) == []
        (refusal,) = await bot.say("eve", f"!approve {name}")
        assert "I do not know you" in refusal.text
        # A display name is nobody: only the account counts.
        assert await bot.press("Bob", Choice.APPROVE, card) == []

        assert await audit_trail(bot) == before
        assert await newest_state(bot) is OperationState.PROPOSED
        assert card.card == card.cards[0]
        assert bot.azure.writes == []


async def test_a_refusal_by_somebody_ends_it_with_the_reason_and_by_the_requester_withdraws_it(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot)
        (full,) = await bot.say("carol", f"!op {name}")
        assert (card.card.fleeting, full.card.fleeting) == (True, False)  # files are for what stays
        (told,) = await bot.say("bob", f"!reject {name} the boot test has not run yet.")
        assert not card.card.fleeting
        assert told.thread == card.id
        assert told.card.mentions == ("alice",)
        assert "Rejected by Bob: the boot test has not run yet. Nothing was changed." in told.text
        assert "rejected" in card.card.title
        assert "Rejected by Bob: the boot test has not run yet. Nothing was changed." in card.text
        assert not card.card.buttons
        (late,) = await bot.press("bob", Choice.APPROVE, card)
        assert f"{name} is rejected; nothing was changed by this." in late.text

        card, name = await propose(bot)
        assert await bot.press("alice", Choice.REJECT, card) == []
        assert "cancelled" in card.card.title
        assert "Cancelled by Alice. Nothing was changed." in card.text

        card, name = await propose(bot)
        (told,) = await bot.say("bob", f"!cancel {name}")
        assert told.thread == card.id
        assert told.card.mentions == ("alice",)
        assert "Cancelled by Bob" in card.text
        (again,) = await bot.say("bob", f"!cancel {name}")
        assert f"{name} is cancelled; nothing was changed by this." in again.text
        (other,) = await bot.say("alice", f"!approve {name}")
        assert f"{name} is cancelled" in other.text
        assert bot.azure.writes == []


async def test_a_mind_can_be_changed_while_others_are_awaited(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes=TWO_APPROVALS | BOB_TWICE) as bot:
        card, name = await propose(bot, who="dan")
        await bot.press("bob", Choice.APPROVE, card)
        assert "Bob approved" in card.text
        await bot.press("bob", Choice.REJECT, card)
        assert "rejected" in card.card.title
        assert "Bob approved" not in card.text
        said = [(entry["actor"], entry["action"]) for entry in await audit_trail(bot)]
        assert said == [("dan", "proposed"), ("bob", "approval"), ("bob", "rejection"), ("bob", "rejected")]
        (late,) = await bot.press("alice", Choice.APPROVE, card)
        assert f"{name} is rejected" in late.text
        assert bot.azure.writes == []


async def test_the_requester_may_approve_only_where_the_configuration_says_so(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes={"policy": {"promote": {"requester_may_approve": True}}}) as bot:
        card, _ = await propose(bot)
        assert "1 approval by one of: Alice, Bob" in card.text
        (report,) = await bot.press("alice", Choice.APPROVE, card)
        assert "done" in report.text


async def test_which_operation_is_meant_and_which_plan(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        for what in ("approve", "reject"):
            (nothing,) = await bot.say("bob", f"!{what}")
            assert "There are no operations that wait for approval." in nothing.text
        (nothing,) = await bot.say("bob", "!cancel")
        assert "There are no operations that are open." in nothing.text

        card, first = await propose(bot)
        other, second = await propose(bot, f"!promote {ARM}")
        (which,) = await bot.say("bob", "!approve")
        assert "2 operations wait for approval; say which." in which.text
        lines = re.findall(r"`(!approve op-\w+)`", which.text)
        assert len(lines) == 2
        assert first in which.text
        assert second in which.text
        await bot.say("alice", f"!cancel {second}")
        assert "cancelled" in other.card.title

        (wrong,) = await bot.say("bob", f"!approve {first} 00000000")
        assert f"{first} has another plan than the one you agree to" in wrong.text
        assert f"!op {first}" in wrong.text
        for digest in ("00000000", "f" * 64, "\u0000"):
            (wrong,) = await press_forged(bot, "bob", first, digest)
            assert "has another plan" in wrong.text
        (unknown,) = await press_forged(bot, "bob", "op-zzzz", "00000000")
        assert "There is no operation op-zzzz." in unknown.text
        assert await press_forged(bot, "eve", first, card.card.buttons[0].digest_prefix) == []
        assert bot.azure.writes == []

        (report,) = await bot.say("bob", "!approve")
        assert report.thread == card.id
        assert bot.excluded(X64, CANDIDATE) is False
        assert bot.excluded(ARM, ARM_CANDIDATE) is True


async def test_what_is_decided_stays_decided(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card, event_id="press")
        done = await audit_trail(bot)
        assert await bot.press("bob", Choice.APPROVE, card, event_id="press") == []
        assert await bot.press("bob", Choice.APPROVE, card, event_id="press", by_value=True) == []
        for choice in Choice:
            (late,) = await bot.press("admin", choice, card)
            assert f"{name} is already done; nothing was changed by this." in late.text
            assert late.card.mentions == ("admin",)
        for what in ("approve", "reject", "cancel"):
            (late,) = await bot.say("bob", f"!{what} {name}")
            assert f"{name} is already done; nothing was changed by this." in late.text
        assert await audit_trail(bot) == done
        assert len(bot.azure.writes) == 1


async def test_a_decision_in_another_room_shows_the_card_there_and_keeps_both_up_to_date(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path, changes=TWO_APPROVALS | BOB_TWICE) as bot:
        card, name = await propose(bot, who="dan")
        (there,) = await bot.say("bob", f"!approve {name}", room="ops")
        assert there.room == "ops"
        for shown in (card, there):
            assert "waits for 1 approval" in shown.text
            assert "Bob approved" in shown.text

        (report,) = await bot.press("alice", Choice.APPROVE, there)
        assert report.room == "console"
        assert report.thread == card.id
        for shown in (card, there):
            assert "promote: done" in shown.text
            assert not shown.card.buttons

        first, name = await propose(bot, f"!promote {ARM}", who="dan")
        elsewhere, told = await bot.say("alice", f"!reject {name} not today", room="ops")
        assert told.thread == first.id
        for shown in (first, elsewhere, told):
            assert "Rejected by Alice: not today." in shown.text
            assert not shown.card.buttons


async def test_a_proposal_that_nobody_answers_expires_and_its_card_says_so(tmp_path: Path) -> None:
    async with running_bot(tmp_path, changes={"policy": {"promote": {"expires": "2h"}}}) as bot:
        card, name = await propose(bot)
        await bot.running.housekeeping.sweep()
        await bot.running.workflows.idle()
        assert "waits for 1 approval" in card.text

        bot.clock.advance(timedelta(hours=2))
        (late,) = await bot.press("bob", Choice.APPROVE, card)
        assert f"{name} has expired; nothing was changed by this." in late.text
        before = len(bot.messages)
        await bot.running.housekeeping.sweep()
        await bot.running.housekeeping.sweep()
        await bot.running.workflows.idle()

        (told,) = bot.messages[before:]
        assert told.thread == card.id
        assert told.card.mentions == ("alice",)
        assert f"To plan it afresh: `!promote {X64}`" in told.card.notes
        assert "expired" in card.card.title
        assert not card.card.buttons
        assert (
            f"Alice, by `!promote {X64}`" in card.text
        )  # it says what it was about for as long as it stands
        (late,) = await bot.press("bob", Choice.APPROVE, card)
        assert f"{name} is expired; nothing was changed by this." in late.text
        assert [entry["action"] for entry in await audit_trail(bot)] == ["proposed", "expired"]
        assert bot.azure.writes == []


@pytest.mark.parametrize("who", ["alice", "bob"])
async def test_a_running_operation_stops_before_its_next_step(tmp_path: Path, who: str) -> None:
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot, f"!cleanup {RAWHIDE}")
        steps = len((await newest_operation(bot)).plan.steps)
        held = inject_fault(bot, FaultKind.HOLD_BEFORE, "DELETE *", after=1)
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await held.reached.wait()

        await bot.say(who, f"!cancel {name}", wait=False)
        await bot.until(lambda: "Stopped by" in card.text)
        other = "bob" if who == "alice" else "alice"
        await bot.say(other, f"!cancel {name}", wait=False)
        await bot.until(lambda: "has stopped" in bot.messages[-1].text)
        assert f"{who.title()} has stopped {name} already" in bot.messages[-1].text
        held.release()
        await bot.running.workflows.idle()

        assert await newest_state(bot) is OperationState.CANCELLED
        assert f"2 of {steps} steps were done, the others were not begun." in card.text
        assert len(writes(bot.azure)) == 2
