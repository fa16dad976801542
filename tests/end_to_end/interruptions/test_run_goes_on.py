"""Runs that were left in the middle of a step: what is said of it is so, and what is left is looked at anew."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.steps import Step
from slipway.bot.operations.model import Operation, OperationState
from slipway.bot.subjects.images.steps import DeleteVersion, SetExcluded
from tests.support.azure import (
    ARM,
    ARM_CANDIDATE,
    CANDIDATE,
    RAWHIDE,
    X64,
    publishing_profile,
    simulated_gallery,
    version_numbers,
    writes,
)
from tests.support.clock import DAY, MINUTE, FakeClock, FakeUptime
from tests.support.harness import (
    BotHarness,
    audit_trail,
    inject_fault,
    lost_database,
    newest_operation,
    propose,
    running_bot,
)
from tests.support.memory_chat import MemoryChat, PostedMessage
from tests.support.pauses import no_pauses

BOTH = "!promote Fedora-Cloud-43-*"


class Left:
    """A bot that goes down in the middle of an operation, and one that goes on with it."""

    def __init__(self, folder: Path, azure: SimulatedAzure) -> None:
        self._folder = folder
        self.azure = azure
        self.chat, self.clock, self.uptime = MemoryChat(), FakeClock(), FakeUptime()
        self.steps: tuple[Step, ...] = ()
        self.altered = False

    async def leave(
        self, command: str, kind: FaultKind, match: str, *, after: int = 0, cancel: bool = False
    ) -> PostedMessage:
        """Have a command carried out, and go down in a request of it; the operation's card."""
        async with self.bot(grace=timedelta()) as bot:
            card, name = await propose(bot, command)
            self.steps = (await newest_operation(bot)).plan.steps
            held = inject_fault(bot, kind, match, after=after)
            await bot.press("bob", Choice.APPROVE, card, wait=False)
            await held.reached.wait()
            if cancel:
                await bot.say("alice", f"!cancel {name}", wait=False)
                await bot.until(lambda: "Stopped by" in card.text)
        self.azure.faults.clear()
        return card

    @asynccontextmanager
    async def bot(
        self, grace: timedelta = timedelta(seconds=10), **changes: Any
    ) -> AsyncIterator[BotHarness]:
        async with running_bot(
            self._folder,
            azure=self.azure,
            chat=self.chat,
            clock=self.clock,
            grace=grace,
            sleep=no_pauses,
            uptime=self.uptime,
            changes=changes,
        ) as bot:
            yield bot

    async def go_on(self, **changes: Any) -> Operation:
        """Start again, and see the operation to its end."""
        async with self.bot(**changes) as bot:
            async with asyncio.timeout(60):
                await bot.running.workflows.idle()
            if not self.altered:
                await audit_trail(bot)
            return await newest_operation(bot)

    def azure_ends_what_it_began(self) -> None:
        """What Azure took comes to its end, whether anybody looks or not."""
        for versions in self.azure.state.versions.values():
            for number, record in list(versions.items()):
                if record.state == "Updating":
                    record.state = "Succeeded"
                elif record.state == "Deleting":
                    del versions[number]

    def change(self, statement: str, *values: str) -> None:
        """Change the database while no bot runs."""
        self.altered = True
        with sqlite3.connect(self._folder / "slipway.db") as database:
            assert database.execute(statement, values).rowcount  # of a trigger: -1

    def reports(self, card: PostedMessage) -> list[PostedMessage]:
        """What was said of its end: those who can decide are called there, too, where planning took long."""
        here = [shown for shown in self.chat.messages if shown.thread == card.id]
        return [shown for shown in here if "your approval is asked for" not in shown.card.title]


@pytest.fixture
async def left(tmp_path: Path) -> AsyncIterator[Left]:
    async with simulated_gallery() as azure:
        yield Left(tmp_path / "state", azure)


