"""The audit trail: append-only, and no way of changing it behind the bot's back goes unnoticed."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slipway.bot.operations.audit import GENESIS, AuditEntry, Broken, Intact, append, entries, lines, verify
from slipway.bot.store.database import Database
from tests.support.clock import NOW

ENTRIES = 5


def entry(number: int, **more: Any) -> AuditEntry:
    usual: dict[str, Any] = {
        "key": f"op-7k3f:{number}",
        "at": NOW + timedelta(seconds=number),
        "actor": "alice",
        "action": "approval",
        "operation_id": "op-7k3f" if number % 2 else None,
        "detail": (("digest", "1b9f" * 16), ("reason", "prüft: “gut”"), ("steps", number)),
    }
    return AuditEntry(**(usual | more))


async def write(database: Database, *written: AuditEntry) -> None:
    for each in written:
        async with database.writing() as connection:
            await append(connection, each)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(tmp_path / "slipway.db")
    await opened.open()
    await write(opened, *(entry(number) for number in range(1, ENTRIES + 1)))
    yield opened
    await opened.close()


def tamper(tmp_path: Path, *statements: str, values: tuple[object, ...] = ()) -> None:
    """Change the file as somebody with access to it would: past the bot, and past the triggers."""
    connection = sqlite3.connect(tmp_path / "slipway.db")
    connection.execute("DROP TRIGGER IF EXISTS audit_no_update")
    connection.execute("DROP TRIGGER IF EXISTS audit_no_delete")
    for statement in statements:
        connection.execute(statement, values)
    connection.commit()
    connection.close()


async def test_an_untouched_trail_holds_and_says_how_long_it_is(database: Database) -> None:
    result = await verify(database)
    assert isinstance(result, Intact)
    assert result.entries == ENTRIES
    assert [recorded.entry async for recorded in entries(database)] == [
        entry(number) for number in range(1, ENTRIES + 1)
    ]
    assert [recorded.number async for recorded in entries(database, "op-7k3f")] == [1, 3, 5]
    assert len(await lines(database)) == ENTRIES


async def test_an_empty_trail_holds(tmp_path: Path) -> None:
    empty = Database(tmp_path / "slipway.db")
    await empty.open()
    assert await verify(empty) == Intact(0, GENESIS)
    assert await verify(empty, expect=GENESIS) == Intact(0, GENESIS)
    assert isinstance(await verify(empty, expect="f" * 64), Broken)
    await empty.close()


async def test_the_same_happening_is_recorded_once(database: Database) -> None:
    before = await verify(database)
    await write(database, entry(2), entry(5, actor="bob"))
    assert await verify(database) == before


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'bob'", "DELETE FROM audit"])
async def test_the_database_itself_forbids_changing_and_removing(database: Database, statement: str) -> None:
    with pytest.raises(sa.exc.DatabaseError, match="append-only"):
        async with database.writing() as connection:
            await connection.execute(sa.text(statement))
    assert isinstance(await verify(database), Intact)


OTHERWISE: dict[str, tuple[object, ...]] = {
    "key": ("op-7k3f:other", ""),
    "at": ("2026-11-20 12:00:09.000000", "yesterday", "", 7),
    "actor": ("bob", "", b"alice"),
    "action": ("rejection", ""),
    "operation_id": ("op-9999", None, ""),
    "detail": ("{}", "[]", "null", "7", "not JSON", '{"digest": "1b9f", "digest": "1b9f"}', b"{}"),
    "previous": ("0" * 64 + "0", "f" * 64),
    "hash": ("f" * 64, "", b"\xff"),
    "number": (99,),
}


@pytest.mark.parametrize(
    ("column", "value"), [(column, value) for column, values in OTHERWISE.items() for value in values]
)
async def test_a_change_of_any_column_is_found(
    database: Database, tmp_path: Path, column: str, value: object
) -> None:
    tamper(tmp_path, f"UPDATE audit SET {column} = ? WHERE number = 3", values=(value,))  # noqa: S608
    assert isinstance(await verify(database), Broken)


async def test_every_column_of_the_table_is_tried_above() -> None:
    from slipway.bot.store.tables import audit

    assert OTHERWISE.keys() == {column.name for column in audit.c}


async def test_a_changed_entry_is_named(database: Database, tmp_path: Path) -> None:
    tamper(tmp_path, "UPDATE audit SET actor = 'bob' WHERE number = 3")
    assert await verify(database) == Broken(3, "entry 3 was changed after it was written")


@pytest.mark.parametrize("number", range(1, ENTRIES))
async def test_a_removed_entry_is_found(database: Database, tmp_path: Path, number: int) -> None:
    tamper(tmp_path, f"DELETE FROM audit WHERE number = {number}")  # noqa: S608
    assert await verify(database) == Broken(number, f"entry {number} is missing")


async def test_a_removed_entry_is_found_though_the_others_close_up(
    database: Database, tmp_path: Path
) -> None:
    close_up = (f"UPDATE audit SET number = {number} - 1 WHERE number = {number}" for number in (4, 5))  # noqa: S608
    tamper(tmp_path, "DELETE FROM audit WHERE number = 3", *close_up)
    assert await verify(database) == Broken(3, "entry 3 does not follow on entry 2")


async def test_an_inserted_entry_is_found(database: Database, tmp_path: Path) -> None:
    make_room = (f"UPDATE audit SET number = {number} + 1 WHERE number = {number}" for number in (5, 4, 3))  # noqa: S608
    insert = (
        "INSERT INTO audit SELECT 3, 'forged', at, 'bob', action, operation_id, detail, 'f', hash "
        "FROM audit WHERE number = 2"
    )
    tamper(tmp_path, *make_room, insert)
    assert await verify(database) == Broken(3, "entry 3 does not follow on entry 2")


async def test_entries_that_were_exchanged_are_found(database: Database, tmp_path: Path) -> None:
    swap = ((2, 90), (3, 2), (90, 3))
    tamper(tmp_path, *(f"UPDATE audit SET number = {to} WHERE number = {of}" for of, to in swap))  # noqa: S608
    assert isinstance(await verify(database), Broken)


async def test_a_tail_that_was_cut_off_is_found_by_the_head_that_was_noted(
    database: Database, tmp_path: Path
) -> None:
    noted = await verify(database)
    assert isinstance(noted, Intact)
    await write(database, entry(6))
    assert isinstance(await verify(database, noted.head), Intact)
    assert isinstance(await verify(database, GENESIS), Intact)

    tamper(tmp_path, "DELETE FROM audit WHERE number >= 5")
    shorter = await verify(database)
    assert isinstance(shorter, Intact)
    assert shorter.entries == 4
    found = await verify(database, noted.head)
    assert isinstance(found, Broken)
    assert "newer entries were cut off" in found.why


# Lone surrogates cannot be stored at all: the dispatcher refuses such text.
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(
    written=st.lists(st.builds(entry, st.integers(1, 9), actor=words, action=words, key=words), max_size=6)
)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
async def test_whatever_is_written_is_read_back_and_holds(
    database: Database, written: list[AuditEntry]
) -> None:
    await write(database, *written)
    keys = [recorded.entry.key async for recorded in entries(database)]
    assert len(keys) == len(set(keys))
    assert {each.key for each in written} <= set(keys)
    assert isinstance(await verify(database), Intact)
