"""Tables and trail that belong together: what one of them lacks, the other one tells."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from slipway.bot.chat.model import Choice, Room, WithdrawnReaction
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.operations.audit import Intact, verify
from slipway.bot.operations.trail.ties import contradictions
from slipway.bot.operations.trail.verification import Contradicted, newest_place
from slipway.bot.store.database import Database
from tests.operations.test_audit import tamper
from tests.support.azure import ARM, RAWHIDE, X64
from tests.support.harness import BotHarness, inject_fault, propose, running_bot
from tests.support.memory_chat import PostedMessage


async def _vote_and_take_back(bot: BotHarness, card: PostedMessage) -> None:
    event = f"on-{card.id}"
    await bot.press("bob", Choice.APPROVE, card, event_id=event)
    assert bot.chat.accept is not None
    room = Room(platform=bot.chat.platform, id="console")
    await bot.chat.accept(
        WithdrawnReaction(
            event_id=f"w-{event}", room=room, sender="bob", reaction_event_id=event, sent_at=bot.clock()
        )
    )
    await bot.running.workflows.idle()


async def _live(state_dir: Path) -> None:
    """Done, rejected, cancelled before and while it ran, and one whose vote was taken back: all that a day brings."""
    two = {"policy": {"promote": {"approvals": 2, "role": "releng", "requester_may_approve": True}}}
    async with running_bot(state_dir, changes=two) as bot:
        card, _ = await propose(bot)
        await _vote_and_take_back(bot, card)
        await bot.press("bob", Choice.APPROVE, card)
        await bot.press("alice", Choice.APPROVE, card)
        card, _ = await propose(bot, f"!promote {ARM}")
        await _vote_and_take_back(bot, card)
        card, name = await propose(bot, f"!rollback {X64}")
        await bot.say("bob", f"!reject {name} it boots")
        _, name = await propose(bot, f"!rollback {X64}")
        await bot.say("alice", f"!cancel {name}")
        card, name = await propose(bot, f"!cleanup {RAWHIDE}")
        held = inject_fault(bot, FaultKind.HOLD_BEFORE, "DELETE *", after=1)
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await held.reached.wait()
        await bot.say("bob", f"!cancel {name}", wait=False)
        await bot.until(lambda: "Stopped by" in card.text)
        held.release()
        await bot.running.idle()


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """slipway.db after a day."""
    folder = tmp_path_factory.mktemp("lived")
    asyncio.run(_live(folder))
    with sqlite3.connect(folder / "slipway.db") as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return (folder / "slipway.db").read_bytes()


@pytest.fixture
async def database(tmp_path: Path, lived: bytes) -> AsyncIterator[Database]:
    (tmp_path / "slipway.db").write_bytes(lived)
    opened = Database(tmp_path / "slipway.db")
    await opened.open()
    yield opened
    await opened.close()


async def test_what_people_did_on_a_day_holds(database: Database) -> None:
    assert isinstance(await verify(database), Intact)


async def test_what_failed_and_what_is_under_way_contradict_nothing(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        refused = inject_fault(bot, FaultKind.REFUSE, "PUT *", times=None)
        card, _ = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        assert "failed" in card.text
        refused.release()
        await propose(bot, f"!promote {ARM}")
        card, _ = await propose(bot, f"!cleanup {RAWHIDE}")
        held = inject_fault(bot, FaultKind.HOLD_BEFORE, "DELETE *", after=1)
        await bot.press("bob", Choice.APPROVE, card, wait=False)
        await held.reached.wait()
        assert isinstance(await verify(bot.running.database), Intact)
        held.release()
        await bot.running.idle()


CUT = """
DELETE FROM audit WHERE number > (SELECT number - 1 FROM audit WHERE action = '{0}' ORDER BY number DESC LIMIT 1)
"""


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("proposed", "was proposed"),
        ("approval", "no entry holds the vote of "),
        ("rejection", "no entry holds the vote of bob on "),
        ("approval withdrawn", "the vote of bob on "),
        ("step-1:done", "no entry says how step 1 of "),
        ("done", " is done, as the table does"),
        ("rejected", " is rejected, as the table does"),
        ("cancelled", " is cancelled, as the table does"),
        ("asked to stop", "no entry says that somebody stopped "),
    ],
)
async def test_a_tail_that_was_cut_off_with_its_count_is_told_by_the_tables(
    database: Database, tmp_path: Path, action: str, told: str
) -> None:
    count = "UPDATE audit_head SET (entries, head) = (SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1)"
    tamper(tmp_path, CUT.format(action), count)
    assert isinstance(await verify(database), Contradicted)
    async with database.reading() as connection:
        found = await contradictions(connection, await newest_place(database))
    assert told in "; ".join(found)  # of which verify() tells the first ones


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE operation SET state = 'failed' WHERE state = 'done'", "the table has it as failed"),
        ("UPDATE operation SET state = 'running' WHERE state = 'done'", "the table has it as running"),
        ("UPDATE operation SET state = 'done' WHERE state = 'rejected'", " is done, as the table does"),
        ("UPDATE operation SET ended_at = created_at || '0' WHERE state = 'done'", " is done, as the table"),
        ("UPDATE operation SET requester = 'bob'", "proposes another "),
        ("DELETE FROM target_end", "what is noted of the last "),
        ("UPDATE target_end SET times = times + 1", "what is noted of the last "),
        ("UPDATE target_end SET number = number + 1", "what is noted of the last "),
        ("DELETE FROM operation_target", "what is noted of the last "),
        ("DELETE FROM target_end WHERE state = 'cancelled'", "what is noted of the last cleanup of "),
        ("UPDATE operation SET doubt = 'by another'", "proposes another "),
        ("UPDATE vote SET doubt = 'by another'", "holds another vote on "),
        ("UPDATE operation SET digest = upper(digest)", "proposes another "),
        ("UPDATE operation SET event_key = event_key || 'x'", "by another event, elsewhere"),
        ("UPDATE operation SET platform = 'slack'", "by another event, elsewhere"),
        ("UPDATE operation SET room = 'elsewhere'", "by another event, elsewhere"),
        ("UPDATE operation SET thread = 'elsewhere'", "by another event, elsewhere"),
        ("UPDATE operation SET sequence = 99 WHERE state = 'done'", "in another order"),
        ("UPDATE operation SET ended_sequence = 99 WHERE state = 'cancelled'", " is cancelled, as the table"),
        ("UPDATE operation SET ended_sequence = 99 WHERE state = 'rejected'", " is rejected, as the table"),
        ("UPDATE operation SET ended_sequence = NULL WHERE state = 'done'", " is done, as the table does"),
        ("UPDATE vote SET sequence = sequence + 1", "holds another vote on "),
        ("UPDATE operation SET created_at = ended_at || '+05:00' WHERE state = 'done'", "proposes another "),
        ("UPDATE operation SET plan = replace(plan, '43.', '44.')", "is not the one that was proposed"),
        ("UPDATE operation SET plan = CAST(plan AS BLOB)", "is not the one that was proposed"),
        ("UPDATE operation SET plan = CAST(x'ff' || plan AS TEXT)", "is not the one that was proposed"),
        ("UPDATE operation SET cancelled_by = 'bob' WHERE state = 'done'", "that somebody stopped "),
        ("UPDATE operation SET cancelled_by = 'bob' WHERE state = 'cancelled'", "that somebody stopped "),
        ("UPDATE operation SET cancelled_by = NULL", "says that somebody stopped "),
        ("UPDATE operation SET cancelled_by = NULL WHERE kind = 'cleanup'", "says that somebody stopped "),
        ("UPDATE operation SET outcome = NULL", "tells another end of "),
        ("UPDATE operation SET outcome = replace(outcome, '43.', '44.')", "tells another end of "),
        ("UPDATE operation SET expires_at = '2036-01-01 00:00:00.000000'", "than its plan says"),
        ("UPDATE operation SET kind = 'cleanup'", "than its plan says"),
        ("DELETE FROM vote", "the vote of "),
        ("DELETE FROM vote WHERE person = 'bob' AND choice = 'approve'", "the vote of bob on "),
        ("UPDATE vote SET person = 'carol' WHERE person = 'bob'", "holds another vote on "),
        ("UPDATE vote SET choice = 'approve'", "holds another vote on "),
        ("UPDATE vote SET reason = 'it does not'", "holds another vote on "),
        ("UPDATE vote SET at = at || '+05:00'", "holds another vote on "),
        ("UPDATE vote SET event_key = 'other'", "no entry holds the vote of "),
        ("DELETE FROM step_report", "the table does not have"),
        ("UPDATE step_report SET number = 9 WHERE number = 1", "no entry says how step 9 of "),
        ("UPDATE step_report SET report = replace(report, '43.', '44.')", "no entry says how step 1 of "),
        ("""UPDATE step_report SET report = '{"failure": {}}'""", "no entry says how step 1 of "),
        ("DELETE FROM operation WHERE state = 'proposed'", "the table has no such operation"),
    ],
)
async def test_a_change_of_the_tables_contradicts_the_trail(
    database: Database, tmp_path: Path, statement: str, told: str
) -> None:
    tamper(tmp_path, statement)
    found = await verify(database)
    assert isinstance(found, Contradicted)
    assert told in found.why


async def test_what_a_newer_slipway_may_have_stored_is_no_contradiction(
    database: Database, tmp_path: Path
) -> None:
    tamper(tmp_path, "UPDATE operation SET state = 'paused' WHERE state = 'proposed'")
    assert isinstance(await verify(database), Intact)


async def test_many_contradictions_are_counted(database: Database, tmp_path: Path) -> None:
    tamper(tmp_path, "UPDATE operation SET requester = 'mallory', digest = 'x'", "DELETE FROM vote")
    found = await verify(database)
    assert isinstance(found, Contradicted)
    assert found.why.count(";") == 5
    assert found.why.endswith(" more")
