"""What stands in the files of a state folder, looked at before anything there is opened for work, made or migrated.

Both databases hold an installation's id, and a generation: a number that is raised in the one and then in the other
once a minute. The workflow database also notes how long the audit trail is.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from slipway.bot.core.chain import Place
from slipway.bot.store.sqlite import BUSY_TIMEOUT_MS, DATABASE, set_pragmas

WORKFLOWS = "workflows.db"
EXECUTOR_ID = "executor-id"

NOTES = "slipway_installation"
"""Slipway's own table in the workflow database."""

START = Place()

MOST_ASKED = 100
"""So many of the newest runs are looked up among the operations."""

_RUNS = ("do:", "do;")
"""Between these stand the ids of workflows that carry operations out: the semicolon follows the colon."""


@dataclass(frozen=True)
class DatabaseFacts:
    """What stands in ``slipway.db``.

    Attributes:
        there: whether it is a database with Slipway's tables.
        used: whether anything was ever done by it.
        id: of the installation; None before it was given one.
        generation: the newest that it knows; 0 before the first.
        place: where the audit trail ends.
        accepted: of the workflow database's rows, those up to this one may lead to nothing: a loss was accepted.
        readable: False where it is no database, which opening it tells of.
    """

    there: bool = False
    used: bool = False
    id: str | None = None
    generation: int = 0
    place: Place = START
    accepted: int = 0
    readable: bool = True


@dataclass(frozen=True)
class WorkflowFacts:
    """What stands in ``workflows.db``.

    Attributes:
        there: whether it holds any table.
        id: of the installation; None before it was given one.
        generation: the newest that it knows; 0 before the first.
        noted: where the audit trail ended when that was noted last.
        rows: the number of its newest row.
        readable: False where it is no database, which opening it tells of.
    """

    there: bool = False
    id: str | None = None
    generation: int = 0
    noted: Place | None = None
    rows: int = 0
    readable: bool = True


@dataclass(frozen=True)
class StateFacts:
    """What stands in a state folder.

    Attributes:
        database: slipway.db.
        workflows: workflows.db.
        started_before: whether a bot was started on this folder before.
        noted_holds: whether the audit trail still goes through the place that the workflow database noted.
        orphans: operations that the workflow database carries out, and that slipway.db does not have.
    """

    database: DatabaseFacts
    workflows: WorkflowFacts
    started_before: bool
    noted_holds: bool = True
    orphans: tuple[str, ...] = ()


def look(folder: Path) -> StateFacts:
    """What stands in a state folder; changes nothing."""
    database, workflows = _database(folder), workflow_facts(folder)
    started_before = (folder / EXECUTOR_ID).exists()
    if not (database.there and workflows.there and database.readable and workflows.readable):
        return StateFacts(database, workflows, started_before)
    with _opened(folder / DATABASE) as slipway, _opened(folder / WORKFLOWS) as other:
        holds = workflows.noted is None or _goes_through(slipway, workflows.noted)
        orphans = tuple(_orphans(slipway, other, database.accepted))
    return StateFacts(database, workflows, started_before, holds, orphans)


def _database(folder: Path) -> DatabaseFacts:
    try:
        with _opened(folder / DATABASE) as file:
            tables = _tables(file)
            if "audit" not in tables or "operation" not in tables:
                return DatabaseFacts()
            notes = _notes(file, "installation") if "installation" in tables else {}
            newest = file.execute("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1").fetchone()
            used = (
                newest is not None or file.execute("SELECT 1 FROM operation LIMIT 1").fetchone() is not None
            )
            return DatabaseFacts(
                there=True,
                used=used,
                id=notes.get("id"),
                generation=_number(notes, "generation"),
                place=Place(*newest) if newest else Place(),
                accepted=_number(notes, "accepted"),
            )
    except sqlite3.DatabaseError:
        return DatabaseFacts(there=True, readable=False)


def workflow_facts(folder: Path) -> WorkflowFacts:
    """What stands in the workflow database of a state folder."""
    try:
        with _opened(folder / WORKFLOWS) as file:
            tables = _tables(file)
            notes = _notes(file, NOTES) if NOTES in tables else {}
            rows = 0
            if "workflow_status" in tables:
                rows = file.execute("SELECT coalesce(max(rowid), 0) FROM workflow_status").fetchone()[0]
            noted = Place(_number(notes, "entries"), notes["head"]) if "head" in notes else None
            return WorkflowFacts(
                there="workflow_status" in tables,
                id=notes.get("id"),
                generation=_number(notes, "generation"),
                noted=noted,
                rows=rows,
            )
    except sqlite3.DatabaseError:
        return WorkflowFacts(there=True, readable=False)


