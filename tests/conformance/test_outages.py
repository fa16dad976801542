"""A platform that takes nothing for a while, on every platform on which that can happen."""

from __future__ import annotations

import math

import pytest

from slipway.bot.chat.model import Choice
from tests.conformance.harness import Capability, VisibleMessage
from tests.conformance.run import ConformanceRun


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