async def test_of_a_step_that_was_done_before_the_stop_is_told_that_it_is(left: Left) -> None:
    card = await left.leave(f"!promote {X64}", FaultKind.HOLD_AFTER, "PUT *", cancel=True)
    operation = await left.go_on()
    assert operation.state is OperationState.DONE
    (report,) = left.reports(card)
    assert f"{CANDIDATE} of {X64} was promoted already." in report.text
    assert "0 of 1" not in report.text + card.text
    assert len(left.azure.writes) == 1


async def test_a_step_that_is_not_seen_done_is_called_unknown_and_not_begun_again(left: Left) -> None:
    card = await left.leave(f"!promote {X64}", FaultKind.HOLD_BEFORE, "PUT *", cancel=True)
    writes_before = len(left.azure.writes)
    operation = await left.go_on()
    assert operation.state is OperationState.FAILED
    (report,) = left.reports(card)
    assert "Stopped by Alice: 0 of 1 steps done, of 1 it is not known whether it took effect." in report.text
    assert "It was begun, and is not seen done; whether it takes effect is not known." in report.text
    assert "? unknown" in card.text
    assert f"Next: `!promote {X64}" in report.text
    assert len(left.azure.writes) == writes_before


async def test_what_was_not_begun_is_told_as_not_done_beside_what_was(left: Left) -> None:
    card = await left.leave(f"!cleanup {RAWHIDE}", FaultKind.HOLD_AFTER, "DELETE *", after=1, cancel=True)
    operation = await left.go_on()
    assert operation.state is OperationState.CANCELLED
    steps = len(operation.plan.steps)
    assert f"Stopped by Alice: 2 of {steps} steps were done, the others were not begun." in card.text
    assert len(writes(left.azure)) == 2


async def test_what_ended_during_a_break_is_not_promoted(left: Left) -> None:
    card = await left.leave(f"!promote {X64}", FaultKind.HOLD_BEFORE, "PUT *")
    publishing_profile(left.azure, X64, CANDIDATE)["endOfLifeDate"] = "2026-11-22T00:00:00Z"
    left.clock.advance(3 * DAY)
    operation = await left.go_on()
    assert operation.state is OperationState.STALE
    (report,) = left.reports(card)
    assert "After a break of 3d what was left was planned again, and does not hold any more" in report.text
    assert "its end of life" in report.text
    assert f"Next: `!images {X64}`" in report.text
    assert publishing_profile(left.azure, X64, CANDIDATE)["excludeFromLatest"] is True


def _back_where_it_was(left: Left) -> None:
    """Two days went by, and the clock was set back by as much."""
    left.uptime.advance(2 * DAY)


def _another_boot(left: Left) -> None:
    """Nobody knows how long the machine was off: its clock lost that time."""
    left.uptime.boot()
    left.clock.advance(MINUTE)


def _set_back(left: Left) -> None:
    left.uptime.advance(MINUTE)
    left.clock.advance(-2 * DAY)


@pytest.mark.parametrize(
    ("happens", "told"),
    [(_back_where_it_was, "a break of 2d"), (_another_boot, "a break"), (_set_back, "a break")],
)
async def test_a_clock_that_is_wrong_hides_no_break(
    left: Left, happens: Callable[[Left], None], told: str
) -> None:
    card = await left.leave(f"!promote {X64}", FaultKind.HOLD_BEFORE, "PUT *")
    publishing_profile(left.azure, X64, CANDIDATE)["endOfLifeDate"] = "2026-11-17T00:00:00Z"
    happens(left)
    operation = await left.go_on()
    assert operation.state is OperationState.STALE
    (report,) = left.reports(card)
    assert f"After {told} what was left was planned again, and does not hold any more" in report.text
    assert publishing_profile(left.azure, X64, CANDIDATE)["excludeFromLatest"] is True


