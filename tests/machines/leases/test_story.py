"""At random: people use machines, EC2 fails, and no machine lives beyond the end of its whole life."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from tests.support.aws import IMAGE, unique_name
from tests.support.clock import HOUR, MINUTE
from tests.support.harness import BotHarness, running_bot
from tests.support.leases import leases_of, minutes, state_of
from tests.support.pauses import no_pauses

pytestmark = pytest.mark.asyncio(loop_scope="module")

ACTIONS = ("*", "Describe*", "TerminateInstances", "CreateTags", "RunInstances", "StopInstances")
KINDS = (
    FaultKind.THROTTLE,
    FaultKind.REFUSE,
    FaultKind.ERROR,
    FaultKind.ERROR_AFTER,
    FaultKind.UNAVAILABLE,
    FaultKind.DROP,
    FaultKind.LOST_ANSWER,
    FaultKind.NOT_DONE,
    FaultKind.GARBAGE,
)
PATIENCE = 65 * MINUTE
"""The longest pause between two attempts, and some looks."""


class Story:
    """One random course of things."""

    def __init__(self, bot: BotHarness, aws: SimulatedAws, chance: random.Random) -> None:
        self._bot = bot
        self._aws = aws
        self._chance = chance
        self._well_since = bot.clock()

    async def act(self) -> None:
        """Somebody does something, or something breaks, or heals; and time passes."""
        match self._chance.randrange(8):
            case 0 | 1:
                await self._say(f"launch {IMAGE} --for {self._chance.choice(('20m', '1h', '2h'))}")
            case 2 | 3:
                verb = self._chance.choice(
                    ("extend {} --for 1h", "stop {}", "start {}", "handover {} --to bob")
                )
                known = [each.instance_id for each in await leases_of(self._bot).living()]
                if known:
                    await self._say(verb.format(self._chance.choice(known)))
            case 4:
                kind, action = self._chance.choice(KINDS), self._chance.choice(ACTIONS)
                self._aws.faults.add(Fault(kind=kind, match=action, times=None, body="?"))
            case _:
                self.heal()
        if tuple(self._aws.faults):
            self._well_since = self._bot.clock()
        for _ in range(self._chance.choice((1, 1, 3))):
            await minutes(self._bot, self._chance.choice((1, 10, 30)))

    def heal(self) -> None:
        """EC2 works again."""
        self._aws.faults.clear()

    async def check(self) -> None:
        """Where EC2 worked for long enough, nothing lives whose whole life is over."""
        now = self._bot.clock()
        well = max(self._well_since, now - 2 * PATIENCE)
        for machine in await leases_of(self._bot).living():
            over = max(machine.cap_ends_at, well) + PATIENCE
            assert over > now or await state_of(self._aws, machine.instance_id) == "terminated"
            assert machine.lease_ends_at <= machine.cap_ends_at

    async def _say(self, line: str) -> None:
        await self._bot.say(self._chance.choice(("alice", "bob")), f"!{line}")


async def everything_gone(aws: SimulatedAws, deployment: str) -> Sequence[str]:
    """What lives of a deployment, as EC2 has it."""
    return [
        each["id"]
        for each in (await aws.state())["instances"]
        if each["tags"].get("slipway") == deployment and each["state"] != "terminated"
    ]


@pytest.mark.parametrize(
    "seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)]
)
async def test_no_machine_outlives_its_cap_whatever_people_do_and_however_ec2_fails(
    aws: SimulatedAws, tmp_path: Path, seed: int
) -> None:
    name = unique_name("slipway")
    changes = {"name": name, "profiles": {"small": {"cap": "4h", "max_for": "4h"}}}
    async with running_bot(tmp_path, aws=aws, changes=changes, sleep=no_pauses) as bot:
        story = Story(bot, aws, random.Random(seed))
        launched = 0
        for _ in range(25):
            await story.act()
            await story.check()
            launched = max(launched, len(await leases_of(bot).living()))
        assert launched > 0, "nothing happened"
        story.heal()
        for _ in range(20):
            await minutes(bot, 20)
        bot.clock.advance(4 * HOUR)
        await minutes(bot)
        await minutes(bot, 65)
        assert await everything_gone(aws, name) == []
        assert await leases_of(bot).living() == ()
