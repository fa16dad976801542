"""The simulated Azure answers as recorded traffic of 2020 to 2026 does: what it keeps, refuses and leaves out.

Each rule here is seen in a recorded exchange or in Microsoft's documentation; where neither says, the simulator's
own page says so.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest

from slipway.bot.clouds.simulated.azure import (
    Conditions,
    Durations,
    Generation,
    Lock,
    LockLevel,
    SeedDataDisk,
    SeedRegion,
    SimulatedAzure,
    Source,
    SourceFacts,
)
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from tests.support.azure import CANDIDATE, X64, one_version_seed
from tests.support.clock import NOW

API = "api-version=2026-03-03"
LATER = timedelta(days=400)


class Client:
    """Asks one simulator, and moves its clock."""

    def __init__(self, azure: SimulatedAzure, web: aiohttp.ClientSession) -> None:
        self.azure = azure
        self.web = web
        self.version = f"{azure.seed.gallery_id}/images/{X64}/versions/{CANDIDATE}"

    async def ask(
        self, method: str, path: str, body: object = None, *, query: str = API
    ) -> tuple[int, Any, Any]:
        """Status, headers, and the body as JSON."""
        url = path if path.startswith("http") else f"{self.azure.url}{path}?{query}"
        async with self.web.request(method, url, json=body) as answer:
            text = await answer.text()
            return answer.status, answer.headers, json.loads(text) if text else None

    async def code(self, method: str, path: str, body: object = None, *, query: str = API) -> tuple[int, str]:
        """Status and code of a refusal."""
        status, _, shown = await self.ask(method, path, body, query=query)
        return status, shown["error"]["code"]

    async def document(self) -> Any:
        """The version as it is shown."""
        return (await self.ask("GET", self.version))[2]


@pytest.fixture
def moment() -> list[datetime]:
    return [NOW]


@pytest.fixture
async def client(moment: list[datetime]) -> AsyncIterator[Client]:
    seed = one_version_seed(
        end_of_life=NOW + LATER,
        source=Source.IMAGE,
        regions=(SeedRegion("eastus"), SeedRegion("westeurope", True)),
    )
    azure = SimulatedAzure(seed, clock=lambda: moment[0], polls=0)
    await azure.start()
    async with aiohttp.ClientSession() as web:
        yield Client(azure, web)
    await azure.stop()


def least(document: Any) -> Any:
    """What Microsoft's own client sends of a version that it updates."""
    properties = document["properties"]
    profile = {key: value for key, value in properties["publishingProfile"].items() if key != "publishedDate"}
    safety = {
        key: value
        for key, value in properties["safetyProfile"].items()
        if key != "reportedForPolicyViolation"
    }
    return {
        "location": document["location"],
        "tags": document["tags"],
        "properties": {
            "publishingProfile": profile,
            "safetyProfile": safety,
            "storageProfile": {"osDiskImage": {"hostCaching": "ReadWrite", "source": {}}},
        },
    }


async def test_what_is_unset_is_absent_and_what_is_always_there_is_there(client: Client) -> None:
    status, headers, shown = await client.ask("GET", client.version)
    assert (status, "ETag" in headers) == (200, False)
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    properties = shown["properties"]
    assert properties["publishingProfile"]["targetRegions"] == [
        {"name": "East US", "regionalReplicaCount": 1, "storageAccountType": "Standard_ZRS"},
        {
            "name": "West Europe",
            "regionalReplicaCount": 1,
            "storageAccountType": "Standard_ZRS",
            "excludeFromLatest": True,
        },
    ]
    assert properties["safetyProfile"].keys() == {
        "reportedForPolicyViolation",
        "blockDeletionBeforeEndOfLife",
        "allowDeletionOfReplicatedLocations",
    }
    assert properties["validationsProfile"] == {"validationOperationStatus": "NotExecuted"}
    endless = one_version_seed(excluded=None)
    async with aiohttp.ClientSession() as web:
        azure = SimulatedAzure(endless)
        await azure.start()
        profile = (await Client(azure, web).document())["properties"]["publishingProfile"]
        await azure.stop()
    assert "endOfLifeDate" not in profile
    assert profile["excludeFromLatest"] is False


async def test_a_put_keeps_the_source_the_size_and_the_report_that_it_leaves_out(client: Client) -> None:
    before = await client.document()
    status, _, _ = await client.ask("PUT", client.version, least(before))
    assert status == 200
    assert await client.document() == before


