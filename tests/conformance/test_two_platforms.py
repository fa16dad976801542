"""One bot on two platforms: people ask on one and agree on the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.core.times import system_clock
from tests.conformance.conftest import MakePlatform
from tests.conformance.run import ConformanceRun, conformance_run

_TWO = ("slack", "matrix")
_TWO_MORE = pytest.param(("slack-http", "encrypted"), marks=pytest.mark.slow)


@pytest.fixture(params=[_TWO, _TWO_MORE], ids="+".join)
async def both(
    request: pytest.FixtureRequest, make_platform: MakePlatform, tmp_path: Path
) -> AsyncIterator[ConformanceRun]:
    """Slack and Matrix, with one bot on both."""
    azure = SimulatedAzure(fedora_gallery(system_clock()), clock=system_clock)
    async with conformance_run(tmp_path / "state", azure, *map(make_platform, request.param)) as found:
        yield found


async def test_what_is_asked_on_one_platform_is_approved_on_both(both: ConformanceRun) -> None:
    here, there = both.sessions
    async with both.bot({"policy": {"promote": {"approvals": 2, "requester_may_approve": True}}}):
        card, name = await here.propose()
        assert await there.visible_messages() == []

        # Who agrees there gets the card there, and both say how it stands.
        (other,) = await there.say("bob", f"!approve {name}")
        for shown in (await here.current(card), other):
            assert "waits for 1 approval" in shown.text
            assert "Bob approved" in shown.text
            assert shown.choices == set(Choice)

        # The same person is one person, whatever account they use.
        await here.press("bob", Choice.APPROVE, card)
        assert "waits for 1 approval" in (await here.current(card)).text
        assert both.excluded() is True

        reports = await here.press("alice", Choice.APPROVE, card)

        assert [each.thread for each in reports] == [card.id]  # where it was asked for
        assert both.excluded() is False
        for shown in (await here.current(card), await there.current(other)):
            assert f"{name} promote: done" in shown.text
            assert not shown.choices
        assert len(await both.operations()) == 1
        assert len(both.azure.writes) == 1


async def test_a_typed_approval_on_the_other_platform_is_enough(both: ConformanceRun) -> None:
    there, here = both.sessions
    async with both.bot():
        card, name = await here.propose()
        (other,) = await there.say("bob", f"!approve {name}")
        for shown in (await here.current(card), other):
            assert f"{name} promote: done" in shown.text
            assert not shown.choices
        _, report = await here.visible_messages()
        assert report.thread == card.id
        assert both.excluded() is False
        assert len(await both.operations()) == 1


@pytest.mark.parametrize("slack_asks", [True, False], ids=["asked in Slack", "asked in Matrix"])
async def test_a_press_on_the_other_platforms_card_decides(both: ConformanceRun, slack_asks: bool) -> None:
    here, there = both.sessions if slack_asks else reversed(both.sessions)
    async with both.bot({"policy": {"promote": {"approvals": 2, "requester_may_approve": True}}}):
        card, name = await here.propose()
        (other,) = await there.say("alice", f"!approve {name}")
        await there.press("bob", Choice.APPROVE, other)
        for shown in (await here.current(card), await there.current(other)):
            assert f"{name} promote: done" in shown.text
            assert not shown.choices
        assert both.excluded() is False
        assert len(both.azure.writes) == 1


async def test_a_rejection_on_either_platform_ends_it_on_both(both: ConformanceRun) -> None:
    for here, there in (both.sessions, tuple(reversed(both.sessions))):
        async with both.bot():
            card, name = await here.propose()
            await there.say("bob", f"!reject {name} it does not boot")
            shown = await here.current(card)
            assert "Rejected by Bob: it does not boot" in shown.text
            assert not shown.choices
            assert both.excluded() is True
