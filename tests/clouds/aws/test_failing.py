"""What people are told, and what is left behind, when EC2 fails."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
import pytest_asyncio

from slipway.bot.clouds.aws.machines import AwsMachines
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind, ResponsibleParty
from tests.support.aws import aws_machines, launch_spec, logged_actions, simulated_aws, unique_name

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLS: dict[str, Callable[[AwsMachines], Awaitable[object]]] = {
    "DescribeImages": lambda ec2: ec2.images(),
    "DescribeLaunchTemplateVersions": lambda ec2: ec2.template("slipway-small"),
    "DescribeInstanceTypes": lambda ec2: ec2.template("slipway-small"),
    "DescribeLaunchTemplates": lambda ec2: ec2.template_names(),
    "DescribeInstances": lambda ec2: ec2.instances(),
    "TerminateInstances": lambda ec2: ec2.terminate("i-0123456789abcdef0"),
}

KINDS = [
    (Fault(kind=FaultKind.THROTTLE), CloudErrorKind.THROTTLED, "RequestLimitExceeded"),
    (Fault(kind=FaultKind.REFUSE), CloudErrorKind.REFUSED, "UnauthorizedOperation"),
    (Fault(kind=FaultKind.ERROR), CloudErrorKind.BROKEN, "InternalError"),
    (Fault(kind=FaultKind.GARBAGE), CloudErrorKind.UNEXPECTED_ANSWER, ""),
    (Fault(kind=FaultKind.DROP), CloudErrorKind.UNREACHABLE, ""),
    (Fault(kind=FaultKind.LOST_ANSWER), CloudErrorKind.UNREACHABLE, ""),
]

MACHINE = "<item><instancesSet><item>{}</item></instancesSet></item>"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made_aws() -> AsyncIterator[SimulatedAws]:
    async with simulated_aws() as simulated:
        yield simulated


@pytest_asyncio.fixture(loop_scope="module")
async def aws(made_aws: SimulatedAws) -> AsyncIterator[SimulatedAws]:
    made_aws.requests.clear()
    yield made_aws
    made_aws.faults.clear()


@pytest_asyncio.fixture(loop_scope="module")
async def ec2(aws: SimulatedAws) -> AsyncIterator[AwsMachines]:
    async with aws_machines(aws.url) as machines:
        yield machines


async def _failed(call: Awaitable[object]) -> CloudError:
    with pytest.raises(CloudError) as caught:
        await call
    return caught.value


@pytest.mark.parametrize("action", CALLS)
async def test_every_call_tells_every_failure_apart(aws: SimulatedAws, ec2: AwsMachines, action: str) -> None:
    for fault, kind, code in KINDS:
        aws.faults.clear()
        aws.faults.add(fault.model_copy(update={"match": action}))
        error = await _failed(CALLS[action](ec2))
        assert (error.kind, error.cloud) == (kind, "aws")
        assert code in error.code
        assert code in error.sentence


@pytest.mark.parametrize(
    ("code", "kind", "responsible"),
    [
        ("InsufficientInstanceCapacity", CloudErrorKind.CAPACITY, ResponsibleParty.CLOUD),
        ("VcpuLimitExceeded", CloudErrorKind.QUOTA, ResponsibleParty.ADMIN),
        ("InvalidSubnetID.NotFound", CloudErrorKind.CONFIGURATION, ResponsibleParty.ADMIN),
        ("InvalidParameterValue", CloudErrorKind.CONFIGURATION, ResponsibleParty.ADMIN),
        ("AuthFailure", CloudErrorKind.REFUSED, ResponsibleParty.ADMIN),
    ],
)
async def test_a_launch_that_ec2_declines_makes_nothing_and_says_whose_move_it_is(
    aws: SimulatedAws, ec2: AwsMachines, code: str, kind: CloudErrorKind, responsible: ResponsibleParty
) -> None:
    spec = await launch_spec(ec2, count=2)
    aws.faults.add(Fault(kind=FaultKind.ERROR, match="RunInstances", code=code))
    error = await _failed(ec2.launch(spec, unique_name("token")))
    assert (error.kind, error.code, error.responsible) == (kind, code, responsible)
    assert error.sentence.startswith(f"AWS did not launch 2 machines from {spec.image_id}: ")
    assert code in error.sentence
    assert await ec2.instances() == ()


async def test_the_encoded_blob_of_a_refusal_is_not_shown(aws: SimulatedAws, ec2: AwsMachines) -> None:
    aws.faults.add(Fault(kind=FaultKind.REFUSE, match="TerminateInstances"))
    error = await _failed(ec2.terminate("i-0123456789abcdef0"))
    assert "ncoded" not in str(error)
    assert len(str(error)) < 200


async def test_a_protected_machine_is_a_conflict(aws: SimulatedAws, ec2: AwsMachines) -> None:
    aws.faults.add(Fault(kind=FaultKind.ERROR, match="TerminateInstances", code="OperationNotPermitted"))
    error = await _failed(ec2.terminate("i-0123456789abcdef0"))
    assert (error.kind, error.code) == (CloudErrorKind.CONFLICT, "OperationNotPermitted")
    assert "protected" in error.sentence


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no XML at all",
        "<html><body>It works!</body></html>",
        "<DescribeInstancesResponse/>",
        "<DescribeInstancesResponse><reservationSet><item/></reservationSet></DescribeInstancesResponse>",
        f"<a><reservationSet>{MACHINE.format('<instanceId>i-1</instanceId>')}</reservationSet></a>",
        f"<a><reservationSet>{MACHINE.format('<launchTime>soon</launchTime>')}</reservationSet></a>",
        "<a><reservationSet/><reservationSet/></a>",
    ],
)
async def test_an_answer_that_makes_no_sense_is_never_an_empty_list(
    aws: SimulatedAws, ec2: AwsMachines, body: str
) -> None:
    aws.faults.add(Fault(kind=FaultKind.GARBAGE, match="DescribeInstances", body=body))
    error = await _failed(ec2.instances())
    assert error.kind is CloudErrorKind.UNEXPECTED_ANSWER


@pytest.mark.parametrize(
    ("action", "body", "kind"),
    [
        ("DescribeInstances", "<a><reservationSet/></a>", CloudErrorKind.NOT_FOUND),
        ("DescribeLaunchTemplateVersions", "<a><launchTemplateVersionSet/></a>", CloudErrorKind.NOT_FOUND),
        ("DescribeInstanceTypes", "<a><instanceTypeSet/></a>", CloudErrorKind.NOT_FOUND),
        ("TerminateInstances", "<a><instancesSet/></a>", CloudErrorKind.UNEXPECTED_ANSWER),
    ],
)
async def test_an_answer_about_nothing_is_no_answer(
    aws: SimulatedAws, ec2: AwsMachines, action: str, body: str, kind: CloudErrorKind
) -> None:
    calls = CALLS | {"DescribeInstances": lambda ec2: ec2.instance("i-0123456789abcdef0")}
    aws.faults.add(Fault(kind=FaultKind.GARBAGE, match=action, body=body))
    error = await _failed(calls[action](ec2))
    assert error.kind is kind


async def test_a_launch_whose_answer_names_too_few_machines_is_not_called_done(
    aws: SimulatedAws, ec2: AwsMachines
) -> None:
    spec = await launch_spec(ec2, count=2)
    aws.faults.add(Fault(kind=FaultKind.GARBAGE, match="RunInstances", body="<a><instancesSet/></a>"))
    error = await _failed(ec2.launch(spec, unique_name("token")))
    assert error.kind is CloudErrorKind.UNVERIFIED


async def test_a_template_that_leaves_the_type_open_runs_on_what_nobody_knows(
    aws: SimulatedAws, ec2: AwsMachines
) -> None:
    body = """<a><launchTemplateVersionSet><item><launchTemplateId>lt-1</launchTemplateId>
        <launchTemplateName>open</launchTemplateName><versionNumber>3</versionNumber>
        <launchTemplateData/></item></launchTemplateVersionSet></a>"""
    aws.faults.add(Fault(kind=FaultKind.GARBAGE, match="DescribeLaunchTemplateVersions", body=body))
    template = await ec2.template("open")
    assert (template.version, template.instance_type, template.architectures) == (3, None, ())


async def test_a_page_that_fails_fails_the_list(aws: SimulatedAws) -> None:
    async with aws_machines(aws.url, page_size=5) as ec2:
        spec = await launch_spec(ec2)
        for _ in range(6):
            await ec2.launch(spec, unique_name("token"))
        aws.faults.add(Fault(kind=FaultKind.ERROR, match="DescribeInstances", after=1))
        error = await _failed(ec2.instances())
    assert error.kind is CloudErrorKind.BROKEN


async def test_a_passing_failure_is_not_noticed(aws: SimulatedAws) -> None:
    async with aws_machines(aws.url, max_attempts=2) as ec2:
        aws.faults.add(Fault(kind=FaultKind.THROTTLE, match="DescribeLaunchTemplates"))
        assert await ec2.template_names()
    assert logged_actions(aws) == [("DescribeLaunchTemplates", 503), ("DescribeLaunchTemplates", 200)]


async def test_attempts_are_bounded(aws: SimulatedAws) -> None:
    async with aws_machines(aws.url, max_attempts=2) as ec2:
        aws.faults.add(Fault(kind=FaultKind.THROTTLE, times=None))
        error = await _failed(ec2.template_names())
    assert error.kind is CloudErrorKind.THROTTLED
    assert len(aws.requests) == 2


async def test_a_lost_answer_is_asked_for_again_and_launches_once(aws: SimulatedAws) -> None:
    async with aws_machines(aws.url, max_attempts=2) as ec2:
        spec = await launch_spec(ec2, count=2)
        aws.requests.clear()
        aws.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="RunInstances"))
        made = await ec2.launch(spec, unique_name("token"))
        assert logged_actions(aws) == [("RunInstances", None), ("RunInstances", 200)]
        assert {machine.id for machine in await ec2.instances()} == {machine.id for machine in made}
    assert len(made) == 2


async def test_a_launch_whose_answer_is_lost_for_good_is_not_called_undone(
    aws: SimulatedAws, ec2: AwsMachines
) -> None:
    spec, token = await launch_spec(ec2), unique_name("token")
    aws.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="RunInstances"))
    error = await _failed(ec2.launch(spec, token))
    assert "not known" in error.sentence
    (there,) = await ec2.launched_with(token)
    (again,) = await ec2.launch(spec, token)
    assert again.id == there.id


async def test_a_termination_that_ec2_only_pretends_is_noticed(aws: SimulatedAws, ec2: AwsMachines) -> None:
    (made,) = await ec2.launch(await launch_spec(ec2), unique_name("token"))
    aws.faults.add(Fault(kind=FaultKind.NOT_DONE, match="TerminateInstances"))
    await ec2.terminate(made.id)
    assert not (await ec2.instance(made.id)).state.gone


async def test_a_cloud_that_hangs_is_given_up_in_time(aws: SimulatedAws) -> None:
    held = aws.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match="RunInstances", times=None))
    async with aws_machines(aws.url, timeout=timedelta(seconds=0.3)) as ec2:
        async with aws_machines(aws.url) as patient:
            spec = await launch_spec(patient)
        error = await _failed(ec2.launch(spec, unique_name("token")))
        held.release()
    assert error.kind is CloudErrorKind.TIMED_OUT
    assert "not known" in error.sentence


async def test_slowness_within_the_timeout_is_no_failure(aws: SimulatedAws, ec2: AwsMachines) -> None:
    aws.faults.add(Fault(kind=FaultKind.SLOW, match="DescribeImages", seconds=0.05))
    assert await ec2.images()


@pytest.mark.parametrize("kind", [FaultKind.HOLD_BEFORE, FaultKind.HOLD_AFTER])
async def test_other_calls_go_on_while_one_waits(
    aws: SimulatedAws, ec2: AwsMachines, kind: FaultKind
) -> None:
    spec = await launch_spec(ec2)
    held = aws.faults.add(Fault(kind=kind, match="RunInstances"))
    launching = asyncio.create_task(ec2.launch(spec, unique_name("token")))
    await held.reached.wait()
    before = await ec2.instances()
    held.release()
    (made,) = await launching
    assert [machine.id for machine in await ec2.instances()] == [made.id]
    if kind is FaultKind.HOLD_BEFORE:
        assert before == ()


async def test_what_nobody_waits_for_any_more_asks_for_nothing_more(aws: SimulatedAws) -> None:
    async with aws_machines(aws.url, page_size=5) as ec2:
        spec = await launch_spec(ec2)
        for _ in range(6):
            await ec2.launch(spec, unique_name("token"))
        aws.requests.clear()
        held = aws.faults.add(Fault(kind=FaultKind.HOLD_AFTER, match="DescribeInstances"))
        listing = asyncio.create_task(ec2.instances())
        await held.reached.wait()
        listing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listing
        held.release()
    await asyncio.to_thread(_join_aws_threads)
    assert len(aws.requests) == 1


def _join_aws_threads() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("aws_"):
            thread.join(timeout=10)
            assert not thread.is_alive()


async def test_after_closing_nothing_is_sent(aws: SimulatedAws, ec2: AwsMachines) -> None:
    await ec2.template_names()
    aws.requests.clear()
    await ec2.close()
    error = await _failed(ec2.template_names())
    assert error.kind is CloudErrorKind.UNREACHABLE
    assert aws.requests == []


async def test_an_address_where_nobody_listens_is_unreachable(unused_tcp_port: int) -> None:
    async with aws_machines(f"http://127.0.0.1:{unused_tcp_port}") as ec2:
        error = await _failed(ec2.instances())
    assert error.kind is CloudErrorKind.UNREACHABLE


async def test_an_endpoint_that_is_no_address_names_its_setting() -> None:
    async with aws_machines("nonsense") as ec2:
        error = await _failed(ec2.instances())
    assert error.kind is CloudErrorKind.UNREACHABLE
    assert "aws.endpoint" in error.sentence


async def test_missing_credentials_are_a_refusal(aws: SimulatedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    async with aws_machines(aws.url, access_key_id=None, secret_access_key=None) as ec2:
        error = await _failed(ec2.instances())
    assert error.kind is CloudErrorKind.REFUSED
    assert "credentials" in error.sentence
    assert aws.requests == []
