"""A PostgreSQL that goes away while the bot works, and comes back."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.faults import FaultKind
from slipway.bot.operations.model import OperationState
from slipway.bot.store import storage
from slipway.bot.workflows import strays
from tests.support.azure import ARM, X64
from tests.support.cut_connection import Wire, wire_to
from tests.support.harness import audit_trail, inject_fault, newest_state, propose, running_bot
from tests.support.processes.postgres import NoPostgresError, Postgres, own_postgres


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "DATABASE_PATIENCE", 10_000)
    monkeypatch.setattr(strays, "LOOK_SECONDS", 0.5)
    monkeypatch.setattr(storage, "DATABASE_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(storage, "LONGEST_DATABASE_LOOK_SECONDS", 0.05)


def through(wire: Wire, url: str) -> str:
    parts = urlsplit(url)
    return f"postgresql://{parts.username}@127.0.0.1:{wire.port}{parts.path}"


def port_of(url: str) -> int:
    return urlsplit(url).port or 5432


async def test_an_operation_outlives_a_cut_connection_and_does_nothing_twice(
    tmp_path: Path, postgres: Postgres
) -> None:
    url = await asyncio.to_thread(postgres.new)
    with wire_to(port_of(url)) as wire:
        async with running_bot(tmp_path, changes={"database": {"url": through(wire, url)}}) as bot:
            card, _ = await propose(bot)
            held = inject_fault(bot, FaultKind.HOLD_BEFORE, "PUT *")
            await bot.press("bob", Choice.APPROVE, card, wait=False)
            await held.reached.wait()
            wire.cut()
            held.release()
            await asyncio.sleep(0.3)
            wire.mend()
            await bot.running.idle()
            assert await newest_state(bot) is OperationState.DONE
            trail = await audit_trail(bot)
            assert len({each["key"] for each in trail}) == len(trail)
            (answer,) = await bot.say("alice", "!whoami")
            assert "alice" in answer.text.lower()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
async def test_whenever_a_connection_is_cut_all_that_was_asked_for_is_done_once(
    seed: int, tmp_path: Path, postgres: Postgres
) -> None:
    url = await asyncio.to_thread(postgres.new)
    chance = random.Random(seed)
    with wire_to(port_of(url)) as wire:
        async with running_bot(tmp_path, changes={"database": {"url": through(wire, url)}}) as bot:

            async def cut_and_mend() -> None:
                while True:
                    await asyncio.sleep(chance.uniform(0.2, 1.5))
                    await asyncio.to_thread(wire.cut)
                    await asyncio.sleep(chance.uniform(0, 0.1))
                    await asyncio.to_thread(wire.mend)

            cutting = asyncio.create_task(cut_and_mend())
            for line in (f"{verb} {image}" for image in (X64, ARM) for verb in ("!promote", "!rollback")):
                card, _ = await propose(bot, line)
                await bot.press("bob", Choice.APPROVE, card)
                state = await bot.running.workflows.persistently(lambda: newest_state(bot))
                assert state is OperationState.DONE, card.text
            cutting.cancel()
            await asyncio.wait({cutting})
            wire.mend()
            trail = await audit_trail(bot)
            assert [each["action"] for each in trail].count("done") == 4


@pytest.mark.slow
@pytest.mark.parametrize("how", ["immediate", "fast"])
async def test_an_operation_outlives_a_server_that_is_restarted_under_it(how: str, tmp_path: Path) -> None:
    try:
        with own_postgres() as server:
            url = await asyncio.to_thread(server.new)
            async with running_bot(tmp_path, changes={"database": {"url": url}}) as bot:
                card, _ = await propose(bot)
                held = inject_fault(bot, FaultKind.HOLD_BEFORE, "PUT *")
                await bot.press("bob", Choice.APPROVE, card, wait=False)
                await held.reached.wait()
                await asyncio.to_thread(server.stop, how)
                held.release()
                await asyncio.to_thread(server.start)
                await bot.running.idle()
                assert await newest_state(bot) is OperationState.DONE
                await audit_trail(bot)
    except NoPostgresError as error:
        pytest.skip(f"no PostgreSQL: {error}")
