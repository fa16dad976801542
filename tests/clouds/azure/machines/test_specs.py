"""Machines by template specs: pinned to a version's content, made by deployments, ended as all others are."""

from __future__ import annotations

import asyncio
import base64
import copy
import json
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.clouds.azure.machines import names
from slipway.bot.clouds.azure.machines.specs.expressions import Scope, UnknownExpressionError
from slipway.bot.clouds.machine_model import InstanceState, LaunchSpec, Permission
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from tests.support.azure import LATEST, X64, AzureMachinesHarness, azure_machines

SHIPPED = json.loads((Path(__file__).parents[4] / "deploy" / "azure-machine-spec.json").read_text("utf-8"))
NAME = "spec:templates/small"
TOKEN = "op-abc:launch-machines"
DEPLOY = "PUT */deployments/*"


def add(here: AzureMachinesHarness, version: str = "1.0", template: dict[str, Any] = SHIPPED) -> None:
    here.azure.machines.specs.add("templates", "small", version, template)


async def spec_of(here: AzureMachinesHarness, **more: Any) -> LaunchSpec:
    template = await here.machines.template(NAME)
    plain: dict[str, Any] = {
        "template_id": template.id,
        "template_version": template.version,
        "image_id": f"{X64}/{LATEST}",
        "count": 1,
        "tags": {"slipway:owner": "alice"},
        "keys": ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample alice",),
    }
    return LaunchSpec(**{**plain, **more})


def but(path: str, value: Any) -> dict[str, Any]:
    """The template that is shipped, with another value somewhere."""
    changed: dict[str, Any] = copy.deepcopy(SHIPPED)
    *way, last = path.split("/")
    place: Any = changed
    for step in way:
        place = place[int(step) if step.isdigit() else step]
    place[int(last) if last.isdigit() else last] = value
    return changed


async def test_the_newest_version_is_pinned_with_what_it_fixes() -> None:
    async with azure_machines() as here:
        add(here)
        template = await here.machines.template(NAME)
        assert str(template.version).startswith("1.0@")
        assert template.words == f"{NAME} ({template.version})"
        assert (template.instance_type, template.architectures) == ("Standard_B2s", ("x64",))
        assert dict(template.fixed) == {
            "Subnet": "machines-eastus/default",
            "Security group": "ssh-eastus",
            "Public address": "yes",
            "Disk": "as the image has it, StandardSSD_LRS",
        }
        abroad = await here.machines.at("westeurope").template(NAME)
        assert dict(abroad.fixed)["Subnet"] == "machines-westeurope/default"
        assert await here.machines.template(NAME, template.version) == template
        assert await here.machines.template(f"{NAME}/1.0") == await here.machines.template(
            f"{NAME}/1.0", None
        )


async def test_a_template_of_bicep_s_names_its_resources() -> None:
    async with azure_machines() as here:
        add(here, template={**SHIPPED, "resources": {"machine": SHIPPED["resources"][0]}})
        assert (await here.machines.template(NAME)).instance_type == "Standard_B2s"


async def test_a_launch_that_broke_off_goes_on_and_waits_for_what_was_begun() -> None:
    async with azure_machines(polls=3) as here:
        add(here)
        spec = await spec_of(here, count=2)
        held = here.azure.faults.add(Fault(kind=FaultKind.HOLD_AFTER, match=DEPLOY))
        broken_off = asyncio.create_task(here.machines.launch(spec, TOKEN))
        await held.reached.wait()
        broken_off.cancel()
        await asyncio.gather(broken_off, return_exceptions=True)
        held.release()
        made = await here.machines.launch(spec, TOKEN)
        assert [each.id for each in made] == here.names
        assert {each.state for each in made} == {InstanceState.RUNNING}
        assert len(here.names) == 2


