"""A platform that takes nothing for a while, on every platform on which that can happen."""

from __future__ import annotations

import asyncio
import math

import pytest

from slipway.bot.chat.model import Address, Choice, MessageEvent
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from tests.conformance.harness import Capability, VisibleMessage, Where
from tests.conformance.run import TIMEOUT_SECONDS, ConformanceRun, operation_id
from tests.support.azure import ARM


@pytest.mark.every_transport
@pytest.mark.parametrize("seconds", [5, 60, 600])
async def test_all_is_said_once_the_platform_takes_it_again(run: ConformanceRun, seconds: int) -> None:
    session = run.session
    session.requires(Capability.SEND_FAULTS)
    async with run.bot():
        card, name = await session.propose()
        run.set_away(seconds)
        await session.press("bob", Choice.APPROVE, card, wait=False)
        await session.say("carol", "!status", wait=False)
        await session.settle()
        assert run.excluded() is False
        _all_is_said(card, await session.visible_messages(), name)


async def test_all_is_said_by_the_next_start_if_the_bot_stops_meanwhile(run: ConformanceRun) -> None:
    session = run.session
    session.requires(Capability.SEND_FAULTS)
    async with run.bot():
        card, name = await session.propose()
        run.set_away(math.inf)
        await session.press("bob", Choice.APPROVE, card, wait=False)
        await session.say("carol", "!status", wait=False)
        await session.platform.settle()
        await run.running.workflows.idle()
        assert run.excluded() is False
        assert [each.id for each in await session.visible_messages()] == [card.id]
    run.set_away(0)
    async with run.bot():
        await session.settle()
        _all_is_said(card, await session.visible_messages(), name)
        assert len(run.azure.writes) == 1


def _all_is_said(card: VisibleMessage, seen: list[VisibleMessage], name: str) -> None:
    (shown,) = [each for each in seen if each.id == card.id]
    assert f"{name} promote: done" in shown.text
    assert not shown.choices
    (report,) = [each for each in seen if each.thread == card.id]
    assert f"{name} promote: done" in report.text
    (status,) = [each for each in seen if each.id not in (card.id, report.id)]
    assert "is up for" in status.text


async def _told(run: ConformanceRun, *names: str) -> None:
    """Wait until alice and bob have been told alone of these operations, each once, and of nothing else."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while True:
            await run.running.upkeep.sweep()
            await run.running.idle()
            told = {who: await run.session.visible_messages(who, Where.DIRECT) for who in ("alice", "bob")}
            if all(any(names[-1] in each.text for each in seen) for seen in told.values()):
                break
            await asyncio.sleep(0.02)
    await run.running.upkeep.sweep()
    await run.running.idle()
    for who in told:
        seen = [each for each in await run.session.visible_messages(who, Where.DIRECT) if "op-" in each.text]
        assert [operation_id(each) for each in seen] == list(names)
        assert all("waits for 1 approval" in each.text and "So I tell you here" in each.text for each in seen)


async def test_a_room_that_is_lost_while_proposals_wait_is_noticed_in_silence(run: ConformanceRun) -> None:
    """By what its platform tells; at the next start, by what it answers."""
    session = run.session
    session.requires(Capability.GONE_ROOMS, Capability.DIRECT_CHATS)
    async with run.bot():
        for who in ("alice", "bob"):
            await session.say(who, "whoami", where=Where.DIRECT)
        card, first = await session.propose()
        await run.running.upkeep.sweep()
        await session.platform.set_room_gone(True)
        await _told(run, first)
        await session.platform.set_room_gone(False)
        await session.platform.settle()
        other, second = await session.propose(f"!promote {ARM}")
    await session.platform.set_room_gone(True)
    async with run.bot():
        await _told(run, first, second)
        await session.platform.set_room_gone(False)
        for shown in (card, other):
            await session.press("bob", Choice.APPROVE, shown)
        for who in ("alice", "bob"):  # what they were told is brought up to date, and nothing is told twice
            seen = await session.visible_messages(who, Where.DIRECT)
            assert [each for each in seen if "promote: done" in each.text] == [
                each for each in seen if "op-" in each.text
            ]
        for shown in (card, other):
            assert "promote: done" in (await session.current(shown)).text


async def test_a_room_that_is_gone_keeps_nobody_in_the_dark_and_is_put_right_once_it_is_back(
    run: ConformanceRun,
) -> None:
    session = run.session
    session.requires(Capability.GONE_ROOMS, Capability.DIRECT_CHATS)
    async with run.bot():
        await session.say("alice", "whoami", where=Where.DIRECT)
        card, name = await session.propose()
        held = run.azure.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match="P* *"))
        await session.press("bob", Choice.APPROVE, card, wait=False)
        await held.reached.wait()
        await session.platform.set_room_gone(True)
        held.release()
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while run.excluded() is not False or not run.running.messages.gone_rooms:  # noqa: ASYNC110 - told by nobody
                await asyncio.sleep(0.02)
        await run.running.idle()
        for _ in range(2):
            await run.running.upkeep.sweep()
            await run.running.idle()
        shown, report = [
            each for each in await session.visible_messages("alice", Where.DIRECT) if name in each.text
        ]
        for told in (shown, report):
            assert f"{name} promote: done" in told.text
            assert "takes no messages of mine" in told.text
        await session.platform.set_room_gone(False)
        await session.until(
            lambda seen: any(
                f"{name} promote: done" in each.text and not each.choices
                for each in seen
                if each.id == card.id
            )
        )
        assert len(run.azure.writes) == 1


async def test_status_names_no_direct_chat_that_takes_nothing(run: ConformanceRun) -> None:
    session = run.session
    session.requires(Capability.DIRECT_CHATS, Capability.GONE_ROOMS)
    async with run.bot():
        await session.say("alice", "whoami", where=Where.DIRECT)
        (direct,) = {
            each.room.id
            for each in session.received
            if isinstance(each, MessageEvent) and each.address is Address.DIRECT
        }
        session.chat_in_use.closed.add(direct)
        await session.say("alice", "whoami", where=Where.DIRECT, wait=False)
        await session.platform.settle()
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while not run.running.messages.hindrances():  # noqa: ASYNC110 - told by nobody
                await asyncio.sleep(0.02)
        await session.say("bob", "!status", wait=False)
        (status,) = await session.until(lambda seen: any("is up" in each.text for each in seen))
        assert f"What is to be said in a direct chat of {session.platform.platform} waits." in status.text
        assert direct not in status.text
        session.chat_in_use.closed.clear()
        run.running.messages.answers(session.platform.platform)
        await session.settle()
