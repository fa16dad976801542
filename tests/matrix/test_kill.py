"""The bot as a process before a real homeserver, killed while that is slow."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from aiohttp import web

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.core.times import system_clock
from tests.crash.clouds import CrashTiming
from tests.matrix.fakes import Forward
from tests.matrix.process import TIMEOUT, running_process, until
from tests.reliability.messages import cards
from tests.reliability.rooms.matrix import EncryptedMatrixRoom
from tests.support.azure import X64
from tests.support.processes.synapse import Synapse

pytestmark = pytest.mark.xdist_group("program")


async def test_killed_while_a_card_is_slow_and_its_operation_has_run_it_reports_once_in_its_thread(
    tmp_path: Path, synapse: Synapse
) -> None:
    azure = SimulatedAzure(fedora_gallery(system_clock()))
    await azure.start()
    async with running_process(tmp_path, synapse, azure) as (room, bot):
        messages = room.proxy.faults["/send/m.room.message"]

        async def takes_the_card_and_says_nothing(
            request: web.Request, forward: Forward
        ) -> web.StreamResponse:
            answer = await forward()
            if b"waits for 1 approval" in await request.read():
                await asyncio.Event().wait()
            messages.append(takes_the_card_and_says_nothing)
            return answer

        messages.append(takes_the_card_and_says_nothing)
        await room.say("alice", f"!promote {X64}", None)
        card = await until(room, lambda each: bool(cards([each])))
        (operation,) = set(re.findall(r"op-\w+", card.text))
        ran = azure.faults.add(Fault(kind=FaultKind.SLOW, match="PUT *", seconds=0))
        await room.say("bob", f"!approve {operation}", None)  # he reads what the homeserver took long ago
        await asyncio.wait_for(ran.reached.wait(), TIMEOUT)
        bot.kill()

        await until(room, lambda each: each.is_report)
        await bot.ready()
        assert await bot.rest() == 0
        await room.calm()
        (standing,) = (each for each in room.seen() if each.id == card.id)
        # Where an answer took longer than people are kept waiting, it says more: who is called, what bob agreed to.
        (report,) = (each for each in room.seen() if each.is_report)
        assert report.thread == card.id
        assert f"{operation} promote: done" in standing.text
        assert standing.choices == frozenset()
        assert len(azure.writes) == 1
    await azure.stop()


@pytest.mark.slow
async def test_killed_after_it_said_that_it_works_on_it_the_answer_takes_its_place(
    tmp_path: Path, synapse: Synapse
) -> None:
    azure = SimulatedAzure(fedora_gallery(system_clock()))
    await azure.start()
    async with running_process(tmp_path, synapse, azure) as (room, bot):
        room.proxy.faults["/send/m.room.message"].append(_takes_it_and_says_nothing)
        azure.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match="GET *"))
        await room.say("alice", f"!promote {X64}", None)
        said = await until(room, lambda each: "Working on it" in each.text)
        azure.faults.clear()
        bot.kill()

        card = await until(room, lambda each: bool(cards([each])) and each.choices == set(Choice))
        assert await bot.rest() == 0
        assert [each.id for each in room.seen()] == [card.id] == [said.id]
    await azure.stop()


_COMMITS_OF_A_KEY = (3, 1, 2, 4, 5, 6)
"""Those while the key of somebody's first message is kept; the library stores each row by itself, if it is let to."""


@pytest.mark.parametrize(
    "number",
    [each if each == 3 else pytest.param(each, marks=pytest.mark.slow) for each in _COMMITS_OF_A_KEY],
)
async def test_killed_while_it_takes_the_key_of_a_first_message_it_reads_that_message(
    tmp_path: Path, synapse: Synapse, number: int
) -> None:
    azure = SimulatedAzure(fedora_gallery(system_clock()))
    await azure.start()
    async with running_process(tmp_path, synapse, azure, EncryptedMatrixRoom) as (room, bot):
        bot.kill_at_commit(CrashTiming.AFTER, number)
        await room.say("bob", "!whoami", None)
        answer = await until(room, lambda _: True)
        await bot.ready()
        assert len(bot.lives) == 2
        assert "You are Bob" in answer.text
        assert await bot.rest() == 0
    await azure.stop()


async def _takes_it_and_says_nothing(_request: web.Request, forward: Forward) -> web.StreamResponse:
    answer = await forward()
    await asyncio.Event().wait()
    return answer
