"""`!test` in the room: on the simulated EC2, whose images are in no gallery here, and on Azure, whose are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from slipway.bot.chat.model import Tone
from slipway.bot.clouds.ports.image_evidence import EvidenceKind, Outcome
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.consoles import host_key
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.core.waiting import Sleep
from slipway.bot.operations.model import OperationState
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.services import ImageServices
from slipway.bot.subjects.machines.services import MachineServices
from slipway.bot.subjects.machines.testing.judging import CloudInit, LoggedIn, Login, LoginRefused
from slipway.bot.subjects.machines.testing.login import OpenSsh
from slipway.bot.subjects.machines.testing.watching import PAUSE
from tests.machines.leases.test_story import QUICK_AZURE
from tests.machines.testing.test_login import needs_ssh, private_key
from tests.support.aws import IMAGE, unique_name
from tests.support.azure import ARM, CANDIDATE, X64
from tests.support.clock import FakeClock
from tests.support.harness import BotHarness, newest_operation, newest_state, running_bot
from tests.support.leases import leases_of, minutes
from tests.support.memory_chat import MemoryChat
from tests.support.pauses import no_pauses

pytestmark = pytest.mark.asyncio(loop_scope="module")

MAY = {"roles": {"releng": {"may": ["read", "test", "terminate", "evidence"]}}}


def looking(after: dict[int, Callable[[], Awaitable[None]]]) -> Sleep:
    """Time that passes at once; after so many pauses between looks at a machine, something happens."""
    pauses = 0

    async def sleep(seconds: float) -> None:
        nonlocal pauses
        if seconds == PAUSE.total_seconds():
            pauses += 1
            if pauses in after:
                await after[pauses]()
        await no_pauses(seconds)

    return sleep


@pytest_asyncio.fixture(loop_scope="module")
async def well(aws: SimulatedAws) -> AsyncIterator[SimulatedAws]:
    """The simulated EC2, whose machines are well again at the end."""
    yield aws
    aws.healths.clear()


def on_ec2(folder: Path, aws: SimulatedAws, *, sleep: Sleep = no_pauses, **testing: Any) -> Any:
    """A bot whose deployment no other test uses."""
    changes = {"name": unique_name("slipway"), "testing": {"profiles": ["arm", "small"], **testing}, **MAY}
    return running_bot(folder, aws=aws, changes=changes, sleep=sleep)


async def alive(aws: SimulatedAws, bot: BotHarness) -> list[str]:
    """The machines of a bot that are not gone."""
    name = bot.running.services.get(MachineServices).deployment
    found = (await aws.state())["instances"]
    return [
        each["id"] for each in found if each["tags"].get("slipway") == name and each["state"] == "running"
    ]


async def test_a_machine_is_launched_looked_at_until_it_came_up_and_ended(
    tmp_path: Path, well: SimulatedAws
) -> None:
    well.healths["*"] = "initializing"

    async def recover() -> None:
        well.healths.clear()

    async with on_ec2(tmp_path, well, sleep=looking({3: recover})) as bot:
        launches = well.requests.copy()
        card, report = await bot.say("alice", f"!test {IMAGE}")
        assert card.card.tone is Tone.DONE
        assert f"{IMAGE} came up in a boot test, whose machine is ended." in card.text
        assert "EC2's own checks passed" in report.text
        fresh = [each.label for each in well.requests if each not in launches]
        assert fresh.count("RunInstances") == 1
        assert fresh.count("DescribeInstanceStatus") == 4
        assert await alive(well, bot) == []
        assert await leases_of(bot).living() == ()
        assert await minutes(bot, 30) == []  # nobody is told of a machine that nobody asked for


async def test_checks_that_go_on_failing_are_a_failed_test_and_its_machine_is_ended(
    tmp_path: Path, well: SimulatedAws
) -> None:
    well.healths["*"] = "impaired"
    async with on_ec2(tmp_path, well) as bot:
        card, report = await bot.say("alice", f"!test {IMAGE}")
        assert card.card.tone is Tone.FAILED
        assert f"{IMAGE} did not come up: EC2's own checks of it fail." in report.text
        assert "instance status check: reachability failed" in report.text
        assert await alive(well, bot) == []


async def test_checks_that_fail_for_a_while_are_waited_for(tmp_path: Path, well: SimulatedAws) -> None:
    well.healths["*"] = "impaired"

    async def recover() -> None:
        well.healths.clear()

    async with on_ec2(tmp_path, well, sleep=looking({5: recover})) as bot:
        card, _ = await bot.say("alice", f"!test {IMAGE}")
        assert card.card.tone is Tone.DONE


async def test_what_the_cloud_does_not_say_within_the_limit_is_no_result(
    tmp_path: Path, well: SimulatedAws
) -> None:
    well.healths["*"] = "initializing"
    async with on_ec2(tmp_path, well, limit="2m") as bot:
        card, report = await bot.say("alice", f"!test {IMAGE}")
        assert card.card.tone is Tone.FAILED
        assert "There is no result" in report.text
        assert "EC2 did not say within 2m whether it came up." in report.text
        assert await alive(well, bot) == []


async def test_nothing_is_left_where_it_could_not_be_launched(tmp_path: Path, well: SimulatedAws) -> None:
    async with on_ec2(tmp_path, well) as bot:
        well.faults.add(Fault(kind=FaultKind.REFUSE, match="RunInstances", times=9))
        card, report = await bot.say("alice", f"!test {IMAGE}")
        assert card.card.tone is Tone.FAILED
        assert "There is no machine to look at, so there is no result." in report.text
        assert "No machine of this test is left." in report.text
        assert (await leases_of(bot).usage()).places == ()


async def test_a_machine_whose_test_was_cancelled_is_ended_by_the_watch_within_a_minute(
    tmp_path: Path, well: SimulatedAws
) -> None:
    well.healths["*"] = "initializing"
    looked, go_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        looked.set()
        await go_on.wait()
        well.healths.clear()

    async with on_ec2(tmp_path, well, sleep=looking({2: hold})) as bot:
        await bot.say("alice", f"!test {IMAGE}", wait=False)
        await looked.wait()
        await bot.say("alice", f"!cancel {(await newest_operation(bot)).id}", wait=False)
        for _ in range(2000):
            if (await newest_operation(bot)).cancelled_by is not None:
                break
            await asyncio.sleep(0.01)
        go_on.set()
        await bot.running.idle()
        assert await newest_state(bot) is OperationState.CANCELLED
        (left,) = await alive(well, bot)
        *_, ended = await minutes(bot)
        assert f"{left} of alice is terminated." in ended.text
        assert await alive(well, bot) == []
        assert await leases_of(bot).living() == ()


@pytest.mark.parametrize(
    ("login", "tone", "told"),
    [
        (LoggedIn(CloudInit.DONE, "status: done"), Tone.DONE, "SSH answers, cloud-init is done"),
        (LoginRefused("Permission denied (publickey)."), Tone.FAILED, "nobody can log in with the key"),
    ],
)
@needs_ssh
async def test_with_a_key_the_bot_logs_in_and_asks_cloud_init(
    tmp_path: Path, well: SimulatedAws, monkeypatch: pytest.MonkeyPatch, login: Login, tone: Tone, told: str
) -> None:
    asked: set[tuple[str, str]] = set()

    async def attempt(_self: OpenSsh, address: str, user: str) -> Login:
        asked.add((address, user))
        return login

    monkeypatch.setattr(OpenSsh, "attempt", attempt)
    key = private_key(tmp_path)
    async with on_ec2(tmp_path, well, ssh_key=str(key), limit="2m") as bot:
        card, report = await bot.say("alice", f"!test {IMAGE}")
        assert card.card.tone is tone
        assert told in report.text
        ((address, user),) = asked
        assert user == "fedora"
        assert address in report.text
        *_, form = [each for each in well.forms if each["Action"] == "RunInstances"]
        assert form["UserData"]
        assert await alive(well, bot) == []


@pytest.mark.parametrize(
    ("shown", "tone", "told"),
    [
        ("own", Tone.DONE, "its host key is the one on its console"),
        ("another's", Tone.FAILED, "is not among those on its console: it is another machine"),
        ("none", Tone.DONE, "its host key could not be verified"),
    ],
)
@needs_ssh
async def test_what_lets_the_bot_in_is_held_against_the_keys_on_the_machines_console(
    tmp_path: Path, well: SimulatedAws, monkeypatch: pytest.MonkeyPatch, shown: str, tone: Tone, told: str
) -> None:
    bots: list[BotHarness] = []

    async def attempt(_self: OpenSsh, _address: str, _user: str) -> Login:
        (machine,) = await alive(well, bots[0])
        keys = {"own": host_key(machine, "ED25519"), "another's": host_key("i-other", "ED25519"), "none": ""}
        return LoggedIn(CloudInit.DONE, "status: done", keys[shown])

    monkeypatch.setattr(OpenSsh, "attempt", attempt)
    async with on_ec2(tmp_path, well, ssh_key=str(private_key(tmp_path)), limit="3m") as bot:
        bots.append(bot)
        card, report = await bot.say("alice", f"!test {IMAGE}")
        assert card.card.tone is tone
        assert told in report.text
        assert await alive(well, bot) == []


async def test_without_a_profile_to_test_by_it_is_said_who_can_name_one(
    tmp_path: Path, well: SimulatedAws
) -> None:
    async with on_ec2(tmp_path, well, profiles=[]) as bot:
        (answer,) = await bot.say("alice", f"!test {IMAGE}")
        assert "whoever runs Slipway can name some in [testing]" in answer.text
    async with on_ec2(tmp_path / "other", well, profiles=["tiny"]) as bot:
        (answer,) = await bot.say("alice", f"!test {IMAGE}")
        assert "testing.profiles names tiny, and there is no such profile" in answer.text


class Azure:
    """A simulated Azure, and bots that test its images."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.simulated = SimulatedAzure(fedora_gallery(self.clock()), clock=self.clock, polls=0)
        self.chat = MemoryChat()

    def bot(self, folder: Path, *, sleep: Sleep = no_pauses, **testing: Any) -> Any:
        """A bot on it."""
        machine = {
            "size": "Standard_B2s",
            "subnet": "machines-{region}/default",
            "security_group": "ssh-{region}",
        }
        changes = {
            "azure": {"machines_group": "slipway-machines", "regions": ["eastus"]},
            "profiles": {"cloudy": {"cloud": "azure", "machine": machine}},
            "testing": {"profiles": ["cloudy"], **testing},
            **MAY,
        }
        return running_bot(
            folder,
            azure=self.simulated,
            declarations=QUICK_AZURE,
            changes=changes,
            clock=self.clock,
            chat=self.chat,
            sleep=sleep,
        )

    @property
    def machines(self) -> list[str]:
        """Those that are there."""
        return [each.name for each in self.simulated.machines.machines.values()]


