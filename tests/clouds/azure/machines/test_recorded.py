"""The simulated Azure answers about machines as recorded traffic of 2017 to 2026 does: what is there, what is not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from slipway.bot.clouds.azure.machines.documents import Login, MachinePlace, machine_document
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from tests.support.azure import DESCRIBED, LATEST, X64
from tests.support.clock import NOW

API = "api-version=2026-04-01"
STARTED = {"startTime", "status", "name"}


class Client:
    """Asks one simulator about the machine vm1."""

    def __init__(self, azure: SimulatedAzure, web: aiohttp.ClientSession) -> None:
        self.azure = azure
        self.web = web
        self.base = azure.machines.group_id
        self.machine = f"{self.base}/providers/Microsoft.Compute/virtualMachines/vm1"

    def body(self, **more: Any) -> dict[str, Any]:
        """What makes the machine."""
        network = f"{self.base}/providers/Microsoft.Network"
        place = MachinePlace(
            "eastus",
            f"{network}/virtualNetworks/machines-eastus/subnets/default",
            f"{network}/networkSecurityGroups/ssh-eastus",
            f"{self.azure.seed.gallery_id}/images/{X64}/versions/{LATEST}",
        )
        login = Login("fedora", ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAITrial",))
        plain: dict[str, Any] = {"size": "Standard_B2s", "user_data": b"#cloud-config", "tags": {"a": "b"}}
        return machine_document("vm1", place, DESCRIBED, login, **{**plain, **more})

    async def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any, Any]:
        """Status, headers, and the body as JSON."""
        mark = "&" if "?" in path else "?"
        url = path if path.startswith("http") else f"{self.azure.url}{path}{mark}{API}"
        async with self.web.request(method, url, json=body, headers=headers) as answer:
            text = await answer.text()
            return answer.status, answer.headers, json.loads(text) if text else None

    async def refusal(self, method: str, path: str, body: object = None) -> tuple[int, str, str]:
        """Status, code and words of a refusal."""
        status, _, shown = await self.ask(method, path, body)
        return status, shown["error"]["code"], shown["error"]["message"]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    azure = SimulatedAzure(fedora_gallery(NOW), clock=lambda: NOW, polls=1)
    await azure.start()
    async with aiohttp.ClientSession() as web:
        yield Client(azure, web)
    await azure.stop()


async def test_a_machine_is_made_in_one_request_that_is_followed_by_a_signed_address(client: Client) -> None:
    status, headers, shown = await client.ask("PUT", client.machine, client.body())
    assert (status, headers["Azure-AsyncNotification"], "ETag" in headers) == (201, "Enabled", False)
    assert (shown["etag"], shown["properties"]["provisioningState"]) == ('"1"', "Creating")
    assert "customData" not in json.dumps(shown), "secrets are never shown"
    (interface,) = shown["properties"]["networkProfile"]["networkInterfaces"]
    assert interface["properties"] == {"primary": True, "deleteOption": "Delete"}
    assert "networkInterfaceConfigurations" not in shown["properties"]["networkProfile"]
    address = headers["Azure-AsyncOperation"]
    assert "?p=" in address
    assert address.index("p=") < address.index("api-version=")
    running = (await client.ask("GET", address))[2]
    assert (running.keys(), running["status"]) == (STARTED, "InProgress")
    ended = (await client.ask("GET", address))[2]
    assert (ended.keys(), ended["status"]) == (STARTED | {"endTime"}, "Succeeded")
    disk = (await client.ask("GET", client.machine))[2]["properties"]["storageProfile"]["osDisk"]
    assert disk["managedDisk"]["id"].endswith("/disks/vm1-os")
    assert disk["deleteOption"] == "Delete"


async def test_delete_options_that_nobody_sets_are_written_out_as_detach(client: Client) -> None:
    body = client.body()
    del body["properties"]["storageProfile"]["osDisk"]["deleteOption"]
    shown = (await client.ask("PUT", client.machine, body))[2]
    assert shown["properties"]["storageProfile"]["osDisk"]["deleteOption"] == "Detach"
    await client.ask("GET", client.machine)
    await client.ask("GET", client.machine)
    await client.ask("DELETE", client.machine)
    await client.ask("GET", client.machine)
    assert (await client.ask("GET", client.machine))[0] == 404
    disk = (await client.ask("GET", f"{client.base}/providers/Microsoft.Compute/disks/vm1-os"))[2]
    assert (disk["properties"]["diskState"], "managedBy" in disk) == ("Unattached", False)


async def test_power_states_have_no_time_and_only_listings_of_the_subscription_tell_them(
    client: Client,
) -> None:
    await client.ask("PUT", client.machine, client.body())
    await client.ask("GET", client.machine)
    view = (await client.ask("GET", f"{client.machine}/instanceView"))[2]
    assert view["statuses"][1] == {
        "code": "PowerState/running",
        "level": "Info",
        "displayStatus": "VM running",
    }
    group = client.machine.rpartition("/")[0]
    (listed,) = (await client.ask("GET", group))[2]["value"]
    assert "instanceView" not in listed["properties"]
    assert (await client.refusal("GET", f"{group}?$expand=instanceView"))[0] == 400
    everywhere = (
        f"/subscriptions/{client.azure.seed.subscription_id}/providers/Microsoft.Compute/virtualMachines"
    )
    (state,) = (await client.ask("GET", f"{everywhere}?statusOnly=true"))[2]["value"]
    assert state["properties"]["instanceView"]["statuses"] == view["statuses"]
    assert "storageProfile" not in state["properties"]


async def test_an_interface_has_an_entity_tag_in_header_and_body(client: Client) -> None:
    shown = (await client.ask("PUT", client.machine, client.body()))[2]
    path = shown["properties"]["networkProfile"]["networkInterfaces"][0]["id"]
    status, headers, interface = await client.ask("GET", path)
    assert (status, headers["ETag"]) == (200, interface["etag"])
    assert interface["properties"]["virtualMachine"]["id"] == client.machine
    code, words = (await client.refusal("DELETE", path))[1:]
    assert code == "NicInUse"
    assert f"Network Interface {path} is used by existing resource {client.machine}." in words


@pytest.mark.parametrize(("verb", "power"), [("powerOff", "stopped"), ("deallocate", "deallocated")])
async def test_an_action_answers_with_nothing_but_addresses(client: Client, verb: str, power: str) -> None:
    await client.ask("PUT", client.machine, client.body())
    await client.ask("GET", client.machine)
    status, headers, shown = await client.ask("POST", f"{client.machine}/{verb}")
    assert (status, shown) == (202, None)
    assert (await client.ask("GET", headers["Location"]))[0] == 202
    assert (await client.ask("GET", headers["Location"]))[::2] == (200, None)
    view = (await client.ask("GET", f"{client.machine}/instanceView"))[2]
    assert view["statuses"][1]["code"] == f"PowerState/{power}"


async def test_what_cannot_be_is_refused_as_compute_does(client: Client) -> None:
    body = client.body()
    del body["properties"]["osProfile"]["adminUsername"]
    assert await client.refusal("PUT", client.machine, body) == (
        400,
        "InvalidParameter",
        "Required parameter 'adminUsername' is missing (null).",
    )
    elsewhere = client.body()
    elsewhere["location"] = "westeurope"
    assert (await client.refusal("PUT", client.machine, elsewhere))[:2] == (400, "InvalidResourceReference")
    assert (await client.refusal("PUT", client.machine, client.body(size="Standard_M8ms")))[:2] == (
        409,
        "SkuNotAvailable",
    )
    absent = client.body()
    absent["properties"]["storageProfile"]["imageReference"]["id"] += "9"
    assert (await client.refusal("PUT", client.machine, absent))[:2] == (404, "GalleryImageNotFound")
    assert (await client.ask("DELETE", client.machine))[0] == 204


async def test_a_quota_counts_what_is_allocated_and_says_by_how_much_it_is_passed(client: Client) -> None:
    names = [f"{client.machine}{number}" for number in range(3)]
    for name in names[:2]:
        assert (await client.ask("PUT", name, client.body(size="Standard_D4s_v5")))[0] == 201
        await client.ask("GET", name)
    status, code, words = await client.refusal("PUT", names[2], client.body(size="Standard_D4s_v5"))
    assert (status, code) == (409, "OperationNotAllowed")
    assert "exceeding approved standardDSv5Family Cores quota" in words
    assert "Current Limit: 10, Current Usage: 8, Additional Required: 4" in words
    await client.ask("POST", f"{names[0]}/deallocate")
    assert (await client.refusal("PUT", names[2], client.body(size="Standard_D4s_v5")))[0] == 409
    for _ in range(2):  # until that has ended
        await client.ask("GET", names[0])
    assert (await client.ask("PUT", names[2], client.body(size="Standard_D4s_v5")))[0] == 201


async def test_a_machine_that_is_there_is_not_made_again_where_that_is_the_condition(client: Client) -> None:
    await client.ask("PUT", client.machine, client.body())
    status, _, shown = await client.ask("PUT", client.machine, client.body(), {"If-None-Match": "*"})
    assert (status, shown["error"]["code"]) == (412, "PreconditionFailed")


async def test_a_machine_that_could_not_be_made_has_no_power_state(client: Client) -> None:
    client.azure.faults.add(
        Fault(kind=FaultKind.FAIL_HALFWAY, match="PUT *", code="AllocationFailed", message="No room.")
    )
    _, headers, _ = await client.ask("PUT", client.machine, client.body())
    await client.ask("GET", headers["Azure-AsyncOperation"])
    ended = (await client.ask("GET", headers["Azure-AsyncOperation"]))[2]
    assert (ended["status"], ended["error"]["code"]) == ("Failed", "AllocationFailed")
    view = (await client.ask("GET", f"{client.machine}/instanceView"))[2]
    (only,) = view["statuses"]
    assert (only["code"], only["message"]) == ("ProvisioningState/failed/AllocationFailed", "No room.")