def write_notes(folder: Path, installation_id: str, generation: int, place: Place) -> None:
    """Note in the workflow database, which is made where it is missing, what is to be known there.

    Raises:
        sqlite3.Error: it cannot be written.
    """
    notes = {"id": installation_id, "generation": generation, "entries": place.entries, "head": place.head}
    with closing(sqlite3.connect(folder / WORKFLOWS, isolation_level=None)) as file:
        set_pragmas(file, None)
        file.execute(f"CREATE TABLE IF NOT EXISTS {NOTES} (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        file.execute("BEGIN IMMEDIATE")
        for name, value in notes.items():
            row = (name, str(value))
            file.execute(f"INSERT OR REPLACE INTO {NOTES} (name, value) VALUES (?, ?)", row)  # noqa: S608
        file.execute("COMMIT")


def take_over(folder: Path, executor: str) -> tuple[str, ...]:
    """Let the workflows that have not ended be this executor's, and return the ids of those that were another's.

    The folder is one process's alone, so another id is that of a file that was lost, emptied or exchanged; nobody
    would ever go on with what bears it.

    Raises:
        sqlite3.Error: the workflow database cannot be read or written.
    """
    if not workflow_facts(folder).there:
        return ()
    others = "status IN ('PENDING', 'ENQUEUED') AND executor_id IS NOT ?"
    with closing(sqlite3.connect(folder / WORKFLOWS, isolation_level=None)) as file:
        set_pragmas(file, None)
        query = f"SELECT workflow_uuid FROM workflow_status WHERE {others}"  # noqa: S608 - a constant
        left = tuple(str(row[0]) for row in file.execute(query, (executor,)))
        if left:
            update = f"UPDATE workflow_status SET executor_id = ? WHERE {others}"  # noqa: S608
            file.execute(update, (executor, executor))
    return left


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A database to be read; an empty one in place of a file that is missing, so that none is made."""
    there = path.exists() and path.stat().st_size > 0
    where = f"{path.absolute().as_uri()}?mode=rw" if there else "file::memory:"
    with closing(sqlite3.connect(where, uri=True)) as file:
        file.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        file.execute("PRAGMA query_only=ON")
        yield file


def _tables(file: sqlite3.Connection) -> set[str]:
    return {row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _notes(file: sqlite3.Connection, table: str) -> dict[str, str]:
    return dict(file.execute(f"SELECT name, value FROM {table}").fetchall())  # noqa: S608 - one of two names


def _number(notes: dict[str, str], name: str) -> int:
    text = notes.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() else 0


def _goes_through(file: sqlite3.Connection, place: Place) -> bool:
    if not place.entries:
        return True
    row = file.execute("SELECT hash FROM audit WHERE number = ?", (place.entries,)).fetchone()
    return row is not None and row[0] == place.head


def _orphans(slipway: sqlite3.Connection, workflows: sqlite3.Connection, accepted: int) -> Iterator[str]:
    newest = workflows.execute(
        "SELECT workflow_uuid FROM workflow_status WHERE workflow_uuid >= ? AND workflow_uuid < ? AND rowid > ? "
        "ORDER BY rowid DESC LIMIT ?",
        (*_RUNS, accepted, MOST_ASKED),
    )
    for (workflow_id,) in newest.fetchall():
        operation = workflow_id.removeprefix(_RUNS[0])
        if slipway.execute("SELECT 1 FROM operation WHERE id = ?", (operation,)).fetchone() is None:
            yield operation


def greatest_workflow_id(folder: Path, prefix: str) -> str | None:
    """The greatest of the workflows' ids that begin so, while the bot runs; None where there is none.

    Raises:
        sqlite3.Error: the file cannot be read.
    """
    query = "SELECT max(workflow_uuid) FROM workflow_status WHERE workflow_uuid >= ? AND workflow_uuid < ?"
    with closing(sqlite3.connect(folder / WORKFLOWS, timeout=BUSY_TIMEOUT_MS / 1000)) as file:
        found = file.execute(query, (prefix, f"{prefix}\U0010ffff")).fetchone()[0]
    return None if found is None else str(found)


def executor_id(state_dir: Path) -> str:
    """This installation's own id, made at the first start and kept beside its database.

    Two processes with one id would each run the other's live workflows; the state folder's lock keeps a
    second process off this file, and so off this id.
    """
    path = state_dir / EXECUTOR_ID
    known = path.read_bytes().decode("ascii", "ignore").strip() if path.exists() else ""
    if not known:
        known = str(uuid.uuid4())
        fresh = path.with_suffix(".new")  # whole or not there
        fresh.write_text(f"{known}\n")
        fresh.replace(path)
    return known