async def test_a_break_that_an_older_version_left_no_uptime_of_counts_as_a_long_one(left: Left) -> None:
    card = await left.leave(f"!promote {X64}", FaultKind.HOLD_BEFORE, "PUT *")
    publishing_profile(left.azure, X64, CANDIDATE)["endOfLifeDate"] = "2026-11-17T00:00:00Z"
    left.change("DROP TRIGGER audit_no_update")
    left.change("UPDATE audit SET detail = '{}' WHERE action = 'step-1:begun'")
    assert (await left.go_on()).state is OperationState.STALE
    assert "After a break what was left was planned again" in left.reports(card)[0].text


@pytest.mark.parametrize("by_clock", [True, False])
async def test_what_ended_while_a_step_took_long_is_not_promoted(left: Left, by_clock: bool) -> None:
    """The machine was suspended, say: the process is the same, and the world is not."""
    async with left.bot() as bot:
        card, _ = await propose(bot, BOTH)
        held = inject_fault(bot, FaultKind.HOLD_AFTER, "PUT *")
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await held.reached.wait()
        later = next(
            name for name in (X64, ARM) if name.casefold() not in left.azure.writes[0].path.casefold()
        )
        number = {X64: CANDIDATE, ARM: ARM_CANDIDATE}[later]
        ends = "2026-11-20T12:10:00Z" if by_clock else "2026-11-20T11:50:00Z"
        publishing_profile(left.azure, later, number)["endOfLifeDate"] = ends
        (left.clock if by_clock else left.uptime).advance(timedelta(minutes=45))
        left.azure.faults.clear()
        await bot.running.idle()
        operation = await newest_operation(bot)
    assert operation.state is OperationState.STALE
    (report,) = left.reports(card)
    assert "After 45m what was left was planned again, and does not hold any more" in report.text
    assert "1 of 2 steps done, 1 not begun" in report.text
    assert publishing_profile(left.azure, later, number)["excludeFromLatest"] is True


async def test_a_run_whose_steps_take_long_is_planned_again_and_goes_on_where_all_holds(left: Left) -> None:
    async with left.bot() as bot:
        card, _ = await propose(bot, BOTH)
        held = inject_fault(bot, FaultKind.HOLD_AFTER, "PUT *")
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await held.reached.wait()
        left.azure_ends_what_it_began()
        left.clock.advance(timedelta(minutes=45))
        left.azure.faults.clear()
        await bot.running.idle()
        assert (await newest_operation(bot)).state is OperationState.DONE
    assert len(left.azure.writes) == 2


async def test_the_last_candidate_stays_where_those_that_were_to_be_kept_went_during_a_break(
    left: Left,
) -> None:
    card = await left.leave(f"!cleanup {X64}", FaultKind.HOLD_AFTER, "DELETE *")
    left.azure_ends_what_it_began()
    versions = left.azure.state.versions[X64.casefold()]
    chosen = {step.version for step in left.steps if isinstance(step, DeleteVersion)}
    for number in version_numbers(left.azure, X64) - chosen:
        if publishing_profile(left.azure, X64, number)["excludeFromLatest"]:
            del versions[number]
    there = version_numbers(left.azure, X64)
    left.clock.advance(DAY)
    operation = await left.go_on()
    assert operation.state is OperationState.STALE
    assert f"1 of {len(left.steps)} steps done, {len(left.steps) - 1} not begun." in card.text
    assert f"retention keeps all {len(there)} versions of {X64}" in left.reports(card)[0].text
    assert version_numbers(left.azure, X64) == there


async def test_a_rollback_that_was_stopped_half_way_counts_for_what_it_may_have_done(left: Left) -> None:
    """It broke off in the middle, did not hold any more when it was looked at again, and took effect all the same."""
    await left.leave(f"!rollback {X64}", FaultKind.HOLD_BEFORE, "PUT *")
    (step,) = left.steps
    assert isinstance(step, SetExcluded)
    left.clock.advance(DAY)
    operation = await left.go_on(policy={"rollback": {"approvals": 2}})
    assert operation.state is OperationState.STALE
    publishing_profile(left.azure, X64, step.version)["excludeFromLatest"] = True
    versions = left.azure.state.versions[X64.casefold()]
    for number in list(versions):
        if VersionNumber.parse(number) > VersionNumber.parse(step.version):
            del versions[number]
    async with left.bot() as bot:
        (answer,) = await bot.say("alice", f"!promote {X64} --dry-run")
    assert f"promote {step.version}" not in answer.text
    assert "rolled back" in answer.text


