"""A machine's time, from its launch to its end, as its owner sees it on every platform."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from slipway.bot.clouds.simulated.consoles import host_key
from slipway.bot.core.times import system_clock
from tests.conformance.harness import VisibleMessage
from tests.conformance.run import ConformanceRun
from tests.support.aws import IMAGE, simulated_aws
from tests.support.leases import state_of


class ClockAhead:
    """The present, and as much later as a test wants; the platforms' own clocks stay."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return system_clock() + self.ahead


async def passed(run: ConformanceRun, clock: ClockAhead, minutes: float) -> list[VisibleMessage]:
    """Let time pass, and a minute's upkeep happen; what is new in the room."""
    before = {each.id for each in await run.session.visible_messages()}
    clock.ahead += timedelta(minutes=minutes)
    await run.running.upkeep.sweep()
    await run.session.settle()
    return [each for each in await run.session.visible_messages() if each.id not in before]


async def test_a_machine_is_warned_of_and_ended_at_its_time_in_the_thread_of_its_launch(
    run: ConformanceRun,
) -> None:
    clock, session = ClockAhead(), run.session
    async with simulated_aws() as aws, run.bot(aws=aws, clock=clock):
        card, *said = await session.say("alice", f"!launch {IMAGE} --for 2h")
        found = re.search(r"i-[0-9a-f]{17}", said[-1].text)
        assert found is not None, said
        (up,) = await passed(run, clock, 0)
        assert up.thread == card.id
        assert up.mentions == {"alice"}
        assert f"{found[0]} is up" in up.text
        assert "ssh fedora@" in up.text
        assert host_key(found[0], "ED25519") in up.text

        (warned,) = await passed(run, clock, 91)
        assert warned.thread == card.id
        assert warned.mentions == {"alice"}
        assert f"!extend {found[0]} --for 1h" in warned.text

        ended = await passed(run, clock, 30)
        assert {each.thread for each in ended} == {card.id}
        assert any(f"{found[0]} is terminated." in each.text for each in ended)
        assert await state_of(aws, found[0]) == "terminated"

        assert await passed(run, clock, 1) == []
        now = await session.current(warned)
        assert f"{found[0]}: ended" in now.text
        assert "extend" not in now.text
