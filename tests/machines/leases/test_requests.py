"""What a pass over a thousand leases asks of the clouds: the listings, and little more."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.azure.machines.parts import ADDRESSES, DISKS, INTERFACES
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.subjects.machines.leases.model import Machine, Reservation, ReservationState
from slipway.bot.subjects.machines.tags import DEPLOYMENT, lease_tags
from tests.support.aws import boto3_client, call_in_thread, unique_name
from tests.support.azure import X64
from tests.support.clock import HOUR, NOW, FakeClock
from tests.support.harness import BotHarness, running_bot
from tests.support.leases import leases_of, minutes
from tests.support.pauses import no_pauses

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOME, AWAY = "us-east-1", "eu-west-1"
EACH = 500
PAGE = 100


@pytest_asyncio.fixture(loop_scope="module")
async def bot(tmp_path: Path, aws: SimulatedAws) -> AsyncIterator[BotHarness]:
    """A bot whose machines are in two regions of EC2."""
    changes = {"name": unique_name("slipway"), "aws": {"regions": [AWAY], "timeout": "60s"}}
    async with running_bot(tmp_path, aws=aws, changes=changes, sleep=no_pauses) as running:
        await minutes(running, 0)  # the look at its start is over
        yield running


def leased(cloud: str, region: str, instance_id: str, reservation: str) -> Machine:
    return Machine(
        cloud=cloud,
        instance_id=instance_id,
        region=region,
        reservation_id=reservation,
        owner="alice",
        profile="small",
        launched_at=NOW - HOUR,
        lease_ends_at=NOW + HOUR,
        cap_ends_at=NOW + 2 * HOUR,
    )


async def store(bot: BotHarness, cloud: str, region: str, ids: Iterable[str]) -> None:
    """Have the bot know machines of one launch."""
    held = Reservation(
        id=f"op-{region}",
        state=ReservationState.CLAIMED,
        owner="alice",
        profile="small",
        cloud=cloud,
        region=region,
        token=f"slipway-op-{region}-0123456789abcdef-1",
        count=EACH,
        claimed_at=NOW - HOUR,
        lease_ends_at=NOW + HOUR,
        cap_ends_at=NOW + 2 * HOUR,
    )
    await leases_of(bot).claim(held, lambda _usage: None)
    await leases_of(bot).launched(held.id, [leased(cloud, region, each, held.id) for each in ids])


TAGS = lease_tags(owner="alice", until=NOW + HOUR, cap=NOW + 2 * HOUR)


async def run_many(aws: SimulatedAws, bot: BotHarness, region: str, number: int) -> list[str]:
    """Machines of the bot that run in a region of EC2."""
    client = boto3_client(aws.url, region=region)
    images = await call_in_thread(client, "describe_images", Owners=["125523088429"])
    tags = {**TAGS, DEPLOYMENT: bot.running.services.settings.name}
    ids: list[str] = []
    for _ in range(number // 50):
        made = await call_in_thread(
            client,
            "run_instances",
            ImageId=images["Images"][0]["ImageId"],
            MinCount=50,
            MaxCount=50,
            TagSpecifications=[
                {
                    "ResourceType": "instance",
                    "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
                }
            ],
        )
        ids += [each["InstanceId"] for each in made["Instances"]]
    return ids


@pytest.mark.parametrize("each", [50, pytest.param(EACH, marks=pytest.mark.slow)])
async def test_machines_that_live_in_two_regions_of_ec2_cost_one_listing_each_region(
    bot: BotHarness, aws: SimulatedAws, each: int
) -> None:
    """Up to the thousand that EC2 shows in one answer."""
    for region in (HOME, AWAY):
        await store(bot, "aws", region, await run_many(aws, bot, region, each))
    aws.requests.clear()
    await minutes(bot)
    assert [entry.label for entry in aws.requests] == ["DescribeInstances"] * 2
    assert len(await leases_of(bot).living()) == 2 * each


async def test_a_thousand_machines_that_are_gone_from_two_regions_of_ec2_cost_one_look_for_each_hundred(
    bot: BotHarness, aws: SimulatedAws
) -> None:
    """Each of them would have to be looked at alone."""
    for first, region in enumerate((HOME, AWAY)):
        await store(bot, "aws", region, [f"i-{first}{number:016x}" for number in range(EACH)])
    aws.requests.clear()
    await minutes(bot)
    assert 2 < len(aws.requests) <= 2 * EACH // 100
    assert {entry.label for entry in aws.requests} == {"DescribeInstances"}
    assert len(await leases_of(bot).living()) == 2 * EACH - (len(aws.requests) - 2)


@pytest_asyncio.fixture(loop_scope="module")
async def on_azure(tmp_path: Path) -> AsyncIterator[BotHarness]:
    """A bot whose machines are in two regions of Azure, which shows so many of them in one answer."""
    clock = FakeClock()
    azure = SimulatedAzure(fedora_gallery(clock()), clock=clock, polls=0, page_size=PAGE)
    await azure.start()
    machine = {
        "size": "Standard_B2s",
        "subnet": "machines-{region}/default",
        "security_group": "ssh-{region}",
    }
    account = {
        "subscription_id": azure.seed.subscription_id,
        "machines_group": "slipway-machines",
        "regions": ["eastus", "westeurope"],
    }
    profile = {"cloud": "azure", "machine": machine, "regions": ["eastus", "westeurope"]}
    changes = {"azure": account, "profiles": {"cloudy": profile}}
    async with running_bot(tmp_path, azure=azure, changes=changes, clock=clock, sleep=no_pauses) as running:
        await minutes(running, 0)  # the look at its start is over
        yield running
    await azure.stop()


def multiply(azure: SimulatedAzure, first: str) -> list[str]:
    """Have Azure hold many machines like one that it made, each with its own disk, interface and address."""
    held = azure.machines
    one = held.machines[first]
    made = [f"{first.rpartition('-')[0]}-{number}" for number in range(2, EACH + 1)]

    def renamed(document: object, name: str) -> Any:
        return json.loads(json.dumps(document).replace(first, name))

    for name in made:
        other = copy.copy(one)
        other.document = renamed(one.document, name)
        held.machines[name] = other
    for kind in (DISKS, INTERFACES, ADDRESSES):
        for key, thing in [each for each in held.things[kind].items() if first in each[0]]:
            held.things[kind] |= {key.replace(first, name): renamed(thing, name) for name in made}
    return [first, *made]


async def launch_in(bot: BotHarness, region: str) -> str:
    """Launch a machine in a region of Azure; its name."""
    before = set(bot.azure.machines.machines)
    await bot.say("alice", f"!launch {X64} --profile cloudy --for 1h --region {region}")
    (name,) = set(bot.azure.machines.machines) - before
    return name


def kinds_of(requests: Iterable[str]) -> list[str]:
    """What was listed, by the last part of each address."""
    return sorted(each.partition("?")[0].rpartition("/")[2] for each in requests)


async def test_azure_lists_by_group_so_a_pass_costs_the_pages_of_four_listings_however_many_regions(
    on_azure: BotHarness,
) -> None:
    """Machines, what they are doing, their interfaces and addresses: no machine is asked for alone."""
    first = {region: await launch_in(on_azure, region) for region in ("eastus", "westeurope")}
    await minutes(on_azure, 0)  # they are known, and what launches left behind was looked for
    for region, name in first.items():
        known = await leases_of(on_azure).machine("azure", name)
        assert known is not None
        assert known.region == region
        for each in multiply(on_azure.azure, name)[1:]:
            await leases_of(on_azure).adopt(replace(known, instance_id=each))
    assert len(await leases_of(on_azure).living()) == 2 * EACH
    await minutes(on_azure)  # the tags of all say what is stored
    on_azure.azure.requests.clear()
    await minutes(on_azure)
    pages = 2 * EACH // PAGE
    assert kinds_of(each.label for each in on_azure.azure.requests) == sorted(
        ["virtualMachines"] * 2 * pages + ["networkInterfaces"] * pages + ["publicIPAddresses"] * pages
    )
    assert len(await leases_of(on_azure).living()) == 2 * EACH


async def test_looks_at_single_machines_of_azure_are_no_more_than_those_that_are_noted_as_ended(
    on_azure: BotHarness,
) -> None:
    """One in 200 in a pass, so that a thousand that are gone together are not asked for at once."""
    for first, region in enumerate(("eastus", "westeurope")):
        names = [f"vm-{first}{number:011x}-1" for number in range(EACH)]
        await store(on_azure, "azure", region, names)
    await minutes(on_azure)
    on_azure.azure.requests.clear()
    living = len(await leases_of(on_azure).living())
    await minutes(on_azure)
    ended = living - len(await leases_of(on_azure).living())
    assert 0 < ended <= 2 * EACH // 200
    single = [each for each in on_azure.azure.requests if "/virtualMachines/vm-" in each.label]
    assert len(single) == ended
    assert len(on_azure.azure.requests) - len(single) == 4