async def test_a_deployment_that_is_still_under_way_is_followed_and_not_begun_anew() -> None:
    async with azure_machines(polls=3) as here:
        add(here)
        spec = await spec_of(here)
        (name,) = names.machine_names("slipway", TOKEN, 1)
        await here.machines.launch(spec, TOKEN)
        # Azure may know the deployment before it shows the machine.
        here.azure.faults.add(
            Fault(
                kind=FaultKind.NOT_FOUND,
                match=f"GET */virtualMachines/{name}",
                code="ResourceNotFound",
                times=2,
            )
        )
        here.azure.faults.add(Fault(kind=FaultKind.CONFLICT, match=DEPLOY, code="DeploymentActive"))
        (made,) = await here.machines.launch(spec, TOKEN)
        assert (made.id, here.names) == (name, [name])


async def test_a_version_that_is_written_anew_makes_a_plan_stale_and_launches_nothing() -> None:
    async with azure_machines() as here:
        add(here)
        spec = await spec_of(here)
        add(here, template=but("parameters/machineSize/defaultValue", "Standard_D4s_v5"))
        with pytest.raises(UserError, match="is another one by now"):
            await here.machines.template(NAME, spec.template_version)
        with pytest.raises(CloudError) as failed:
            await here.machines.launch(spec, TOKEN)
        assert failed.value.kind is CloudErrorKind.CONFLICT
        assert here.names == []


async def test_a_spec_that_is_not_there_is_not_found() -> None:
    async with azure_machines() as here:
        with pytest.raises(CloudError) as failed:
            await here.machines.template(NAME)
        assert failed.value.kind is CloudErrorKind.NOT_FOUND


async def test_a_launch_is_a_deployment_a_machine_and_each_is_ended_with_all_that_is_its_own() -> None:
    async with azure_machines(polls=0) as here:
        add(here)
        spec = await spec_of(here, count=2, user_data=b"MIME...", instance_type="Standard_D4s_v5")
        made = await here.machines.launch(spec, TOKEN)
        assert [each.id for each in made] == here.names == list(names.machine_names("slipway", TOKEN, 2))
        assert {(each.state, each.instance_type) for each in made} == {
            (InstanceState.RUNNING, "Standard_D4s_v5")
        }
        assert {each.tags["slipway:owner"] for each in made} == {"alice"}
        sent, _ = here.azure.machines.sent
        assert base64.b64decode(sent["properties"]["osProfile"]["customData"]) == b"MIME..."
        assert sorted(entry.path.rpartition("/")[2] for entry in here.azure.writes) == here.names
        assert await here.machines.leftovers() == ()
        first, second = here.names
        await here.machines.terminate(first)
        assert here.names == [second]
        await here.machines.terminate(second)
        assert here.parts == []


async def test_the_same_launch_again_deploys_nothing_and_finds_the_same() -> None:
    async with azure_machines() as here:
        add(here)
        spec = await spec_of(here)
        first = await here.machines.launch(spec, TOKEN)
        writes = len(here.azure.writes)
        assert [each.id for each in await here.machines.launch(spec, TOKEN)] == [each.id for each in first]
        assert len(here.azure.writes) == writes


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.ERROR_AFTER])
async def test_a_lost_answer_is_followed_by_the_deployment_itself(kind: FaultKind) -> None:
    async with azure_machines() as here:
        add(here)
        spec = await spec_of(here)
        here.azure.faults.add(Fault(kind=kind, match=DEPLOY))
        (made,) = await here.machines.launch(spec, TOKEN)
        assert (made.state, here.names) == (InstanceState.RUNNING, [made.id])


async def test_a_deployment_that_fails_is_told_by_its_innermost_reason_and_leaves_nothing() -> None:
    async with azure_machines(polls=0) as here:
        add(here)
        spec = await spec_of(here)
        here.azure.faults.add(
            Fault(
                kind=FaultKind.FAIL_HALFWAY,
                match=DEPLOY,
                code="AllocationFailed",
                message="No room in eastus.",
            )
        )
        with pytest.raises(CloudError) as failed:
            await here.machines.launch(spec, TOKEN)
        assert (failed.value.kind, failed.value.code) == (CloudErrorKind.CAPACITY, "AllocationFailed")
        assert "No room in eastus." in failed.value.words
        assert here.names == []
        assert here.parts == []


