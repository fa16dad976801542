"""What is missing in a state folder, by what stands in its files."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from slipway.bot.core.chain import Place
from slipway.bot.store.database import DATABASE as DATABASE_FILE
from slipway.bot.store.database import Database
from slipway.bot.store.installation import Installation, losses
from slipway.bot.store.state_files import DatabaseFacts, StateFacts, WorkflowFacts, look
from tests.support.harness import running_bot

DATABASE = DatabaseFacts(there=True, used=True, id="a", generation=7, place=Place(9, "9" * 64))
WORKFLOWS = WorkflowFacts(there=True, id="a", generation=7, noted=Place(8, "8" * 64), rows=3)
NO_DATABASE, NO_WORKFLOWS = DatabaseFacts(), WorkflowFacts()
BEFORE_IDS = replace(DATABASE, id=None, generation=0), WorkflowFacts(there=True)
"""What a Slipway left that gave no ids yet."""

WHOLE = {
    "both, equally far": StateFacts(DATABASE, WORKFLOWS, True),
    "died between the two notes": StateFacts(DATABASE, replace(WORKFLOWS, generation=8), True),
    "nothing at all": StateFacts(NO_DATABASE, NO_WORKFLOWS, False),
    "died before the workflow database was made": StateFacts(
        replace(NO_DATABASE, there=True), NO_WORKFLOWS, False
    ),
    "died before it was noted": StateFacts(
        replace(NO_DATABASE, there=True), replace(NO_WORKFLOWS, there=True), True
    ),
    "died in the middle of the first note": StateFacts(
        replace(DATABASE, generation=0), WorkflowFacts(there=True), True
    ),
    "died in the middle of the first note, later": StateFacts(
        replace(DATABASE, generation=0), replace(WORKFLOWS, generation=1), True
    ),
    "of a Slipway of before": StateFacts(*BEFORE_IDS, True),
    "no database, which is told when it is opened": StateFacts(
        DatabaseFacts(there=True, readable=False), WORKFLOWS, True
    ),
}

MISSING = {
    "slipway.db is gone, empty or another one; missing are operations, votes and the audit trail (8 entries": (
        StateFacts(NO_DATABASE, WORKFLOWS, True),
        StateFacts(replace(NO_DATABASE, there=True), WORKFLOWS, True),
    ),
    "slipway.db is gone, empty or another one; missing are operations, votes and the audit trail.": (
        StateFacts(NO_DATABASE, WorkflowFacts(there=True), True),
    ),
    "workflows.db is gone, empty or another one; missing is what was asked": (
        StateFacts(DATABASE, NO_WORKFLOWS, True),
        StateFacts(DATABASE, WorkflowFacts(there=True), True),
        StateFacts(BEFORE_IDS[0], NO_WORKFLOWS, True),
        StateFacts(NO_DATABASE, NO_WORKFLOWS, True),
    ),
    "slipway.db and workflows.db belong to two installations": (
        StateFacts(DATABASE, replace(WORKFLOWS, id="b"), True),
    ),
    "workflows.db is older than slipway.db": (StateFacts(DATABASE, replace(WORKFLOWS, generation=6), True),),
    "slipway.db is older than workflows.db": (
        StateFacts(DATABASE, replace(WORKFLOWS, generation=9), True),
        StateFacts(DATABASE, WORKFLOWS, True, noted_holds=False),
    ),
    "it has 9 entries of the 12 that there were": (
        StateFacts(DATABASE, replace(WORKFLOWS, noted=Place(12, "f" * 64)), True, noted_holds=False),
    ),
    "slipway.db lacks operations that workflows.db carries out: op-7k3f": (
        StateFacts(DATABASE, WORKFLOWS, True, orphans=("op-7k3f",)),
    ),
}


@pytest.mark.parametrize("facts", WHOLE.values(), ids=WHOLE)
def test_where_nothing_is_missing_nothing_is_said(facts: StateFacts) -> None:
    assert losses(facts) == ()


@pytest.mark.parametrize(
    ("said", "facts"), [(said, each) for said, those in MISSING.items() for each in those]
)
def test_what_is_missing_is_named(said: str, facts: StateFacts) -> None:
    assert said in " ".join(losses(facts))


async def test_dying_between_the_two_notes_again_and_again_looks_like_no_loss(tmp_path: Path) -> None:
    folder = tmp_path
    async with running_bot(folder):
        pass
    with sqlite3.connect(folder / DATABASE_FILE) as connection:  # it dies where this one cannot be written
        connection.execute(
            "CREATE TRIGGER dies BEFORE UPDATE ON installation BEGIN SELECT RAISE(ABORT, 'killed'); END"
        )
    database = Database(folder / DATABASE_FILE)
    await database.open()
    for _ in range(3):
        with pytest.raises(sa.exc.DatabaseError):
            await Installation(folder, database).note()
    await database.close()
    assert losses(look(folder)) == ()