async def test_a_put_loses_whatever_else_it_leaves_out(client: Client) -> None:
    before = await client.document()
    await client.ask("PUT", client.version, {"location": "eastus", "properties": {"storageProfile": {}}})
    after = await client.document()
    assert "tags" not in after
    assert "endOfLifeDate" not in after["properties"]["publishingProfile"]
    assert after["properties"]["publishingProfile"]["excludeFromLatest"] is False
    assert after["properties"]["safetyProfile"]["allowDeletionOfReplicatedLocations"] is False
    assert after["properties"]["storageProfile"] == before["properties"]["storageProfile"]


@pytest.mark.parametrize(
    ("storage", "refusal"),
    [
        ({"source": {"id": "/a"}, "osDiskImage": {"source": {"id": "/b"}}}, (400, "InvalidParameter")),
        ({"source": {"id": "/a", "virtualMachineId": "/b"}}, (400, "InvalidParameter")),
        ({"source": {"id": "/another/image"}}, (409, "PropertyChangeNotAllowed")),
    ],
)
async def test_two_sources_and_another_source_are_refused(
    client: Client, storage: Any, refusal: tuple[int, str]
) -> None:
    body = least(await client.document())
    body["properties"]["storageProfile"] = storage
    assert await client.code("PUT", client.version, body) == refusal


async def test_whoever_names_the_source_needs_a_right_on_it(client: Client) -> None:
    whole = await client.document()
    client.azure.conditions = Conditions(linked_rights=False)
    assert await client.code("PUT", client.version, whole) == (403, "LinkedAuthorizationFailed")
    assert (await client.ask("PUT", client.version, least(whole)))[0] == 200


@pytest.mark.parametrize(
    ("spoil", "refusal"),
    [
        (lambda profile: profile.update(endOfLifeDate="2020-01-01T00:00:00Z"), (400, "InvalidParameter")),
        (lambda profile: profile.update(endOfLifeDate="soon"), (400, "InvalidParameter")),
        (
            lambda profile: profile["targetRegions"].append({"name": "West Europe"}),
            (400, "InvalidParameter"),
        ),
        (
            lambda profile: profile["targetRegions"][0].update(regionalReplicaCount=101),
            (400, "InvalidParameter"),
        ),
    ],
)
async def test_an_end_of_life_that_is_over_a_region_twice_and_too_many_replicas_are_refused(
    client: Client, spoil: Any, refusal: tuple[int, str]
) -> None:
    body = least(await client.document())
    spoil(body["properties"]["publishingProfile"])
    assert await client.code("PUT", client.version, body) == refusal


async def test_an_end_of_life_that_has_passed_stays_where_it_is_not_changed(
    client: Client, moment: list[datetime]
) -> None:
    moment[0] += 2 * LATER
    before = await client.document()
    assert (await client.ask("PUT", client.version, least(before)))[0] == 200
    assert await client.document() == before


async def test_an_update_takes_minutes_by_the_clock_and_its_address_is_followed_as_it_is(
    client: Client, moment: list[datetime]
) -> None:
    client.azure.conditions = Conditions(durations=Durations())
    status, headers, shown = await client.ask("PUT", client.version, least(await client.document()))
    assert (status, shown["properties"]["provisioningState"]) == (200, "Updating")
    assert "validationsProfile" not in shown["properties"]
    assert "Location" not in headers
    assert headers["Azure-AsyncNotification"] == "Enabled"
    address = headers["Azure-AsyncOperation"]
    assert len(address) > 4_000
    assert (await client.ask("GET", address))[2] == {
        "startTime": "2026-11-20T12:00:00+00:00",
        "status": "InProgress",
        "name": address.split("?")[0].rpartition("/")[2],
    }
    unsigned = address.partition("&s=")[0]
    assert (await client.ask("GET", unsigned))[0] == 403
    moment[0] += timedelta(minutes=3)
    ended = (await client.ask("GET", address))[2]
    assert (ended["status"], ended["endTime"]) == ("Succeeded", "2026-11-20T12:02:30+00:00")
    assert (await client.document())["properties"]["provisioningState"] == "Succeeded"


async def test_a_deletion_answers_with_nothing_but_addresses(client: Client, moment: list[datetime]) -> None:
    client.azure.conditions = Conditions(durations=Durations())
    status, headers, shown = await client.ask("DELETE", client.version)
    assert (status, shown, "Content-Type" in headers) == (202, None, False)
    monitor = headers["Location"]
    assert (await client.ask("GET", monitor))[0] == 202
    assert await client.code("PUT", client.version, least(await client.document())) == (
        409,
        "OperationNotAllowed",
    )
    moment[0] += timedelta(minutes=3)
    assert (await client.ask("GET", monitor))[::2] == (200, None)
    assert await client.code("GET", client.version) == (404, "ResourceNotFound")


