"""At random: people use machines, clouds fail, clocks are set, Slipway stops in the midst of things; and no machine
lives beyond the end of its whole life."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum, auto
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.clouds.azure.images.gallery import AzureGallery
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
from slipway.bot.subjects.machines.leases.model import Machine
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
LINES = (
    "extend {} --for 1h",
    "extend {} --for 2h",
    "stop {}",
    "start {}",
    "handover {} --to bob",
    "terminate {}",
)
SHIFTS = (-5 * HOUR, -20 * MINUTE, 20 * MINUTE, 5 * HOUR)
"""By how much somebody sets the clock."""


def _open_azure(settings: AzureSettings, context: CloudContext) -> Mapping[Capability[Any], Port]:
    """As it is opened, with a gallery that waits for nothing."""
    gallery = AzureGallery(settings, context, timing=QUICK)
    opened = next(each for each in DECLARED.clouds if each.name == "azure").open(settings, context)
    return {
        **opened,
        IMAGE_VERSIONS: gallery,
        MACHINES: AzureMachines(settings, context, gallery),
    }


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
        ending: what ends a machine.
        changes: what may be under way when Slipway stops.
    """

    launch: str
    actions: Sequence[str]
    ending: str
    changes: Sequence[str]

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


class Round(Enum):
    """What goes wrong while the time of machines is up."""

    NOTHING = auto()
    NO_END = auto()  # nothing can be ended
    AN_END = auto()  # something goes wrong with an end, or with some
    ANYTHING = auto()  # anything goes wrong
    CLOCK = auto()  # somebody sets the clock