@pytest_asyncio.fixture(loop_scope="module")
async def azure() -> AsyncIterator[Azure]:
    found = Azure()
    await found.simulated.start()
    yield found
    await found.simulated.stop()


async def outcome(bot: BotHarness, definition: str, version: str) -> list[tuple[Outcome, str]]:
    """What is recorded of boot tests of a version."""
    store = bot.running.services.get(ImageServices).evidence.store
    found = await store.of([Pin(definition=definition, version=version)])
    return [
        (each.outcome, each.source)
        for several in found.values()
        for each in several
        if each.kind is EvidenceKind.BOOT
    ]


async def test_the_result_of_a_candidate_is_recorded_once_and_shown_with_the_image(
    tmp_path: Path, azure: Azure
) -> None:
    async with azure.bot(tmp_path) as bot:
        card, _ = await bot.say("alice", f"!test {X64}")
        assert card.card.tone is Tone.DONE
        assert f"{X64}/{CANDIDATE}" in card.text
        assert await outcome(bot, X64, CANDIDATE) == [(Outcome.PASSED, "service:boot-test")]
        (again,) = await bot.say("alice", f"!test {X64} --dry-run")
        assert "Boot test passed, by Slipway's boot test" in again.text
        assert azure.machines == []


async def test_a_slip_in_a_definitions_name_offers_those_that_are_near(tmp_path: Path, azure: Azure) -> None:
    async with azure.bot(tmp_path) as bot:
        (answer,) = await bot.say("alice", f"!test {X64.replace('Cloud', 'Clod')}/{CANDIDATE}")
        assert f"`!test {X64}/{CANDIDATE}`" in answer.text


