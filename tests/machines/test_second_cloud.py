"""A cloud of machines that only a declaration tells of, whose ids do not look like EC2's."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.slack.rendering.modals import home_view
from slipway.bot.clouds.capabilities import Adapter, Capability, Port
from slipway.bot.clouds.declaration import CloudContext, CloudDeclaration
from slipway.bot.clouds.machine_model import Instance, InstanceState
from slipway.bot.clouds.ports.machines import MACHINES, NotConfiguredMachines
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.probes import Finding
from slipway.bot.core.settings import Settings
from slipway.bot.operations.model import OperationState
from slipway.bot.subjects.machines.ending.planner import TerminatePlanner
from slipway.bot.subjects.machines.leases.model import Machine
from slipway.bot.subjects.machines.requests import Terminate
from slipway.bot.subjects.machines.services import MachineServices
from slipway.bot.subjects.machines.steps import TerminateMachine
from slipway.bot.subjects.machines.tags import write_until
from slipway.commands.dispatch.home import home
from tests.slack.simulator.block_kit.blocks import Surface, check_view
from tests.support.aws import IMAGE, simulated_aws, unique_name
from tests.support.clock import NOW
from tests.support.configuration import declared_with
from tests.support.harness import BotHarness, newest_state, running_bot
from tests.support.leases import minutes, state_of
from tests.support.pauses import no_pauses


class RackSettings(Settings):
    """``[rack]``: machines in a room."""

    machines: tuple[str, ...]


class RackMachines(NotConfiguredMachines):
    """Machines with ids such as ``vm-12``: they can be listed, shown and terminated, and not launched."""

    def __init__(self, settings: RackSettings, context: CloudContext) -> None:
        super().__init__(context.name)
        self._tag = context.deployment
        self.held = {each: self._machine(each) for each in settings.machines}

    @property
    def region(self) -> str:
        return "the cellar"

    @property
    def regions(self) -> tuple[str, ...]:
        return (self.region,)

    def could_be_instance_id(self, text: str) -> bool:
        return re.fullmatch(r"vm-\d+", text) is not None

    async def instances(self) -> tuple[Instance, ...]:
        return tuple(each for each in self.held.values() if not each.state.gone)

    async def instances_named(self, ids: Sequence[str]) -> tuple[Instance, ...]:
        return tuple(each for each in self.held.values() if each.id in ids and not each.state.gone)

    async def instance(self, instance_id: str) -> Instance:
        if instance_id not in self.held:
            raise CloudError(CloudErrorKind.NOT_FOUND, cloud=self.title, sentence="There is no such machine.")
        return self.held[instance_id]

    async def terminate(self, instance_id: str) -> None:
        self.held[instance_id] = replace(self.held[instance_id], state=InstanceState.TERMINATED)

    def _machine(self, instance_id: str) -> Instance:
        tags = {"slipway": self._tag, "slipway:owner": "alice"}
        return Instance(
            instance_id, "img", "big", InstanceState.RUNNING, self.region, NOW, tags=tags, cloud=self.title
        )


def _open(settings: RackSettings, context: CloudContext) -> Mapping[Capability[Any], Port]:
    return {MACHINES: RackMachines(settings, context)}


async def _probe(_settings: RackSettings, adapter: Adapter) -> Finding:
    return Finding(adapter.name, f"{len(await adapter.port(MACHINES).instances())} machines")


RACK = CloudDeclaration(
    name="rack",
    settings=RackSettings,
    provides=(MACHINES,),
    open=_open,
    describe=lambda settings: f"{len(settings.machines)} machines",
    label=lambda _settings: "rack",
    probe=_probe,
)
DECLARED = declared_with(clouds=(RACK,))


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def aws() -> AsyncIterator[SimulatedAws]:
    async with simulated_aws() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def bot(tmp_path: Path, aws: SimulatedAws) -> AsyncIterator[BotHarness]:
    """The bot on EC2, where no other has machines of its name, and on two racks, which have one id in common."""
    changes = {
        "name": unique_name("slipway"),
        "rack": {"machines": ["vm-11", "vm-12"], "spare": {"machines": ["vm-12", "vm-13"]}},
    }
    async with running_bot(
        tmp_path, aws=aws, changes=changes, declarations=DECLARED, sleep=no_pauses
    ) as running:
        await minutes(running, 0)  # it is told once that nothing is stored of what stands in the racks
        yield running


def rack(bot: BotHarness, name: str) -> RackMachines:
    found = bot.running.services.clouds.get(MACHINES, name)
    assert isinstance(found, RackMachines)
    return found


async def test_machines_of_every_cloud_are_terminated_by_the_ids_that_their_cloud_gives_them(
    bot: BotHarness,
) -> None:
    *_, launched = await bot.say("alice", f"!launch {IMAGE} --for 2h")
    machine = re.search(r"i-[0-9a-f]{17}", launched.text)
    assert machine is not None
    *_, report = await bot.say("alice", f"!terminate vm-13, {machine[0].upper()}")
    assert await newest_state(bot) is OperationState.DONE
    assert "2 machines are terminated." in report.text
    assert rack(bot, "rack.spare").held["vm-13"].state.gone
    assert all(not each.state.gone for each in rack(bot, "rack").held.values())
    (left,) = await bot.say("alice", "!instances")
    assert "3 machines" in left.text
    values = left.card.tables[0].values
    assert [(row["id"], row["state"], row["until"]) for row in values] == [
        (machine, "running", None) for machine in ("vm-11", "vm-12", "vm-12")
    ]
    (again,) = await bot.say("alice", "!terminate VM-13")
    assert "Nothing to terminate: gone already." in again.text


@pytest.mark.parametrize("typed", ["i-nothex", "i-0f1e2d3c4", "web-1", "vm-", "vm-1x"])
async def test_what_is_an_id_in_no_cloud_is_said_with_the_usage(bot: BotHarness, typed: str) -> None:
    (answer,) = await bot.say("alice", f"!terminate vm-13 {typed}")
    assert f"`INSTANCE`: “{typed}” is not the id of an instance" in answer.text
    assert "Usage: `!terminate [INSTANCE…]" in answer.text
    assert "For example: `!terminate i-" in answer.text
    assert not rack(bot, "rack.spare").held["vm-13"].state.gone


async def test_an_id_that_a_cloud_could_give_and_no_account_has_names_the_nearest(bot: BotHarness) -> None:
    (answer,) = await bot.say("alice", "!terminate vm-14")
    assert "There is no machine vm-14 in" in answer.text
    assert "Did you mean `!terminate vm-11`, `!terminate vm-12` or `!terminate vm-13`?" in answer.text


async def test_an_id_of_two_accounts_is_not_guessed(bot: BotHarness) -> None:
    (answer,) = await bot.say("alice", "!terminate vm-12")
    assert "vm-12 is a machine in rack and rack.spare, so it is not clear which is meant." in answer.text
    for name in ("rack", "rack.spare"):
        assert not rack(bot, name).held["vm-12"].state.gone


async def test_machines_of_one_id_in_two_accounts_are_both_ended_when_their_time_is_up(
    bot: BotHarness,
) -> None:
    for name in ("rack", "rack.spare"):
        held = rack(bot, name).held
        tags = {"slipway:until": write_until(NOW - timedelta(hours=1))}
        held["vm-12"] = replace(held["vm-12"], tags={**held["vm-12"].tags, **tags})
    leases = bot.running.services.get(MachineServices).leases
    planner = TerminatePlanner(bot.running.services.clouds, leases, bot.running.services.people)
    draft = await planner.plan(Terminate(overdue=True), NOW)
    assert [step.cloud for step in draft.steps if isinstance(step, TerminateMachine)] == [
        "rack",
        "rack.spare",
    ]
    assert sorted(draft.observed) == ["machine rack.spare:vm-12", "machine rack:vm-12"]
    again = await planner.plan(draft.request, NOW)
    assert (again.steps, again.observed) == (draft.steps, draft.observed)


async def test_what_one_account_suffers_keeps_no_machine_of_another_one_from_its_end(
    bot: BotHarness, aws: SimulatedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rack cannot be listed, as where another of its regions does not answer; another rack not read at all."""
    *_, launched = await bot.say("alice", f"!launch {IMAGE} --for 2h")
    machine = re.search(r"i-[0-9a-f]{17}", launched.text)
    assert machine is not None
    *_, adopted = await bot.say("admin", "!instance adopt vm-11 --for 2h")
    assert "is known as alice's" in adopted.text

    async def broken(*_ids: object) -> tuple[Instance, ...]:
        raise CloudError(CloudErrorKind.BROKEN, cloud="rack", sentence="The rack does not answer.")

    monkeypatch.setattr(rack(bot, "rack"), "instances", broken)
    monkeypatch.setattr(rack(bot, "rack.spare"), "instances", broken)
    monkeypatch.setattr(rack(bot, "rack.spare"), "instances_named", broken)
    await minutes(bot, 120)
    assert rack(bot, "rack").held["vm-11"].state.gone
    assert await state_of(aws, machine[0]) == "terminated"
    (refused,) = await bot.say("alice", "!terminate vm-13")
    assert "The rack does not answer." in refused.text