@pytest.mark.parametrize("away", [timedelta(), timedelta(minutes=4), 3 * DAY, -DAY])
async def test_what_still_holds_is_carried_to_its_end(left: Left, away: timedelta) -> None:
    card = await left.leave(BOTH, FaultKind.HOLD_AFTER, "PUT *")
    left.azure_ends_what_it_began()
    left.clock.advance(away)
    operation = await left.go_on()
    assert operation.state is OperationState.DONE
    assert len(operation.reports) == len(operation.plan.steps) > 1
    for name, number in ((X64, CANDIDATE), (ARM, ARM_CANDIDATE)):
        assert publishing_profile(left.azure, name, number)["excludeFromLatest"] is False
    assert len(left.azure.writes) == len(operation.plan.steps)
    assert len(left.reports(card)) == 1


async def test_a_step_that_cannot_be_looked_at_for_the_state_folder_is_looked_at_once_it_can(
    left: Left, tmp_path: Path
) -> None:
    card = await left.leave(f"!promote {X64}", FaultKind.HOLD_BEFORE, "PUT *", cancel=True)
    held = left.azure.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match="GET *"))
    async with left.bot() as bot:
        await held.reached.wait()
        async with lost_database(bot, tmp_path / "state"):
            held.release()
        await bot.running.idle()
    (report,) = left.reports(card)
    assert "It was begun, and is not seen done; whether it takes effect is not known." in report.text
    assert "Internal error" not in report.text


async def test_a_gallery_that_cannot_be_looked_at_after_a_break_stops_the_run_and_tells_whose_move_it_is(
    left: Left,
) -> None:
    card = await left.leave(BOTH, FaultKind.HOLD_AFTER, "PUT *")
    left.clock.advance(DAY)
    left.azure.faults.add(Fault(kind=FaultKind.REFUSE, match="GET *", times=None))
    operation = await left.go_on()
    assert operation.state is OperationState.FAILED
    (report,) = left.reports(card)
    assert "After a break of 1d what was left could not be planned again, so it stopped there" in report.text
    assert "of 1 it is not known whether it took effect, 1 not begun" in report.text
    assert "Whose move: whoever runs Slipway." in report.text
    assert len(left.azure.writes) == 1


async def test_an_approver_who_lost_the_role_during_a_break_does_not_count_any_more(left: Left) -> None:
    card = await left.leave(BOTH, FaultKind.HOLD_BEFORE, "PUT *")
    left.clock.advance(DAY)
    demoted = [
        {"id": "alice", "name": "Alice", "identities": ["console:alice"], "roles": ["releng"]},
        {"id": "bob", "name": "Bob", "identities": ["console:bob"], "roles": ["reader"]},
        {"id": "dan", "name": "Dan", "identities": ["console:dan"], "roles": ["releng"]},
    ]
    operation = await left.go_on(person=demoted)
    assert operation.state is OperationState.STALE
    assert "an approval no longer counts: its giver lost the role" in left.reports(card)[0].text
    assert publishing_profile(left.azure, ARM, ARM_CANDIDATE)["excludeFromLatest"] is True


async def test_a_plan_that_was_changed_while_the_bot_was_down_is_not_gone_on_with(left: Left) -> None:
    card = await left.leave(f"!promote {X64}", FaultKind.HOLD_BEFORE, "PUT *")
    left.change("UPDATE operation SET plan = replace(plan, ?, ?)", CANDIDATE, "43.20261116.0")
    operation = await left.go_on()
    assert operation.state is OperationState.FAILED
    why = f"The stored plan of {operation.id} is not the one that was proposed."
    assert why in left.reports(card)[0].text
    assert publishing_profile(left.azure, X64, "43.20261116.0")["excludeFromLatest"] is True
