"""Codes on PostgreSQL, which several replicas share: heard by two at once, and in the whole bot."""

from __future__ import annotations

import asyncio
from pathlib import Path

from slipway.bot.chat.model import Address, Choice
from slipway.bot.operations.model import OperationState
from slipway.bot.operations.step_up.model import TRIES, CodeOutcome
from slipway.bot.store.database import Database
from slipway.bot.store.postgres import PostgresAccess, PostgresBackend
from tests.operations.step_up.test_step_ups import WRONG, Desk, proposed
from tests.support.azure import X64
from tests.support.clock import FakeClock
from tests.support.codes import Apps
from tests.support.harness import audit_trail, newest_state, propose, running_bot
from tests.support.processes.postgres import Postgres


async def test_two_replicas_take_one_code_once_and_count_all_wrong_ones(postgres: Postgres) -> None:
    url, clock = await asyncio.to_thread(postgres.new), FakeClock()
    databases = [Database(PostgresBackend(PostgresAccess(url))) for _ in range(2)]
    for database in databases:
        await database.open()
    one, other = (Desk(database, clock) for database in databases)
    first, second = proposed("op-aaaa"), proposed("op-bbbb")
    await one.ask(first)
    await one.ask(second)
    code = one.code()
    both = await asyncio.gather(one.give(code, of=first.id), other.give(code, of=second.id))
    assert sorted(heard.outcome for heard in both) == [CodeOutcome.RIGHT, CodeOutcome.USED]
    same = await asyncio.gather(*(each.give(WRONG, event="same", of=second.id) for each in (one, other)))
    assert len({heard.outcome for heard in same}) == 1
    await one.ask(first, "alice")
    given = [each.give(f"{number:06}", "alice") for number in range(5) for each in (one, other)]
    outcomes = [heard.outcome for heard in await asyncio.gather(*given)]
    assert outcomes.count(CodeOutcome.WRONG) == TRIES
    assert outcomes.count(CodeOutcome.LOCKED) == len(outcomes) - TRIES
    for database in databases:
        await database.close()


async def test_a_code_and_an_emergency_go_their_way_and_the_trail_holds(
    tmp_path: Path, postgres: Postgres
) -> None:
    clock = FakeClock()
    apps = Apps(tmp_path / "secrets", clock)
    changes = apps.changes("promote") | {
        "database": {"url": await asyncio.to_thread(postgres.new)},
        "emergency": {"people": ["alice"], "kinds": ["rollback"]},
    }
    async with running_bot(tmp_path / "state", clock=clock, changes=changes) as bot:
        card, _ = await propose(bot)
        await bot.press("bob", Choice.APPROVE, card)
        await bot.say("bob", apps.code(), room="direct:bob", address=Address.DIRECT)
        assert await newest_state(bot) is OperationState.DONE
        await bot.say("alice", f"!rollback {X64} --emergency it is broken")
        assert await newest_state(bot) is OperationState.DONE
        (listed,) = await bot.say("bob", "!emergencies")
        assert "1 emergency to review" in listed.text
        trail = await audit_trail(bot)
        assert [each["detail"]["step_up"] for each in trail if each["action"] == "approval"] == ["code"]