async def test_where_no_cloud_of_machines_is_configured_that_is_said_whatever_the_id(tmp_path: Path) -> None:
    async with running_bot(tmp_path) as bot:
        (answer,) = await bot.say("alice", "!terminate vm-12")
        assert "This Slipway launches no machines" in answer.text


async def test_of_many_machines_one_s_own_page_has_those_that_end_first_and_says_how_many_more(
    tmp_path: Path, aws: SimulatedAws
) -> None:
    changes = {
        "name": unique_name("slipway"),
        "rack": {"machines": [f"vm-{number}" for number in range(10, 30)]},
    }
    async with running_bot(tmp_path, aws=aws, changes=changes, declarations=DECLARED) as bot:
        for number, machine in enumerate(("vm-12", "vm-11")):
            leases = bot.running.services.get(MachineServices).leases
            ends = NOW + timedelta(hours=number + 1)
            await leases.adopt(
                Machine(
                    cloud="rack",
                    instance_id=machine,
                    region="the cellar",
                    reservation_id=None,
                    owner="alice",
                    profile="",
                    launched_at=NOW,
                    lease_ends_at=ends,
                    cap_ends_at=ends,
                )
            )
        cards = await home(bot.running.services, CONSOLE, "alice")
    titles = [card.title for card in cards if "vm-" in card.title or "machine" in card.title]
    assert titles[:3] == ["Your machines: 20", "vm-12 is running", "vm-11 is running"]
    assert titles[-1] == "12 more machines"
    assert len(titles) == 10
    assert check_view(home_view(cards), Surface.HOME) == []
    assert "12 more machines" in str(home_view(cards))