@pytest.mark.parametrize(("level", "written"), [(LockLevel.CAN_NOT_DELETE, 200), (LockLevel.READ_ONLY, 409)])
async def test_a_lock_on_what_is_around_it_forbids_by_its_level(
    client: Client, level: LockLevel, written: int
) -> None:
    scope = client.azure.seed.gallery_id.rpartition("/providers/")[0]
    client.azure.conditions = Conditions(locks=(Lock(scope=scope.upper(), level=level),))
    assert await client.code("DELETE", client.version) == (409, "ScopeLocked")
    assert (await client.ask("PUT", client.version, least(await client.document())))[0] == written
    path = f"{client.azure.seed.gallery_id}/providers/Microsoft.Authorization/locks"
    (lock,) = (await client.ask("GET", path))[2]["value"]
    assert lock["properties"]["level"] == level


async def test_a_soft_deleted_version_comes_back_whole(client: Client, moment: list[datetime]) -> None:
    before = await client.document()
    client.azure.conditions = Conditions(soft_delete=True)
    await client.ask("DELETE", client.version)
    assert (await client.ask("GET", client.version))[0] == 404
    gallery = client.azure.seed.gallery_id
    kept = f"{gallery}/softDeletedArtifactTypes/images/artifacts/{X64}/versions"
    assert [each["name"] for each in (await client.ask("GET", kept))[2]["value"]] == [CANDIDATE]
    assert (await client.ask("PUT", client.version, {"location": "eastus", "tags": {}}))[0] == 200
    assert await client.document() == before
    await client.ask("DELETE", client.version)
    moment[0] += timedelta(days=7)
    assert (await client.ask("GET", kept))[2]["value"] == []
    assert (await client.ask("PUT", client.version, {"location": "eastus", "tags": {}}))[0] == 400


async def test_a_policy_of_soft_deletion_that_was_set_once_stays_and_says_that_it_is_off(
    client: Client,
) -> None:
    shown = []
    for setting in (None, True, False):
        client.azure.conditions = Conditions(soft_delete=setting)
        document = (await client.ask("GET", client.azure.seed.gallery_id))[2]
        shown.append(document["properties"].get("softDeletePolicy"))
    on = {"isSoftDeleteEnabled": True, "retentionPeriodInDays": 7}
    assert shown == [None, on, {**on, "isSoftDeleteEnabled": False}]


async def test_data_disks_are_shown_and_kept_and_their_sources_cannot_be_changed() -> None:
    disks = (SeedDataDisk(0, 40, "ReadWrite"), SeedDataDisk(1, 70, "ReadOnly", source=True))
    azure = SimulatedAzure(
        one_version_seed(source=Source.IMAGE, data_disks=disks), clock=lambda: NOW, polls=0
    )
    await azure.start()
    async with aiohttp.ClientSession() as web:
        client = Client(azure, web)
        before = await client.document()
        first, second = before["properties"]["storageProfile"]["dataDiskImages"]
        assert first == {"lun": 0, "sizeInGB": 40, "hostCaching": "ReadWrite"}
        assert second["source"]["id"].endswith("-1")
        body = least(before)
        body["properties"]["storageProfile"]["dataDiskImages"] = [
            {"lun": 0, "hostCaching": "None"},
            {"lun": 1, "hostCaching": "ReadOnly", "source": {}},
        ]
        assert (await client.ask("PUT", client.version, body))[0] == 200
        after = (await client.document())["properties"]["storageProfile"]["dataDiskImages"]
        assert after == [{**first, "hostCaching": "None"}, second]
        body["properties"]["storageProfile"]["dataDiskImages"][1]["source"]["id"] = "/another"
        assert await client.code("PUT", client.version, body) == (409, "PropertyChangeNotAllowed")
    await azure.stop()


