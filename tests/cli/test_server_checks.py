"""What `slipway doctor` says of PostgreSQL and the replicas there."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from slipway.bot.cli.operating.server_checks import examine_server
from slipway.bot.core.probes import Check, Finding, Verdict
from slipway.bot.core.times import system_clock
from slipway.bot.replicas.identity import configuration_of
from slipway.bot.replicas.model import short
from slipway.bot.store.database import HEAD
from slipway.bot.store.postgres import PostgresAccess
from tests.support.harness import running_bot
from tests.support.processes.postgres import Postgres

ROLE = "slipway_test_without_rights"


async def seen(
    url: str, configuration: str = "", clock: Callable[[], datetime] = system_clock
) -> dict[str, Check]:
    found = await examine_server(PostgresAccess(url), configuration, clock)
    return {leaf.name: leaf for part in found.parts for leaf in part.leaves()}


def told(checks: dict[str, Check]) -> dict[str, tuple[Verdict, str]]:
    """What is not well."""
    return {
        name: (each.own, each.says)
        for name, each in checks.items()
        if each.own in (Verdict.WARN, Verdict.FAIL)
    }


async def test_replicas_are_listed_with_who_leads_and_what_each_has_different(
    tmp_path: Path, postgres: Postgres
) -> None:
    url = await asyncio.to_thread(postgres.new)
    assert told(await seen(url)) == {}  # no replica of this test was ever there
    async with running_bot(tmp_path, changes={"database": {"url": url}}) as bot:
        (id_,) = (tmp_path / "executor-id").read_text().split()
        mine = configuration_of(bot.running.services.settings)
        alone = await seen(url, mine)
        assert told(alone) == {}
        mine_told = alone[f"{socket.gethostname()} ({short(id_)})"].says
        assert mine_told.startswith("It leads since 20")
        assert "last sign of life is " in mine_told
        _do(
            url,
            "INSERT INTO slipway_replicas.replica (id, host, pid, version, configuration, started_at, seen_at) "
            "VALUES ('gone-id-0', 'pod-1', 1, '0.0.9', 'other', now(), now() - interval '5 minutes')",
        )
        other = (await seen(url, mine))["pod-1 (gone-id-)"]
        assert other.own is Verdict.WARN
        assert "It hears, with Slipway 0.0.9; its last sign of life is 5m" in other.says
        assert "Its configuration is another one than this." in other.says
        _do(url, "DELETE FROM slipway_replicas.replica WHERE id = 'gone-id-0'")
        slow = told(await seen(url, mine, lambda: system_clock() - timedelta(minutes=7)))
        assert slow.keys() == {"clock"}
        assert "This machine's clock is 7m" in slow["clock"][1]
        assert "behind the database's." in slow["clock"][1]


async def test_a_database_that_cannot_serve_is_told_in_a_sentence_each(postgres: Postgres) -> None:
    empty = await asyncio.to_thread(postgres.empty)
    assert (await seen(empty))["schema"].says == "The first start makes the tables."
    _do(empty, "CREATE TABLE something_else (a int)")
    assert "tables of another program (something_else)" in told(await seen(empty))["schema"][1]
    url = await asyncio.to_thread(postgres.new)
    _do(url, "UPDATE alembic_version SET version_num = '9998'")
    try:
        assert "A newer Slipway upgraded it (schema 9998" in told(await seen(url))["schema"][1]
        _do(url, "UPDATE alembic_version SET version_num = '0001'")
        assert "The schema is 0001" in told(await seen(url))["schema"][1]
    finally:
        await asyncio.to_thread(_head, url)
    _do(url, f"DROP ROLE IF EXISTS {ROLE}", f"CREATE ROLE {ROLE} LOGIN")
    try:
        other = url.replace("postgres@", f"{ROLE}@", 1)
        if other == url:
            pytest.skip("the server's URL names no user that could be another")
        verdict, why = told(await seen(other))["rights"]
        assert verdict is Verdict.FAIL
        assert f"The user {ROLE} may not make tables" in why
    finally:
        _do(url, f"DROP ROLE {ROLE}")


async def test_a_server_that_is_not_there_is_told_in_one_sentence() -> None:
    found: Finding = await examine_server(
        PostgresAccess("postgresql://slipway@127.0.0.1:1/slipway"), "", system_clock
    )
    assert not found.well
    (problem,) = found.problems
    assert problem.startswith("The database slipway on 127.0.0.1:1 cannot be used: ")
    assert "\n" not in problem
    assert "whether the server runs" in found.next


def _do(url: str, *statements: str) -> None:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _head(url: str) -> None:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", (HEAD,))
