"""Machines that nobody uses, and what launches left behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.times import system_clock
from slipway.bot.operations.model import OperationState
from tests.support.aws import IMAGE, boto3_client, call_in_thread, unique_name
from tests.support.clock import FakeClock
from tests.support.harness import BotHarness, audit_trail, newest_operation, running_bot
from tests.support.leases import breaking_off, launched, machine_of, minutes, state_of
from tests.support.pauses import no_pauses

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def stopping(tmp_path: Path, aws: SimulatedAws) -> AsyncIterator[BotHarness]:
    """A bot that stops what nobody used for an hour, an hour after it said so."""
    changes = {
        "name": unique_name("slipway"),
        "profiles": {"small": {"idle_after": "1h", "idle_action": "stop"}},
    }
    async with running_bot(tmp_path, aws=aws, changes=changes, sleep=no_pauses) as running:
        yield running


async def measure(aws: SimulatedAws, instance_id: str, cpu: float, traffic: float) -> None:
    """Let CloudWatch have measured this ten minutes ago."""
    cloudwatch = boto3_client(aws.url, "cloudwatch")
    data = [
        {
            "MetricName": name,
            "Dimensions": [{"Name": "InstanceId", "Value": instance_id}],
            "Timestamp": datetime.now(UTC) - timedelta(minutes=10),
            "Value": value,
        }
        for name, value in (("CPUUtilization", cpu), ("NetworkIn", traffic), ("NetworkOut", traffic))
    ]
    await call_in_thread(cloudwatch, "put_metric_data", Namespace="AWS/EC2", MetricData=data)


async def test_a_machine_that_nobody_uses_is_told_of_and_then_stopped(
    stopping: BotHarness, aws: SimulatedAws
) -> None:
    (machine,) = await launched(stopping, f"!launch {IMAGE} --for 8h")
    await measure(aws, machine, 0.5, 1000)
    assert await minutes(stopping, 59) == []
    (told,) = await minutes(stopping)
    assert told.card.title == f"Nobody seems to use {machine}"
    assert "It is stopped in 1h unless it is used." in told.text
    assert told.card.mentions == ("alice",)
    await minutes(stopping, 30)
    assert await state_of(aws, machine) == "running"
    await minutes(stopping, 30)
    assert await state_of(aws, machine) == "stopped"
    await minutes(stopping)
    assert told.card.title == f"{machine} is stopped: nobody used it"
    operation = await newest_operation(stopping)
    assert (operation.kind, operation.requester) == ("stop", "service:leases")
    assert (await machine_of(stopping, machine)).stopped_at is not None


@pytest.mark.parametrize("before", [1, 2])
async def test_that_nobody_uses_it_is_said_once_also_where_the_look_breaks_off(
    stopping: BotHarness, aws: SimulatedAws, before: int
) -> None:
    (machine,) = await launched(stopping, f"!launch {IMAGE} --for 8h")
    await measure(aws, machine, 0.5, 1000)
    with breaking_off(before):
        said = await minutes(stopping, 61)
    said += await minutes(stopping)
    assert [each.card.title for each in said] == [f"Nobody seems to use {machine}"]
    assert await minutes(stopping, 15) == []


async def test_that_it_is_stopped_is_said_once_it_is_and_a_stop_that_fails_is_asked_for_again(
    stopping: BotHarness, aws: SimulatedAws
) -> None:
    (machine,) = await launched(stopping, f"!launch {IMAGE} --for 8h")
    await measure(aws, machine, 0.5, 1000)
    (told,) = await minutes(stopping, 61)
    aws.faults.add(Fault(kind=FaultKind.REFUSE, match="StopInstances", times=None))
    await minutes(stopping, 60)
    await minutes(stopping)
    assert told.card.title == f"Nobody seems to use {machine}"
    aws.faults.clear()
    await minutes(stopping, 59)
    assert await state_of(aws, machine) == "stopped"
    await minutes(stopping)
    assert told.card.title == f"{machine} is stopped: nobody used it"


@pytest.mark.parametrize(
    ("line", "then"), [("stop", " is stopped: nobody used it"), ("terminate", ": ended")]
)
async def test_a_note_of_one_that_nobody_uses_is_taken_back_when_its_owner_acts(
    stopping: BotHarness, aws: SimulatedAws, line: str, then: str
) -> None:
    (machine,) = await launched(stopping, f"!launch {IMAGE} --for 8h")
    await measure(aws, machine, 0.5, 1000)
    (told,) = await minutes(stopping, 61)
    await stopping.say("alice", f"!{line} {machine}")
    await minutes(stopping)
    assert told.card.title == f"{machine}{then}"


async def test_one_that_is_used_meanwhile_goes_on(stopping: BotHarness, aws: SimulatedAws) -> None:
    (machine,) = await launched(stopping, f"!launch {IMAGE} --for 8h")
    await measure(aws, machine, 0.5, 1000)
    (told,) = await minutes(stopping, 61)
    await measure(aws, machine, 55.0, 1000)
    await minutes(stopping, 15)
    assert told.card.title == f"{machine} is used again"
    await minutes(stopping, 120)
    assert await state_of(aws, machine) == "running"


async def test_one_of_which_nothing_was_measured_counts_as_used(
    stopping: BotHarness, aws: SimulatedAws
) -> None:
    (machine,) = await launched(stopping, f"!launch {IMAGE} --for 8h")
    assert await minutes(stopping, 90) == []
    assert await minutes(stopping, 120) == []
    assert await state_of(aws, machine) == "running"


async def volume(aws: SimulatedAws, deployment: str) -> str:
    """A disk of a launch, without a machine."""
    tags = [{"Key": "slipway", "Value": deployment}]
    made = await call_in_thread(
        boto3_client(aws.url),
        "create_volume",
        AvailabilityZone="us-east-1a",
        Size=1,
        TagSpecifications=[{"ResourceType": "volume", "Tags": tags}],
    )
    return str(made["VolumeId"])


async def volumes(aws: SimulatedAws) -> set[str]:
    found = await call_in_thread(boto3_client(aws.url), "describe_volumes")
    return {each["VolumeId"] for each in found["Volumes"]}


async def test_what_a_launch_left_behind_is_removed_once_it_was_seen_twice(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    left = await volume(aws, bot.running.services.settings.name)
    others = await volume(aws, "another")
    await minutes(bot, 0)
    await minutes(bot, 14)
    assert left in await volumes(aws)
    await minutes(bot, 1)
    assert left not in await volumes(aws)
    assert others in await volumes(aws)
    operation = await newest_operation(bot)
    assert (operation.kind, operation.state) == ("remove-leftovers", OperationState.DONE)
    assert operation.requester == "service:leases"


async def test_a_clock_that_is_set_back_holds_up_nobodys_removal(bot: BotHarness, aws: SimulatedAws) -> None:
    bot.clock.advance(timedelta(days=30))
    await minutes(bot, 0)
    left = await volume(aws, bot.running.services.settings.name)
    bot.clock.advance(timedelta(days=-30))
    await minutes(bot, 1)
    await minutes(bot, 15)
    assert left not in await volumes(aws)


async def test_people_may_have_it_removed_at_once_and_where_there_is_nothing_that_is_said(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    (nothing,) = await bot.say("alice", "!terminate --leftovers")
    assert "every disk, interface and address has its machine" in nothing.text
    left = await volume(aws, bot.running.services.settings.name)
    *_, report = await bot.say("alice", "!terminate --leftovers")
    assert f"The volume {left} is removed." in report.text
    (refused,) = await bot.say("alice", "!terminate i-0f1e2d3c4b5a69788 --leftovers")
    assert "stands alone" in refused.text


@pytest.mark.parametrize("rule", ["list", "terminate"])
async def test_what_nobody_took_in_is_ended_by_rule_alone(
    aws: SimulatedAws, tmp_path: Path, rule: str
) -> None:
    clock = FakeClock(system_clock())  # EC2 says by its own clock since when a machine is there
    changes = {"name": unique_name("slipway"), "leases": {"orphans": rule, "orphans_after": "5h"}}
    how: dict[str, Any] = {"aws": aws, "changes": changes, "clock": clock, "sleep": no_pauses}
    async with running_bot(tmp_path / "lost", **how) as lost:
        (machine,) = await launched(lost, f"!launch {IMAGE} --for 6h")
    async with running_bot(tmp_path / "fresh", **how) as bot:
        told = await minutes(bot, 330)  # it is old enough, and its own tag gives it time still
        then = "it is to end at" if rule == "terminate" else "nothing ends it at its time"
        assert [then in each.text for each in told] == [True]
        assert await state_of(aws, machine) == "running"
        await minutes(bot, 40)
        assert await state_of(aws, machine) == ("terminated" if rule == "terminate" else "running")
        asked = [each["actor"] for each in await audit_trail(bot) if each["action"] == "proposed"]
        assert asked == (["service:leases"] if rule == "terminate" else [])
