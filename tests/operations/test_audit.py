"""The audit trail: append-only, and no way of changing it behind the bot's back goes unnoticed."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slipway.bot.core.chain import GENESIS, Place
from slipway.bot.operations.audit import AuditEntry, Broken, Intact, append, entries, lines, verify
from slipway.bot.operations.trail.verification import Contradicted, place_of, read_head
from slipway.bot.store.database import Database
from tests.support.clock import NOW
from tests.support.examples import examples
from tests.support.state_folder import prepare

ENTRIES = 5


def entry(number: int, **more: Any) -> AuditEntry:
    usual: dict[str, Any] = {
        "key": f"op-7k3f:{number}",
        "at": NOW + timedelta(seconds=number),
        "actor": "alice",
        "action": "remark",
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
    await prepare(tmp_path)
    opened = Database(tmp_path / "slipway.db")
    await opened.open()
    await write(opened, *(entry(number) for number in range(1, ENTRIES + 1)))
    yield opened
    await opened.close()


def tamper(tmp_path: Path, *statements: str, values: tuple[object, ...] = ()) -> None:
    """Change the file as somebody with access to it would: past the bot, and past the triggers."""
    connection = sqlite3.connect(tmp_path / "slipway.db")
    guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in guards:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement, values)
    for _, guard in guards:
        connection.execute(guard)
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


DETAIL = json.dumps(dict(entry(3).detail), ensure_ascii=False)
"""As it is stored with entry 3."""

OTHERWISE: dict[str, tuple[object, ...]] = {
    "key": ("op-7k3f:other", ""),
    "at": (
        "2026-11-20 12:00:09.000000",
        "2026-11-20 12:00:03.000000+05:00",
        "2026-11-20 12:00:03.000000+00:00",
        "2026-11-20 12:00:03",
        "2026-11-20T12:00:03.000000",
        "yesterday",
        "",
        7,
    ),
    "actor": ("bob", "", b"alice"),
    "action": ("rejection", ""),
    "operation_id": ("op-9999", None, ""),
    "detail": (
        DETAIL.replace(", ", ",").replace(": ", ":"),
        json.dumps(dict(reversed(json.loads(DETAIL).items())), ensure_ascii=False),
        "{}",
        "[]",
        "null",
        "7",
        "not JSON",
        '{"digest": "1b9f", "digest": "1b9f"}',
        b"{}",
    ),
    "format": (1, 0, 3, -2, "two", b"2"),
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
        "INSERT INTO audit SELECT 3, 'forged', at, 'bob', action, operation_id, detail, 'f', hash, format "
        "FROM audit WHERE number = 2"
    )
    tamper(tmp_path, *make_room, insert)
    assert await verify(database) == Broken(3, "entry 3 does not follow on entry 2")


@pytest.mark.parametrize("number", [0, -1])
async def test_an_entry_before_the_first_is_found_also_where_only_what_follows_is_read(
    database: Database, tmp_path: Path, number: int
) -> None:
    proved = await verify(database)
    assert isinstance(proved, Intact)
    row = f"SELECT {number}, 'op-7k3f:approved', at, 'bob', action, operation_id, detail, 'f', 'f', 2"
    tamper(tmp_path, f"INSERT INTO audit {row} FROM audit WHERE number = 2")
    for since in (None, Place(proved.entries, proved.head)):
        assert await verify(database, since=since) == Broken(
            number, f"entry {number} stands before the first one"
        )


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
    assert await verify(database) == Contradicted("it has 4 entries, and 6 were written")
    found = await verify(database, noted.head)
    assert isinstance(found, Broken)
    assert "newer entries were cut off" in found.why


async def test_a_text_that_is_none_is_a_change_and_no_fault_of_the_walk(
    database: Database, tmp_path: Path
) -> None:
    tamper(tmp_path, "UPDATE audit SET actor = CAST(x'ff' AS TEXT) WHERE number = 3")
    assert await verify(database) == Broken(3, "entry 3 was changed after it was written")


REPLACEMENTS = {
    "the newest": "5, 'forged', at, 'bob', action, operation_id, detail, previous, hash, format FROM audit "
    "WHERE number = 5",
    "one before, by its number": "3, 'forged', at, 'bob', action, operation_id, detail, 'f', 'f', 2 FROM audit "
    "WHERE number = 3",
    "one before, by its key": "6, 'op-7k3f:3', at, 'bob', action, operation_id, detail, hash, 'f', 2 FROM audit "
    "WHERE number = 5",
    "what it follows on": "6, 'forged', at, 'bob', action, operation_id, detail, previous, 'f', 2 FROM audit "
    "WHERE number = 5",
    "nothing, behind a gap": "9, 'forged', at, 'bob', action, operation_id, detail, hash, 'f', 2 FROM audit "
    "WHERE number = 5",
}


@pytest.mark.parametrize("values", REPLACEMENTS.values(), ids=REPLACEMENTS)
@pytest.mark.parametrize("verb", ["INSERT OR REPLACE", "REPLACE", "INSERT OR IGNORE", "INSERT"])
async def test_the_database_itself_forbids_replacing_and_forking(
    database: Database, tmp_path: Path, verb: str, values: str
) -> None:
    before = await lines(database)
    connection = sqlite3.connect(tmp_path / "slipway.db")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(f"{verb} INTO audit SELECT {values}")
    connection.close()
    assert await lines(database) == before
    assert isinstance(await verify(database), Intact)


async def test_a_table_that_was_emptied_is_found_without_a_head(database: Database, tmp_path: Path) -> None:
    tamper(tmp_path, "DELETE FROM audit")
    assert await verify(database) == Contradicted("it has 0 entries, and 5 were written")
    await write(database, entry(9))  # which does not make it good
    assert await verify(database) == Contradicted("it has 1 entries, and 6 were written")


async def test_a_newest_entry_that_was_written_anew_is_found(database: Database, tmp_path: Path) -> None:
    tamper(tmp_path, "DELETE FROM audit WHERE number = 5", "UPDATE audit_head SET entries = 4")
    await write(database, entry(5, actor="bob"))
    assert isinstance(await verify(database), Intact)  # the chain and its count agree, so only the head tells
    tamper(tmp_path, "UPDATE audit_head SET head = 'f'")
    assert await verify(database) == Contradicted("its newest entry is another one than was written")
    tamper(tmp_path, "DELETE FROM audit_head")
    assert await verify(database) == Contradicted("the count of its entries is gone")


@pytest.mark.parametrize(
    "guard", ["audit_no_update", "audit_no_delete", "audit_no_replace", "audit_counted", "operation_ended"]
)
async def test_a_protection_that_was_taken_away_or_does_nothing_is_told(
    database: Database, guard: str
) -> None:
    hollow = f"CREATE TRIGGER {guard} BEFORE UPDATE ON audit WHEN 0 BEGIN SELECT 1; END"
    for statement, told in (
        (f"DROP TRIGGER {guard}", "was removed"),
        (hollow, "is another one than was made"),
    ):
        async with database.writing() as connection:
            await connection.execute(sa.text(statement))
        assert await verify(database) == Contradicted(
            f"the trigger {guard}, which protects its table, {told}"
        )


@pytest.mark.parametrize("digits", [16, 17, 63, 64])
async def test_the_beginning_of_a_head_in_any_case_stands_for_it(database: Database, digits: int) -> None:
    noted = await verify(database)
    assert isinstance(noted, Intact)
    await write(database, entry(6))
    head = read_head(f" {noted.head[:digits].upper()}\n")
    assert isinstance(await verify(database, head), Intact)
    other = "".join("1" if digit != "1" else "2" for digit in head)
    assert isinstance(await verify(database, other), Broken)


@pytest.mark.parametrize("text", ["", "  ", "f" * 15, "f" * 65, "xyz", f"{'f' * 16}-", "٣" * 16])
def test_what_can_be_no_head_is_told_so(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is (empty|no head)"):
        read_head(text)


async def test_a_trail_that_was_proved_is_proved_from_there_on(database: Database, tmp_path: Path) -> None:
    noted = await verify(database)
    assert isinstance(noted, Intact)
    place = await place_of(database, noted.head[:16])
    assert place is not None
    assert (place.entries, place.head) == (5, noted.head)
    assert await place_of(database, "f" * 16) is None
    await write(database, entry(6), entry(7))
    assert await verify(database, since=place) == await verify(database)

    tamper(tmp_path, "UPDATE audit SET actor = 'bob' WHERE number = 2")  # which was proved before
    assert isinstance(await verify(database, since=place), Intact)
    tamper(tmp_path, "UPDATE audit SET actor = 'bob' WHERE number = 7")
    assert await verify(database, since=place) == Broken(7, "entry 7 was changed after it was written")


async def test_a_trail_has_to_go_through_every_place_that_was_noted(database: Database) -> None:
    noted = await verify(database)
    assert isinstance(noted, Intact)
    place = await place_of(database, noted.head)
    assert place is not None
    await write(database, entry(6))
    assert isinstance(await verify(database, noted=(Place(), place)), Intact)
    for other in (Place(4, noted.head), Place(9, "f" * 64), Place(5, "f" * 64)):
        found = await verify(database, noted=(place, other))
        assert isinstance(found, Broken)
        assert f"entry {other.entries} was noted with the head {other.head[:16]}" in found.why


def format_1(number: int, previous: str) -> tuple[tuple[object, ...], str]:
    """A row as Slipway wrote it before rows had a format, and its hash."""
    of = entry(number)
    fields = {
        "action": of.action,
        "actor": of.actor,
        "at": of.at.isoformat(timespec="microseconds"),
        "detail": dict(of.detail),
        "key": of.key,
        "number": number,
        "operation": of.operation_id,
        "previous": previous,
    }
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    hashed = hashlib.sha256(text.encode()).hexdigest()
    at = of.at.strftime("%Y-%m-%d %H:%M:%S.%f")
    detail = json.dumps(dict(of.detail), ensure_ascii=False)
    return (number, of.key, at, of.actor, of.action, of.operation_id, detail, previous, hashed), hashed


@pytest.fixture
async def older(tmp_path: Path) -> AsyncIterator[Database]:
    """A database with a trail of before, to which this version added."""
    opened = Database(tmp_path / "slipway.db")
    await opened.open()
    connection, head = sqlite3.connect(tmp_path / "slipway.db"), GENESIS
    columns = "number, key, at, actor, action, operation_id, detail, previous, hash"
    for number in range(1, ENTRIES + 1):
        row, head = format_1(number, head)
        connection.execute(f"INSERT INTO audit ({columns}) VALUES ({', '.join('?' * 9)})", row)  # noqa: S608
    connection.commit()
    connection.close()
    await write(opened, entry(6))
    yield opened
    await opened.close()


async def test_a_trail_of_before_stays_valid_and_goes_on_in_the_new_format(older: Database) -> None:
    assert isinstance(await verify(older), Intact)
    assert [recorded.format async for recorded in entries(older)] == [1] * ENTRIES + [2]


REORDERED = OTHERWISE["detail"][1]
"""The hash of format 1 does not tell in which order a detail's fields are stored."""


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (column, value)
        for column, values in {**OTHERWISE, "format": (2, 0, 3)}.items()
        for value in values
        if value is not REORDERED
    ],
)
async def test_a_change_of_any_column_of_an_entry_of_before_is_found(
    older: Database, tmp_path: Path, column: str, value: object
) -> None:
    tamper(tmp_path, f"UPDATE audit SET {column} = ? WHERE number = 3", values=(value,))  # noqa: S608
    assert isinstance(await verify(older), Broken)


# Lone surrogates cannot be stored at all: the dispatcher refuses such text.
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(
    written=st.lists(
        st.builds(entry, st.integers(1, 9), actor=words, action=words, key=words, operation_id=st.none()),
        max_size=6,
    )
)
@settings(
    max_examples=examples(10),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_whatever_is_written_is_read_back_and_holds(
    database: Database, written: list[AuditEntry]
) -> None:
    await write(database, *written)
    keys = [recorded.entry.key async for recorded in entries(database)]
    assert len(keys) == len(set(keys))
    assert {each.key for each in written} <= set(keys)
    assert isinstance(await verify(database), Intact)
