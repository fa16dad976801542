"""The database file: its schema, its versions, and one process alone on its folder."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from slipway.bot.core.errors import StateError
from slipway.bot.store.database import HEAD, MIGRATIONS, Database, StateLock
from slipway.bot.store.tables import metadata


async def open_and_close(path: Path) -> None:
    database = Database(path)
    try:
        await database.open()
    finally:
        await database.close()


def plainly(path: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    rows: list[tuple[object, ...]] = connection.execute(statement).fetchall()
    connection.commit()
    connection.close()
    return rows


def migrate_to(revision: str, path: Path) -> None:
    """Make a database as the Slipway of an earlier schema left it."""
    engine = sa.create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


async def test_the_migrations_make_exactly_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    path = tmp_path / "slipway.db"
    await open_and_close(path)
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_newest_migration_is_the_one_that_the_code_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


async def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "slipway.db"
    await open_and_close(path)
    schema = plainly(path, "SELECT name, sql FROM sqlite_master ORDER BY name")
    await open_and_close(path)
    assert plainly(path, "SELECT name, sql FROM sqlite_master ORDER BY name") == schema


async def test_a_database_of_the_first_schema_is_brought_up_to_date_with_what_it_holds(
    tmp_path: Path,
) -> None:
    path = tmp_path / "slipway.db"
    migrate_to("0001", path)
    plainly(
        path,
        "INSERT INTO message (key, platform, room, message_id, shown, sent_at) "
        "VALUES ('k', 'matrix', 'r', 'm', 'digest', '2026-11-20 12:00:00')",
    )
    await open_and_close(path)
    assert plainly(path, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert plainly(path, "SELECT key, shown, edits FROM message") == [("k", "digest", 0)]


async def test_a_card_of_before_shows_its_operation_since_it_was_sent_or_the_operation_was_proposed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "slipway.db"
    migrate_to("0009", path)
    plainly(
        path,
        "INSERT INTO operation (id, event_key, kind, state, plan, digest, requester, platform, room, created_at, "
        "expires_at) VALUES ('op-7k3f', 'e', 'promote', 'proposed', '{}', '', 'alice', 'matrix', 'r', "
        "'2026-11-20 12:00:05.000000', '2026-11-21 12:00:00.000000')",
    )
    for number, sent_at in (
        (1, "'2026-11-20 12:00:00.000000'"),
        (2, "'2026-11-20 12:00:09.000000'"),
        (3, "NULL"),
    ):
        plainly(
            path,
            "INSERT INTO message (number, key, platform, room, operation_id, sent_at, until) "  # noqa: S608
            f"VALUES ({number}, 'k{number}', 'matrix', 'r', 'op-7k3f', {sent_at}, '2026-11-20 13:00:00.000000')",
        )
    await open_and_close(path)
    assert plainly(path, "SELECT card_since FROM message ORDER BY number") == [
        ("2026-11-20 12:00:05.000000",),
        ("2026-11-20 12:00:09.000000",),
        (None,),
    ]


SOUND_STEP = {"kind": "set-excluded", "definition": "Fedora-Cloud-43-x64", "version": "43.1.0"}
SOUND_TARGET = "version azure fedora-cloud-43-x64 43.1.0"


@pytest.mark.parametrize(
    ("plan", "targets"),
    [
        ({"steps": [SOUND_STEP, SOUND_STEP | {"kind": "delete-version", "version": "42.1.0"}]}, 2),
        ({"steps": [SOUND_STEP, {"kind": "set-excluded", "version": "43.2.0"}]}, 1),
        ({"steps": [SOUND_STEP, {"kind": "set-excluded", "definition": "Fedora-Cloud-43-x64"}]}, 1),
        ({"steps": [SOUND_STEP, SOUND_STEP | {"definition": 43}]}, 1),
        ({"steps": [SOUND_STEP, SOUND_STEP | {"version": None}]}, 1),
        ({"steps": [SOUND_STEP, SOUND_STEP | {"kind": "set-hold"}]}, 1),
        ({"steps": [SOUND_STEP, SOUND_STEP | {"kind": ["set-excluded"]}]}, 1),
        ({"steps": [SOUND_STEP, 7, None, "set-excluded", ["set-excluded"]]}, 1),
        ({"steps": None}, 0),
        ({"steps": SOUND_STEP}, 0),
        ({"steps": "set-excluded"}, 0),
        ({}, 0),
        (7, 0),
        (None, 0),
        ([SOUND_STEP], 0),
    ],
    ids=json.dumps,
)
async def test_an_odd_plan_of_before_keeps_no_database_from_opening(
    plan: object, targets: int, tmp_path: Path
) -> None:
    found = await targets_after_migrating(json.dumps(plan), tmp_path)
    assert len(found) == targets
    if targets:
        assert SOUND_TARGET in found


@pytest.mark.parametrize(
    "plan", ["", "{", '{"steps": [', "[" * 100_000, "no plan"], ids=["empty", "open", "cut", "deep", "words"]
)
async def test_a_plan_of_before_that_cannot_be_read_keeps_no_database_from_opening(
    plan: str, tmp_path: Path
) -> None:
    assert await targets_after_migrating(plan, tmp_path) == []


async def targets_after_migrating(plan: str, tmp_path: Path) -> list[object]:
    """What the operation with this plan changes, as the database of schema 0002 that holds it is opened."""
    path = tmp_path / "slipway.db"
    migrate_to("0002", path)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO operation (id, origin, kind, state, plan, digest, requester, platform, room, "
            "created_at, expires_at) VALUES ('op-aaaa', 'e1', 'promote', 'done', ?, 'd', 'alice', 'console', "
            "'console', '2026-11-20 12:00:00', '2026-11-21 12:00:00')",
            (plan,),
        )
    await open_and_close(path)
    return [row[0] for row in plainly(path, "SELECT target FROM operation_target")]


async def test_a_database_of_a_newer_slipway_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "slipway.db"
    await open_and_close(path)
    plainly(path, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StateError, match=r"newer Slipway \(schema 9999; this one knows"):
        await open_and_close(path)
    assert plainly(path, "SELECT version_num FROM alembic_version") == [("9999",)]


@pytest.mark.parametrize("content", [b"This is a letter, not a database. " * 200, b"\x00" * 4096])
async def test_a_file_that_is_no_database_is_said_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "slipway.db"
    path.write_bytes(content)
    with pytest.raises(StateError, match="cannot be used as Slipway's database"):
        await open_and_close(path)
    assert path.read_bytes() == content


async def test_a_folder_in_the_place_of_the_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "slipway.db").mkdir()
    with pytest.raises(StateError, match="cannot be used as Slipway's database"):
        await open_and_close(tmp_path / "slipway.db")


async def test_a_database_that_is_only_read_takes_no_change_and_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "slipway.db"
    await open_and_close(path)
    database = Database(path, read_only=True)
    await database.open()
    with pytest.raises(sa.exc.OperationalError, match="readonly"):
        async with database.writing() as connection:
            await connection.execute(sa.text("DELETE FROM chat_memory"))
    await database.close()
    missing = Database(tmp_path / "missing.db", read_only=True)
    with pytest.raises(StateError, match="cannot be used as Slipway's database"):
        await missing.open()
    await missing.close()
    assert list(tmp_path.iterdir()) == [path]  # noqa: ASYNC240 - nothing else runs here


async def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    database = Database(tmp_path / "slipway.db")
    await database.open()

    async def write(name: str) -> None:
        async with database.writing() as connection:
            statement = sa.text("INSERT INTO chat_memory (platform, name, value) VALUES ('x', :name, '1')")
            await connection.execute(statement, {"name": name})

    await asyncio.gather(*(write(f"name-{number}") for number in range(20)))
    async with database.reading() as connection:
        assert await connection.scalar(sa.text("SELECT count(*) FROM chat_memory")) == 20
    await database.close()


async def test_a_write_that_fails_halfway_leaves_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "slipway.db")
    await database.open()
    insert = sa.text("INSERT INTO chat_memory (platform, name, value) VALUES ('x', 'y', '1')")

    async def twice() -> None:
        async with database.writing() as connection:
            await connection.execute(insert)
            await connection.execute(insert)

    with pytest.raises(sa.exc.IntegrityError):
        await twice()
    async with database.reading() as connection:
        assert await connection.scalar(sa.text("SELECT count(*) FROM chat_memory")) == 0
    await database.close()


HOLD = """
import sys
from pathlib import Path
from slipway.bot.store.database import StateLock
with StateLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_refused_until_the_first_is_gone_however_it_went(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StateError, match=rf"Another Slipway \(process {holder.pid}\) already works on"):
            StateLock(state).acquire()
        holder.kill()
        holder.wait()
        with StateLock(state), pytest.raises(StateError, match="Another Slipway"):
            StateLock(state).acquire()
        with StateLock(state):
            pass


def test_a_state_folder_that_cannot_be_made_is_said_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match=r"cannot be used: Not a directory\. Set state_dir"):
        StateLock(tmp_path / "file" / "state").acquire()


def test_a_state_folder_is_for_its_user_alone_also_where_it_was_open(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    with StateLock(folder):
        assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o2770, 0o2775])
def test_a_volume_that_is_roots_and_its_groups_to_write_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    folder = tmp_path / "volume"
    folder.mkdir()
    folder.chmod(mode)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    with StateLock(folder):
        assert folder.stat().st_mode & 0o7777 == mode


def test_a_folder_of_another_that_everybody_may_write_is_refused_and_one_inside_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "volume"
    folder.mkdir()
    folder.chmod(0o1777)
    own = folder.stat().st_uid
    with monkeypatch.context() as other:
        other.setattr(os, "geteuid", lambda: own + 1)
        with pytest.raises(StateError, match="everybody may write there; name a folder inside it"):
            StateLock(folder).acquire()
    with StateLock(folder / "state"):
        assert (folder / "state").stat().st_mode & 0o777 == 0o700
