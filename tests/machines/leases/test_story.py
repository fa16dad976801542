"""At random: people use machines, clouds fail, clocks are set, Slipway stops in the midst of things; and no machine
lives beyond the end of its whole life."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.clouds.azure.gallery import AzureGallery
from slipway.bot.clouds.azure.machines.adapter import AzureMachines
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.capabilities import Capability, Port
from slipway.bot.clouds.declaration import CloudContext
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.azure.machines.parts import ADDRESSES, DISKS, INTERFACES
from slipway.bot.clouds.simulated.faults import Fault, FaultKind, Faults
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.core.waiting import first_of
from slipway.bot.declared import Declarations
from tests.support.aws import IMAGE, unique_name
from tests.support.azure import QUICK, X64
from tests.support.clock import HOUR, MINUTE, FakeClock
from tests.support.configuration import DECLARED
from tests.support.harness import BotHarness, running_bot
from tests.support.leases import leases_of, minutes
from tests.support.memory_chat import MemoryChat
from tests.support.pauses import no_pauses

pytestmark = pytest.mark.asyncio(loop_scope="module")

CAP = 4 * HOUR
PATIENCE = 65 * MINUTE
"""The longest pause between two attempts, and some looks."""

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
SHIFTS = (-5 * HOUR, -20 * MINUTE, 20 * MINUTE, 5 * HOUR)
"""By how much somebody sets the clock."""


def _open_azure(settings: AzureSettings, context: CloudContext) -> Mapping[Capability[Any], Port]:
    gallery = AzureGallery(settings, context, timing=QUICK)
    return {IMAGE_VERSIONS: gallery, MACHINES: AzureMachines(settings, context, gallery)}


QUICK_AZURE = Declarations.of(
    DECLARED.registry.subjects,
    DECLARED.chats,
    [replace(each, open=_open_azure) if each.name == "azure" else each for each in DECLARED.clouds],
)
"""The pauses of a throttle that lasts are minutes, by the clock of the machine; here they take no time."""


USUAL = 1
"""The seed of a short story, which every run of the tests tells."""


class StoryCloud(ABC):
    """A cloud of a story.

    Attributes:
        name: of the deployment.
        launch: what is typed to launch a machine, without for how long.
        actions: what may fail, as the simulator calls it.
        changes: what may be under way when Slipway stops.
        ending: what ends a machine.
    """

    launch: str
    actions: Sequence[str]
    changes: Sequence[str]
    ending: str

    def __init__(self) -> None:
        self.name = unique_name("slipway")

    @abstractmethod
    def bot(
        self, folder: Path, clock: FakeClock, chat: MemoryChat
    ) -> AbstractAsyncContextManager[BotHarness]:
        """The bot on it."""

    @property
    @abstractmethod
    def faults(self) -> Faults:
        """What goes wrong there."""

    @abstractmethod
    async def living(self) -> Sequence[str]:
        """The machines of the deployment that are not gone."""

    @abstractmethod
    async def left(self) -> Sequence[str]:
        """What belongs to no machine."""

    def _configured(self, profile: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        profiles = {"small": {"cap": "4h", "max_for": "4h", **profile}}
        return {"name": self.name, "profiles": profiles, **more}


class Ec2(StoryCloud):
    """EC2."""

    launch = f"launch {IMAGE}"
    actions = ("*", "Describe*", "TerminateInstances", "CreateTags", "RunInstances", "StopInstances")
    ending = "TerminateInstances"
    changes = ("RunInstances", "TerminateInstances", "CreateTags", "Describe*")

    def __init__(self, aws: SimulatedAws) -> None:
        super().__init__()
        self._aws = aws

    def bot(
        self, folder: Path, clock: FakeClock, chat: MemoryChat
    ) -> AbstractAsyncContextManager[BotHarness]:
        return running_bot(
            folder,
            aws=self._aws,
            # Between tries of one call botocore pauses by the clock of the machine.
            changes=self._configured({}, aws={"max_attempts": 1}),
            clock=clock,
            chat=chat,
            sleep=no_pauses,
            grace=timedelta(),
        )

    @property
    def faults(self) -> Faults:
        return self._aws.faults

    async def living(self) -> Sequence[str]:
        held = (await self._aws.state())["instances"]
        ours = [each for each in held if each["tags"].get("slipway") == self.name]
        return [each["id"] for each in ours if each["state"] != "terminated"]

    async def left(self) -> Sequence[str]:
        return ()


class Azure(StoryCloud):
    """Azure, where every machine is a request of its own and leaves parts behind."""

    launch = f"launch {X64} --profile small"
    actions = ("*", "GET *", "PUT *", "DELETE *", "POST *", "PATCH *")
    ending = "DELETE *"
    changes = ("PUT *", "DELETE *", "PATCH *", "GET *")

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._azure = SimulatedAzure(fedora_gallery(clock()), clock=clock, polls=0)

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[Azure]:
        """It, for as long as the block lasts."""
        await self._azure.start()
        try:
            yield self
        finally:
            await self._azure.stop()

    def bot(
        self, folder: Path, clock: FakeClock, chat: MemoryChat
    ) -> AbstractAsyncContextManager[BotHarness]:
        machine = {
            "size": "Standard_B2s",
            "subnet": "machines-{region}/default",
            "security_group": "ssh-{region}",
        }
        account = {
            "subscription_id": self._azure.seed.subscription_id,
            "resource_group": self._azure.seed.resource_group,
            "gallery": self._azure.seed.gallery,
            "endpoint": self._azure.url,
            "machines_group": "slipway-machines",
            "regions": ["eastus"],
        }
        changes = self._configured({"cloud": "azure", "machine": machine}, azure=account)
        return running_bot(
            folder,
            azure=self._azure,
            declarations=QUICK_AZURE,
            changes=changes,
            clock=clock,
            chat=chat,
            sleep=no_pauses,
            grace=timedelta(),
        )

    @property
    def faults(self) -> Faults:
        return self._azure.faults

    async def living(self) -> Sequence[str]:
        held = self._azure.machines.machines.values()
        return [each.name for each in held if each.document["tags"].get("slipway") == self.name]

    async def left(self) -> Sequence[str]:
        things = self._azure.machines.things
        return [name for kind in (DISKS, INTERFACES, ADDRESSES) for name in things[kind]]


class Story:
    """One random course of things."""

    def __init__(self, cloud: StoryCloud, clock: FakeClock, chance: random.Random) -> None:
        self.launched = 0
        self._cloud = cloud
        self._clock = clock
        self._chance = chance
        self._well_since = clock()
        self._latest = clock()
        self._bounds: dict[str, datetime] = {}

    async def live(self, bot: BotHarness, steps: int) -> None:
        """Live through some steps, and break off in the midst of a last one."""
        self._well_since = self._clock()
        for _ in range(steps):
            await self._act(bot)
            await self._check(bot)
            self.launched = max(self.launched, len(await leases_of(bot).living()))
        kind = self._chance.choice((FaultKind.HOLD_BEFORE, FaultKind.HOLD_AFTER))
        held = self._cloud.faults.add(Fault(kind=kind, match=self._chance.choice(self._cloud.changes)))
        await self._people(bot, wait=False)
        await first_of(held.reached.wait(), bot.running.idle())
        held.release()  # and the answer comes while Slipway stops

    async def _act(self, bot: BotHarness) -> None:
        """Somebody does something, or something breaks, or heals; and time passes."""
        match self._chance.randrange(10):
            case 0 | 1 | 2 | 3:
                await self._people(bot)
            case 4 | 5:
                kind, action = self._chance.choice(KINDS), self._chance.choice(self._cloud.actions)
                self._cloud.faults.add(Fault(kind=kind, match=action, times=None, body="?"))
            case 6 if self._chance.random() < 0.5:
                self._clock.advance(self._chance.choice(SHIFTS))
                self._well_since = self._clock()
            case _:
                self._cloud.faults.clear()
        for _ in range(self._chance.choice((1, 1, 3))):
            failing = any(not each.spent for each in self._cloud.faults)
            await minutes(bot, self._chance.choice((1, 10, 30)))
            if failing:
                self._well_since = self._clock()

    async def _people(self, bot: BotHarness, *, wait: bool = True) -> None:
        known = [each.instance_id for each in await leases_of(bot).living()]
        if not known or self._chance.random() < 0.5:
            line = f"{self._cloud.launch} --for {self._chance.choice(('20m', '1h', '2h'))}"
        else:
            verbs = ("extend {} --for 1h", "stop {}", "start {}", "handover {} --to bob", "terminate {}")
            line = self._chance.choice(verbs).format(self._chance.choice(known))
        await bot.say(self._chance.choice(("alice", "bob")), f"!{line}", wait=wait)

    async def _check(self, bot: BotHarness) -> None:
        """Where the cloud worked for long enough, nothing lives whose whole life is over: neither by what is stored,
        nor by when the cloud was first seen to have it."""
        now = self._clock()
        self._latest = max(self._latest, now)
        living = await self._cloud.living()
        for name in living:
            bound = self._bounds.setdefault(name, self._latest + CAP)
            assert max(bound, self._well_since) + PATIENCE > now, name
        for machine in await leases_of(bot).living():
            over = max(machine.cap_ends_at, self._well_since) + PATIENCE
            assert over > now or machine.instance_id not in living, machine
            assert machine.lease_ends_at <= machine.cap_ends_at


async def outlast(cloud: StoryCloud, bot: BotHarness) -> None:
    """Nothing can be ended until after the end of a machine's life; it is once that works for long enough."""
    await minutes(bot, 65)
    before = set(await cloud.living())
    await bot.say("alice", f"!{cloud.launch} --for 1h")
    (late,) = set(await cloud.living()) - before
    cloud.faults.add(Fault(kind=FaultKind.ERROR, match=cloud.ending, times=None))
    for _ in range(8):
        await minutes(bot, 40)
    assert late in await cloud.living()
    cloud.faults.clear()
    for _ in range(3):
        await minutes(bot, PATIENCE / 3 / MINUTE)
    assert late not in await cloud.living()


