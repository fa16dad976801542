"""Two accounts in one installation: launching by a profile's account, and looking in all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from slipway.bot.cli.doctor import conclusion
from slipway.bot.clouds.aws.machines import AwsMachines
from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.machine_model import MachineImage
from slipway.bot.clouds.ports.machines import Machines, NotConfiguredMachines
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.probes import Finding
from slipway.bot.subjects.machines.ending.executor import TerminateExecutor
from slipway.bot.subjects.machines.ending.planner import TerminatePlanner
from slipway.bot.subjects.machines.launching.executor import LaunchExecutor
from slipway.bot.subjects.machines.launching.images import find_image
from slipway.bot.subjects.machines.launching.planner import LaunchPlanner
from slipway.bot.subjects.machines.leases.model import Machine
from slipway.bot.subjects.machines.leases.repository import Leases
from slipway.bot.subjects.machines.listing import all_instances
from slipway.bot.subjects.machines.probe import missing_templates
from slipway.bot.subjects.machines.requests import Launch, LaunchPin, Terminate
from slipway.bot.subjects.machines.settings import ProfileSettings
from slipway.bot.subjects.machines.steps import LaunchMachines, TerminateMachine
from tests.support.aws import (
    IMAGE,
    aws_machines,
    aws_settings,
    boto3_client,
    call_in_thread,
    simulated_aws,
    unique_name,
)
from tests.support.clock import DAY, HOUR, NOW, POLL_AT_ONCE
from tests.support.clouds import accounts, cloud_context
from tests.support.leases import NOBODY, leases_in, unlimited

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROFILES = {
    "small": ProfileSettings(template="slipway-small"),
    "abroad": ProfileSettings(template="slipway-small", cloud="aws.eu"),
}


@dataclass
class Accounts:
    """Two accounts, told apart by their deployments in one simulated EC2."""

    here: AwsMachines
    abroad: AwsMachines
    aws: SimulatedAws

    @property
    def clouds(self) -> Clouds:
        return accounts(self.here, eu=self.abroad)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def aws() -> AsyncIterator[SimulatedAws]:
    async with simulated_aws() as simulated:
        yield simulated


@pytest_asyncio.fixture(loop_scope="module")
async def both(aws: SimulatedAws) -> AsyncIterator[Accounts]:
    here, abroad = (
        AwsMachines(aws_settings(aws.url), cloud_context(name, deployment=unique_name("deployment")))
        for name in ("aws", "aws.eu")
    )
    yield Accounts(here, abroad, aws)
    aws.faults.clear()
    await here.close()
    await abroad.close()


@pytest_asyncio.fixture(loop_scope="module")
async def leases(tmp_path: Path) -> AsyncIterator[Leases]:
    async with leases_in(tmp_path) as stored:
        yield stored


async def launch(clouds: Clouds, leases: Leases, profile: str) -> LaunchMachines:
    """Plan and carry out a launch; its step."""
    request = Launch(image=IMAGE, profile=profile, requester="alice")
    draft = await LaunchPlanner(clouds, PROFILES).plan(request, NOW)
    (step,) = draft.steps
    assert isinstance(step, LaunchMachines)
    executor, token = (
        LaunchExecutor(clouds, unlimited(leases), lambda: NOW, POLL_AT_ONCE),
        unique_name("token"),
    )
    await executor.act(step, token)
    await executor.verify(step, token)
    return step


async def test_a_profile_launches_in_its_own_account_and_all_accounts_are_listed(
    both: Accounts, leases: Leases
) -> None:
    assert (await launch(both.clouds, leases, "abroad")).cloud == "aws.eu"
    assert await both.here.instances() == ()
    assert (await launch(both.clouds, leases, "small")).cloud == "aws"
    assert [each.cloud for each in await all_instances(both.clouds)] == ["aws", "aws.eu"]


async def test_without_a_profile_the_account_of_the_first_one_that_has_the_image_launches(
    both: Accounts,
) -> None:
    request = Launch(image=IMAGE, requester="alice")
    draft = await LaunchPlanner(both.clouds, dict(reversed(PROFILES.items()))).plan(request, NOW)
    assert draft.request.pin is not None
    assert (draft.request.pin.profile, draft.request.pin.cloud) == ("abroad", "aws.eu")


async def test_an_account_that_cannot_be_read_keeps_nobody_from_an_image_whose_id_another_one_writes_so(
    both: Accounts,
) -> None:
    class Broken(NotConfiguredMachines):
        async def images(self) -> tuple[MachineImage, ...]:
            raise CloudError(CloudErrorKind.BROKEN, cloud="rack", sentence="The rack does not answer.")

    (image, *_) = await both.here.images()
    every: list[tuple[str, Machines]] = [("rack", Broken("rack")), ("aws", both.here)]
    assert (await find_image(every, image.id)).id == image.id
    with pytest.raises(CloudError, match="The rack does not answer"):
        await find_image(every, image.name)


async def test_a_profile_that_moved_to_another_account_makes_the_plan_stale(both: Accounts) -> None:
    request = Launch(image=IMAGE, profile="small", requester="alice")
    pinned = (await LaunchPlanner(both.clouds, PROFILES).plan(request, NOW)).request
    moved = {"small": PROFILES["small"].model_copy(update={"cloud": "aws.eu"})}
    with pytest.raises(UserError, match=r"Profile small launches in aws\.eu now"):
        await LaunchPlanner(both.clouds, moved).plan(pinned, NOW)


async def test_a_profile_of_an_account_that_is_not_there_is_said(both: Accounts) -> None:
    lost = {"lost": ProfileSettings(template="slipway-small", cloud="aws.lost")}
    with pytest.raises(UserError, match=r"slipway\.toml has no \[aws\.lost\] table"):
        await LaunchPlanner(both.clouds, lost).plan(Launch(image=IMAGE, requester="alice"), NOW)


async def test_machines_are_ended_wherever_they_are(both: Accounts, leases: Leases) -> None:
    await launch(both.clouds, leases, "small")
    await launch(both.clouds, leases, "abroad")
    ids = tuple(each.id for each in await all_instances(both.clouds))
    draft = await TerminatePlanner(both.clouds, leases, NOBODY).plan(
        Terminate(instance_ids=ids, requester="alice"), NOW
    )
    assert {step.cloud for step in draft.steps if isinstance(step, TerminateMachine)} == {"aws", "aws.eu"}
    executor = TerminateExecutor(both.clouds, leases, "slipway", lambda: NOW, POLL_AT_ONCE)
    for step in draft.steps:
        assert isinstance(step, TerminateMachine)
        await executor.act(step, "token")
        await executor.verify(step, "token")
    assert await all_instances(both.clouds) == ()
    gone = await TerminatePlanner(both.clouds, leases, NOBODY).plan(draft.request, NOW)
    assert gone.summary == "Nothing to terminate: gone already."


async def test_a_machine_that_is_gone_is_found_in_every_region_and_remembered_where_the_cloud_forgot_it(
    both: Accounts, aws: SimulatedAws, leases: Leases
) -> None:
    wide = aws_settings(aws.url, regions=("eu-west-1",))
    account = AwsMachines(wide, cloud_context("aws", deployment=unique_name("deployment")))
    planner = TerminatePlanner(accounts(account), leases, NOBODY)
    ec2 = boto3_client(aws.url, region="eu-west-1")
    image = (await account.at("eu-west-1").images())[0].id
    made = await call_in_thread(ec2, "run_instances", ImageId=image, MinCount=1, MaxCount=1)
    away = made["Instances"][0]["InstanceId"]
    with pytest.raises(UserError, match="does not carry this Slipway's tag"):
        await planner.plan(Terminate(instance_ids=(away,), requester="alice"), NOW)
    await call_in_thread(ec2, "terminate_instances", InstanceIds=[away])
    forgotten = "i-0f1e2d3c4b5a69788"
    with pytest.raises(UserError, match=f"There is no machine {forgotten} in us-east-1 or eu-west-1"):
        await planner.plan(Terminate(instance_ids=(forgotten,), requester="alice"), NOW)
    known = Machine(
        cloud="aws",
        instance_id=forgotten,
        region="us-east-1",
        reservation_id=None,
        owner="alice",
        profile="small",
        launched_at=NOW - DAY,
        lease_ends_at=NOW - HOUR,
        cap_ends_at=NOW,
        ended_at=NOW - HOUR,
    )
    await leases.adopt(known)
    draft = await planner.plan(Terminate(instance_ids=(away, forgotten), requester="alice"), NOW)
    assert draft.summary == "Nothing to terminate: gone already."
    await account.close()


async def test_one_account_that_cannot_be_looked_at_fails_the_whole_plan(
    both: Accounts, leases: Leases
) -> None:
    both.aws.faults.add(Fault(kind=FaultKind.REFUSE, match="DescribeInstances", after=1))
    with pytest.raises(CloudError, match="UnauthorizedOperation"):
        await TerminatePlanner(both.clouds, leases, NOBODY).plan(Terminate(overdue=True), NOW)


async def test_templates_that_profiles_name_are_looked_for_in_their_accounts(both: Accounts) -> None:
    found = await missing_templates(PROFILES, both.clouds)
    assert (found.what, found.detail, found.well) == ("launching", "2 launch templates named", True)
    typo = {"typo": ProfileSettings(template="slipway-smal", cloud="aws.eu")}
    missing = await missing_templates(typo, both.clouds)
    assert missing.problems == (
        "There is no launch template `slipway-smal` in us-east-1, which a profile names.",
    )
    assert missing.next == "make the template, or change [profiles]"
    by_id = (await both.here.template("slipway-small")).id
    assert (await missing_templates({"named": ProfileSettings(template=by_id)}, both.clouds)).well
    abroad = {"abroad": ProfileSettings(template="slipway-small", regions=("eu-west-1",))}
    nowhere = await missing_templates(abroad, both.clouds)
    assert (nowhere.detail, nowhere.next) == (
        "a profile names a region that is not there",
        "add eu-west-1 to aws.regions",
    )
    async with aws_machines(both.aws.url, regions=("eu-west-1",)) as wide:
        elsewhere = await missing_templates(abroad, accounts(wide))
    assert elsewhere.problems == (
        "There is no launch template `slipway-small` in eu-west-1, which a profile names.",
    )
    lost = {"lost": ProfileSettings(template="slipway-small", cloud="aws.lost")}
    assert "aws.lost" in (await missing_templates(lost, both.clouds)).problems[0]
    assert conclusion((Finding("aws", "well"), missing)) == "The connection works. Launching does not."


async def test_what_was_stored_without_a_cloud_is_awss() -> None:
    step = TerminateMachine.model_validate_json(
        '{"kind":"terminate-machine","instance_id":"i-1","owner":"alice"}'
    )
    assert step.cloud == "aws"
    pin = {"image_id": "ami-1", "profile": "small", "template_version": 1, "seconds": 60, "until": NOW}
    assert LaunchPin.model_validate(pin).cloud == "aws"
