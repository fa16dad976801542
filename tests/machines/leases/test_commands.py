"""What people do with machines that they have, in a room."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.chat.model import Room
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError
from slipway.bot.operations.model import OperationState
from slipway.bot.subjects.machines.leases.steps import StopMachine
from slipway.bot.subjects.machines.requests import Terminate
from slipway.bot.subjects.machines.services import MachineServices
from slipway.commands.dispatch.events import LineRequest
from tests.support.aws import IMAGE, boto3_client, call_in_thread, unique_name
from tests.support.clock import HOUR, NOW
from tests.support.harness import BotHarness, newest_operation, newest_state, running_bot
from tests.support.leases import launched, leases_of, machine_of, minutes, state_of, tags_of
from tests.support.pauses import no_pauses

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_lease_is_extended_stored_and_mirrored_in_tags(bot: BotHarness, aws: SimulatedAws) -> None:
    (machine,) = await launched(bot)
    *_, report = await bot.say("alice", f"!extend {machine} --for 90m")
    assert f"{machine} lives until 2026-11-20 15:30 UTC." in report.text
    stored = await machine_of(bot, machine)
    assert (stored.lease_ends_at, stored.revision, stored.mirrored) == (NOW + 3.5 * HOUR, 2, 2)
    assert (await tags_of(aws, machine))["slipway:until"] == "2026-11-20T15:30:00Z"


async def test_an_hour_is_what_extending_means_where_nobody_says(bot: BotHarness) -> None:
    first, second = await launched(bot, f"!launch {IMAGE} --for 2h --count 2")
    await bot.say("alice", f"!extend {first} {second}")
    assert await newest_state(bot) is OperationState.DONE
    assert {(await machine_of(bot, each)).lease_ends_at for each in (first, second)} == {NOW + 3 * HOUR}


async def test_tags_that_cannot_be_changed_follow_with_the_next_look(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    (machine,) = await launched(bot)
    aws.faults.add(Fault(kind=FaultKind.REFUSE, match="CreateTags"))
    *_, report = await bot.say("alice", f"!extend {machine}")
    assert await newest_state(bot) is OperationState.DONE
    assert "Its tags could not be changed yet; Slipway tries again." in report.text
    assert (await tags_of(aws, machine))["slipway:until"] == "2026-11-20T14:00:00Z"
    aws.faults.clear()
    await minutes(bot)
    assert (await tags_of(aws, machine))["slipway:until"] == "2026-11-20T15:00:00Z"


async def test_the_database_decides_where_somebody_writes_another_time_into_the_tags(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    (machine,) = await launched(bot)
    tag = {"Key": "slipway:until", "Value": "2027-01-01T00:00:00Z"}
    await call_in_thread(boto3_client(aws.url), "create_tags", Resources=[machine], Tags=[tag])
    (shown,) = await bot.say("alice", f"!instance show {machine}")
    assert ("Until", "2026-11-20 14:00 UTC") in [(each.label, each.value) for each in shown.card.fields]
    await minutes(bot)
    assert (await tags_of(aws, machine))["slipway:until"] == "2026-11-20T14:00:00Z"


async def test_nothing_is_extended_beyond_the_whole_life(bot: BotHarness) -> None:
    (machine,) = await launched(bot)
    cap = (await machine_of(bot, machine)).cap_ends_at
    assert cap == NOW + timedelta(days=7)
    (refused,) = await bot.say("alice", f"!extend {machine} --for 7d")
    assert f"The whole life of {machine} ends at 2026-11-27 12:00 UTC" in refused.text
    assert "it can be extended by 6d22h at most" in refused.text
    assert (await machine_of(bot, machine)).revision == 1


async def test_longer_than_the_profile_gives_somebody_agrees_to(bot: BotHarness) -> None:
    (machine,) = await launched(bot)
    (card,) = await bot.say("alice", f"!extend {machine} --for 3d")
    assert "would live longer than the 3d of profile small" in card.text
    assert await newest_state(bot) is OperationState.PROPOSED
    assert (await machine_of(bot, machine)).revision == 1


@pytest.mark.parametrize("said", ["-1h", "forever", "0m"])
async def test_a_time_that_is_none_is_told_and_nothing_changes(bot: BotHarness, said: str) -> None:
    (machine,) = await launched(bot)
    (refused,) = await bot.say("alice", f"!extend {machine} --for {said}")
    assert "is no" in refused.text
    assert (await machine_of(bot, machine)).revision == 1


async def test_another_persons_machine_is_theirs_alone(bot: BotHarness) -> None:
    (machine,) = await launched(bot)
    for line, verb in (
        (f"!extend {machine}", "extend it"),
        (f"!stop {machine}", "stop it"),
        (f"!start {machine}", "start it"),
        (f"!handover {machine} --to bob", "hand it over"),
    ):
        (refused,) = await bot.say("admin", line)
        assert f"{machine} is Alice (alice)'s, so only they can {verb};" in refused.text
    assert (await machine_of(bot, machine)).revision == 1


async def test_of_two_who_extend_at_once_one_does_and_the_other_is_told(bot: BotHarness) -> None:
    (machine,) = await launched(bot)
    (card,) = await bot.say("alice", f"!extend {machine} --for 71h")  # waits for approval
    operation = await newest_operation(bot)
    await bot.say("alice", f"!extend {machine} --for 1h")
    assert (await machine_of(bot, machine)).lease_ends_at == NOW + 3 * HOUR
    await bot.say("bob", f"!approve {operation.id}")
    assert "stale" in card.text
    assert (await machine_of(bot, machine)).lease_ends_at == NOW + 3 * HOUR


async def test_a_limit_of_lease_hours_keeps_from_extending(aws: SimulatedAws, tmp_path: Path) -> None:
    changes = {"name": "limited", "limits": {"lease_hours_per_person": 3}}
    async with running_bot(tmp_path / "limited", aws=aws, changes=changes) as limited:
        (machine,) = await launched(limited)
        await limited.say("alice", f"!extend {machine} --for 1h")
        (refused,) = await limited.say("alice", f"!extend {machine} --for 1h")
        assert "alice may have 3 lease hours, has 3 now, and 1 more is asked for" in refused.text
        assert (await machine_of(limited, machine)).lease_ends_at == NOW + 3 * HOUR


async def test_a_machine_is_handed_over_and_its_tags_say_so(bot: BotHarness, aws: SimulatedAws) -> None:
    (machine,) = await launched(bot)
    (who,) = await bot.say("alice", f"!handover {machine}")
    assert f"handover {machine} --to bob" in [each.command for each in who.card.shortcuts]
    (nobody,) = await bot.say("alice", f"!handover {machine} --to bop")
    assert "Nobody here is called bop." in nobody.text
    assert f"Did you mean `!handover {machine} --to bob`" in nobody.text
    *_, report = await bot.say("alice", f"!handover {machine} --to Bob")
    assert f"{machine} is bob's now." in report.text
    assert (await tags_of(aws, machine))["slipway:owner"] == "bob"
    (refused,) = await bot.say("alice", f"!extend {machine}")
    assert f"{machine} is Bob (bob)'s" in refused.text
    assert "extend: done" in (await bot.say("bob", f"!extend {machine}"))[-1].card.title


async def test_a_machine_rests_and_runs_again(bot: BotHarness, aws: SimulatedAws) -> None:
    (machine,) = await launched(bot)
    *_, report = await bot.say("alice", f"!stop {machine}")
    assert f"{machine} is stopped; its lease goes on." in report.text
    assert await state_of(aws, machine) == "stopped"
    assert (await machine_of(bot, machine)).stopped_at == NOW
    (again,) = await bot.say("alice", f"!stop {machine}")
    assert f"Nothing to do: {machine} is stopped already." in again.text
    *_, report = await bot.say("alice", f"!start {machine}")
    assert f"{machine} is started." in report.text
    assert await state_of(aws, machine) == "running"
    assert (await machine_of(bot, machine)).stopped_at is None


async def test_where_a_machine_ended_meanwhile_what_is_there_is_offered_and_not_the_same_again(
    bot: BotHarness,
) -> None:
    (machine,) = await launched(bot)
    stored = await machine_of(bot, machine)
    await leases_of(bot).note(stored, ended_at=bot.clock())
    step = StopMachine(cloud="aws", region="us-east-1", instance_id=machine, owner="alice")
    with pytest.raises(CloudError, match="is gone, so nothing was changed") as caught:
        await bot.running.services.get(MachineServices).editor.current(step)
    assert caught.value.remedy is not None
    assert caught.value.remedy.command == "instances"


async def test_to_stop_nothing_points_to_what_stops_an_operation(bot: BotHarness) -> None:
    (answer,) = await bot.say("alice", "!stop")
    assert "Say which machine to stop." in answer.text
    assert "`!cancel` stops an operation" in answer.text
    assert "Next: `!instances`" in answer.card.notes


async def test_machines_that_are_not_there_or_gone_are_one_sentence(bot: BotHarness) -> None:
    (machine,) = await launched(bot)
    (unknown,) = await bot.say("alice", f"!extend {machine[:-1]}{'0' if machine[-1] != '0' else '1'}")
    assert f"Did you mean `!extend {machine}`?" in unknown.text
    await bot.say("alice", f"!terminate {machine}")
    (gone,) = await bot.say("alice", f"!extend {machine}")
    assert f"There is no machine {machine}, or it is gone." in gone.text
    assert not (await machine_of(bot, machine)).living


async def test_a_machine_that_outlived_the_database_is_adopted_as_its_tags_say(
    aws: SimulatedAws, tmp_path: Path
) -> None:
    changes = {"name": unique_name("slipway")}
    async with running_bot(tmp_path / "lost", aws=aws, changes=changes) as bot:
        (machine,) = await launched(bot)
        before = await machine_of(bot, machine)
    async with running_bot(tmp_path / "fresh", aws=aws, changes=changes) as fresh:
        told = await minutes(fresh, 0)
        assert [(each.room, each.card.title) for each in told] == [
            ("direct:alice", f"Nothing is stored of {machine}")
        ]
        assert await minutes(fresh) == []  # once
        (refused,) = await fresh.say("alice", f"!extend {machine}")
        assert f"Next: `!instance adopt {machine}`" not in refused.card.notes  # alice has no right to that
        *_, report = await fresh.say("admin", f"!instance adopt {machine}")
        assert f"{machine} is known as alice's, until 2026-11-20 14:00 UTC." in report.text
        stored = await machine_of(fresh, machine)
        assert (stored.owner, stored.profile, stored.lease_ends_at) == ("alice", "small", NOW + 2 * HOUR)
        assert stored.cap_ends_at == before.cap_ends_at
        (again,) = await fresh.say("admin", f"!instance adopt {machine}")
        assert f"{machine} is known already: it is Alice's." in again.text


async def test_whose_machines_are_shown(bot: BotHarness) -> None:
    (own,) = await launched(bot)
    (bobs,) = await launched(bot, who="bob")

    async def shown(who: str, line: str) -> set[str]:
        (answer,) = await bot.say(who, line)
        return {str(row["id"]) for table in answer.card.tables for row in table.values}

    assert await shown("alice", "!instances") == {own}
    assert await shown("alice", "!instances --of bob") == {bobs}
    assert await shown("alice", "!instances --all --cloud aws") == {own, bobs}
    assert await shown("carol", "!instances") == set()
    (listed,) = await bot.say("bob", "!instances --all")  # names what bob can do with one of his own
    assert f"Let one live longer: `!extend {bobs}`" in listed.card.notes
    assert f"End one: `!terminate {bobs}`" in listed.card.notes
    (unknown,) = await bot.say("alice", "!instances --cloud gcp")
    assert "No account is called gcp; configured: " in unknown.text
    (without,) = await bot.say("alice", "!instances --cloud azure")  # which holds images alone
    assert "No machines are launched in azure; they are in aws." in without.text


async def test_what_a_former_version_asked_for_still_ends_what_is_overdue(bot: BotHarness) -> None:
    (machine,) = await launched(bot)
    services = bot.running.services
    planner = services.subjects.planner(Terminate(overdue=True))
    assert not (await planner.plan(Terminate(overdue=True), NOW)).steps
    (step,) = (await planner.plan(Terminate(overdue=True), NOW + 2 * HOUR)).steps
    assert step.title == f"terminate {machine} of alice"
    bot.clock.advance(2 * HOUR)
    *_, report = await bot.say("bob", "!terminate --overdue")
    assert f"{machine} of alice is terminated." in report.text
    assert (await newest_operation(bot)).kind == "expire"
    assert await leases_of(bot).living() == ()


async def test_a_schedule_reports_everybodys_machines(aws: SimulatedAws, tmp_path: Path) -> None:
    entry = {"name": "report", "cron": "0 6 1 1 *", "command": "instances", "roles": ["reader"]}
    changes = {"name": unique_name("slipway"), "schedule": [{**entry, "room": "console:console"}]}
    async with running_bot(tmp_path, aws=aws, changes=changes, sleep=no_pauses) as bot:
        ids = {*await launched(bot), *await launched(bot, who="bob")}
        room = Room(platform=bot.chat.platform, id="console")
        tick = LineRequest.of_schedule("report", bot.clock(), room, "instances", quiet=False)
        await bot.running.dispatcher.accept_line(tick)
        await bot.running.idle()
        assert {str(row["id"]) for row in bot.messages[-1].card.tables[0].values} == ids
