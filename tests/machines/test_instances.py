"""Launching and ending machines: planners and executors with unmodified boto3 against the simulated EC2."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from slipway.bot.clouds.aws.machines import AwsMachines
from slipway.bot.clouds.machine_model import InstanceState
from slipway.bot.clouds.simulated.aws.seed import fedora_machines
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.steps import Draft, Executor, StepDone, StepT
from slipway.bot.subjects.machines.ending.executor import TerminateExecutor
from slipway.bot.subjects.machines.ending.planner import TerminatePlanner
from slipway.bot.subjects.machines.launching.executor import LaunchExecutor
from slipway.bot.subjects.machines.launching.planner import LaunchPlanner
from slipway.bot.subjects.machines.leases.repository import Leases
from slipway.bot.subjects.machines.requests import Launch, Terminate
from slipway.bot.subjects.machines.settings import ProfileSettings
from slipway.bot.subjects.machines.steps import LaunchMachines, TerminateMachine
from slipway.bot.subjects.machines.tags import UNTIL, launch_tags, until_of
from tests.support.aws import aws_machines, boto3_client, call_in_thread, simulated_aws, unique_name
from tests.support.clock import HOUR, NOW, POLL_AT_ONCE
from tests.support.clouds import accounts
from tests.support.leases import NOBODY, leases_in, unlimited

pytestmark = pytest.mark.asyncio(loop_scope="module")

X64_IMAGE = "Fedora-Cloud-Base-AmazonEC2.x86_64-43-20261110.0"
ARM_IMAGE = "Fedora-Cloud-Base-AmazonEC2.aarch64-43-20261110.0"
ENDED_IMAGE = "Fedora-Cloud-Base-AmazonEC2.x86_64-41-20260414.0"
BROKEN_IMAGE = "Fedora-Cloud-Base-AmazonEC2.x86_64-40-20240501.0"
PROFILES = {
    "small": ProfileSettings(template="slipway-small", max_count=3, default_for=3 * HOUR, max_for=24 * HOUR),
    "arm": ProfileSettings(template="slipway-arm", default_for=48 * HOUR, max_for=24 * HOUR),
    "old": ProfileSettings(template="slipway-small", template_version=1),
    "typo": ProfileSettings(template="slipway-smal"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_aws() -> AsyncIterator[SimulatedAws]:
    seed = fedora_machines(NOW)
    broken = seed.images[0].model_copy(
        update={
            "id": "ami-0123456789abcdef0",
            "name": BROKEN_IMAGE,
            "architecture": "x86_64",
            "state": "failed",
        }
    )
    async with simulated_aws(seed.model_copy(update={"images": (*seed.images, broken)})) as simulated:
        yield simulated


@pytest_asyncio.fixture(loop_scope="module")
async def aws(shared_aws: SimulatedAws) -> AsyncIterator[SimulatedAws]:
    shared_aws.requests.clear()
    yield shared_aws
    shared_aws.faults.clear()


@pytest_asyncio.fixture(loop_scope="module")
async def ec2(aws: SimulatedAws) -> AsyncIterator[AwsMachines]:
    async with aws_machines(aws.url) as machines:
        yield machines


@pytest_asyncio.fixture(loop_scope="module")
async def leases(tmp_path: Path) -> AsyncIterator[Leases]:
    async with leases_in(tmp_path) as stored:
        yield stored


def terminations(ec2: AwsMachines, leases: Leases) -> TerminatePlanner:
    return TerminatePlanner(accounts(ec2), leases, NOBODY)


async def ending(ec2: AwsMachines, leases: Leases, now: datetime = NOW) -> TerminateExecutor:
    ours = await ec2.instances()
    deployment = ours[0].tags["slipway"] if ours else "slipway"
    return TerminateExecutor(accounts(ec2), leases, deployment, lambda: now, POLL_AT_ONCE)


async def plan(ec2: AwsMachines, image: str = X64_IMAGE, now: datetime = NOW, **asked: Any) -> Draft[Launch]:
    request = Launch(image=image, requester="alice", **asked)
    return await LaunchPlanner(accounts(ec2), PROFILES).plan(request, now)


async def again(ec2: AwsMachines, draft: Draft[Launch], now: datetime) -> Draft[Launch]:
    return await LaunchPlanner(accounts(ec2), PROFILES).plan(draft.request, now)


async def refused(ec2: AwsMachines, image: str = X64_IMAGE, **asked: Any) -> UserError:
    with pytest.raises(UserError) as caught:
        await plan(ec2, image, **asked)
    return caught.value


async def launched(ec2: AwsMachines, leases: Leases, count: int = 1, **asked: Any) -> tuple[str, ...]:
    """The ids of machines that were planned and launched."""
    draft = await plan(ec2, count=count, **asked)
    done = await carry_out(
        LaunchExecutor(accounts(ec2), unlimited(leases), lambda: NOW, POLL_AT_ONCE),
        step_of(draft),
        unique_name("token"),
    )
    ids = done.facts["instances"]
    assert isinstance(ids, list)
    return tuple(str(each) for each in ids)


def step_of(draft: Draft[Launch]) -> LaunchMachines:
    (step,) = draft.steps
    assert isinstance(step, LaunchMachines)
    return step


async def carry_out(executor: Executor[StepT], step: StepT, token: str) -> StepDone:
    done = await executor.observe(step, token)
    if done is None:
        await executor.act(step, token)
        done = await executor.verify(step, token)
    return done


def launches(aws: SimulatedAws) -> int:
    return sum(entry.label == "RunInstances" for entry in aws.requests)


class TestPlanningALaunch:
    async def test_everything_is_resolved_and_shown(self, ec2: AwsMachines) -> None:
        draft = await plan(ec2, count=2)
        step = step_of(draft)
        assert (step.template_name, step.template_version, step.count) == ("slipway-small", 2, 2)
        assert step.title == f"launch 2 machines from {X64_IMAGE} with slipway-small v2"
        assert step.reason == "it was asked for until 2026-11-20 15:00 UTC"
        assert step.tags == {
            "Name": "alice-small",
            "slipway:owner": "alice",
            "slipway:until": "2026-11-20T15:00:00Z",
            "slipway:profile": "small",
            "slipway:image": step.image_id,
        }
        assert {"Machine type": "t3.small", "Architecture": "x86_64", "Lease": "3h"}.items() <= dict(
            draft.evidence
        ).items()
        assert draft.warnings == (
            "No key of alice is put in: only whom the template lets in can log in. `!sshkey add` adds one.",
        )

    async def test_planned_again_it_is_the_same_later_and_after_the_default_moved(
        self, aws: SimulatedAws, ec2: AwsMachines
    ) -> None:
        first = await plan(ec2)
        client = boto3_client(aws.url)
        move = {"LaunchTemplateName": "slipway-small"}
        await call_in_thread(client, "modify_launch_template", **move, DefaultVersion="1")
        try:
            later = await again(ec2, first, NOW + HOUR)
        finally:
            await call_in_thread(client, "modify_launch_template", **move, DefaultVersion="2")
        assert (later.request, later.steps, later.observed) == (first.request, first.steps, first.observed)

    async def test_an_approval_that_comes_too_late_does_not_launch_for_the_last_minutes(
        self, ec2: AwsMachines
    ) -> None:
        first = await plan(ec2, seconds=7200)
        await again(ec2, first, NOW + HOUR)
        with pytest.raises(UserError, match="less than half of that time is left; ask for it again"):
            await again(ec2, first, NOW + HOUR + timedelta(seconds=1))

    async def test_the_architecture_chooses_a_profile_where_none_is_named(self, ec2: AwsMachines) -> None:
        draft = await plan(ec2, ARM_IMAGE)
        assert step_of(draft).template_name == "slipway-arm"
        assert step_of(draft).until == NOW + 24 * HOUR  # the default is cut to what is allowed

    async def test_an_unfit_profile_names_a_fitting_one(self, ec2: AwsMachines) -> None:
        error = await refused(ec2, ARM_IMAGE, profile="small")
        assert error.sentence == (
            f"{ARM_IMAGE} is for arm64, but profile small launches t3.small, which runs x86_64; use profile arm."
        )
        assert error.nearest == ("arm",)

    async def test_no_fitting_profile_is_said(self, ec2: AwsMachines) -> None:
        only_small = LaunchPlanner(accounts(ec2), {"small": PROFILES["small"]})
        with pytest.raises(UserError, match="no profile has machines for that; there is small"):
            await only_small.plan(Launch(image=ARM_IMAGE, requester="alice"), NOW)
        with pytest.raises(UserError, match="no profile fits"):
            await only_small.plan(Launch(image=ARM_IMAGE, requester="alice", profile="small"), NOW)
        with pytest.raises(UserError, match="No profile is configured"):
            await LaunchPlanner(accounts(ec2), {}).plan(Launch(image=ARM_IMAGE, requester="alice"), NOW)

    async def test_a_profile_pins_its_own_template_version(self, ec2: AwsMachines) -> None:
        assert step_of(await plan(ec2, profile="old")).template_version == 1

    async def test_an_unknown_profile_names_the_nearest(self, ec2: AwsMachines) -> None:
        error = await refused(ec2, profile="smal")
        assert error.nearest[0] == "small"

    async def test_a_profile_whose_template_is_missing_is_the_operators_move(self, ec2: AwsMachines) -> None:
        error = await refused(ec2, profile="typo")
        assert "can correct [profiles.typo]" in error.sentence

    @pytest.mark.parametrize(
        ("asked", "sentence"),
        [
            ({"count": 51}, "A launch makes 1 to 50 machines, not 51."),
            ({"count": 0}, "A launch makes 1 to 50 machines, not 0."),
            ({"seconds": 700000}, "Machines of profile small live for at most 7d, not 8d2h26m40s."),
            ({"seconds": 0}, "A machine cannot live for 0s."),
        ],
    )
    async def test_limits_are_kept(self, ec2: AwsMachines, asked: dict[str, Any], sentence: str) -> None:
        assert (await refused(ec2, **asked)).sentence == sentence

    @pytest.mark.parametrize("wanted", [X64_IMAGE, X64_IMAGE.lower(), X64_IMAGE[:-2], "*x86_64-43-20261110*"])
    async def test_an_image_is_found_by_name_beginning_and_pattern(
        self, ec2: AwsMachines, wanted: str
    ) -> None:
        assert step_of(await plan(ec2, wanted)).image_name == X64_IMAGE

    async def test_an_image_is_found_by_id(self, ec2: AwsMachines) -> None:
        image_id = step_of(await plan(ec2)).image_id
        assert step_of(await plan(ec2, image_id)).image_name == X64_IMAGE

    async def test_an_ambiguous_name_lists_the_newest(self, ec2: AwsMachines) -> None:
        error = await refused(ec2, "Fedora-Cloud-Base-AmazonEC2.x86_64-43")
        assert error.sentence.startswith("Fedora-Cloud-Base-AmazonEC2.x86_64-43 could be any of 3 images")
        assert error.nearest[0] == "Fedora-Cloud-Base-AmazonEC2.x86_64-43-20261117.0"

    async def test_an_unknown_image_names_the_nearest(self, ec2: AwsMachines) -> None:
        error = await refused(ec2, "Fedora-Cloud-Base-AmazonEC2.x86_64-43-20261111.0")
        assert X64_IMAGE in error.nearest
        gone = await refused(ec2, "ami-00000000000000000")
        assert "There is no image ami-00000000000000000" in gone.sentence

    async def test_an_image_that_is_not_available_is_not_launched(self, ec2: AwsMachines) -> None:
        assert "is failed, so it cannot be launched" in (await refused(ec2, BROKEN_IMAGE)).sentence

    async def test_a_deprecated_image_is_launched_with_a_warning(self, ec2: AwsMachines) -> None:
        assert (
            (await plan(ec2, ENDED_IMAGE)).warnings[0].startswith(f"{ENDED_IMAGE} is deprecated since 2026-")
        )


class TestLaunching:
    async def test_machines_come_up_once_for_a_token(
        self, aws: SimulatedAws, ec2: AwsMachines, leases: Leases
    ) -> None:
        step, token = step_of(await plan(ec2, count=2)), unique_name("token")
        done = await carry_out(
            LaunchExecutor(accounts(ec2), unlimited(leases), lambda: NOW, POLL_AT_ONCE), step, token
        )
        second = await carry_out(
            LaunchExecutor(accounts(ec2), unlimited(leases), lambda: NOW, POLL_AT_ONCE), step, token
        )
        assert (done.already, second.already) == (False, True)
        assert second.facts == done.facts
        assert launches(aws) == 1
        found = await ec2.instances()
        assert [machine.id for machine in found] == done.facts["instances"]
        assert [machine.address for machine in found] == done.facts["addresses"]
        assert all(until_of(machine) == NOW + 3 * HOUR for machine in found)

    async def test_acting_again_with_the_same_token_launches_no_more(
        self, ec2: AwsMachines, leases: Leases
    ) -> None:
        step, token = step_of(await plan(ec2)), unique_name("token")
        executor = LaunchExecutor(accounts(ec2), unlimited(leases), lambda: NOW, POLL_AT_ONCE)
        await executor.act(step, token)
        await executor.act(step_of(await again(ec2, await plan(ec2), NOW)), token)
        assert len((await executor.verify(step, token)).facts["instances"]) == 1  # type: ignore[arg-type]

    async def test_a_machine_that_went_again_is_never_called_launched(
        self, ec2: AwsMachines, leases: Leases
    ) -> None:
        step, token = step_of(await plan(ec2, count=2)), unique_name("token")
        executor = LaunchExecutor(accounts(ec2), unlimited(leases), lambda: NOW, POLL_AT_ONCE)
        await executor.act(step, token)
        await ec2.terminate((await ec2.instances())[0].id)
        for look in (executor.verify, executor.observe):
            with pytest.raises(CloudError, match="2 to launch: 1 there, 1 gone again") as caught:
                await look(step, token)
            assert caught.value.kind is CloudErrorKind.UNVERIFIED

    async def test_machines_that_cannot_be_seen_are_never_called_launched(
        self, ec2: AwsMachines, leases: Leases
    ) -> None:
        with pytest.raises(CloudError, match="1 to launch: 0 there"):
            await LaunchExecutor(accounts(ec2), unlimited(leases), lambda: NOW, POLL_AT_ONCE).verify(
                step_of(await plan(ec2)), unique_name("token")
            )

    async def test_a_launch_that_goes_on_after_its_time_launches_nothing(
        self, aws: SimulatedAws, ec2: AwsMachines, leases: Leases
    ) -> None:
        step = step_of(await plan(ec2))
        executor = LaunchExecutor(accounts(ec2), unlimited(leases), lambda: step.until, POLL_AT_ONCE)
        with pytest.raises(CloudError, match="up already, so nothing was launched") as caught:
            await carry_out(executor, step, unique_name("token"))
        assert caught.value.kind is CloudErrorKind.CONFLICT
        assert launches(aws) == 0

    async def test_no_capacity_is_passed_on(
        self, aws: SimulatedAws, ec2: AwsMachines, leases: Leases
    ) -> None:
        step = step_of(await plan(ec2))
        aws.faults.add(
            Fault(kind=FaultKind.ERROR, match="RunInstances", code="InsufficientInstanceCapacity", times=None)
        )
        with pytest.raises(CloudError) as caught:
            await carry_out(
                LaunchExecutor(accounts(ec2), unlimited(leases), lambda: NOW, POLL_AT_ONCE),
                step,
                unique_name("token"),
            )
        assert caught.value.kind is CloudErrorKind.CAPACITY


class TestTerminating:
    async def test_named_machines_are_ended_one_by_one(self, ec2: AwsMachines, leases: Leases) -> None:
        first, second, kept = await launched(ec2, leases, 3)
        request = Terminate(instance_ids=(second, first, first), requester="alice")
        draft = await terminations(ec2, leases).plan(request, NOW)
        assert [step.title for step in draft.steps] == sorted(
            f"terminate {each} of alice" for each in (first, second)
        )
        assert (draft.independent, draft.warnings) == (True, ())
        executor = await ending(ec2, leases, NOW)
        for step in draft.steps:
            assert isinstance(step, TerminateMachine)
            assert not (await carry_out(executor, step, unique_name("token"))).already
            assert (await carry_out(executor, step, unique_name("token"))).already
        assert [machine.id for machine in await ec2.instances()] == [kept]
        gone = await terminations(ec2, leases).plan(draft.request, NOW)
        assert (gone.steps, gone.summary) == ((), "Nothing to terminate: gone already.")

    async def test_that_a_machine_stops_meanwhile_changes_nothing(
        self, aws: SimulatedAws, ec2: AwsMachines, leases: Leases
    ) -> None:
        (machine,) = await launched(ec2, leases)
        first = await terminations(ec2, leases).plan(Terminate(instance_ids=(machine,)), NOW)
        await call_in_thread(boto3_client(aws.url), "stop_instances", InstanceIds=[machine])
        later = await terminations(ec2, leases).plan(first.request, NOW)
        assert (later.steps, later.observed) == (first.steps, first.observed)

    async def test_anothers_machine_is_said_to_be(self, ec2: AwsMachines, leases: Leases) -> None:
        (machine,) = await launched(ec2, leases)
        request = Terminate(instance_ids=(machine,), requester="bob")
        draft = await terminations(ec2, leases).plan(request, NOW)
        assert draft.warnings == (f"{machine} belongs to alice, not to bob.",)

    async def test_an_unknown_machine_names_the_nearest(self, ec2: AwsMachines, leases: Leases) -> None:
        (machine,) = await launched(ec2, leases)
        for typo in (machine[:-1] + ("0" if machine[-1] != "0" else "1"), machine[:-1] + "x"):
            with pytest.raises(UserError) as caught:
                await terminations(ec2, leases).plan(Terminate(instance_ids=(typo,)), NOW)
            assert caught.value.nearest == (machine,)

    async def test_machines_of_others_are_left_alone(
        self, aws: SimulatedAws, ec2: AwsMachines, leases: Leases
    ) -> None:
        async with aws_machines(aws.url) as other:
            (foreign,) = await launched(other, leases)
        with pytest.raises(UserError, match="does not carry this Slipway's tag"):
            await terminations(ec2, leases).plan(Terminate(instance_ids=(foreign,)), NOW)

    async def test_no_machine_named_is_a_mistake(self, ec2: AwsMachines, leases: Leases) -> None:
        with pytest.raises(UserError, match="Say which machines"):
            await terminations(ec2, leases).plan(Terminate(), NOW)

    async def test_overdue_machines_are_found_and_one_that_got_more_time_is_spared(
        self, ec2: AwsMachines, leases: Leases
    ) -> None:
        (short,) = await launched(ec2, leases, seconds=3600)
        (long,) = await launched(ec2, leases)
        planner, request = terminations(ec2, leases), Terminate(overdue=True)
        assert (await planner.plan(request, NOW)).steps == ()
        draft = await planner.plan(request, NOW + HOUR)
        assert draft.request.instance_ids == (short,)
        assert draft.steps[0].reason == "its time was up at 2026-11-20 13:00 UTC"
        pinned = await planner.plan(draft.request, NOW + 4 * HOUR)  # the other one's time is up by then
        assert pinned.steps == draft.steps
        known = await leases.machine("aws", short)
        assert known is not None
        await leases.change(known, lease_ends_at=NOW + 9 * HOUR)
        assert (await planner.plan(draft.request, NOW + 4 * HOUR)).steps == ()
        step = draft.steps[0]
        assert isinstance(step, TerminateMachine)
        with pytest.raises(CloudError, match="was given more time") as caught:
            await carry_out(await ending(ec2, leases, NOW + HOUR), step, unique_name("token"))
        assert caught.value.kind is CloudErrorKind.CONFLICT
        assert {machine.id for machine in await ec2.instances()} == {short, long}

    async def test_a_machine_that_changed_its_owner_is_left_alone(
        self, ec2: AwsMachines, leases: Leases
    ) -> None:
        (machine,) = await launched(ec2, leases)
        step = TerminateMachine(instance_id=machine, owner="bob")
        with pytest.raises(CloudError, match="changed its owner"):
            await carry_out(await ending(ec2, leases, NOW), step, unique_name("token"))

    async def test_a_machine_that_ec2_forgot_is_gone(self, ec2: AwsMachines, leases: Leases) -> None:
        step = TerminateMachine(instance_id="i-0123456789abcdef0", owner="alice")
        executor = await ending(ec2, leases, NOW)
        assert (await carry_out(executor, step, unique_name("token"))).already
        await executor.act(step, unique_name("token"))

    async def test_an_end_that_cannot_be_seen_is_never_called_done(
        self, aws: SimulatedAws, ec2: AwsMachines, leases: Leases
    ) -> None:
        (machine,) = await launched(ec2, leases)
        aws.faults.add(Fault(kind=FaultKind.NOT_DONE, match="TerminateInstances", times=None))
        step = TerminateMachine(instance_id=machine, owner="alice")
        with pytest.raises(CloudError, match=f"{machine} is still running") as caught:
            await carry_out(await ending(ec2, leases, NOW), step, unique_name("token"))
        assert caught.value.kind is CloudErrorKind.UNVERIFIED


async def test_a_time_that_nobody_can_read_is_never_up(ec2: AwsMachines, leases: Leases) -> None:
    (machine_id,) = await launched(ec2, leases)
    machine = await ec2.instance(machine_id)
    assert machine.state is InstanceState.RUNNING
    for text in ("", "tomorrow", "2026-11-20", "2026-11-20T15:00:00"):
        assert until_of(replace(machine, tags={UNTIL: text})) is None


async def test_tags_stay_within_what_ec2_takes() -> None:
    tags = launch_tags(owner="a" * 200, profile="p" * 300, image_id="ami-1", until=NOW)
    assert all(len(value) <= 256 for value in tags.values())
