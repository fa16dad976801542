"""Machines, from asking for one to its end, on a simulated EC2 that may refuse. One bot serves the whole file."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from slipway.bot.chat.model import Choice, Tone
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from tests.support.aws import IMAGE, simulated_aws
from tests.support.harness import BotHarness, audit_trail, running_bot
from tests.support.memory_chat import PostedMessage
from tests.support.pauses import no_pauses

pytestmark = pytest.mark.asyncio(loop_scope="module")

LAUNCH = f"!launch {IMAGE} --for 2h"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def aws() -> AsyncIterator[SimulatedAws]:
    async with simulated_aws() as simulated:
        yield simulated


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(tmp_path_factory: pytest.TempPathFactory, aws: SimulatedAws) -> AsyncIterator[BotHarness]:
    async with running_bot(tmp_path_factory.mktemp("state"), aws=aws, sleep=no_pauses) as running:
        yield running


@pytest.fixture(autouse=True)
def healed(aws: SimulatedAws) -> None:
    aws.faults.clear()
    aws.requests.clear()


def launches(aws: SimulatedAws) -> int:
    return sum(entry.label == "RunInstances" for entry in aws.requests)


async def machines(aws: SimulatedAws) -> int:
    """How many machines the cloud runs."""
    state = await aws.state()
    return sum(each["state"] == "running" for each in state["instances"])


async def launched(
    bot: BotHarness, text: str = LAUNCH, who: str = "alice"
) -> tuple[PostedMessage, PostedMessage, str]:
    """Launch where nobody needs to agree; the card, the report, and the machine's id."""
    card, report = await bot.say(who, text)
    match = re.search(r"i-[0-9a-f]{17}", report.text)
    assert match, report.text
    return card, report, match[0]


async def test_a_machine_is_launched_at_once_where_nobody_needs_to_agree_shown_and_ended(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    card, report, machine = await launched(bot)
    assert "launch: done" in card.card.title
    assert {"SSH", "Cost", "Lease"} <= {field.label for field in card.cards[0].fields}  # before it happened
    assert report.thread == card.id
    assert await machines(aws) == 1

    (own,) = await bot.say("carol", "!instances")
    assert own.card.title == "You have no machine."
    assert own.card.notes[-1] == "Everybody's: `!instances --all`"
    (shown,) = await bot.say("carol", "!instances --all")
    assert "1 machine" in shown.card.title
    assert machine in shown.text
    assert "Alice" in shown.text
    assert "(2h left)" in shown.text

    (nothing,) = await bot.say("alice", "!terminate --overdue")
    assert "Nothing to terminate" in nothing.text
    bot.clock.advance(timedelta(hours=3))
    (overdue,) = await bot.say("alice", "!instances")
    assert overdue.card.tone is Tone.WARNING
    assert "⚠ overdue" in overdue.text
    assert "`!terminate --overdue`" in overdue.text
    _, report = await bot.say("bob", f"!terminate {machine}")
    assert f"{machine} of alice is terminated." in report.text
    assert await machines(aws) == 0
    (again,) = await bot.say("bob", f"!terminate {machine}")
    assert "Nothing to terminate: gone already." in again.text


@pytest.mark.parametrize(
    ("kind", "code", "sentence", "responsible", "following"),
    [
        (
            FaultKind.ERROR,
            "InsufficientInstanceCapacity",
            "InsufficientInstanceCapacity",
            "the cloud",
            f"Next: `{LAUNCH}`",
        ),
        (
            FaultKind.REFUSE,
            "UnauthorizedOperation",
            "UnauthorizedOperation",
            "whoever runs Slipway",
            f"Next, once it is permitted: `{LAUNCH}`",
        ),
        (
            FaultKind.REFUSE,
            "InstanceLimitExceeded",
            "InstanceLimitExceeded",
            "whoever runs Slipway",
            "Next, to see what could be ended: `!instances`",
        ),
        (FaultKind.THROTTLE, "", "RequestLimitExceeded", "the cloud", f"Next: `{LAUNCH}`"),
    ],
)
async def test_a_launch_that_ec2_refuses_ends_failed_in_plain_words(
    bot: BotHarness,
    aws: SimulatedAws,
    kind: FaultKind,
    code: str,
    sentence: str,
    responsible: str,
    following: str,
) -> None:
    before = await machines(aws)
    aws.faults.add(Fault(kind=kind, match="RunInstances", code=code, times=None))
    card, report = await bot.say("alice", LAUNCH)
    for shown in (card, report):
        assert shown.card.tone is Tone.FAILED
        assert "launch: failed" in shown.card.title
        assert f"Whose move: {responsible}" in shown.text
        assert "Qx7-f" not in shown.text  # the encoded message of UnauthorizedOperation
    assert sentence in report.text
    assert following in report.card.notes
    assert "Qx7-f" not in str(await audit_trail(bot))
    assert await machines(aws) == before


async def test_the_profiles_are_shown_with_their_machines_and_limits_and_how_to_launch_to_those_who_may(
    bot: BotHarness,
) -> None:
    (shown,) = await bot.say("alice", "!profiles")
    (table,) = shown.card.tables
    assert table.rows[0][:2] == (
        "small",
        "t3.small (x86_64), 2 cores, 2 GiB; slipway-small v2 in aws, us-east-1",
    )
    assert [row[0] for row in table.rows] == ["small", "arm"]
    assert "`!launch IMAGE --profile small`" in shown.card.notes[-1]
    (read,) = await bot.say("carol", "!profile")
    assert [row[:3] for row in read.card.tables[0].rows] == [row[:3] for row in table.rows]
    assert not any("!launch" in note for note in read.card.notes)
    (refused,) = await bot.say("alice", f"{LAUNCH} --profile smal")
    assert "Next: `!profiles`" in refused.card.notes


async def test_a_profile_that_cannot_be_looked_up_is_told_beside_those_that_can(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    aws.faults.add(Fault(kind=FaultKind.REFUSE, match="DescribeLaunchTemplateVersions", times=1))
    (shown,) = await bot.say("carol", "!profiles")
    machines = {row[0]: row[1].partition(",")[0] for row in shown.card.tables[0].rows}
    (unknown,) = (
        name for name, machine in machines.items() if machine == "⚠ not known"
    )  # they are asked at once
    other = {"small": ("arm", "t4g.small (arm64)"), "arm": ("small", "t3.small (x86_64)")}[unknown]
    assert other in machines.items()
    assert shown.card.notes[0].startswith(f"⚠ Profile {unknown}: ")
    assert f"slipway-{unknown}" in shown.card.notes[0]


async def test_a_launch_whose_answer_was_lost_makes_one_machine(bot: BotHarness, aws: SimulatedAws) -> None:
    before = await machines(aws)
    aws.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="RunInstances"))
    card, report, machine = await launched(bot)
    assert "launch: done" in card.card.title
    assert await machines(aws) == before + 1
    _, report = await bot.say("alice", f"!terminate {machine}")
    assert "terminate: done" in report.card.title


