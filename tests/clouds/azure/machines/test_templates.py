"""What machines on Azure are launched from: images of the gallery, descriptions of slipway.toml, regions."""

from __future__ import annotations

from datetime import timedelta

import pytest

from slipway.bot.clouds.azure.machines import names
from slipway.bot.clouds.machine_model import Backstop
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from tests.support.azure import (
    CANDIDATE,
    DESCRIBED,
    LATEST,
    X64,
    azure_machines,
    launch_spec,
)
from tests.support.clock import NOW

TOKEN = "op-abc:launch-machines"


async def test_a_definition_s_name_means_its_latest_version_in_the_region_by_number() -> None:
    async with azure_machines() as here:
        images = {each.name: each for each in await here.machines.images()}
        latest = images[X64]
        assert (latest.id, latest.launchable, latest.architecture) == (f"{X64}/{LATEST}", True, "x64")
        assert here.machines.could_be_image_id(latest.id)
        assert not here.machines.could_be_image_id(X64)
        candidate = await here.machines.image(f"{X64}/{CANDIDATE}")
        assert (candidate.name, candidate.launchable) == (X64, True)
        with pytest.raises(CloudError) as failed:
            await here.machines.image(f"{X64}/1.0.0")
        assert failed.value.kind is CloudErrorKind.NOT_FOUND


async def test_an_image_that_is_not_in_the_region_says_so() -> None:
    async with azure_machines(more={"regions": ("eastus", "qatarcentral")}) as here:
        image = await here.machines.at("qatarcentral").image(f"{X64}/{LATEST}")
        assert (image.launchable, image.state) == (False, "not in qatarcentral")


async def test_a_template_is_the_description_pinned_by_its_digest() -> None:
    async with azure_machines(DESCRIBED.model_copy(update={"auto_shutdown": True})) as here:
        template = await here.machines.template("small")
        assert template.version != DESCRIBED.version
        assert (template.instance_type, template.architectures) == ("Standard_B2s", ("x64",))
        assert template.user_data == DESCRIBED.user_data.encode()
        assert dict(template.fixed)["Subnet"] == "machines-eastus/default"
        assert template.backstop is Backstop.CLOUD_SCHEDULE
        assert here.machines.backstop is Backstop.NONE
        assert await here.machines.template_names() == ("small",)
        with pytest.raises(CloudError) as failed:
            await here.machines.template("large")
        assert failed.value.kind is CloudErrorKind.NOT_FOUND


async def test_azure_stops_machines_at_the_hour_of_their_end_where_the_profile_says_so() -> None:
    described = DESCRIBED.model_copy(update={"auto_shutdown": True})
    async with azure_machines(described, polls=0) as here:
        spec = launch_spec(described, ends_at=NOW + timedelta(hours=5, minutes=7))
        (machine,) = await here.machines.launch(spec, TOKEN)
        (schedule,) = here.azure.machines.things["Microsoft.DevTestLab/schedules"].values()
        assert schedule["name"] == f"shutdown-computevm-{machine.id}"
        assert schedule["properties"]["dailyRecurrence"] == {"time": "1707"}
        assert schedule["properties"]["timeZoneId"] == "UTC"
        await here.machines.terminate(machine.id)
        assert here.parts == []


async def test_a_launch_whose_schedule_azure_refuses_leaves_no_machine_without_one() -> None:
    described = DESCRIBED.model_copy(update={"auto_shutdown": True})
    async with azure_machines(described, polls=0) as here:
        here.azure.faults.add(Fault(kind=FaultKind.REFUSE, match="PUT */schedules/*"))
        with pytest.raises(CloudError) as failed:
            await here.machines.launch(launch_spec(described, ends_at=NOW + timedelta(days=1)), TOKEN)
        assert failed.value.kind is CloudErrorKind.REFUSED
        assert (here.names, here.parts) == ([], [])


async def test_ids_are_told_from_names_and_from_those_of_other_clouds() -> None:
    async with azure_machines() as here:
        (name,) = names.machine_names("slipway", TOKEN, 1)
        assert here.machines.could_be_instance_id(name)
        for other in ("i-0123456789abcdef0", "vm-1", "web-server", f"{name}-os"):
            assert not here.machines.could_be_instance_id(other)
        assert names.owner_of(f"{name}-os", "slipway") == name
        assert names.owner_of(f"{name}-nic-0000001f", "slipway") == name
        assert names.owner_of(f"{name}-os", "another") is None


async def test_another_region_is_the_same_account_and_one_that_is_not_configured_is_refused() -> None:
    async with azure_machines(polls=0) as here:
        there = here.machines.at("westeurope")
        (machine,) = await there.launch(launch_spec(), TOKEN)
        assert machine.region == "westeurope"
        assert here.machines.regions == ("eastus", "westeurope")
        assert there.regions == ("westeurope", "eastus")
        assert [each.id for each in await here.machines.instances()] == [machine.id]
        with pytest.raises(UserError, match="configured for eastus, westeurope"):
            here.machines.at("uksouth")
