"""The state folder of a bot that was busy for a year, grown from a day on which it really promoted and rolled back.

Rows are copied with other ids, versions and times, and the audit trail's hashes are computed as Slipway does, so that
all of it is as Slipway would have written it: `slipway audit verify` holds.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from slipway.bot.core.operation_ids import LETTERS
from slipway.bot.operations.trail.chain import FORMAT, hash_of
from slipway.bot.store.database import DATABASE
from slipway.bot.store.state_files import WORKFLOWS

YEAR = timedelta(days=365)

Row = dict[str, object]

_IDS_FROM = len(LETTERS) ** 5
"""Ids of six letters, which the day's own, of four, are not among."""

_NUMBERS_FROM = 1_000_000
"""Numbers of messages, which the day's own are below."""


@dataclass(frozen=True)
class _Pattern:
    """One operation of the day with all that belongs to it."""

    operation: Row
    version: str
    belongings: Mapping[str, list[Row]]  # by table


def grow(folder: Path, operations: int, events: int) -> None:
    """Let there have been so many operations and events in the year before today.

    Args:
        folder: a state folder in which a bot worked, and does not now.
        operations: how many are added.
        events: how many workflows are added, each with its input, its steps and its output.
    """
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        database.row_factory = _as_dict
        _grow_operations(database, operations)
        database.commit()
    with closing(sqlite3.connect(folder / WORKFLOWS)) as workflows:
        workflows.row_factory = _as_dict
        _grow_events(workflows, events)
        workflows.commit()


def _grow_operations(database: sqlite3.Connection, count: int) -> None:
    newest = database.execute("SELECT max(sequence) AS number FROM operation").fetchone()["number"]
    patterns = [
        _pattern(database, row) for row in database.execute("SELECT * FROM operation WHERE state = 'done'")
    ]
    place = database.execute("SELECT entries, head FROM audit_head").fetchone()
    number, head = place["entries"], place["head"]
    first = datetime.now(UTC) - YEAR
    for each in range(count):
        pattern = patterns[each % len(patterns)]
        moved = first + YEAR * each / count - _time(pattern.operation["created_at"])
        for table, row in _copied(pattern, each, moved):
            if table == "operation":
                row |= {"sequence": newest + 1 + each, "ended_sequence": newest + 1 + each}
            if table == "audit":
                number += 1
                row["detail"] = _placed(str(row["detail"]), each, newest + 1 + each)
                head = _chained(row, number, head)
            _insert(database, table, row)
        if each % 10_000 == 0:
            database.commit()
    # Rows that are put in as ended do not fire the trigger on their end.
    database.execute(
        "INSERT OR REPLACE INTO target_end (target, kind, state, number, times) "
        "SELECT target, kind, state, max(ended_sequence), count(*) FROM operation "
        "JOIN operation_target ON operation_target.operation_id = operation.id "
        "WHERE state IN ('done', 'failed') GROUP BY target, kind, state"
    )


def _pattern(database: sqlite3.Connection, row: Row) -> _Pattern:
    tables = ("operation_target", "vote", "step_report", "audit", "message")
    by_id = {
        table: database.execute(
            f"SELECT * FROM {table} WHERE operation_id = ? ORDER BY rowid",  # noqa: S608 - one of the above
            (row["id"],),
        ).fetchall()
        for table in tables
    }
    report = database.execute("SELECT * FROM message WHERE key = ?", (f"{row['id']}:report",))
    by_id["message"] += report.fetchall()
    return _Pattern(row, str(by_id["operation_target"][0]["target"]).rpartition(" ")[2], by_id)


