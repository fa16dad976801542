"""What machines cost, and who runs what, as people and schedules are told it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from slipway.bot.chat.model import Room, Table, Tone
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.subjects.machines.leases.model import IDLE
from slipway.commands.dispatch.events import LineRequest
from tests.machines.reporting.conftest import CLOUDY, Started
from tests.support.aws import IMAGE, aws_machines, boto3_client, call_in_thread, launch_spec, unique_name
from tests.support.azure import X64
from tests.support.clock import HOUR, NOW
from tests.support.harness import BotHarness
from tests.support.leases import launched, leases_of, machine_of, minutes
from tests.support.memory_chat import PostedMessage

pytestmark = pytest.mark.asyncio(loop_scope="module")

REPORTER = {
    "name": "machines-report",
    "cron": "0 8 * * mon",
    "command": "instances --report",
    "room": "console:console",
    "roles": ["reader"],
}
CHANGES: dict[str, Any] = {
    "profiles": {"cloudy": CLOUDY},
    "prices": {"per_hour": {"us-east-1 t3.small": 0.02}},
    "limits": {"machines": 40, "machines_per_person": 5, "lease_hours_per_person": 100},
    "schedule": [REPORTER],
}


def facts(shown: PostedMessage) -> dict[str, str]:
    return {field.label: field.value for field in shown.card.fields}


def table(shown: PostedMessage, first: str) -> Table:
    (found,) = [each for each in shown.card.tables if each.columns[0] == first]
    return found


async def tick(bot: BotHarness, at: datetime, *, quiet: bool = False) -> list[PostedMessage]:
    """What the schedule says at one of its times."""
    before = len(bot.messages)
    room = Room(platform=bot.chat.platform, id="console")
    line = LineRequest.of_schedule(str(REPORTER["name"]), at, room, str(REPORTER["command"]), quiet=quiet)
    await bot.running.dispatcher.accept_line(line)
    await bot.running.idle()
    return bot.messages[before:]


async def on_azure(bot: BotHarness) -> str:
    """A machine of bob's on Azure, for eight hours; its id."""
    *_, report = await bot.say("bob", f"!launch {X64} --profile cloudy --no-ssh --for 8h")
    assert "launch: done" in report.card.title, report.text
    await minutes(bot, 0)
    (machine,) = await leases_of(bot).living("bob")
    return machine.instance_id


async def test_machines_say_what_they_have_cost_and_what_an_hour_costs(
    started: Started, aws: SimulatedAws
) -> None:
    async with started({**CHANGES, "name": unique_name("slipway")}) as bot:
        (small,) = await launched(bot, f"!launch {IMAGE} --for 8h")
        other = await on_azure(bot)
        await minutes(bot, 90)
        (shown,) = await bot.say("carol", "!instances --all")
        costs = {row["id"]: (row["cost"], row["cost_per_hour"]) for row in shown.card.tables[0].values}
        assert costs == {small: (pytest.approx(0.03), 0.02), other: (None, None)}
        assert facts(shown)["Cost so far"] == (
            "about 0.03 USD, 0.02 an hour now; 1 machine without a known price, not counted"
        )
        assert {row[0]: row[-1] for row in shown.card.tables[0].rows} == {
            small: "0.03 USD (0.02 an hour)",
            other: "unknown",
        }
        await bot.say("alice", f"!stop {small}")
        await minutes(bot, 60)
        (resting,) = await bot.say("alice", f"!instance show {small}")
        assert (facts(resting)["Cost so far"], facts(resting)["Price"]) == (
            "0.03 USD (rests)",
            "0.02 USD an hour",
        )
        await bot.say("alice", f"!start {small}")
        await minutes(bot, 30)
        (again,) = await bot.say("alice", f"!instance show {small}")
        assert facts(again)["Cost so far"] == "0.04 USD (0.02 an hour)", "the hour of rest costs nothing"
        (unknown,) = await bot.say("alice", f"!instance show {other}")
        assert (facts(unknown)["Cost so far"], facts(unknown)["Price"]) == ("unknown", "unknown")


