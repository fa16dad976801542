"""One installation: whether the files of its state folder belong together, and what of it is lost.

Both databases are kept with the same id, and learn from each other once a minute how far the other is. So a file that
was lost, emptied, or put back from another time than the other is named at the start, before anything is done.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa

from slipway.bot.core.chain import Place
from slipway.bot.core.errors import StateError
from slipway.bot.store.database import DATABASE, Database
from slipway.bot.store.inserting import insert
from slipway.bot.store.sqlite import WAY_ON
from slipway.bot.store.state_files import (
    WORKFLOWS,
    DatabaseFacts,
    StateFacts,
    WorkflowFacts,
    look,
    workflow_facts,
    write_notes,
)
from slipway.bot.store.tables import audit, installation

_LOSES_DATABASE = "operations, votes and the audit trail"
_LOSES_WORKFLOWS = "what was asked and not yet answered, and how far runs had come"


def losses(facts: StateFacts) -> tuple[str, ...]:
    """What is missing in a state folder, a sentence each; empty where all belongs together.

    A file that is no database at all is told by :func:`damaged`, and at the start by those who open it.
    """
    database, workflows = facts.database, facts.workflows
    if not (database.readable and workflows.readable):
        return ()
    if database.id is None or workflows.id is None:
        return _unsealed(facts)
    if database.id != workflows.id:
        return (f"{DATABASE} and {WORKFLOWS} belong to two installations.",)
    found = []
    if workflows.generation < database.generation:
        found.append(f"{WORKFLOWS} is older than {DATABASE}; missing is {_LOSES_WORKFLOWS}.")
    if database.generation < workflows.generation - 1 or not facts.noted_holds:
        found.append(_database_older(database, workflows))
    elif facts.orphans:
        names = ", ".join(facts.orphans[:5])
        found.append(f"{DATABASE} lacks operations that {WORKFLOWS} carries out: {names}.")
    return tuple(found)


def damaged(facts: StateFacts) -> tuple[str, ...]:
    """Which files of a state folder cannot be read as databases, a sentence each, with a way on."""
    files = ((DATABASE, facts.database.readable), (WORKFLOWS, facts.workflows.readable))
    found = [f"{name} cannot be read as a database." for name, readable in files if not readable]
    return (*found, WAY_ON) if found else ()


def _unsealed(facts: StateFacts) -> tuple[str, ...]:
    """What is missing where a database has no id: nothing, at the first start, and after an upgrade."""
    database, workflows = facts.database, facts.workflows
    gone_database = (
        f"{DATABASE} is gone, empty or another one; missing are {_LOSES_DATABASE}{_length(workflows)}."
    )
    gone_workflows = f"{WORKFLOWS} is gone, empty or another one; missing is {_LOSES_WORKFLOWS}."
    if workflows.id is not None:
        return (gone_database,)
    if database.id is not None:  # written before the other one's; with the first generation both were there
        return (gone_workflows,) if database.generation else ()
    if not database.there and workflows.there:
        return (gone_database,)
    if database.used and not workflows.there:
        return (gone_workflows,)
    if facts.started_before and not database.there and not workflows.there:
        return (gone_database, gone_workflows)
    return ()


def _length(workflows: WorkflowFacts) -> str:
    noted = workflows.noted
    return f" ({noted.entries} entries, the last {noted.head[:16]}…)" if noted and noted.entries else ""


def _database_older(database: DatabaseFacts, workflows: WorkflowFacts) -> str:
    noted = workflows.noted
    if noted is None or noted.entries <= database.place.entries:
        return f"{DATABASE} is older than {WORKFLOWS}, or another one; missing are newer {_LOSES_DATABASE}."
    return (
        f"{DATABASE} is older than {WORKFLOWS}; missing are newer {_LOSES_DATABASE}: it has "
        f"{database.place.entries} entries of the {noted.entries} that there were."
    )


def check(folder: Path) -> None:
    """See that nothing is missing in a state folder, before anything in it is made or migrated.

    Raises:
        StateError: something is; says what, and how to go on.
    """
    missing = losses(look(folder))
    if missing:
        raise StateError(
            f"In the state folder {folder} something is missing. {' '.join(missing)} "
            f"Put {DATABASE} and {WORKFLOWS} back from one backup, or go on without it: `slipway state accept`. "
            "See “Lost files” in docs/operating.md."
        )


def noted_place(folder: Path) -> Place | None:
    """How far the audit trail was when the workflow database noted that last; None where it knows nothing of it."""
    return workflow_facts(folder).noted


class InstallationNotes:
    """What slipway.db knows of itself and of the workflow database, by name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> dict[str, str]:
        """All of it."""
        async with self._database.reading() as connection:
            rows = await connection.execute(sa.select(installation.c.name, installation.c.value))
            return {row.name: row.value for row in rows}

    async def save(self, notes: Mapping[str, str]) -> None:
        """Note these, in place of what these names had before."""
        statement = insert(installation)
        statement = statement.on_conflict_do_update(
            index_elements=["name"], set_={"value": statement.excluded.value}
        )
        rows = [{"name": name, "value": value} for name, value in notes.items()]
        await self._database.execute(statement, rows)


class Installation:
    """Keeps both databases knowing each other, once they are open."""

    def __init__(self, folder: Path, database: Database) -> None:
        self._folder = folder
        self._database = database
        self._notes = InstallationNotes(database)
        self._noting = asyncio.Lock()

    async def note(self) -> None:
        """Let each database know how far the other is.

        Raises:
            sqlite3.Error, sqlalchemy.exc.DatabaseError: one of them cannot be written.
        """
        async with self._noting:  # or each of two at a time would give an id of its own
            await self._note()

    async def _note(self) -> None:
        facts = await asyncio.to_thread(workflow_facts, self._folder)
        notes = await self._notes.load()
        known = notes.get("id")
        if known is None:  # not before both files are there; see _unsealed()
            known = facts.id or str(uuid.uuid4())
            await self._notes.save({"id": known, "generation": "0"})
        # The other one first: it may be ahead of this one by one generation, and never behind.
        generation = await self._note_there(known, facts, notes)
        await self._notes.save({"generation": str(generation)})

    async def accept(self) -> None:
        """Take both databases as they are now for one installation.

        Raises:
            sqlite3.Error, sqlalchemy.exc.DatabaseError: one of them cannot be written.
        """
        facts = await asyncio.to_thread(workflow_facts, self._folder)
        notes = await self._notes.load()
        known = notes.get("id") or facts.id or str(uuid.uuid4())
        generation = await self._note_there(known, facts, notes)
        await self._notes.save({"id": known, "generation": str(generation), "accepted": str(facts.rows)})

    async def _note_there(self, known: str, facts: WorkflowFacts, notes: Mapping[str, str]) -> int:
        """Raise the generation in the workflow database; returns it.

        Where it is ahead already, since a process died before it noted that here, that is the one to be noted: else
        several such deaths in a row would look like a database that was put back from an earlier time.
        """
        generation = max(facts.generation, int(notes.get("generation", "0")) + 1)
        await asyncio.to_thread(write_notes, self._folder, known, generation, await self._place())
        return generation

    async def _place(self) -> Place:
        newest = sa.select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1)
        async with self._database.reading() as connection:
            last = (await connection.execute(newest)).first()
        return Place(last.number, last.hash) if last else Place()
