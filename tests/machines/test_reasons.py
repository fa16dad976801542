"""Why EC2 did not do something, as people in the room are told. One bot serves the whole file."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from slipway.bot.chat.model import Tone
from slipway.bot.clouds.simulated.aws.messages import BLOB, MESSAGES
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from tests.support.aws import IMAGE, boto3_client, call_in_thread, simulated_aws
from tests.support.harness import BotHarness, audit_trail, running_bot
from tests.support.memory_chat import PostedMessage
from tests.support.pauses import no_pauses

pytestmark = pytest.mark.asyncio(loop_scope="module")

LAUNCH = f"!launch {IMAGE} --for 2h --count 2"
PROFILES = {"small": {"template": "slipway-small", "max_count": 3, "default_for": "2h"}}

YOU, ADMIN, CLOUD = "you", "whoever runs Slipway", "the cloud; try again later"
ANOTHER_PROFILE = f"Next, with another profile, or once the launch template is changed: `{LAUNCH}`"
ENDING = "Next, to see what could be ended: `!instances`"
LOOKING = "Next, to see what is there: `!instances`"

REFUSALS = [
    (
        "InvalidBlockDeviceMapping",
        "the disks of the launch template do not fit the image",
        ADMIN,
        ANOTHER_PROFILE,
    ),
    ("Unsupported", "the machine type, zone and options", ADMIN, ANOTHER_PROFILE),
    ("InvalidParameterValue", "a value that the launch template", ADMIN, ANOTHER_PROFILE),
    ("InvalidIamInstanceProfileArn.Malformed", "the IAM instance profile", ADMIN, ANOTHER_PROFILE),
    ("InvalidTagKey.Malformed", "it does not take a tag", ADMIN, ANOTHER_PROFILE),
    ("InsufficientFreeAddressesInSubnet", "no free addresses left, and it is not a quota", ADMIN, ENDING),
    ("MaxSpotInstanceCountExceeded", "quota of spot machines", ADMIN, ENDING),
    ("ResourceCountExceeded", "in one request", ADMIN, f"Next, with a smaller --count: `{LAUNCH}`"),
    ("InsufficientCapacityOnHost", "the dedicated host", CLOUD, ENDING),
    ("InsufficientInstanceCapacity", "another zone or type may have", CLOUD, f"Next: `{LAUNCH}`"),
    ("UnauthorizedOperation", "lacks the permission", ADMIN, f"Next, once it is permitted: `{LAUNCH}`"),
    ("OptInRequired", "has not subscribed", ADMIN, f"Next, once the account may do it: `{LAUNCH}`"),
    ("InvalidAMIID.NotFound", "the image does not exist", YOU, f"Next, with another image: `{LAUNCH}`"),
    ("InvalidKeyPair.NotFound", "the key pair that the launch template names", ADMIN, ANOTHER_PROFILE),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def aws() -> AsyncIterator[SimulatedAws]:
    async with simulated_aws() as simulated:
        yield simulated


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(tmp_path_factory: pytest.TempPathFactory, aws: SimulatedAws) -> AsyncIterator[BotHarness]:
    state = tmp_path_factory.mktemp("state")
    async with running_bot(state, aws=aws, sleep=no_pauses, changes={"profiles": PROFILES}) as running:
        yield running


@pytest.fixture(autouse=True)
def healed(aws: SimulatedAws) -> None:
    aws.faults.clear()


async def running_machines(aws: SimulatedAws) -> set[str]:
    state = await aws.state()
    return {each["id"] for each in state["instances"] if each["state"] == "running"}


def refuse(aws: SimulatedAws, code: str, action: str = "RunInstances", message: str = "") -> None:
    aws.faults.add(Fault(kind=FaultKind.ERROR, match=action, code=code, message=message, times=None))


def said(report: PostedMessage) -> str:
    """What the report says, whatever breaks its lines."""
    return " ".join(report.text.split())


@pytest.mark.parametrize(("code", "words", "move", "following"), REFUSALS)
async def test_a_refused_launch_says_why_in_both_words_whose_move_it_is_and_what_can_help(
    bot: BotHarness, aws: SimulatedAws, code: str, words: str, move: str, following: str
) -> None:
    before = await running_machines(aws)
    refuse(aws, code)
    card, report = await bot.say("alice", LAUNCH)
    told = MESSAGES[code].partition(" Encoded")[0]
    for shown in (card, report):
        assert shown.card.tone is Tone.FAILED
        assert f"Whose move: {'Alice' if shown is card and move == YOU else move}." in said(shown)
        assert BLOB[:12] not in shown.text
    assert f"Whose move: {move}." in report.card.notes
    assert following in report.card.notes
    assert "AWS did not launch 2 machines from ami-" in said(report)
    assert words in said(report)
    assert f"({code})" in said(report)
    assert f"The cloud says: “{told[:200]}" in said(report)
    assert "The cloud says" not in said(card)
    assert await running_machines(aws) == before


async def test_the_reason_stays_with_the_operation_and_in_the_trail(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    refuse(aws, "UnauthorizedOperation")
    _, report = await bot.say("alice", LAUNCH)
    name = report.card.title.split()[0]
    (shown,) = await bot.say("carol", f"!op {name}")
    trail = str(await audit_trail(bot))
    for text in (said(shown), trail):
        assert "with an explicit deny in a service control policy." in text
        assert BLOB[:12] not in text


async def test_a_reason_is_one_line_without_what_gives_access(bot: BotHarness, aws: SimulatedAws) -> None:
    refuse(
        aws, "InvalidParameterValue", message="Bad\nvalue AKIAIOSFODNN7EXAMPLE, password=hunter2 " + "x" * 900
    )
    _, report = await bot.say("alice", LAUNCH)
    assert "“Bad value […], password=[…] " in said(report)
    assert "hunter2" not in report.text
    assert "x" * 400 not in report.text


async def test_the_encoded_part_of_a_short_refusal_is_not_shown(bot: BotHarness, aws: SimulatedAws) -> None:
    words = "You are not authorized to perform this operation."
    message = f"{words} Encoded authorization failure message: {BLOB}"
    refuse(aws, "UnauthorizedOperation", message=message)
    _, report = await bot.say("alice", LAUNCH)
    for text in (said(report), str(await audit_trail(bot))):
        assert f"The cloud says: “{words}”" in text
        assert BLOB[:12] not in text


async def test_a_question_that_ec2_refuses_says_why_too(bot: BotHarness, aws: SimulatedAws) -> None:
    refuse(aws, "UnauthorizedOperation", action="DescribeInstances")
    (answer,) = await bot.say("carol", "!instances")
    assert "instances could not look at the cloud" in answer.card.title
    assert "The cloud says: “You are not authorized to perform this operation." in said(answer)
    assert "Next, once it is permitted: `!instances`" in answer.card.notes


async def test_a_launch_that_took_effect_behind_an_error_500_is_done(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    before = await running_machines(aws)
    aws.faults.add(Fault(kind=FaultKind.ERROR_AFTER, match="RunInstances", times=None))
    card, report = await bot.say("alice", LAUNCH)
    made = await running_machines(aws) - before
    assert len(made) == 2
    assert "launch: done" in card.card.title
    assert all(machine in report.text for machine in made)
    assert "did not launch" not in card.text + report.text


async def test_a_throttle_after_an_error_500_does_not_hide_that_it_took_effect(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    before = await running_machines(aws)
    aws.faults.add(Fault(kind=FaultKind.ERROR_AFTER, match="RunInstances"))
    aws.faults.add(Fault(kind=FaultKind.THROTTLE, match="RunInstances", times=None))
    card, report = await bot.say("alice", LAUNCH)
    assert "launch: done" in card.card.title
    assert all(machine in report.text for machine in await running_machines(aws) - before)


async def test_a_launch_of_which_nothing_is_to_be_seen_is_neither_called_done_nor_undone(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    refuse(aws, "InternalError")
    card, report = await bot.say("alice", LAUNCH)
    assert "launch: failed" in card.card.title
    assert "It is not known whether AWS did launch 2 machines from ami-" in said(report)
    assert "Slipway looked for them by the launch's token and tags, and saw none." in said(report)
    assert f"Whose move: {CLOUD}." in report.card.notes
    assert LOOKING in report.card.notes


async def test_a_launch_that_cannot_be_looked_up_says_so(bot: BotHarness, aws: SimulatedAws) -> None:
    refuse(aws, "InternalError")
    aws.faults.add(Fault(kind=FaultKind.REFUSE, match="DescribeInstances", after=4, times=None))
    _, report = await bot.say("alice", LAUNCH)
    assert "It is not known whether AWS did launch 2 machines" in said(report)
    assert "It could not be looked up: AWS did not list the machines of a launch" in said(report)


@pytest.mark.parametrize("kind", [FaultKind.ERROR_AFTER, None])
async def test_machines_that_were_launched_and_cannot_be_looked_at_are_not_launched_again(
    bot: BotHarness, aws: SimulatedAws, kind: FaultKind | None
) -> None:
    before = await running_machines(aws)
    if kind is not None:  # one more look, which finds the machines, comes between
        aws.faults.add(Fault(kind=kind, match="RunInstances", times=None))
    looks = 5 if kind is not None else 4  # two of them before the launch, for the quota
    aws.faults.add(Fault(kind=FaultKind.ERROR, match="DescribeInstances", after=looks, times=None))
    _, report = await bot.say("alice", LAUNCH)
    assert len(await running_machines(aws) - before) == 2
    assert "EC2 took the order to launch 2 machines" in said(report)
    assert "what became of it could not be looked up: AWS did not list the machines" in said(report)
    assert said(report).count("The cloud says:") == 1
    assert LOOKING in report.card.notes
    assert not any("!launch" in note for note in report.card.notes)


async def test_an_end_that_cannot_be_looked_at_is_called_neither_done_nor_refused(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    await bot.say("alice", LAUNCH)
    machine = min(await running_machines(aws))
    aws.faults.add(Fault(kind=FaultKind.ERROR, match="DescribeInstances", after=3, times=None))
    _, report = await bot.say("alice", f"!terminate {machine}")
    assert machine not in await running_machines(aws)
    assert f"EC2 took the order to terminate {machine}" in said(report)
    assert LOOKING in report.card.notes


async def test_an_end_that_took_effect_behind_an_error_500_is_done(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    await bot.say("alice", LAUNCH)
    machine = min(await running_machines(aws))
    aws.faults.add(Fault(kind=FaultKind.ERROR_AFTER, match="TerminateInstances", times=None))
    card, report = await bot.say("alice", f"!terminate {machine}")
    assert "terminate: done" in card.card.title
    assert f"{machine} of alice is terminated." in report.text


async def test_an_end_that_did_not_happen_behind_an_error_500_says_what_is_seen(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    await bot.say("alice", LAUNCH)
    machine = min(await running_machines(aws))
    refuse(aws, "InternalError", action="TerminateInstances")
    _, report = await bot.say("alice", f"!terminate {machine}")
    assert f"It is not known whether AWS did terminate {machine}" in said(report)
    assert "It is still running." in said(report)


@pytest.mark.parametrize(
    ("code", "message", "move", "following"),
    [
        (
            "Server.InternalError",
            "Client.InternalError: Client error on launch",
            ADMIN,
            f"Next, with another profile, or once that is put right: `{LAUNCH}`",
        ),
        ("Server.InternalError", "Client.VolumeLimitExceeded: Volume limit exceeded", ADMIN, ENDING),
        (
            "Server.InsufficientInstanceCapacity",
            "Server.InsufficientInstanceCapacity: Insufficient capacity to satisfy instance request",
            CLOUD,
            f"Next: `{LAUNCH}`",
        ),
    ],
)
async def test_machines_that_ec2_ended_at_once_keep_its_reason(
    bot: BotHarness, aws: SimulatedAws, code: str, message: str, move: str, following: str
) -> None:
    aws.faults.add(Fault(kind=FaultKind.FAIL_HALFWAY, match="RunInstances", code=code, message=message))
    card, report = await bot.say("alice", LAUNCH)
    assert f"Whose move: {'Alice' if move == YOU else move}." in said(card)
    assert "2 to launch: 0 there, 2 gone again. The cloud ended them at once." in said(report)
    assert f"The cloud says: “{message}”" in said(report)
    assert f"Whose move: {move}." in report.card.notes
    assert following in report.card.notes


async def test_a_token_whose_machines_are_gone_again_is_told_by_what_became_of_them(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    before = await running_machines(aws)
    aws.faults.add(Fault(kind=FaultKind.ERROR_AFTER, match="RunInstances"))
    again = aws.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match="RunInstances"))
    seen = len(bot.messages)
    await bot.say("alice", LAUNCH, wait=False)
    await again.reached.wait()
    made = sorted(await running_machines(aws) - before)
    await call_in_thread(boto3_client(aws.url), "terminate_instances", InstanceIds=made)
    again.release()
    await bot.running.workflows.idle()
    report = bot.messages[-1]
    assert len(bot.messages) > seen
    assert "2 to launch: 0 there, 2 gone again." in said(report)
    assert "The cloud says: “Client.UserInitiatedShutdown: User initiated shutdown”" in said(report)


async def test_a_pattern_that_fits_many_images_says_how_many_more_there_are(bot: BotHarness) -> None:
    (answer,) = await bot.say("alice", "!launch Fedora-Cloud-Base-*")
    assert "could be any of 18 images" in answer.card.title
    assert any(note.endswith("or one of 13 more?") for note in answer.card.notes), answer.card.notes
    (few,) = await bot.say("alice", "!launch Fedora-Cloud-Base-AmazonEC2.x86_64-43-*")
    assert "could be any of 3 images" in few.card.title
    assert "more" not in few.text
