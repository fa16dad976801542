"""Nothing is carried out that the audit trail does not say was agreed to."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from slipway.bot.chat.model import Choice
from slipway.bot.operations.audit import AuditEntry, AuditKey
from slipway.bot.operations.model import OperationState
from slipway.bot.operations.runs.integrity import NotedDecision, contradiction, keys_of
from tests.operations.builders import operation, vote
from tests.support.azure import CANDIDATE
from tests.support.clock import NOW
from tests.support.harness import BotHarness, newest_operation, propose, running_bot

AGREED = operation((vote("bob").model_copy(update={"event_key": "e2"}),))
PROPOSED, APPROVED, VOTED = keys_of(AGREED)
NOTED: dict[str, NotedDecision] = {
    PROPOSED: NotedDecision("proposed", "alice", AGREED.digest),
    APPROVED: NotedDecision("approved", "bob", AGREED.digest),
    VOTED: NotedDecision("approval", "bob", AGREED.digest),
}


def test_what_was_agreed_to_contradicts_nothing() -> None:
    assert contradiction(AGREED, AGREED.digest, NOTED) == ""


@pytest.mark.parametrize("key", NOTED)
@pytest.mark.parametrize("lost", [True, False])
def test_each_entry_must_be_there_and_tell_the_same(key: str, lost: bool) -> None:
    other = NotedDecision("approval", "mallory", "0" * 64)
    noted = {name: entry for name, entry in NOTED.items() if name != key} | ({} if lost else {key: other})
    assert bool(contradiction(AGREED, AGREED.digest, noted)) is (lost or key != APPROVED)


@pytest.mark.parametrize(
    "changed", [{"requester": "bob"}, {"kind": "cleanup"}, {"digest": "0" * 64}, {"id": "op-aaaa"}]
)
def test_what_was_changed_in_the_database_contradicts_the_trail(changed: dict[str, str]) -> None:
    assert contradiction(AGREED.model_copy(update=changed), AGREED.digest, NOTED)


async def change(bot: BotHarness, statement: str, **values: str) -> None:
    async with bot.running.database.writing() as connection:
        assert (await connection.execute(sa.text(statement), values)).rowcount


async def test_another_plan_in_the_place_of_the_one_that_people_saw_is_not_carried_out(
    tmp_path: Path,
) -> None:
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot)
        other = "UPDATE operation SET plan = replace(plan, :old, :new)"
        await change(bot, other, old=CANDIDATE, new="43.20261116.0")
        (report,) = await bot.press("bob", Choice.APPROVE, card)
        assert f"The stored plan of {name} is not the one that was proposed." in report.text
        assert "It failed before anything was changed." in report.text
        assert "`slipway audit verify` tells more." in report.text
        assert "Whose move: whoever runs Slipway." in report.text
        assert bot.azure.writes == []


async def test_a_vote_that_nobody_gave_is_none(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        card, name = await propose(bot)
        await change(
            bot,
            "INSERT INTO vote (operation_id, person, choice, reason, at, event_key) "
            "VALUES (:name, 'bob', 'approve', '', '2026-11-20 12:00:00', 'hear:console:made-up')",
            name=name,
        )
        moved = await bot.running.operations.move(
            name,
            expected=OperationState.PROPOSED,
            to=OperationState.APPROVED,
            entry=AuditEntry(AuditKey.of_state(name, "approved"), NOW, "bob", "approved", name),
        )
        assert moved
        await bot.running.housekeeping.sweep()
        await bot.running.workflows.idle()
        assert (await newest_operation(bot)).state is OperationState.FAILED
        why = f"The audit trail does not say that bob voted on {name} as is stored."
        assert why in bot.chat.report_of(card).text
        assert bot.azure.writes == []