async def test_what_azure_refuses_at_once_is_told_by_its_innermost_reason() -> None:
    async with azure_machines(polls=0) as here:
        add(here)
        spec = await spec_of(here, count=11)  # 22 of 20 cores
        with pytest.raises(CloudError) as failed:
            await here.machines.launch(spec, TOKEN)
        assert "uota" in failed.value.words
        assert here.names == []


async def test_rights_sizes_and_ssh_are_known_before_it() -> None:
    async with azure_machines() as here:
        add(here)
        found = await here.machines.preflight(await spec_of(here))
        assert found.permission is Permission.GRANTED
        assert found.ssh is not None
        assert found.ssh.sources == ("203.0.113.0/24", "198.51.100.7")
        assert [each.needed for each in found.quotas] == [2, 2]


VM = "resources/0/properties"
NIC = f"{VM}/networkProfile/networkInterfaceConfigurations/0"


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("resources", [], "does not make one machine"),
        ("resources/0/type", "Microsoft.Storage/storageAccounts", "does not make one machine"),
        ("resources/0/tags", {}, "does not use the parameter tags"),
        ("resources/0/name", "pet", "does not use the parameter machineName"),
        ("resources/0/location", "westus", "does not use the parameter location"),
        (f"{VM}/storageProfile/imageReference/id", "/another", "does not use the parameter imageId"),
        (f"{VM}/osProfile/customData", "", "does not use the parameter customData"),
        (f"{VM}/storageProfile/osDisk/deleteOption", "Detach", "does not have the disk deleted"),
        (f"{VM}/storageProfile/osDisk/name", "disk", "does not name the disk"),
        (f"{VM}/storageProfile/dataDisks", [{"lun": 0}], "adds disks of its own"),
        (f"{NIC}/properties/deleteOption", "Detach", "does not have the network interface deleted"),
        (f"{NIC}/name", "nic", "does not name the network interface"),
        (f"{VM}/hardwareProfile/vmSize", "[uniqueString('x')]", "which Slipway cannot work out"),
        ("parameters/secret", {"type": "string"}, "wants secret, which Slipway does not give"),
        ("parameters", {}, "has no parameter machineName"),
        ("parameters/customData/defaultValue", "%", "no base64"),
    ],
)  # fmt: skip
async def test_a_template_whose_machines_could_not_be_kept_in_order_is_refused(
    path: str, value: Any, why: str
) -> None:
    async with azure_machines() as here:
        add(here, template=but(path, value))
        with pytest.raises(UserError, match=why):
            await here.machines.template(NAME)
        assert here.azure.writes == []


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("plain", "plain"),
        ("[[not one", "[not one"),
        ("[parameters('A')]", {"b": ["c"]}),
        ("[parameters('a').b[0]]", "c"),
        ("[concat('x', variables('v'))]", "xyz"),
        ("[toUpper(format('{0}/{1}', 'a', 2))]", None),
        ("[format('{0}/{1}', 'a', 2)]", "a/2"),
        ("[resourceId('P/kinds/parts', 'k', 'p')]", "/g/providers/P/kinds/k/parts/p"),
        ("[resourceGroup().location]", None),
        ("[__import__('os')]", None),
        ("[" + "(" * 500 + "]", None),
    ],
)
def test_expressions_are_worked_out_or_called_unknown(written: str, value: object) -> None:
    scope = Scope({"a": {"b": ["c"]}}, {}, {"v": "[concat('y', 'z')]"}, "/g")
    if value is None:
        with pytest.raises(UnknownExpressionError):
            scope.value(written)
    else:
        assert scope.value(written) == value
