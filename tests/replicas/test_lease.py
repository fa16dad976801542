"""Who leads: leases on a real PostgreSQL, by clocks that the tests hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from slipway.bot.core.errors import StateError
from slipway.bot.core.fencing import LeadershipLostError
from slipway.bot.replicas.fence import Standing
from slipway.bot.replicas.lease import end_former
from slipway.bot.replicas.membership import Ending
from slipway.bot.replicas.model import LeaseTiming, ReplicaIdentity
from slipway.bot.replicas.replica import Replica

TIMING = LeaseTiming(ttl=10, margin=2, beat=0.03, patience=20, settle=5)
"""A lease as long as a real one by the tests' clock, looked at as often as possible."""

PATIENCE = 60.0


class Passing:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def identity(name: str, **changes: str) -> ReplicaIdentity:
    me = ReplicaIdentity(f"{name}-0001", f"host-{name}", 1, "0.2.0", "0024", "same")
    return replace(me, **changes)  # type: ignore[arg-type]  # all that tests change is text


def replica(parameters: dict[str, Any], name: str, clock: Passing, **changes: str) -> Replica:
    return Replica(identity(name, **changes), parameters, timing=TIMING, elapsed=clock)


@asynccontextmanager
async def running(each: Replica) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(each.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def certain(each: Replica) -> bool:
    return each.fence.certain


def leads(each: Replica) -> bool:
    return each.fence.standing is Standing.LEADING


async def until(seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not seen():  # noqa: ASYNC110 - what is waited for stands in the database
            await asyncio.sleep(0.01)


async def in_time(work: Awaitable[object]) -> object:
    async with asyncio.timeout(PATIENCE):
        return await work


async def test_the_second_leads_once_the_first_is_silent_and_the_first_finds_its_lease_gone(
    parameters: dict[str, Any],
) -> None:
    clock = Passing()
    first, second = (replica(parameters, name, clock) for name in ("a", "b"))
    assert await first.join()
    assert not await second.join()
    async with running(second):
        async with running(first):
            for _ in range(4):  # far longer than a lease in all, and renewed and seen to be meanwhile
                clock.now += 4
                await until(lambda: first.fence._until == clock.now + 8)
                await until(lambda: second._seen_at == clock.now)
            assert certain(first)
            assert not leads(second)
        clock.now += 8.5  # it stands still: it is not certain of its lease before anybody takes it
        assert not certain(first)
        held = asyncio.create_task(first.fence.held())
        await asyncio.sleep(0)
        assert not held.done()
        assert not leads(second)

        def second_leads() -> bool:
            clock.now += 1
            return leads(second)

        await until(second_leads)
        async with running(first):  # and goes on
            assert await in_time(first.ended()) is Ending.LOST
        with pytest.raises(LeadershipLostError):
            await held
        with pytest.raises(LeadershipLostError):
            await first.fence.undisputed()
        assert second.fence.epoch == first.fence.epoch + 1
    await first.leave()
    await second.leave()


async def test_a_lease_that_is_given_back_is_taken_at_once(parameters: dict[str, Any]) -> None:
    clock = Passing()
    first, second = (replica(parameters, name, clock) for name in ("a", "b"))
    assert await first.join()
    assert not await second.join()
    await first.leave()
    async with running(second):
        await in_time(second.leading())
        await until(lambda: [each.id for each in second.facts.peers] == ["b-0001"])
    assert second.facts.leader == "b-0001"
    assert second.facts.since is not None
    await second.leave()


async def test_a_connection_that_is_cut_costs_nobody_the_lease(parameters: dict[str, Any]) -> None:
    clock = Passing()
    first, second = (replica(parameters, name, clock) for name in ("a", "b"))
    assert await first.join()
    assert not await second.join()
    async with running(first), running(second):
        async with await psycopg.AsyncConnection.connect(**parameters, autocommit=True) as other:
            for _ in range(3):
                clock.now += 3
                await other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                await until(lambda: first.fence._until >= clock.now + 8)
                await until(lambda: second._connection is not None)
        assert first.fence.certain
        assert first.fence.epoch == 1
        assert not leads(second)
    await first.leave()
    await second.leave()


async def test_whoever_starts_anew_leads_again_at_once_and_ends_its_former_connections(
    parameters: dict[str, Any],
) -> None:
    clock = Passing()
    killed = replica(parameters, "a", clock)
    assert await killed.join()
    left = await psycopg.AsyncConnection.connect(
        **parameters, application_name="slipway/a-0001/1", autocommit=True
    )
    follower = await psycopg.AsyncConnection.connect(
        **parameters, application_name="slipway/b-0001/0", autocommit=True
    )
    await killed._drop()  # as the system does when it dies
    again = replica(parameters, "a", clock)
    assert await again.join()
    assert again.fence.epoch == 2
    with pytest.raises(psycopg.OperationalError):
        await left.execute("SELECT 1")
    await follower.execute("SELECT 1")
    assert again._connection is not None
    assert await end_former(again._connection, 2, 1.0)
    await follower.close()
    await again.leave()


async def test_a_second_process_with_one_id_is_refused_and_named(parameters: dict[str, Any]) -> None:
    clock = Passing()
    first = replica(parameters, "a", clock)
    await first.join()

    async def sleep(_seconds: float) -> None:
        clock.now += 5

    second = Replica(identity("a"), parameters, timing=TIMING, elapsed=clock, sleep=sleep)
    with pytest.raises(
        StateError, match=r"process 1 on host-a\) is the replica a-0001 .* state_dir of its own"
    ):
        await second.join()
    assert first.fence.certain or clock.now > 1008
    await first.leave()
    await second._drop()


async def test_an_older_version_hears_and_never_leads_and_a_newer_one_asks_for_the_lease(
    parameters: dict[str, Any],
) -> None:
    clock = Passing()
    async with await psycopg.AsyncConnection.connect(**parameters, autocommit=True) as other:
        await other.execute("CREATE TABLE alembic_version (version_num text)")
        await other.execute("INSERT INTO alembic_version VALUES ('0030')")
    older, newer = replica(parameters, "a", clock), replica(parameters, "b", clock, schema="0030")
    assert not await older.join()
    assert older.schema_is_newer
    assert any("Upgrade it, too" in each for each in older.facts.warnings)
    assert await newer.join()
    newest = replica(parameters, "c", clock, schema="0031")
    assert not await newest.join()
    newest.want()
    async with running(newer), running(newest):
        assert await in_time(newer.ended()) is Ending.WANTED
    await newer.leave()
    async with running(older), running(newest):
        await in_time(newest.leading())
    await older.leave()
    await newest.leave()


async def test_different_configurations_are_told(parameters: dict[str, Any]) -> None:
    clock = Passing()
    first, second = replica(parameters, "a", clock), replica(parameters, "b", clock, configuration="other")
    await first.join()
    await second.join()
    (warning,) = second.facts.warnings
    assert "host-b (b-0001) has another configuration than host-a (a-0001), which leads" in warning
    async with running(first):
        await until(lambda: first.facts.warnings == (warning,))
    await first.leave()
    await second.leave()