def _copied(pattern: _Pattern, each: int, moved: timedelta) -> list[tuple[str, Row]]:
    """The rows of another operation: of every four, two about the day's own version, two about another one."""
    version = pattern.version if each // 2 % 2 else f"40.{each}.0"
    plan = str(pattern.operation["plan"]).replace(pattern.version, version)
    words = {
        str(pattern.operation["id"]): f"op-{_letters(_IDS_FROM + each)}",
        pattern.version: version,
        str(pattern.operation["digest"]): hashlib.sha256(plan.encode()).hexdigest(),
    }
    rows = [
        ("operation", {**_changed(pattern.operation, words, moved), "event_key": f"hear:console:year-{each}"})
    ]
    for table, belonging in pattern.belongings.items():
        for index, row in enumerate(belonging):
            copy = _changed(row, words, moved)
            if table == "vote":
                copy["event_key"] = f"{copy['event_key']}-{each}"
            if table == "audit" and ":vote:" in str(row["key"]):
                copy["key"] = f"{copy['key']}-{each}"
            if table == "message":
                name = f"year-{each}-{index}"
                key = name if copy["key"] == row["key"] else copy["key"]  # a report's names its operation
                copy |= {"number": _NUMBERS_FROM + 10 * each + index, "key": key, "message_id": name}
            rows.append((table, copy))
    return rows


def _changed(row: Row, words: Mapping[str, str], moved: timedelta) -> Row:
    """A row with other words in its texts, and its times moved."""
    found = dict(row)
    for column, value in row.items():
        if isinstance(value, str) and (column in ("at", "card_since") or column.endswith("_at")):
            found[column] = (_time(value) + moved).strftime("%Y-%m-%d %H:%M:%S.%f")
        elif isinstance(value, str):
            text = value
            for word, other in words.items():
                text = text.replace(word, other)
            found[column] = text
    return found


def _placed(detail: str, each: int, sequence: int) -> str:
    """What an entry says of the event that asked for its operation, and of the operation's place in order."""
    said = json.loads(detail)
    if "event" in said:
        said |= {"event": f"hear:console:year-{each}", "sequence": sequence}
    if "ended_sequence" in said:
        said["ended_sequence"] = sequence
    return json.dumps(said, ensure_ascii=False)


def _chained(row: Row, number: int, head: str) -> str:
    """Give an entry its place in the chain; its hash."""
    at = str(row["at"])
    when = f"{at[:10]}T{at[11:]}+00:00"
    fields = (row["key"], when, row["actor"], row["action"], row["operation_id"], row["detail"])
    hashed = hash_of(number, *fields, previous=head)
    row |= {"number": number, "previous": head, "hash": hashed, "format": FORMAT}
    return hashed


def _grow_events(workflows: sqlite3.Connection, count: int) -> None:
    query = "SELECT * FROM workflow_status WHERE status = 'SUCCESS' AND workflow_uuid LIKE 'hear:%' LIMIT 1"
    status = workflows.execute(query).fetchone()
    parts = {
        table: workflows.execute(
            f"SELECT * FROM {table} WHERE workflow_uuid = ?",  # noqa: S608 - one of the below
            (status["workflow_uuid"],),
        ).fetchall()
        for table in ("workflow_input", "workflow_output", "operation_outputs")
    }
    first = datetime.now(UTC) - YEAR
    for each in range(count):
        name = f"hear:console:year-{each}"
        at = int((first + YEAR * each / count).timestamp() * 1000)
        times = {column: at for column in status if column in ("created_at", "updated_at", "completed_at")}
        _insert(workflows, "workflow_status", {**status, "workflow_uuid": name, **times})
        for table, rows in parts.items():
            for row in rows:
                _insert(workflows, table, {**row, "workflow_uuid": name, "retention_timestamp": at})


def _insert(database: sqlite3.Connection, table: str, row: Row) -> None:
    columns, places = ", ".join(f'"{column}"' for column in row), ", ".join("?" * len(row))
    database.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", tuple(row.values()))  # noqa: S608


def _as_dict(cursor: sqlite3.Cursor, row: tuple[object, ...]) -> Row:
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}


def _time(text: object) -> datetime:
    return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)


def _letters(number: int) -> str:
    return "".join(_digits(number))[::-1]


def _digits(number: int) -> Iterator[str]:
    while number:
        number, rest = divmod(number, len(LETTERS))
        yield LETTERS[rest]