@pytest.mark.parametrize(
    ("facts", "status", "words"),
    [
        (None, 404, "Source {source} is not found. Please check source exists"),
        (
            SourceFacts(location="westus"),
            404,
            "and is in the same region as gallery image version being created.",
        ),
        (SourceFacts(busy=True), 429, "Too many requests on source '{source}'."),
        (
            SourceFacts(generation=Generation.V1),
            400,
            "has a different Hypervisor generation ['V1'] than the parent",
        ),
        (SourceFacts(), 201, ""),
    ],
)
async def test_what_a_new_version_is_made_of_is_looked_up(
    client: Client, facts: SourceFacts | None, status: int, words: str
) -> None:
    before = await client.document()
    source = before["properties"]["storageProfile"]["source"]["id"]
    client.azure.conditions = Conditions(sources={} if facts is None else {source.upper(): facts})
    body = {"location": "eastus", "properties": {"storageProfile": {"source": {"id": source}}}}
    answered, _, shown = await client.ask("PUT", client.version.replace(CANDIDATE, "43.1.0"), body)
    assert answered == status
    if words:
        assert words.format(source=source) in shown["error"]["message"]
    # An update names no source, and asks for none.
    assert (await client.ask("PUT", client.version, least(before)))[0] == 200


async def test_an_api_version_and_a_location_that_there_are_none_of_are_refused(client: Client) -> None:
    for path, kind in (
        (client.version, "galleries/images/versions"),
        (client.azure.seed.gallery_id, "galleries"),
    ):
        status, _, shown = await client.ask("GET", path, query="api-version=2022-08-01")
        assert (status, shown["error"]["code"]) == (400, "NoRegisteredProviderFound")
        assert f"API version '2022-08-01' for type '{kind}'." in shown["error"]["message"]
        assert "2022-08-03, 2023-07-03" in shown["error"]["message"]
    body = {**least(await client.document()), "location": "atlantis"}
    status, _, shown = await client.ask("PUT", client.version, body)
    assert (status, shown["error"]["code"]) == (400, "LocationNotAvailableForResourceType")
    assert "'Microsoft.Compute/galleries/images/versions'" in shown["error"]["message"]
    assert "eastus2" in shown["error"]["message"]


async def test_paths_are_read_in_any_case_and_galleries_are_listed(client: Client) -> None:
    assert (
        await client.ask("GET", client.version.lower().replace("microsoft.compute", "MICROSOFT.Compute"))
    )[0] == 200
    galleries = client.azure.seed.gallery_id.rpartition("/")[0]
    (gallery,) = (await client.ask("GET", galleries))[2]["value"]
    assert gallery["id"] == client.azure.seed.gallery_id
    assert gallery["properties"]["identifier"]["uniqueName"].endswith("-FEDORA")


@pytest.mark.parametrize("token", ["1", "bm9uc2Vuc2U=", "%C3%A9"])
async def test_a_skiptoken_that_was_not_given_out_is_a_bad_request(client: Client, token: str) -> None:
    versions = client.version.rpartition("/")[0]
    assert (await client.code("GET", versions, query=f"$skiptoken={token}&{API}"))[0] == 400


async def test_what_is_missing_is_told_apart_by_its_code(client: Client) -> None:
    elsewhere = {
        "SubscriptionNotFound": client.version.replace(client.azure.seed.subscription_id, "other"),
        "ResourceGroupNotFound": client.version.replace("/fedora-cloud/", "/other/"),
        "ParentResourceNotFound": client.version.replace(X64, "other"),
        "ResourceNotFound": client.version.replace(CANDIDATE, "1.0.0"),
    }
    assert {code: await client.code("GET", path) for code, path in elsewhere.items()} == {
        code: (404, code) for code in elsewhere
    }
    client.azure.faults.add(Fault(kind=FaultKind.NOT_FOUND, code="GalleryNotFound"))
    assert await client.code("GET", client.version) == (404, "GalleryNotFound")


@pytest.mark.parametrize("bare", [False, True])
async def test_compute_throttles_by_a_code_that_means_something_else_elsewhere(
    client: Client, bare: bool
) -> None:
    client.azure.faults.add(Fault(kind=FaultKind.THROTTLE, seconds=1200, bare=bare))
    status, headers, shown = await client.ask("GET", client.version)
    assert (status, headers["Retry-After"]) == (429, "1200")
    error = shown if bare else shown["error"]
    assert error["code"] == "OperationNotAllowed"
    (detail,) = error["details"]
    assert detail["code"] == "TooManyRequests"
    assert json.loads(detail["message"])["allowedRequestCount"]


async def test_another_process_sets_the_conditions(client: Client) -> None:
    wanted = {"linked_rights": False, "durations": {"update": "PT2M"}}
    assert (await client.ask("PUT", "/_sim/conditions", wanted))[0] == 204
    assert (await client.ask("GET", "/_sim/conditions"))[2]["linked_rights"] is False
    assert client.azure.conditions.durations == Durations(update=timedelta(minutes=2))
    assert (await client.web.put(f"{client.azure.url}/_sim/conditions", data="{")).status == 400
