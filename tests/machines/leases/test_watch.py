"""Machines from their launch to their end, looked after once a minute, in a time that the tests own."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from slipway.bot.chat.model import Tone
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.subjects.machines.leases.model import Machine, Reservation, ReservationState
from tests.support.aws import IMAGE, boto3_client, call_in_thread, unique_name
from tests.support.clock import HOUR, NOW
from tests.support.harness import BotHarness, audit_trail, newest_operation, running_bot
from tests.support.leases import launched, leases_of, machine_of, minutes, state_of
from tests.support.memory_chat import PostedMessage
from tests.support.pauses import no_pauses

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def press(
    bot: BotHarness, message: PostedMessage, label: str, who: str = "alice"
) -> list[PostedMessage]:
    """Press a shortcut: say its line."""
    (line,) = [each.command for each in message.card.shortcuts if each.label == label]
    return await bot.say(who, f"!{line}", thread=message.thread)


async def test_in_a_freeze_no_machine_ends_and_no_try_is_counted_until_it_is_over(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    (machine,) = await launched(bot)
    await bot.say("alice", "!freeze release week")
    for _ in range(3):
        await minutes(bot, 90)
    assert await state_of(aws, machine) == "running"
    (stored,) = await leases_of(bot).living()
    assert stored.attempts == 0
    await bot.say("bob", "!unfreeze it is out")
    await minutes(bot)
    assert await state_of(aws, machine) == "terminated"


async def test_a_machine_is_warned_of_extended_warned_of_again_and_ended_at_its_time(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    before = len(bot.messages)
    (machine,) = await launched(bot)
    card = bot.messages[before]
    assert await minutes(bot, 89) == []

    (warned,) = await minutes(bot)
    assert (warned.thread, warned.card.mentions) == (card.id, ("alice",))
    assert warned.card.title == f"{machine} ends at 2026-11-20 14:00 UTC"
    assert f"`!extend {machine} --for 1h`" in warned.card.notes[0]
    assert await minutes(bot) == []  # once

    await press(bot, warned, "Extend 1h")
    await minutes(bot)
    assert warned.card.title == f"{machine}: until 2026-11-20 15:00 UTC now"
    assert warned.card.shortcuts == ()

    (again,) = await minutes(bot, 60)
    assert again.card.title == f"{machine} ends at 2026-11-20 15:00 UTC"
    (last,) = await minutes(bot, 25)
    assert last.card.title == again.card.title
    assert await state_of(aws, machine) == "running"

    said = await minutes(bot, 5)
    assert [each.thread for each in said] == [card.id, card.id]
    assert "expire: done" in said[0].card.title
    assert f"{machine} of alice is terminated." in said[1].text
    assert await state_of(aws, machine) == "terminated"
    operation = await newest_operation(bot)
    assert (operation.kind, operation.requester) == ("expire", "service:leases")
    assert "service:leases" in {each["actor"] for each in await audit_trail(bot)}
    await minutes(bot)
    assert {each.card.title for each in (again, last)} == {f"{machine}: ended"}
    assert await minutes(bot, 120) == []


async def test_machines_of_one_launch_are_told_of_together_and_who_asked_for_little_is_warned_late(
    bot: BotHarness,
) -> None:
    ids = await launched(bot, f"!launch {IMAGE} --for 20m --count 2")
    assert await minutes(bot, 10) == []  # not 30 minutes before: it never had as many
    (warned,) = await minutes(bot, 5)
    assert warned.card.title == "2 machines end at 2026-11-20 12:20 UTC"
    assert all(each in warned.text for each in ids)
    await bot.say("alice", f"!extend {ids[0]} --for 1h")
    await minutes(bot)
    assert warned.card.title == f"{ids[1]} ends at 2026-11-20 12:20 UTC"


async def test_a_new_owner_is_told_and_the_former_one_sees_whose_it_is(bot: BotHarness) -> None:
    (machine,) = await launched(bot)
    (warned,) = await minutes(bot, 95)
    await bot.say("alice", f"!handover {machine} --to bob")
    (told,) = await minutes(bot)
    assert warned.card.title == f"{machine}: bob's now"
    assert (told.card.title, told.card.mentions) == (f"{machine} ends at 2026-11-20 14:00 UTC", ("bob",))


async def test_an_end_that_fails_is_tried_again_and_told_of_once(bot: BotHarness, aws: SimulatedAws) -> None:
    (machine,) = await launched(bot)
    aws.faults.add(Fault(kind=FaultKind.REFUSE, match="TerminateInstances", times=None))
    failed = [each for each in await minutes(bot, 120) if each.card.tone is Tone.FAILED]
    assert any("UnauthorizedOperation" in each.text for each in failed)
    said: list[PostedMessage] = []
    for _ in range(20):
        said += await minutes(bot, 15)
    alarms = [each for each in said if "could not be ended" in each.card.title]
    assert len(alarms) == 1
    assert alarms[0].card.mentions == ("alice",)
    asked = [each for each in await audit_trail(bot) if each["action"] == "proposed"]
    assert (
        6 <= sum(each["actor"] == "service:leases" for each in asked) <= 8
    )  # after 1, 5, 15, 60, 60 … minutes
    aws.faults.clear()
    for _ in range(5):
        await minutes(bot, 15)
    assert await state_of(aws, machine) == "terminated"
    assert alarms[0].card.title == f"{machine}: ended after all"


async def test_while_ec2_cannot_be_read_nothing_is_asked_and_the_end_comes_afterwards(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    (machine,) = await launched(bot)
    before = await newest_operation(bot)
    aws.faults.add(Fault(kind=FaultKind.THROTTLE, match="Describe*", times=None))
    bot.clock.advance(timedelta(minutes=110))
    for _ in range(3):
        await minutes(bot, 4)
    assert (await newest_operation(bot)).id == before.id
    aws.faults.clear()
    for _ in range(4):
        await minutes(bot, 5)
    assert await state_of(aws, machine) == "terminated"


async def test_a_machine_that_lost_its_tag_is_never_touched_and_told_of_once(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    (machine,) = await launched(bot)
    await call_in_thread(boto3_client(aws.url), "delete_tags", Resources=[machine], Tags=[{"Key": "slipway"}])
    (told,) = await minutes(bot)
    assert told.card.title == f"{machine} lost this Slipway's tag"
    assert [each for each in await minutes(bot, 180) if "ends" not in each.card.title] == []
    assert await state_of(aws, machine) == "running"
    await call_in_thread(boto3_client(aws.url), "terminate_instances", InstanceIds=[machine])


async def test_a_machine_that_somebody_else_ended_frees_its_place(bot: BotHarness, aws: SimulatedAws) -> None:
    (machine,) = await launched(bot)
    await call_in_thread(boto3_client(aws.url), "terminate_instances", InstanceIds=[machine])
    await minutes(bot)
    assert await leases_of(bot).living() == ()
    assert (await machine_of(bot, machine)).ended_at == bot.clock()


async def test_a_look_that_began_before_a_stop_leaves_what_was_noted_of_it(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    (machine,) = await launched(bot)
    held = aws.faults.add(Fault(kind=FaultKind.HOLD_AFTER, match="DescribeInstances"))
    await bot.running.upkeep.sweep()
    await held.reached.wait()
    await bot.say("alice", f"!stop {machine}", wait=False)
    await bot.until(lambda: any(f"{machine} is stopped" in each.text for each in bot.messages))
    held.release()
    await bot.running.idle()
    assert (await machine_of(bot, machine)).stopped_at == bot.clock()


async def test_a_look_that_began_before_a_start_does_not_have_it_rest(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    (machine,) = await launched(bot)
    await call_in_thread(boto3_client(aws.url), "stop_instances", InstanceIds=[machine])
    held = aws.faults.add(Fault(kind=FaultKind.HOLD_AFTER, match="DescribeInstances"))
    await bot.running.upkeep.sweep()
    await held.reached.wait()
    await bot.say("alice", f"!start {machine}", wait=False)
    await bot.until(lambda: any(each.card.title.endswith("start: done") for each in bot.messages))
    held.release()
    await bot.running.idle()
    assert (await machine_of(bot, machine)).stopped_at is None


def claim(bot: BotHarness, operation_id: str, token: str) -> Reservation:
    return Reservation(
        id=operation_id,
        state=ReservationState.CLAIMED,
        owner="alice",
        profile="small",
        cloud="aws",
        region="us-east-1",
        token=token,
        count=1,
        claimed_at=bot.clock(),
        lease_ends_at=bot.clock() + HOUR,
        cap_ends_at=bot.clock() + 2 * HOUR,
    )


async def test_a_claim_whose_machines_are_there_becomes_a_launch_and_one_that_made_none_is_let_go(
    bot: BotHarness,
) -> None:
    await bot.say("alice", f"!launch {IMAGE} --for 2h")
    operation = await newest_operation(bot)
    leases = leases_of(bot)
    if await leases.reservation(operation.id) is None:
        await leases.claim(claim(bot, operation.id, operation.token(1)), lambda _usage: None)
    await leases.claim(claim(bot, "op-none", "slipway-op-none-0123456789abcdef-1"), lambda _usage: None)
    await minutes(bot)
    (machine,) = await leases.living()
    assert machine.reservation_id == operation.id
    assert [each.id for each in await leases.open_claims()] == ["op-none"]  # the cloud may lag
    await minutes(bot, 10)
    assert await leases.open_claims() == ()
    released = await leases.reservation("op-none")
    assert released is not None
    assert released.state is ReservationState.RELEASED


async def test_a_machine_in_a_region_that_is_configured_no_more_is_told_of(bot: BotHarness) -> None:
    leases = leases_of(bot)
    held = claim(bot, "op-away", "slipway-op-away-0123456789abcdef-1")
    away = Machine(
        cloud="aws",
        instance_id="i-0f1e2d3c4b5a69788",
        region="eu-west-1",
        reservation_id=None,
        owner="alice",
        profile="small",
        launched_at=NOW,
        lease_ends_at=held.lease_ends_at,
        cap_ends_at=held.cap_ends_at,
    )
    await leases.adopt(away)
    said = [each for _ in range(4) for each in await minutes(bot, 60)]
    (told,) = [each for each in said if "could not be ended" in each.card.title]
    assert (told.room, told.card.mentions) == ("direct:alice", ("alice",))
    assert await leases.living() == (await machine_of(bot, away.instance_id),)


async def test_a_fault_in_one_part_keeps_no_machine_alive(bot: BotHarness, aws: SimulatedAws) -> None:
    (machine,) = await launched(bot)
    unreadable = "UPDATE chat_memory SET value = 'no JSON' WHERE name = 'leases leftovers'"
    async with bot.running.database.writing() as connection:
        await connection.execute(sa.text(unreadable))
        await connection.execute(sa.text("UPDATE machine SET told = '{\"ends x alice\": 1}'"))
    await minutes(bot, 120)
    assert await state_of(aws, machine) == "terminated"


async def test_a_stopped_machine_ages_too(bot: BotHarness, aws: SimulatedAws) -> None:
    (machine,) = await launched(bot)
    await call_in_thread(boto3_client(aws.url), "stop_instances", InstanceIds=[machine])
    await minutes(bot)
    assert (await machine_of(bot, machine)).stopped_at == bot.clock()
    await minutes(bot, 120)
    assert await state_of(aws, machine) == "terminated"


async def test_nothing_is_asked_of_a_bot_without_machines_and_a_busy_minute_costs_one_listing(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    await launched(bot, f"!launch {IMAGE} --for 2h --count 3")
    await minutes(bot)
    aws.requests.clear()
    await minutes(bot)
    assert [entry.label for entry in aws.requests] == ["DescribeInstances"]


async def test_ten_launches_that_are_asked_for_at_once_wait_for_none_of_each_other_s_answers(
    aws: SimulatedAws, tmp_path: Path
) -> None:
    patient = {"name": unique_name("slipway"), "aws": {"timeout": "60s"}}  # no call is tried again here
    async with running_bot(tmp_path, aws=aws, changes=patient, sleep=no_pauses) as bot:
        held = aws.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match="Describe*", times=None))
        for _ in range(10):
            await bot.say("alice", f"!launch {IMAGE} --for 2h", wait=False)
        try:
            async with asyncio.timeout(20):
                while held.hits < 10:  # noqa: ASYNC110 - nothing tells of each
                    await asyncio.sleep(0.01)
        finally:
            held.release()
            await bot.running.idle()
