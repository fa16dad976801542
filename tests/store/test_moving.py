"""`slipway migrate`: a state folder's databases, taken to PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from slipway.bot.chat.model import Choice
from slipway.bot.cli import migrate
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.core.errors import StateError
from slipway.bot.operations.model import OperationState
from slipway.bot.store.database import Database
from slipway.bot.store.postgres import PostgresAccess, PostgresBackend
from slipway.bot.store.tables import audit
from tests.support.azure import ARM, X64
from tests.support.clock import FakeClock
from tests.support.harness import audit_trail, propose, running_bot
from tests.support.memory_chat import MemoryChat
from tests.support.processes.postgres import Postgres


async def test_a_bot_goes_on_where_it_was_with_what_was_pending_and_what_was_under_way(
    tmp_path: Path, postgres: Postgres
) -> None:
    clock, chat = FakeClock(), MemoryChat()
    azure = SimulatedAzure(fedora_gallery(clock()), clock=clock)
    await azure.start()
    url = await asyncio.to_thread(postgres.empty)
    server = {"database": {"url": url}}
    try:
        async with running_bot(tmp_path, azure=azure, clock=clock, chat=chat, grace=timedelta()) as bot:
            pending, waits = await propose(bot, f"!promote {ARM}")
            card, parked = await propose(bot, f"!promote {X64}")
            held = azure.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match="PUT *"))
            await bot.press("bob", Choice.APPROVE, card, wait=False)
            await held.reached.wait()
            before = [each["hash"] for each in await audit_trail(bot)]
        held.release()
        moved = await migrate._migrate(tmp_path, PostgresAccess(url))
        assert moved.workflows > 3
        async with running_bot(tmp_path, azure=azure, clock=clock, chat=chat, changes=server) as bot:
            await bot.running.idle()
            assert (await bot.running.operations.get(parked)).state is OperationState.DONE
            await bot.press("bob", Choice.APPROVE, pending)
            assert (await bot.running.operations.get(waits)).state is OperationState.DONE
            trail = await audit_trail(bot)
            assert [each["hash"] for each in trail][: len(before)] == before
        with pytest.raises(StateError, match="is not empty: there are rows in"):
            await migrate._migrate(tmp_path, PostgresAccess(url))
    finally:
        await azure.stop()


async def test_what_does_not_hold_is_not_copied(tmp_path: Path, postgres: Postgres) -> None:
    async with running_bot(tmp_path) as bot:
        card, _ = await propose(bot)
        await bot.press("bob", Choice.REJECT, card)
    forged = Database(tmp_path / "slipway.db")
    async with forged.writing() as connection:
        await connection.execute(sa.text("DROP TRIGGER audit_no_update"))
        await connection.execute(audit.update().where(audit.c.number == 1).values(actor="mallory"))
    await forged.close()
    access = PostgresAccess(await asyncio.to_thread(postgres.empty))
    with pytest.raises(StateError, match="entry 1 was changed after it was written"):
        await migrate._migrate(tmp_path, access)
    target = Database(PostgresBackend(access))
    async with target.reading() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(audit)) == 0
    await target.close()