async def tell(cloud: StoryCloud, clock: FakeClock, folder: Path, seed: int) -> None:
    """A story from its beginning to a time at which nothing may live any more."""
    lives, steps = (2, 6) if seed == USUAL else (3, 8)
    story = Story(cloud, clock, random.Random(seed))
    chat = MemoryChat()  # one for all lives: no platform gives an id of a message or event twice
    for _ in range(lives):
        async with cloud.bot(folder, clock, chat) as bot:
            await story.live(bot, steps)
    assert story.launched > 0, "nothing happened"
    cloud.faults.clear()
    async with cloud.bot(folder, clock, chat) as bot:
        await outlast(cloud, bot)
        for _ in range(6):
            await minutes(bot, 40)
        clock.advance(CAP + 10 * HOUR)  # also of what was launched while the clock was ahead
        await minutes(bot)
        for _ in range(4):
            await minutes(bot, 65)
        assert await cloud.living() == []
        assert await leases_of(bot).living() == ()
        assert list(await cloud.left()) == []


SEEDS = [USUAL, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 5))]


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_machine_outlives_its_cap_whatever_happens_on_ec2(
    aws: SimulatedAws, tmp_path: Path, seed: int
) -> None:
    await tell(Ec2(aws), FakeClock(), tmp_path, seed)


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_machine_outlives_its_cap_whatever_happens_on_azure(tmp_path: Path, seed: int) -> None:
    clock = FakeClock()
    async with Azure(clock).answering() as azure:
        await tell(azure, clock, tmp_path, seed)
