"""PostgreSQL in place of the files: what differs from SQLite, and what a person is told of it."""

from __future__ import annotations

import asyncio
import re
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.chat.model import Choice
from slipway.bot.core.errors import StateError
from slipway.bot.operations.audit import Intact, verify
from slipway.bot.operations.model import OperationState
from slipway.bot.store.database import HEAD, Database
from slipway.bot.store.postgres import PostgresAccess, PostgresBackend
from slipway.bot.store.storage import Storage
from slipway.bot.store.tables import audit, chat_memory, metadata
from slipway.bot.workflows.engine import WorkflowEngine
from slipway.bot.workflows.stores import PostgresWorkflows
from tests.support.harness import audit_trail, newest_state, propose, running_bot
from tests.support.processes.postgres import Postgres

READ_ONLY = """
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$
"""


async def opened(url: str, *, read_only: bool = False) -> Database:
    database = Database(PostgresBackend(PostgresAccess(url), read_only=read_only), read_only=read_only)
    try:
        await database.open()
    except BaseException:
        await database.close()
        raise
    return database


async def refusal(url: str) -> str:
    with pytest.raises(StateError) as caught:
        await opened(url)
    return str(caught.value)


async def test_the_migrations_make_exactly_the_tables_that_the_code_uses(postgres: Postgres) -> None:
    url = await asyncio.to_thread(postgres.empty)
    database = await opened(url)
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        collations = sa.text(
            "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public' AND data_type = 'text' "
            "AND collation_name IS DISTINCT FROM 'C'"
        )
        assert connection.scalar(collations) == 0
    engine.dispose()
    assert await database.revision() == HEAD
    await database.close()


async def test_an_operation_goes_its_way_on_postgresql_and_its_trail_holds(
    tmp_path: Path, postgres: Postgres
) -> None:
    url = await asyncio.to_thread(postgres.new)
    async with running_bot(tmp_path, changes={"database": {"url": url}}) as bot:
        card, _ = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        assert await newest_state(bot) is OperationState.DONE
        assert (await audit_trail(bot))[-1]["action"] == "done"
    async with running_bot(tmp_path, changes={"database": {"url": url}}) as bot:
        (answer,) = await bot.say("alice", "!history", event_id="another")
        assert "promote" in answer.text


async def test_writers_follow_one_another_in_whatever_process_they_are(postgres: Postgres) -> None:
    url = await asyncio.to_thread(postgres.new)
    one, other = await opened(url), await opened(url)
    values = {"platform": "console", "name": "count"}
    await one.execute(chat_memory.insert().values(value="0", **values))

    async def count(database: Database) -> None:
        async def work(connection: AsyncConnection) -> None:
            found = await connection.scalar(sa.select(chat_memory.c.value))
            await asyncio.sleep(0)
            await connection.execute(chat_memory.update().values(value=str(int(found or 0) + 1)))

        await database.write(work)

    await asyncio.gather(*(count(each) for each in (one, other) * 10))
    async with one.reading() as connection:
        assert await connection.scalar(sa.select(chat_memory.c.value)) == "20"
    await one.close()
    await other.close()


async def test_what_only_looks_changes_nothing(postgres: Postgres) -> None:
    database = await opened(await asyncio.to_thread(postgres.new), read_only=True)
    assert isinstance(await verify(database), Intact)
    with pytest.raises(sa.exc.DBAPIError, match="read-only"):
        await database.execute(audit.delete())
    await database.close()


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (("CREATE TABLE invoice (id int)",), r"holds tables of another program \(invoice\)"),
        (
            (
                "CREATE TABLE alembic_version (version_num text)",
                "INSERT INTO alembic_version VALUES ('3f2a')",
            ),
            "is another program's",
        ),
        (
            (
                "CREATE TABLE alembic_version (version_num text)",
                "INSERT INTO alembic_version VALUES ('9999')",
            ),
            r"was written by a newer Slipway \(schema 9999; this one knows",
        ),
        (
            (READ_ONLY,),
            "it is read-only",
        ),
    ],
)
async def test_a_database_that_cannot_be_used_is_said_in_one_sentence(
    statements: tuple[str, ...], said: str, postgres: Postgres
) -> None:
    url = await asyncio.to_thread(postgres.empty)
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()
    assert re.search(said, await refusal(url))


async def test_a_server_that_is_not_there_or_lets_nobody_in_is_named_without_secrets(
    postgres: Postgres,
) -> None:
    url = postgres.url.rpartition("/")[0]
    assert "cannot be used: connection failed" in await refusal("postgresql://slipway@127.0.0.1:9/slipway")
    missing = await refusal(f"{url}/nothing_of_this_name")
    assert "The database nothing_of_this_name on" in missing
    assert "does not exist" in missing


async def test_a_text_that_the_server_refuses_is_kept_without_the_sign(postgres: Postgres) -> None:
    database = await opened(await asyncio.to_thread(postgres.new))
    try:
        row = {"platform": "console", "name": "words", "value": "a cloud's\x00words \ud800"}
        await database.execute(sa.insert(chat_memory).values(row))
        async with database.reading() as connection:
            kept = await connection.scalar(
                sa.select(chat_memory.c.value).where(chat_memory.c.name == "words")
            )
        assert kept == "a cloud's\ufffdwords \ufffd"
    finally:
        await database.close()


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ("CREATE TABLE wiki (a int)", r"it holds tables of another program \(wiki\)"),
        (READ_ONLY, "it is read-only. Name a server in database.url that can be written"),
    ],
)
async def test_a_start_on_a_database_that_cannot_serve_says_so_once_and_leaves_it_alone(
    postgres: Postgres,
    tmp_path: Path,
    first: str,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = await asyncio.to_thread(postgres.empty)
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute(first.encode())
    with pytest.raises(StateError, match=said):
        async with running_bot(tmp_path, changes={"database": {"url": url}}):
            raise AssertionError
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        row = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'slipway_replicas'").fetchone()
    assert row is None
    assert "lease" not in capsys.readouterr().out


async def test_a_start_on_a_database_that_is_not_there_says_what_the_server_says(
    postgres: Postgres, tmp_path: Path
) -> None:
    url = f"{(await asyncio.to_thread(postgres.empty)).rpartition('/')[0]}/slipway_nowhere"
    with pytest.raises(StateError, match='database "slipway_nowhere" does not exist'):
        async with running_bot(tmp_path, changes={"database": {"url": url}}):
            raise AssertionError


async def test_workflow_tables_are_made_while_the_loop_turns(postgres: Postgres, tmp_path: Path) -> None:
    makers: set[bool] = set()

    def made(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if "CREATE TABLE" in statement:
            makers.add(threading.current_thread() is threading.main_thread())

    access = PostgresAccess(await asyncio.to_thread(postgres.empty))
    sa.event.listen(sa.Engine, "before_cursor_execute", made)
    try:
        workflows = WorkflowEngine(tmp_path, Storage(tmp_path), PostgresWorkflows(access))
        await workflows.launch()
        await workflows.close(timedelta())
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", made)
    assert makers == {False}