async def test_a_schedule_reports_who_runs_what_with_all_that_is_odd(
    started: Started, aws: SimulatedAws
) -> None:
    name = unique_name("slipway")
    async with started({**CHANGES, "name": name}) as bot:
        first, _ = await launched(bot, f"!launch {IMAGE} --for 8h --count 2")
        await on_azure(bot)
        await leases_of(bot).note(await machine_of(bot, first), told={IDLE: int(NOW.timestamp())})
        tags = [{"Key": "slipway", "Value": name}]
        made = await call_in_thread(
            boto3_client(aws.url),
            "create_volume",
            AvailabilityZone="us-east-1a",
            Size=1,
            TagSpecifications=[{"ResourceType": "volume", "Tags": tags}],
        )
        async with aws_machines(aws.url) as elsewhere:
            (orphan,) = await elsewhere.launch(await launch_spec(elsewhere), "token-of-nobody")
        await call_in_thread(boto3_client(aws.url), "create_tags", Resources=[orphan.id], Tags=tags)
        bot.clock.advance(HOUR)

        (shown,) = await tick(bot, bot.clock())
        assert shown.card.tone is Tone.WARNING
        assert shown.card.title == "Who runs what: 3 machines of 2 people"
        people = {row["owner"]: row for row in table(shown, "Person").values}
        assert table(shown, "Person").rows == (
            (
                "Alice",
                "2 (1 not used)",
                "14",
                "0.04 USD (0.04 an hour)",
                "2 of 5 machines and 16 of 100 lease hours",
            ),
            ("Bob", "1", "7", "unknown", "1 of 5 machines and 8 of 100 lease hours"),
        )
        assert (people["bob"]["cost"], people["bob"]["unpriced"]) == (None, 1)
        assert table(shown, "Not used").rows == ((first, "Alice", "2026-11-20 12:00 UTC"),)
        assert [row[0] for row in table(shown, "Orphan").rows] == [orphan.id]
        assert table(shown, "Left over").rows == ((made["VolumeId"], "volume", "aws, us-east-1"),)
        assert facts(shown) == {
            "Asked by": "the schedule machines-report: `!instances --report`",
            "Hours left": "21",
            "Cost so far": "about 0.04 USD, 0.04 an hour now; 1 machine without a known price, not counted",
            "Limits": "3 of 40 machines",
            "Not used": "1",
            "Orphans": "1",
            "Left over": "1",
        }
        assert f"Take an orphan in: `!instance adopt {orphan.id}`" in shown.card.notes

        (read,) = await bot.say("carol", "!instances --report")
        assert read.card.tables == shown.card.tables
        assert not any("adopt" in note for note in read.card.notes), "carol may not"

        aws.faults.add(Fault(kind=FaultKind.REFUSE, match="DescribeInstances", times=None))
        (part,) = await tick(bot, bot.clock() + HOUR)
        assert any(
            note.startswith("⚠ Not all is known: ") and "AWS did not list machines" in note
            for note in part.card.notes
        )
        assert [row[:3] for row in table(part, "Person").rows] == [
            ("Alice", "2 (1 not used)", "14"),
            ("Bob", "1", "7"),
        ], "what is stored is told all the same"
        assert facts(part)["Orphans"] == "not known"
        assert facts(part)["Cost so far"] == "unknown: 3 machines without a known price"


async def test_where_nothing_runs_a_quiet_schedule_says_nothing(started: Started) -> None:
    async with started({**CHANGES, "name": unique_name("slipway")}) as bot:
        (shown,) = await tick(bot, NOW)
        assert shown.card.title == "Who runs what: 0 machines"
        assert facts(shown)["Limits"] == "0 of 40 machines"
        assert await tick(bot, NOW + HOUR, quiet=True) == []
        (refused,) = await bot.say("alice", "!instances --report --cloud aws")
        assert "leave `--of` and `--cloud` out" in refused.text
