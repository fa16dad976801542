"""Machines on Azure once they run: listing, tags, rest, console, health; and that nothing of them stays behind."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta

import pytest

from slipway.bot.clouds.machine_model import Health, HealthState, InstanceState, Leftover
from slipway.bot.clouds.simulated.azure import Seed
from slipway.bot.clouds.simulated.azure.machines.parts import ADDRESSES, DISKS, INTERFACES
from slipway.bot.clouds.simulated.azure.machines.seed import SeedMachines
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.core.errors import CloudError, CloudErrorKind
from tests.support.azure import (
    DESCRIBED,
    azure_machines,
    launch_spec,
)
from tests.support.clock import NOW

TOKEN = "op-abc:launch-machines"


async def test_terminating_leaves_nothing_behind_and_may_be_asked_twice() -> None:
    async with azure_machines(polls=0) as here:
        (machine,) = await here.machines.launch(launch_spec(), TOKEN)
        await here.machines.terminate(machine.id)
        assert (here.names, here.parts) == ([], [])
        await here.machines.terminate(machine.id)
        with pytest.raises(CloudError) as failed:
            await here.machines.instance(machine.id)
        assert failed.value.kind is CloudErrorKind.NOT_FOUND


async def test_what_belongs_to_others_is_passed_over_however_odd() -> None:
    async with azure_machines(polls=0) as here:
        (machine,) = await here.machines.launch(launch_spec(), TOKEN)
        things = here.azure.machines.things
        things[INTERFACES]["theirs"] = {
            "id": "/theirs",
            "name": "theirs",
            "properties": {"ipConfigurations": None},
        }
        things[ADDRESSES]["theirs"] = {"id": "/theirs", "name": "theirs", "properties": None}
        (seen,) = await here.machines.instances()
        assert seen.address == machine.address != ""
        assert (await here.machines.instance(machine.id)).address == machine.address


async def test_a_schedule_that_cannot_be_removed_is_left_over_and_keeps_no_machine_from_its_end() -> None:
    described = DESCRIBED.model_copy(update={"auto_shutdown": True})
    async with azure_machines(described, polls=0) as here:
        spec = launch_spec(described, ends_at=NOW + timedelta(days=7))
        (machine,) = await here.machines.launch(spec, TOKEN)
        here.azure.faults.add(Fault(kind=FaultKind.REFUSE, match="DELETE */schedules/*"))
        await here.machines.terminate(machine.id)
        assert here.names == []
        assert [each.kind for each in await here.machines.leftovers()] == ["shutdown schedule"]


async def test_stopping_deallocates_so_that_it_costs_nothing_but_its_disk() -> None:
    async with azure_machines(polls=0) as here:
        (machine,) = await here.machines.launch(launch_spec(), TOKEN)
        record = here.azure.machines.machine(machine.id)
        here.azure.machines.act(machine.id, "stopped")  # from inside: that is still paid for
        assert (await here.machines.instance(machine.id)).state is InstanceState.SHUT_DOWN
        await here.machines.stop(machine.id)
        assert record.power == "deallocated"
        assert (await here.machines.instance(machine.id)).state is InstanceState.STOPPED
        sent = len(here.azure.writes)
        await here.machines.stop(machine.id)
        assert len(here.azure.writes) == sent, "it rests already"
        await here.machines.start(machine.id)
        await here.machines.start(machine.id)
        assert record.power == "running"
        assert len(here.azure.writes) == sent + 1


async def test_a_change_whose_answer_is_lost_is_in_doubt() -> None:
    async with azure_machines(polls=0) as here:
        (machine,) = await here.machines.launch(launch_spec(), TOKEN)
        here.azure.faults.add(Fault(kind=FaultKind.ERROR_AFTER, match="DELETE *"))
        with pytest.raises(CloudError) as failed:
            await here.machines.terminate(machine.id)
        assert failed.value.doubtful
        assert here.names == []


async def test_listing_a_hundred_machines_takes_one_round_of_requests_a_page() -> None:
    async with azure_machines(polls=0, page_size=100, seed=roomy()) as here:
        for number in range(10):
            await here.machines.launch(launch_spec(count=10), f"{TOKEN}-{number}")
        before = len(here.azure.requests)
        assert len(await here.machines.instances()) == 100
        assert len(here.azure.requests) - before == 4


async def test_tags_are_set_beside_those_that_are_there() -> None:
    async with azure_machines() as here:
        (machine,) = await here.machines.launch(launch_spec(), TOKEN)
        await here.machines.retag(machine.id, {"slipway:until": "2026-11-21T00:00:00Z"})
        assert (await here.machines.instance(machine.id)).tags == {
            **machine.tags,
            "slipway:until": "2026-11-21T00:00:00Z",
        }


async def test_machines_of_another_deployment_are_neither_listed_nor_left_over() -> None:
    async with azure_machines(deployment="other") as here:
        await here.machines.launch(launch_spec(), TOKEN)
        ours = here.machines
        async with azure_machines() as elsewhere:
            elsewhere.azure.machines.machines = here.azure.machines.machines
            elsewhere.azure.machines.things = here.azure.machines.things
            assert await elsewhere.machines.instances() == ()
            assert await elsewhere.machines.leftovers() == ()
        assert len(await ours.instances()) == 1


async def test_the_console_is_read_by_an_address_that_no_error_shows() -> None:
    async with azure_machines() as here:
        (machine,) = await here.machines.launch(launch_spec(), TOKEN)
        here.azure.machines.machine(machine.id).console = b"SHA256:abc (ED25519)\r\nlogin:"
        assert await here.machines.console_output(machine.id) == "SHA256:abc (ED25519)\nlogin:"
        here.azure.machines.machine(machine.id).console = b""
        assert await here.machines.console_output(machine.id) == ""
        here.azure.faults.add(Fault(kind=FaultKind.REFUSE, match="GET /blobs/*", times=None))
        with pytest.raises(CloudError) as failed:
            await here.machines.console_output(machine.id)
        shown = f"{failed.value.words} {failed.value.__cause__} {failed.value.__context__}"
        assert failed.value.__suppress_context__
        assert "sig=" not in failed.value.words
        assert "sig=" not in str(failed.value.__cause__)
        assert shown


async def test_health_is_what_the_agent_says() -> None:
    async with azure_machines(polls=0) as here:
        (machine,) = await here.machines.launch(launch_spec(), TOKEN)
        assert await here.machines.health([machine.id]) == {machine.id: Health(HealthState.PASSED)}
        held = here.azure.machines.machine(machine.id)
        held.state, held.failed = "Failed", ("OSProvisioningTimedOut", "OS Provisioning did not finish.")
        failed = Health(HealthState.FAILED, "OS Provisioning did not finish.")
        assert await here.machines.health([machine.id]) == {machine.id: failed}
        held.state, held.failed = "Succeeded", None
        await here.machines.stop(machine.id)
        assert await here.machines.health([machine.id]) == {machine.id: Health(HealthState.UNKNOWN)}
        await here.machines.terminate(machine.id)
        assert await here.machines.health([machine.id]) == {}


async def test_activity_is_the_highest_load_and_all_that_was_sent_and_received() -> None:
    async with azure_machines(polls=0) as here:
        first, second = await here.machines.launch(launch_spec(count=2), TOKEN)
        here.azure.machines.machine(first.id).metrics = {
            "Percentage CPU": [1.5, 80.25, 2.0],
            "Network In Total": [100.0, 50.0],
            "Network Out Total": [7.0],
        }
        found = await here.machines.activity([first.id, second.id, "vm-000000000000-9"], timedelta(hours=1))
        assert found.keys() == {first.id}
        assert (found[first.id].cpu_percent, found[first.id].network_bytes) == (80.25, 157.0)


async def test_what_lost_its_machine_is_found_and_removed_and_nothing_else() -> None:
    async with azure_machines(polls=0) as here:
        lost, kept = await here.machines.launch(launch_spec(count=2), TOKEN)
        state = here.azure.machines
        state.thing(DISKS, f"{lost.id}-os")  # it is there
        del state.machines[lost.id]  # as a forced deletion would leave it
        for kind in state.things:
            for thing in state.things[kind].values():
                if thing["properties"].get("virtualMachine", {}).get("id", "").endswith(lost.id):
                    del thing["properties"]["virtualMachine"]
                if thing.get("managedBy", "").endswith(lost.id):
                    del thing["managedBy"]
        for name, address in tuple(state.things[ADDRESSES].items()):  # one more, which no interface uses
            if name.startswith(lost.id):
                alone = copy.deepcopy(address)
                del alone["properties"]["ipConfiguration"]
                alone["name"] = f"{lost.id}-ip-alone"
                state.things[ADDRESSES][alone["name"]] = alone
        found = await here.machines.leftovers()
        assert sorted(each.kind for each in found) == ["disk", "network interface", "public address"]
        assert f"{lost.id}-ip-alone" in {each.id for each in found}, "the other goes with its interface"
        assert {each.token for each in found} == {TOKEN, ""}, "disks have no tags"
        for each in found:
            await here.machines.remove_leftover(each)
            await here.machines.remove_leftover(each)  # gone already
        assert await here.machines.leftovers() == ()
        assert here.names == [kept.id]
        assert len(here.parts) == 3


async def test_what_belongs_to_a_machine_is_not_removed_as_left_over() -> None:
    async with azure_machines(polls=0) as here:
        (machine,) = await here.machines.launch(launch_spec(), TOKEN)
        disk = Leftover(f"{machine.id}-os", "disk", "eastus", cloud="azure")
        with pytest.raises(CloudError) as failed:
            await here.machines.remove_leftover(disk)
        assert failed.value.kind is CloudErrorKind.CONFLICT
        assert len(here.parts) == 3


def roomy() -> Seed:
    """Fedora's gallery, and room for many machines."""
    return replace(fedora_gallery(NOW), machines=SeedMachines(cores=1000, region_cores=1000))


async def test_boot_diagnostics_that_are_off_are_told_of_with_how_to_switch_them_on() -> None:
    async with azure_machines(polls=0) as here:
        (machine,) = await here.machines.launch(launch_spec(), TOKEN)
        document = here.azure.machines.machine(machine.id).document
        document["properties"]["diagnosticsProfile"] = {"bootDiagnostics": {"enabled": False}}
        with pytest.raises(CloudError) as failed:
            await here.machines.console_output(machine.id)
        assert failed.value.kind is CloudErrorKind.CONFIGURATION
        assert f"Boot diagnostics of {machine.id} are off" in failed.value.sentence
        assert "`az vm boot-diagnostics enable --resource-group" in failed.value.sentence
        document["properties"]["diagnosticsProfile"] = {"bootDiagnostics": {"enabled": True}}
        here.azure.faults.add(Fault(kind=FaultKind.CONFLICT, match="POST */retrieveBootDiagnosticsData"))
        with pytest.raises(CloudError) as failed:
            await here.machines.console_output(machine.id)
        assert failed.value.kind is CloudErrorKind.CONFLICT
