"""People launch machines on Azure, look at them and end them, as they do on EC2."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1

from slipway.bot.chat.model import Choice
from slipway.bot.clouds.capabilities import Adapter, Clouds
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.azure.machines.parts import ADDRESSES, DISKS, INTERFACES, SCHEDULES
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.core.waiting import Polling
from slipway.bot.operations.model import OperationState
from slipway.bot.subjects.machines.keys.public_key import read_key
from slipway.bot.subjects.machines.launching.executor import LaunchExecutor
from slipway.bot.subjects.machines.steps import LaunchMachines
from tests.support.azure import DESCRIBED, LATEST, X64, azure_machines, launch_spec
from tests.support.clock import NOW
from tests.support.harness import BotHarness, newest_state, running_bot
from tests.support.leases import leases_in, minutes, unlimited
from tests.support.pauses import no_pauses, nobody_waits
from tests.support.ssh_keys import ecdsa, ed25519

SPEC = Path(__file__).parents[4] / "deploy" / "azure-machine-spec.json"
MACHINE = {
    "size": "Standard_B2s",
    "subnet": "machines-{region}/default",
    "security_group": "ssh-{region}",
}

KEYS = {"ecdsa": ecdsa(SECP256R1()), "ed25519": ed25519(1)}


@pytest.fixture
async def azure() -> AsyncIterator[SimulatedAzure]:
    simulated = SimulatedAzure(fedora_gallery(NOW), clock=lambda: NOW, polls=0)
    await simulated.start()
    yield simulated
    await simulated.stop()


@pytest.fixture
async def bot(tmp_path: Path, azure: SimulatedAzure) -> AsyncIterator[BotHarness]:
    """The bot on Azure alone, where one profile describes machines."""
    account: dict[str, Any] = {
        "subscription_id": azure.seed.subscription_id,
        "resource_group": azure.seed.resource_group,
        "gallery": azure.seed.gallery,
        "endpoint": azure.url,
        "machines_group": "slipway-machines",
        "regions": ["eastus", "westeurope"],
    }
    changes = {
        "azure": account,
        "profiles": {
            "cloudy": {"cloud": "azure", "max_count": 3, "machine": MACHINE},
            "speced": {"cloud": "azure", "template": "spec:templates/small", "overrides": ["type"]},
            "nightly": {"cloud": "azure", "machine": {**MACHINE, "auto_shutdown": True}},
        },
    }
    async with running_bot(tmp_path, azure=azure, changes=changes, sleep=no_pauses) as running:
        yield running


def launched(azure: SimulatedAzure) -> list[str]:
    return sorted(machine.name for machine in azure.machines.machines.values())


def parts(azure: SimulatedAzure) -> list[str]:
    """What there is of machines besides themselves."""
    kinds = (DISKS, INTERFACES, ADDRESSES, SCHEDULES)
    return [name for kind in kinds for name in azure.machines.things[kind]]


def lose(azure: SimulatedAzure, name: str) -> None:
    """Take a machine away and leave what belongs to it, as a forced deletion would."""
    del azure.machines.machines[name]
    for things in azure.machines.things.values():
        for thing in things.values():
            if thing["properties"].get("virtualMachine", {}).get("id", "").endswith(name):
                del thing["properties"]["virtualMachine"]
            if thing.get("managedBy", "").endswith(name):
                del thing["managedBy"]


async def test_a_definition_s_name_launches_its_latest_version_until_it_is_terminated(
    bot: BotHarness, azure: SimulatedAzure
) -> None:
    *_, told = await bot.say("alice", f"!launch {X64} --profile cloudy --for 2h --count 2")
    names = launched(azure)
    assert len(names) == 2
    assert all(name in told.text for name in names)
    (sent, _) = azure.machines.sent
    assert sent["properties"]["storageProfile"]["imageReference"]["id"].endswith(f"/versions/{LATEST}")
    *_, listed = await bot.say("alice", "!instances")
    assert all(name in listed.text for name in names)
    assert await newest_state(bot) is OperationState.DONE
    *_, ended = await bot.say("alice", f"!terminate {' '.join(names)}")
    assert all(name in ended.text for name in names)
    assert launched(azure) == []
    assert parts(azure) == []


async def test_a_template_spec_is_a_profile_s_template_like_any_other(
    bot: BotHarness, azure: SimulatedAzure
) -> None:
    (missing,) = await bot.say("alice", f"!launch {X64} --profile speced")
    assert "does not have; whoever runs Slipway can correct [profiles.speced]." in missing.text
    azure.machines.specs.add("templates", "small", "1.0", json.loads(SPEC.read_text("utf-8")))
    (planned,) = await bot.say("alice", f"!launch {X64} --profile speced --dry-run")
    assert "spec:templates/small (1.0@" in planned.text
    assert "subnet machines-eastus/default; security group ssh-eastus; public address yes" in planned.text
    assert "from 203.0.113.0/24" in planned.text
    *_, told = await bot.say("alice", f"!launch {X64} --profile speced --type Standard_D4s_v5")
    (name,) = launched(azure)
    assert f"Launched {name}" in told.text
    (entry,) = [each for each in azure.writes if "/deployments/" in each.path]
    assert entry.path.endswith(f"/deployments/{name}")
    await bot.say("alice", f"!terminate {name}")
    assert (launched(azure), parts(azure)) == ([], [])


async def test_a_failure_of_azure_is_told_with_its_words_and_leaves_no_machine(
    bot: BotHarness, azure: SimulatedAzure
) -> None:
    azure.faults.add(
        Fault(
            kind=FaultKind.FAIL_HALFWAY,
            match="PUT */virtualMachines/*-2",
            code="AllocationFailed",
            message="Allocation failed. We do not have sufficient capacity for the requested size.",
        )
    )
    *_, told = await bot.say("alice", f"!launch {X64} --profile cloudy --count 3")
    assert "We do not have sufficient capacity for the requested size" in told.text
    assert "AllocationFailed" in told.text
    assert launched(azure) == []
    assert await newest_state(bot) is OperationState.FAILED


async def test_a_machine_rests_and_ends_at_its_time_and_what_another_left_behind_is_removed(
    bot: BotHarness, azure: SimulatedAzure
) -> None:
    await bot.say("alice", f"!launch {X64} --profile cloudy --for 2h --count 2")
    kept, lost = launched(azure)
    await minutes(bot)
    await bot.say("alice", f"!stop {kept}")
    assert azure.machines.machine(kept).power == "deallocated"
    await bot.say("alice", f"!start {kept}")
    assert azure.machines.machine(kept).power == "running"
    lose(azure, lost)
    for _ in range(5):
        await minutes(bot, 30)
    assert launched(azure) == []
    assert parts(azure) == []


async def test_an_interface_that_was_left_behind_is_removed_with_the_address_that_it_uses(
    bot: BotHarness, azure: SimulatedAzure
) -> None:
    await bot.say("alice", f"!launch {X64} --profile cloudy")
    lose(azure, *launched(azure))
    *_, told = await bot.say("alice", "!terminate --leftovers")
    assert await newest_state(bot) is OperationState.DONE, told.text
    assert parts(azure) == []


async def test_one_that_is_shut_down_from_inside_is_still_paid_for_until_somebody_stops_it(
    bot: BotHarness, azure: SimulatedAzure
) -> None:
    await bot.say("alice", f"!launch {X64} --profile cloudy --for 2h")
    (name,) = launched(azure)
    await minutes(bot)
    azure.machines.act(name, "stopped")
    (shown,) = await bot.say("alice", f"!instance show {name}")
    assert shown.card.title == f"{name} is stopped, still paid for"
    *_, report = await bot.say("alice", f"!stop {name}")
    assert f"{name} is stopped; its lease goes on." in report.text
    assert azure.machines.machine(name).power == "deallocated"
    await bot.say("alice", f"!start {name}")
    azure.machines.act(name, "stopped")
    await bot.say("alice", f"!start {name}")
    assert azure.machines.machine(name).power == "running"


async def test_a_launch_that_a_crash_cut_short_is_completed_and_not_taken_for_done(tmp_path: Path) -> None:
    async with azure_machines(polls=0) as here, leases_in(tmp_path) as leases:
        token = "op-1:launch"
        (first,) = await here.machines.launch(launch_spec(count=1), token)  # so far the process came
        step = LaunchMachines(
            image_id=f"{X64}/{LATEST}",
            image_name=X64,
            template_id="small",
            template_name="small",
            template_version=DESCRIBED.version,
            count=3,
            until=NOW + timedelta(hours=2),
            requester="alice",
            tags={"slipway:owner": "alice"},
            cloud="azure",
        )
        clouds = Clouds([Adapter("azure", {MACHINES: here.machines})])
        executor = LaunchExecutor(clouds, unlimited(leases), lambda: NOW, Polling(sleep=nobody_waits))
        assert await executor.observe(step, token) is None
        await executor.act(step, token)
        done = await executor.verify(step, token)
        assert done.facts["instances"] == [first.id, *launched(here.azure)[1:]]
        assert len(launched(here.azure)) == 3
        again = await executor.observe(step, token)
        assert again is not None
        assert again.already


async def test_the_card_says_what_ends_a_machine_where_slipway_is_gone(bot: BotHarness) -> None:
    *_, told = await bot.say("alice", f"!launch {X64} --profile cloudy --dry-run")
    assert "no backstop" in told.text
    *_, told = await bot.say("alice", f"!launch {X64} --profile nightly --dry-run")
    assert "a schedule of the cloud stops it every day at that hour" in told.text
    assert "no backstop" not in told.text


async def test_the_card_says_of_a_key_which_azure_does_not_take_itself_what_it_rests_on(
    bot: BotHarness, azure: SimulatedAzure
) -> None:
    for line in KEYS.values():
        card, *_ = await bot.say("alice", f"!sshkey add {line}")
        await bot.press("alice", Choice.APPROVE, card)
    card, *_ = await bot.say("alice", f"!launch {X64} --profile cloudy --dry-run")
    fingerprints = {name: read_key(line).fingerprint for name, line in KEYS.items()}
    assert fingerprints["ecdsa"] in card.text
    assert f"{fingerprints['ecdsa']} is of a kind that Azure does not put in itself" in card.text
    assert "only an image that runs cloud-init lets it in" in card.text
    assert f"{fingerprints['ed25519']} is" not in card.text
    await bot.say("alice", f"!launch {X64} --profile cloudy")
    profile = azure.machines.sent[-1]["properties"]["osProfile"]
    (put_in,) = profile["linuxConfiguration"]["ssh"]["publicKeys"]
    assert put_in["keyData"].startswith(KEYS["ed25519"])
    parts = message_from_bytes(base64.b64decode(profile["customData"])).walk()
    assert any(KEYS["ecdsa"].encode() in (part.get_payload(decode=True) or b"") for part in parts)


async def test_profiles_show_the_size_that_is_described(bot: BotHarness) -> None:
    *_, told = await bot.say("alice", "!profiles")
    assert "cloudy" in told.text
    assert "Standard_B2s (x64)" in told.text
