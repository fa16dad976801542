"""The simulated Azure as others meet it: over HTTP, as a process of its own, and filled with Fedora's images."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from slipway.bot.clouds.model import ImageVersion, VersionState
from slipway.bot.clouds.simulated.azure import Conditions
from slipway.bot.clouds.simulated.fedora import fedora_gallery, many
from tests.support.azure import (
    CANDIDATE_NUMBER,
    LATEST_NUMBER,
    OLDER_NUMBER,
    X64,
    AzureHarness,
    azure_harness,
)
from tests.support.clock import NOW

API = "api-version=2026-03-03"


@pytest.fixture
async def here() -> AsyncIterator[AzureHarness]:
    async with azure_harness(polls=1, page_size=5) as found:
        yield found


@pytest.fixture
async def web() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def url_of(here: AzureHarness, *names: str, query: str = API) -> str:
    """The URL of a version, or of a definition."""
    path = "".join(f"/{part}" for pair in zip(("images", "versions"), names, strict=False) for part in pair)
    return f"{here.azure.url}{here.azure.seed.gallery_id}{path}?{query}"


async def test_errors_have_arms_shape(here: AzureHarness, web: aiohttp.ClientSession) -> None:
    async with web.put(url_of(here, X64, str(CANDIDATE_NUMBER)), data="{") as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (400, "InvalidRequestContent")
    for url, status, code in (
        (url_of(here, X64, query=""), 400, "MissingApiVersionParameter"),
        (url_of(here, "Nope"), 404, "ResourceNotFound"),
        (f"{here.azure.url}/nowhere?{API}", 404, "InvalidResourceType"),
    ):
        async with web.get(url) as answer:
            assert answer.status == status
            body = await answer.json()
            assert body["error"]["code"] == code
            assert body["error"]["message"]
            assert answer.headers["x-ms-request-id"]


async def test_expand_shows_the_replication(here: AzureHarness, web: aiohttp.ClientSession) -> None:
    url = url_of(here, X64, str(CANDIDATE_NUMBER), query=f"$expand=ReplicationStatus&{API}")
    async with web.get(url) as answer:
        status = (await answer.json())["properties"]["replicationStatus"]
    assert status["aggregatedState"] == "Completed"
    assert {region["region"] for region in status["summary"]} == {"eastus", "westeurope", "southeastasia"}


async def test_an_update_runs_until_it_was_looked_at(here: AzureHarness, web: aiohttp.ClientSession) -> None:
    url = url_of(here, X64, str(CANDIDATE_NUMBER))
    body = {"properties": {"publishingProfile": {"excludeFromLatest": False}}}
    async with web.patch(url, json=body) as answer:
        assert answer.status == 200
        assert (await answer.json())["properties"]["provisioningState"] == "Updating"
        monitor = answer.headers["Azure-AsyncOperation"]
    async with web.patch(url, json=body) as again:
        assert again.status == 409
    states = []
    for _ in range(2):
        async with web.get(monitor) as answer:
            states.append((await answer.json())["status"])
    assert states == ["InProgress", "Succeeded"]
    profile = here.azure.state.version(X64, str(CANDIDATE_NUMBER)).document["properties"]["publishingProfile"]
    assert profile["excludeFromLatest"] is False
    assert len(profile["targetRegions"]) == 3


async def test_a_stale_etag_is_refused_and_a_fresh_one_is_not(
    here: AzureHarness, web: aiohttp.ClientSession
) -> None:
    here.azure.conditions = Conditions(entity_tags=True)
    url = url_of(here, X64, str(CANDIDATE_NUMBER))
    async with web.get(url) as answer:
        etag, document = answer.headers["ETag"], await answer.json()
    async with web.put(url, json=document, headers={"If-Match": '"other"'}) as answer:
        assert answer.status == 412
    async with web.put(url, json=document, headers={"If-Match": etag}) as answer:
        assert answer.status == 200
    async with web.put(url, json=document, headers={"If-Match": etag}) as answer:
        assert answer.status == 412


@pytest.mark.parametrize(
    ("spoil", "status", "code"),
    [
        (
            lambda d: d["properties"]["publishingProfile"].update(storageAccountType="Standard_LRS"),
            409,
            "PropertyChange",
        ),
        (lambda d: d["properties"]["publishingProfile"]["targetRegions"].pop(0), 400, "InvalidParameter"),
        (lambda d: d["properties"].pop("storageProfile"), 400, "InvalidParameter"),
        (lambda d: d.pop("location"), 400, "InvalidParameter"),
    ],
)
async def test_what_azure_does_not_let_anybody_change_is_refused(
    here: AzureHarness, web: aiohttp.ClientSession, spoil: Any, status: int, code: str
) -> None:
    url = url_of(here, X64, str(CANDIDATE_NUMBER))
    async with web.get(url) as answer:
        document = await answer.json()
    spoil(document)
    async with web.put(url, json=document) as answer:
        assert answer.status == status
        assert (await answer.json())["error"]["code"].startswith(code)


async def test_a_new_version_is_created(here: AzureHarness, web: aiohttp.ClientSession) -> None:
    url = url_of(here, X64, "43.20261120.0")
    async with web.put(url, json={"location": "East US", "properties": {"storageProfile": {}}}) as answer:
        assert answer.status == 400, "an image is made of something"
    source = {"id": f"{here.azure.seed.gallery_id}/../images/captured"}
    body: dict[str, Any] = {
        "location": "East US",
        "properties": {"storageProfile": {"source": source, "osDiskImage": {"source": {}}}},
    }
    async with web.put(url, json=body) as answer:
        assert answer.status == 201
        shown = await answer.json()
        monitor = answer.headers["Azure-AsyncOperation"]
    assert shown["location"] == "eastus"
    assert shown["properties"] == {
        "publishingProfile": {
            "targetRegions": [
                {"name": "East US", "regionalReplicaCount": 1, "storageAccountType": "Standard_LRS"}
            ],
            "replicaCount": 1,
            "excludeFromLatest": False,
            "publishedDate": "2026-11-20T12:00:00+00:00",
            "storageAccountType": "Standard_LRS",
        },
        "storageProfile": body["properties"]["storageProfile"],
        "safetyProfile": {
            "reportedForPolicyViolation": False,
            "blockDeletionBeforeEndOfLife": False,
            "allowDeletionOfReplicatedLocations": False,
        },
        "provisioningState": "Creating",
    }
    assert here.azure.latest(X64, "eastus") == str(LATEST_NUMBER)
    for _ in range(2):
        async with web.get(monitor):
            pass
    assert here.azure.latest(X64, "eastus") == "43.20261120.0"
    async with web.put(url_of(here, X64, "latest"), json=body) as answer:
        assert answer.status == 400


async def test_a_definition_goes_only_after_its_versions(
    here: AzureHarness, web: aiohttp.ClientSession
) -> None:
    name = "Fedora-Cloud-41-x64"
    async with web.delete(url_of(here, name)) as answer:
        assert answer.status == 409
    for version in await here.gallery.versions(name):
        await here.gallery.delete_version(name, version.number)
    here.azure.conditions = Conditions(definition_lingers=timedelta(seconds=15))
    async with web.delete(url_of(here, name)) as answer:
        assert answer.status == 409, "the last version has only just gone"
    here.azure.conditions = Conditions()
    async with web.delete(url_of(here, name)) as answer:
        assert answer.status == 202
        assert await answer.read() == b""
        assert "monitor=true" in answer.headers["Location"]
        operation = answer.headers["Azure-AsyncOperation"]
    async with web.get(operation) as answer:
        assert (await answer.json())["status"] == "Succeeded"
    async with web.get(url_of(here, name)) as answer:
        assert answer.status == 404


async def test_another_process_can_drive_it(web: aiohttp.ClientSession) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "slipway.bot.clouds.simulated.azure",
        "--now",
        NOW.isoformat(),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        told = json.loads(await process.stdout.readline())
        sim = f"{told['url']}/_sim"
        gallery = (
            f"{told['url']}/subscriptions/{told['subscription_id']}/resourceGroups/{told['resource_group']}"
            f"/providers/Microsoft.Compute/galleries/{told['gallery']}?{API}"
        )
        async with web.post(f"{sim}/faults", json={"kind": "refuse", "match": "GET *Fedora"}) as answer:
            fault_id = (await answer.json())["id"]
        async with web.post(f"{sim}/faults", json={"kind": "lightning"}) as answer:
            assert answer.status == 400
        async with web.get(gallery) as answer:
            assert answer.status == 403
        async with web.get(gallery) as answer:
            assert answer.status == 200
        async with web.get(f"{sim}/faults") as answer:
            assert [(f["id"], f["hits"], f["reached"]) for f in await answer.json()] == [(fault_id, 1, True)]
        async with web.get(f"{sim}/requests") as answer:
            assert [entry["status"] for entry in await answer.json()] == [403, 200]
        async with web.get(f"{sim}/state") as answer:
            state = await answer.json()
        assert state["definitions"][X64]["latest"]["eastus"] == str(LATEST_NUMBER)

        async with web.post(f"{sim}/faults", json={"kind": "hold-before"}) as answer:
            fault_id = (await answer.json())["id"]
        held = asyncio.create_task(web.get(gallery))
        async with web.post(f"{sim}/faults/{fault_id}/release") as answer:
            assert answer.status == 204
        async with await held as answer:
            assert answer.status == 200
        async with web.post(f"{sim}/faults/999/release") as answer:
            assert answer.status == 404
        async with web.delete(f"{sim}/faults") as answer:
            assert answer.status == 204
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 20) == 0


def newest(versions: Iterable[ImageVersion]) -> ImageVersion:
    return max(versions, key=lambda version: version.number)


@pytest.mark.parametrize("hours", [0, 1, 13, 24 * 31, 24 * 365])
def test_fedoras_gallery_is_the_same_for_the_same_moment_and_fits_any(hours: int) -> None:
    moment = NOW.replace(hour=0).fromtimestamp(NOW.timestamp() + hours * 3600, NOW.tzinfo)
    seed = fedora_gallery(moment)
    assert seed == fedora_gallery(moment)
    for definition in seed.definitions:
        names = [version.name for version in definition.versions]
        assert len(set(names)) == len(names)
        assert all(version.published_at < moment for version in definition.versions)


async def test_fedoras_gallery_leaves_something_to_promote_roll_back_and_clean_up(here: AzureHarness) -> None:
    for definition in await here.gallery.definitions():
        versions = await here.gallery.versions(definition.name)
        promoted = tuple(version for version in versions if version.promoted)
        assert len(promoted) >= 2, "nothing to roll back to"
        assert any(version.end_of_life and version.end_of_life < NOW for version in versions) or (
            "Rawhide" in definition.name and len(versions) > 7
        )
        if "-41-" not in definition.name:
            last = newest(versions)
            assert not last.promoted
            assert last.state is VersionState.SUCCEEDED
            assert last.number > newest(promoted).number


async def test_fedoras_gallery_holds_every_particular_case(here: AzureHarness) -> None:
    versions = [
        version for d in await here.gallery.definitions() for version in await here.gallery.versions(d.name)
    ]
    assert any(version.tags.get("delete") == "never" for version in versions)
    assert any(version.tags.get("owner") == "fedora-coreos" for version in versions)
    assert any(version.state is VersionState.FAILED for version in versions)
    assert any(version.end_of_life is None for version in versions)
    assert any(region.excluded for version in versions for region in version.regions)
    shown = here.azure.snapshot()["definitions"]
    flags = [v["excluded"] for d in shown.values() for v in d["versions"].values()]
    assert set(flags) == {True, False}, "Azure always shows the version's flag"
    candidates = [v for v in versions if v.definition == X64 and not v.promoted]
    assert len(candidates) > 7
    assert {str(LATEST_NUMBER), str(OLDER_NUMBER)} <= set(shown[X64]["versions"])
    assert here.azure.latest("Fedora-Cloud-43-Arm64", "southeastasia") != here.azure.latest(
        "Fedora-Cloud-43-Arm64", "eastus"
    )


async def test_a_large_gallery_is_listed_at_one_call_a_page() -> None:
    async with azure_harness(many(60, 10, NOW), page_size=50) as large:
        names = [definition.name for definition in await large.gallery.definitions()]
        found = await asyncio.gather(*(large.gallery.versions(name) for name in names))
        assert sum(map(len, found)) == 600
        assert len(large.azure.requests) == 2 + 60


@pytest.mark.parametrize("abruptly", [False, True])
async def test_a_client_that_is_killed_in_the_middle_of_a_request_changes_nothing_and_is_no_fault(
    here: AzureHarness, web: aiohttp.ClientSession, abruptly: bool, caplog: pytest.LogCaptureFixture
) -> None:
    version = url_of(here, X64, str(CANDIDATE_NUMBER))
    at = urlsplit(version)
    _, killed = await asyncio.open_connection(at.hostname, at.port)
    head = f"PUT {at.path}?{at.query} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"
    killed.write(f'{head}{{"location":'.encode())
    await killed.drain()

    async def after_all_that_came_before() -> None:
        async with web.get(version) as answer:
            assert answer.status == 200

    await after_all_that_came_before()
    if abruptly:  # a reset instead of an end
        linger = struct.pack("ii", 1, 0)
        killed.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    killed.transport.abort()
    await after_all_that_came_before()
    assert [(entry.method, entry.status) for entry in here.azure.requests if entry.method == "PUT"] == [
        ("PUT", None)
    ]
    assert not [record for record in caplog.records if record.exc_info]