class Story:
    """One random course of things."""

    def __init__(self, cloud: StoryCloud, clock: FakeClock, chance: random.Random) -> None:
        self.ends_failed = 0
        self._cloud = cloud
        self._clock = clock
        self._chance = chance
        self._well_since = clock()
        self._latest = clock()
        self._bounds: dict[str, datetime] = {}

    async def live(self, bot: BotHarness, rounds: int) -> None:
        """Live through some rounds, in one of which nothing can be ended, and break off in the midst of things."""
        self._heal()
        drawn = [Round.NO_END, *self._chance.choices(tuple(Round), k=rounds - 1)]
        self._chance.shuffle(drawn)
        for each in drawn:
            await self._round(bot, each)
        kind = self._chance.choice((FaultKind.HOLD_BEFORE, FaultKind.HOLD_AFTER))
        held = self._cloud.faults.add(Fault(kind=kind, match=self._chance.choice(self._cloud.changes)))
        await self._people(bot, wait=False)
        await first_of(held.reached.wait(), bot.running.idle())
        held.release()  # and the answer comes while Slipway stops

    async def _round(self, bot: BotHarness, trouble: Round) -> None:
        """Somebody has a machine; things go wrong while its time is up; and for longer than the longest pause between
        two attempts to end it all is well."""
        await self._launch(bot)
        await self._people(bot)
        self._break(trouble)
        if self._chance.random() < 0.5:
            await self._people(bot)
        await self._pass(bot, self._until_an_end(await leases_of(bot).living()))
        for _ in range(self._chance.choice((1, 2, 4))):
            await self._pass(bot, timedelta(minutes=self._chance.choice((1, 5, 20, 60))))
        if trouble is Round.NO_END and any(attempts for attempts in await self._attempts(bot)):
            self.ends_failed += 1
        self._heal()
        await self._people(bot)
        for _ in range(3):
            await self._pass(bot, PATIENCE / 3 + MINUTE)

    async def _attempts(self, bot: BotHarness) -> Sequence[int]:
        return [each.attempts for each in await leases_of(bot).living()]

    def _break(self, trouble: Round) -> None:
        """Let something go wrong."""
        match trouble:
            case Round.NOTHING:
                pass
            case Round.NO_END:
                kind = self._chance.choice((FaultKind.ERROR, FaultKind.REFUSE, FaultKind.NOT_DONE))
                self._fault(kind, self._cloud.ending, None)
            case Round.AN_END:
                self._fault(self._chance.choice(KINDS), self._cloud.ending, self._chance.choice((1, 2, 4)))
            case Round.ANYTHING:
                self._fault(self._chance.choice(KINDS), self._chance.choice(self._cloud.actions), None)
            case Round.CLOCK:
                self._clock.advance(self._chance.choice(SHIFTS))
                self._well_since = self._clock()

    def _fault(self, kind: FaultKind, action: str, times: int | None) -> None:
        self._cloud.faults.add(Fault(kind=kind, match=action, times=times, body="?"))

    def _heal(self) -> None:
        self._cloud.faults.clear()
        self._well_since = self._clock()

    def _until_an_end(self, living: Sequence[Machine]) -> timedelta:
        """Until the time of one of the machines is up, or a little longer."""
        ends = [min(each.lease_ends_at, each.cap_ends_at) for each in living]
        ahead = [each - self._clock() for each in ends if each > self._clock()]
        late = timedelta(minutes=self._chance.choice((0, 1, 20)))
        return self._chance.choice((min(ahead), *ahead)) + late if ahead else late

    async def _pass(self, bot: BotHarness, time: timedelta) -> None:
        """Let time pass, and look whether all is so as it has to be then."""
        failing = any(not each.spent for each in self._cloud.faults)
        await minutes(bot, time / MINUTE)
        if failing:
            self._well_since = self._clock()
        await self._check(bot)

    async def _launch(self, bot: BotHarness) -> None:
        lasts = self._chance.choice(("20m", "1h", "4h"))
        await bot.say(self._chance.choice(("alice", "bob")), f"!{self._cloud.launch} --for {lasts}")

    async def _people(self, bot: BotHarness, *, wait: bool = True) -> None:
        """Somebody does something with a machine, or wants one."""
        known = [each.instance_id for each in await leases_of(bot).living()]
        if not known or self._chance.random() < 0.2:
            line = f"{self._cloud.launch} --for 1h"
        else:
            line = self._chance.choice(LINES).format(self._chance.choice(known))
        await bot.say(self._chance.choice(("alice", "bob")), f"!{line}", wait=wait)

    async def _check(self, bot: BotHarness) -> None:
        """Where the cloud worked for long enough, nothing lives whose time is up: neither by what is stored, nor by
        when the cloud was first seen to have it."""
        now = self._clock()
        self._latest = max(self._latest, now)
        living = await self._cloud.living()
        for name in living:
            bound = self._bounds.setdefault(name, self._latest + CAP)
            assert max(bound, self._well_since) + PATIENCE > now, name
        for machine in await leases_of(bot).living():
            assert machine.lease_ends_at <= machine.cap_ends_at
            over = max(machine.lease_ends_at, self._well_since) + PATIENCE
            assert over > now or machine.instance_id not in living, machine

    async def end(self, bot: BotHarness) -> None:
        """Let a time come at which nothing may live any more, however the clock was set."""
        self._heal()
        await minutes(bot, (max(self._latest, self._clock()) + CAP - self._clock()) / MINUTE + 1)
        for _ in range(3):
            await minutes(bot, PATIENCE / MINUTE)
        assert await self._cloud.living() == []
        assert await leases_of(bot).living() == ()
        assert list(await self._cloud.left()) == []


async def tell(cloud: StoryCloud, clock: FakeClock, folder: Path, seed: int) -> None:
    """A story from its beginning to a time at which nothing may live any more."""
    lives, rounds = (2, 2) if seed == USUAL else (3, 3)
    story = Story(cloud, clock, random.Random(seed))
    chat = MemoryChat()  # one for all lives: no platform gives an id of a message or event twice
    for _ in range(lives):
        async with cloud.bot(folder, clock, chat) as bot:
            await story.live(bot, rounds)
    async with cloud.bot(folder, clock, chat) as bot:
        await story.end(bot)
    assert story.ends_failed > 0, "no end failed"


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