async def test_an_end_that_ec2_only_pretends_is_not_called_done(bot: BotHarness, aws: SimulatedAws) -> None:
    _, _, machine = await launched(bot)
    aws.faults.add(Fault(kind=FaultKind.NOT_DONE, match="TerminateInstances", times=None))
    card, report = await bot.say("alice", f"!terminate {machine}")
    assert "terminate: failed" in card.card.title
    assert f"EC2 took the order, but {machine} is still running." in report.text
    aws.faults.clear()
    _, report = await bot.say("alice", f"!terminate {machine}")
    assert f"{machine} of alice is terminated." in report.text


async def test_another_persons_machine_is_ended_once_somebody_else_agreed(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    _, _, machine = await launched(bot)
    (plan,) = await bot.say("bob", f"!terminate {machine} --dry-run")
    assert f"{machine} belongs to alice, not to bob." in plan.text
    assert "1 approval: whoever has role releng" in plan.text
    (card,) = await bot.say("bob", f"!terminate {machine}")
    assert "waits for 1 approval" in card.card.title
    assert "without being asked about it takes the right `terminate.others`" in card.text
    (refused,) = await bot.press("bob", Choice.APPROVE, card)
    assert "somebody else must approve it: Alice." in refused.text
    assert await machines(aws) == 1
    await bot.press("alice", Choice.APPROVE, card)
    assert await machines(aws) == 0


async def test_that_somebody_waits_for_an_approval_keeps_no_owner_from_ending_their_machine(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    _, _, machine = await launched(bot)
    (card,) = await bot.say("bob", f"!terminate {machine}")
    assert "waits for 1 approval" in card.card.title
    _, report = await bot.say("alice", f"!terminate {machine}")
    assert f"{machine} of alice is terminated." in report.text
    assert await machines(aws) == 0
    await bot.press("alice", Choice.APPROVE, card)
    assert "stale" in card.card.title


async def test_whoever_may_end_the_machines_of_others_is_only_warned(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    _, _, machine = await launched(bot)
    _, report = await bot.say("admin", f"!terminate {machine}")
    assert f"{machine} of alice is terminated." in report.text
    assert await machines(aws) == 0


async def test_the_same_line_delivered_twice_launches_once(bot: BotHarness, aws: SimulatedAws) -> None:
    before = await machines(aws)
    await bot.say("alice", LAUNCH, event_id="once")
    assert await bot.say("alice", LAUNCH, event_id="once") == []
    assert await machines(aws) == before + 1
    assert launches(aws) == 1


async def test_a_cloud_that_cannot_be_looked_at_launches_nothing(bot: BotHarness, aws: SimulatedAws) -> None:
    aws.faults.add(Fault(kind=FaultKind.REFUSE, match="Describe*", times=None))
    for line in (LAUNCH, "!instances", "!terminate --overdue"):
        (shown,) = await bot.say("alice", line)
        assert shown.card.title.endswith("could not look at the cloud")
        assert "UnauthorizedOperation" in shown.text
        assert "Qx7-f" not in shown.text
    assert launches(aws) == 0
