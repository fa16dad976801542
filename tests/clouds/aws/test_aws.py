"""Machines on EC2, with unmodified boto3 over HTTP, while nothing goes wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, timedelta

import pytest
import pytest_asyncio

from slipway.bot.clouds.aws.machines import AwsMachines
from slipway.bot.clouds.aws.tags import DEPLOYMENT_TAG, TOKEN_TAG
from slipway.bot.clouds.machine_model import InstanceState
from slipway.bot.clouds.simulated.aws.seed import FEDORA
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.core.errors import CloudError, CloudErrorKind
from tests.support.aws import (
    aws_machines,
    boto3_client,
    call_in_thread,
    launch_spec,
    logged_actions,
    simulated_aws,
    unique_name,
)
from tests.support.clock import NOW

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def aws() -> AsyncIterator[SimulatedAws]:
    async with simulated_aws() as simulated:
        yield simulated


@pytest_asyncio.fixture(loop_scope="module")
async def ec2(aws: SimulatedAws) -> AsyncIterator[AwsMachines]:
    aws.requests.clear()
    async with aws_machines(aws.url) as machines:
        yield machines


async def _refused(call: object) -> CloudError:
    with pytest.raises(CloudError) as caught:
        await call  # type: ignore[misc]
    return caught.value


async def test_images_are_fedoras_with_architecture_and_dates(ec2: AwsMachines) -> None:
    images = {image.name: image for image in await ec2.images()}
    fresh = images["Fedora-Cloud-Base-AmazonEC2.x86_64-43-20261110.0"]
    ended = images["Fedora-Cloud-Base-AmazonEC2.aarch64-41-20260414.0"]
    assert (fresh.owner, fresh.state, fresh.architecture) == (FEDORA, "available", "x86_64")
    assert fresh.created_at == NOW - timedelta(days=10)
    assert ended.architecture == "arm64"
    assert ended.deprecated_at is not None
    assert ended.deprecated_at < NOW
    assert all(image.created_at and image.created_at.tzinfo is UTC for image in images.values())
    assert all(image.region == "us-east-1" for image in images.values())


async def test_an_image_is_found_by_its_id(ec2: AwsMachines) -> None:
    some = (await ec2.images())[3]
    assert await ec2.image(some.id) == some


@pytest.mark.parametrize(
    "image_id", ["ami-0123456789abcdef0", "ami-*", "ami-0???????????????", "gibberish", ""]
)
async def test_an_unknown_image_is_not_found(ec2: AwsMachines, image_id: str) -> None:
    error = await _refused(ec2.image(image_id))
    assert error.kind is CloudErrorKind.NOT_FOUND


async def test_an_image_of_an_owner_that_is_not_configured_is_not_found(
    aws: SimulatedAws, ec2: AwsMachines
) -> None:
    fedoras = (await ec2.images())[0]
    async with aws_machines(aws.url, owners=("self",)) as other:
        assert await other.images() == ()
        error = await _refused(other.image(fedoras.id))
    assert error.kind is CloudErrorKind.NOT_FOUND
    assert fedoras.id in error.sentence


async def test_a_template_is_resolved_to_its_default_version_and_what_it_can_run(ec2: AwsMachines) -> None:
    small, arm = await ec2.template("slipway-small"), await ec2.template("slipway-arm")
    assert (small.version, small.instance_type, small.architectures) == (2, "t3.small", ("x86_64",))
    assert (arm.version, arm.instance_type, arm.architectures) == (2, "t4g.small", ("arm64",))


async def test_a_template_at_a_version_is_that_version(ec2: AwsMachines) -> None:
    template = await ec2.template("slipway-small", 1)
    assert (template.version, template.instance_type) == (1, "t3.micro")


async def test_what_an_instance_type_can_run_is_asked_once(aws: SimulatedAws, ec2: AwsMachines) -> None:
    for _ in range(3):
        await ec2.template("slipway-arm")
    assert [action for action, _ in logged_actions(aws)].count("DescribeInstanceTypes") == 1


@pytest.mark.parametrize(("name", "version"), [("slipway-smal", None), ("slipway-small", 9)])
async def test_an_unknown_template_or_version_is_not_found(
    ec2: AwsMachines, name: str, version: int | None
) -> None:
    error = await _refused(ec2.template(name, version))
    assert error.kind is CloudErrorKind.NOT_FOUND
    assert name in error.sentence


async def test_template_names_are_listed_for_suggestions(ec2: AwsMachines) -> None:
    assert await ec2.template_names() == ("slipway-arm", "slipway-small")


async def test_a_launch_makes_all_machines_tagged_and_from_the_pinned_version(
    aws: SimulatedAws, ec2: AwsMachines
) -> None:
    first = await ec2.template("slipway-small", 1)
    spec = replace(await launch_spec(ec2, count=3, who="alice"), template_version=first.version)
    token = unique_name("token")
    made = await ec2.launch(spec, token)
    assert len({machine.id for machine in made}) == 3
    assert {machine.instance_type for machine in made} == {"t3.micro"}
    for machine in made:
        assert machine.image_id == spec.image_id
        assert machine.tags["who"] == "alice"
        assert machine.tags[TOKEN_TAG] == token
        assert machine.launched_at.tzinfo is UTC
        assert machine.address
    state = await aws.state()
    held = [machine for machine in state["instances"] if machine["tags"].get(TOKEN_TAG) == token]
    assert [machine["shutdown"] for machine in held] == ["terminate"] * 3
    tagged_volumes = [tags for tags in state["volume_tags"] if tags.get(TOKEN_TAG) == token]
    assert len(tagged_volumes) == 3
    assert all(tags["who"] == "alice" and DEPLOYMENT_TAG in tags for tags in tagged_volumes)


async def test_a_machine_answers_for_itself_while_it_runs_and_when_it_is_gone(ec2: AwsMachines) -> None:
    (made,) = await ec2.launch(await launch_spec(ec2), unique_name("token"))
    assert (await ec2.instance(made.id)).state is InstanceState.RUNNING
    await ec2.terminate(made.id)
    assert (await ec2.instance(made.id)).state.gone


async def test_terminating_twice_is_no_error_and_takes_the_machine_off_the_list(ec2: AwsMachines) -> None:
    gone, stays = await ec2.launch(await launch_spec(ec2, count=2), unique_name("token"))
    await ec2.terminate(gone.id)
    await ec2.terminate(gone.id)
    assert [machine.id for machine in await ec2.instances()] == [stays.id]


@pytest.mark.parametrize("instance_id", ["i-0123456789abcdef0", "gibberish"])
async def test_an_unknown_machine_is_not_found(ec2: AwsMachines, instance_id: str) -> None:
    for call in (ec2.instance(instance_id), ec2.terminate(instance_id)):
        error = await _refused(call)
        assert error.kind is CloudErrorKind.NOT_FOUND
        assert instance_id in error.sentence


async def test_the_list_holds_this_deployments_machines_only(aws: SimulatedAws, ec2: AwsMachines) -> None:
    spec = await launch_spec(ec2)
    (ours,) = await ec2.launch(spec, unique_name("token"))
    async with aws_machines(aws.url) as neighbour:
        (theirs,) = await neighbour.launch(spec, unique_name("token"))
        assert [machine.id for machine in await neighbour.instances()] == [theirs.id]
    assert [machine.id for machine in await ec2.instances()] == [ours.id]


async def test_a_list_of_several_pages_is_complete(aws: SimulatedAws) -> None:
    async with aws_machines(aws.url, page_size=5) as ec2:
        spec = await launch_spec(ec2)
        made = {machine.id for _ in range(7) for machine in await ec2.launch(spec, unique_name("token"))}
        aws.requests.clear()
        assert {machine.id for machine in await ec2.instances()} == made
        assert logged_actions(aws) == [("DescribeInstances", 200)] * 2


async def test_what_a_launch_made_is_found_by_its_token_gone_ones_included(ec2: AwsMachines) -> None:
    spec, token = await launch_spec(ec2, count=2), unique_name("token")
    made = await ec2.launch(spec, token)
    await ec2.launch(spec, unique_name("token"))
    await ec2.terminate(made[0].id)
    assert {machine.id for machine in await ec2.launched_with(token)} == {machine.id for machine in made}
    assert await ec2.launched_with(unique_name("token")) == ()
    assert await ec2.launched_with("token-*") == ()


async def test_what_a_launch_made_is_found_by_its_client_token_where_somebody_took_the_tags(
    aws: SimulatedAws, ec2: AwsMachines
) -> None:
    spec, token = await launch_spec(ec2, count=2), unique_name("token")
    made = {machine.id for machine in await ec2.launch(spec, token)}
    client = boto3_client(aws.url)
    await call_in_thread(client, "delete_tags", Resources=sorted(made), Tags=[{"Key": TOKEN_TAG}])
    assert {machine.id for machine in await ec2.launched_with(token)} == made


async def test_one_token_launches_once(ec2: AwsMachines) -> None:
    spec, token = await launch_spec(ec2, count=2, who="alice", why="a test"), unique_name("token")
    first = await ec2.launch(spec, token)
    other_order = replace(spec, tags=dict(sorted(spec.tags.items(), reverse=True)))
    again = await ec2.launch(other_order, token)
    assert {machine.id for machine in first} == {machine.id for machine in again}
    assert len(await ec2.instances()) == 2


async def test_one_token_for_two_different_launches_is_a_conflict(ec2: AwsMachines) -> None:
    spec, token = await launch_spec(ec2), unique_name("token")
    await ec2.launch(spec, token)
    error = await _refused(ec2.launch(replace(spec, count=2), token))
    assert (error.kind, error.code) == (CloudErrorKind.CONFLICT, "IdempotentParameterMismatch")
    assert len(await ec2.instances()) == 1


@pytest.mark.parametrize("token", ["", "x" * 65, "naïve", "two words"])
async def test_what_ec2_takes_for_no_token_is_refused_before_it_is_sent(
    aws: SimulatedAws, ec2: AwsMachines, token: str
) -> None:
    spec = await launch_spec(ec2)
    with pytest.raises(ValueError, match="token"):
        await ec2.launch(spec, token)
    assert "RunInstances" not in dict(logged_actions(aws))


async def test_an_image_that_vanished_is_named_when_it_is_launched(ec2: AwsMachines) -> None:
    spec = replace(await launch_spec(ec2), image_id="ami-0123456789abcdef0")
    error = await _refused(ec2.launch(spec, unique_name("token")))
    assert (error.kind, error.code) == (CloudErrorKind.NOT_FOUND, "InvalidAMIID.NotFound")
    assert "ami-0123456789abcdef0" in error.sentence
    assert await ec2.instances() == ()