async def test_an_image_whose_agent_never_reports_has_no_result_and_so_nothing_is_recorded(
    tmp_path: Path, azure: Azure
) -> None:
    azure.simulated.machines.silent = True
    async with azure.bot(tmp_path) as bot:
        card, report = await bot.say("alice", f"!test {X64}/{CANDIDATE}")
        assert card.card.tone is Tone.FAILED
        assert "did not say within 20m whether it came up" in report.text
        assert await outcome(bot, X64, CANDIDATE) == []
        assert azure.machines == []


async def test_what_is_due_is_every_newest_candidate_without_a_result_and_no_more_than_so_many_at_once(
    tmp_path: Path, azure: Azure
) -> None:
    async with azure.bot(tmp_path, at_once=1) as bot:
        (plan,) = await bot.say("alice", "!test --due --dry-run")
        assert "4 more candidates wait for the next time." in plan.text
        tested = []
        for _ in range(3):
            card, *_ = await bot.say("alice", "!test --due")
            assert card.card.tone is Tone.DONE
            tested.append(card.card.text.split()[0])
        assert len(set(tested)) == 3
        assert f"{X64}/{CANDIDATE}" in tested
        (nothing,) = await bot.say("alice", "!test --due")
        assert "No candidate lacks a boot test that can be made." in nothing.text
        assert f"Left out: {ARM} is for Arm64" in nothing.text  # cloudy runs x64
        assert azure.machines == []


async def test_a_definition_without_a_candidate_and_a_version_that_there_is_not_are_said_in_a_sentence(
    tmp_path: Path, azure: Azure
) -> None:
    async with azure.bot(tmp_path) as bot:
        (answer,) = await bot.say("alice", f"!test {X64}/43.20990101.0")
        assert f"{X64} has no version 43.20990101.0." in answer.text
        (answer,) = await bot.say("alice", "!test Fedora-Cloud-43-x46")
        assert "There is no image Fedora-Cloud-43-x46" in answer.text
        (answer,) = await bot.say("alice", "!test")
        assert "Name one image, or say `--due`." in answer.text
        (answer,) = await bot.say("carol", f"!test {X64}")
        assert "You need the right `test`" in answer.text
