"""A look of the watch that breaks off amid its notes: what owners are told stays whole, and is told once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from tests.support.aws import IMAGE
from tests.support.harness import BotHarness
from tests.support.leases import breaking_off, launched, minutes
from tests.support.memory_chat import PostedMessage

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def broken_off(bot: BotHarness, before: int = 2, after: float = 1) -> list[PostedMessage]:
    """As ``minutes``, but that the look breaks off before its n-th note; the minute after it has a whole one."""
    with breaking_off(before):
        said = await minutes(bot, after)
    return said + await minutes(bot)


def titles(said: Sequence[PostedMessage], words: str) -> list[str]:
    return [each.card.title for each in said if words in each.card.title]


@pytest.mark.parametrize(
    "before", [2, 4], ids=["while it looks at them", "while it notes that it told of them"]
)
async def test_machines_that_came_up_at_once_are_told_of_at_once(bot: BotHarness, before: int) -> None:
    await bot.say("alice", f"!launch {IMAGE} --for 2h --count 2")
    said = await broken_off(bot, before)
    assert titles(said, " up") == ["2 machines are up"]


async def test_a_notice_of_an_end_is_about_all_machines_that_it_was_about(bot: BotHarness) -> None:
    ids = await launched(bot, f"!launch {IMAGE} --for 20m --count 2")
    said = await broken_off(bot, after=15)
    (title,) = titles(said, " end at ")
    assert title.startswith("2 machines end at ")
    await bot.say("alice", f"!terminate {' '.join(ids)}")
    await broken_off(bot)
    assert titles(said, ": ended") == ["2 machines: ended"]


async def test_that_machines_do_not_end_is_told_once_and_put_right_for_all_of_them(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    ids = await launched(bot, f"!launch {IMAGE} --for 20m --count 2")
    aws.faults.add(Fault(kind=FaultKind.REFUSE, match="TerminateInstances", times=None))
    said = await minutes(bot, 20)
    for _ in range(4):
        said += await broken_off(bot, after=15)
    assert titles(said, "could not be ended") == ["2 machines could not be ended"]
    aws.faults.clear()
    await minutes(bot, 60)
    await broken_off(bot)
    assert titles(said, "ended after all") == [f"{' '.join(sorted(ids))}: ended after all"]
