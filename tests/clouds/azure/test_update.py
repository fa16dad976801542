"""The body of an update: the least that the service needs, and nothing lost; what is told to be other after it."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from azure.mgmt.compute.models import GalleryImageVersion
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.clouds.azure.images.edits import FlagEverywhere
from slipway.bot.clouds.azure.images.version_update import other_differences, update_body
from slipway.bot.clouds.model import ImageVersion, VersionState
from slipway.bot.clouds.ports.image_versions import VersionAbsentError
from slipway.bot.clouds.simulated.azure import Conditions, SeedRegion
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError, CloudErrorKind
from tests.support.azure import CANDIDATE_NUMBER, X64, azure_harness, one_version_seed
from tests.support.clock import NOW

DOCUMENT: dict[str, Any] = {
    "name": "1.2.3",
    "id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/G/images/D/versions/1.2.3",
    "type": "Microsoft.Compute/galleries/images/versions",
    "location": "westus",
    "tags": {"owner": "fedora-cloud", "empty": None},
    "systemData": {"createdBy": "somebody"},
    "properties": {
        "publishingProfile": {
            "targetRegions": [
                {"name": "West US", "regionalReplicaCount": 1, "storageAccountType": "Standard_LRS"},
                {
                    "name": "East US",
                    "regionalReplicaCount": 2,
                    "storageAccountType": "Standard_ZRS",
                    "excludeFromLatest": True,
                    "encryption": {"osDiskImage": {"diskEncryptionSetId": "/subscriptions/s/des"}},
                },
            ],
            "replicaCount": 1,
            "excludeFromLatest": True,
            "publishedDate": "2026-01-02T03:04:05.0000001+00:00",
            "endOfLifeDate": "9999-12-31T23:59:59-01:00",
            "storageAccountType": "Standard_LRS",
            "replicationMode": "Full",
        },
        "storageProfile": {
            "source": {"id": "/subscriptions/s/image", "virtualMachineId": "/subscriptions/s/vm"},
            "osDiskImage": {
                "sizeInGB": 5,
                "hostCaching": "ReadWrite",
                "source": {
                    "storageAccountId": "/subscriptions/s/account",
                    "uri": "https://blob.example/x.vhd",
                },
            },
            "dataDiskImages": [
                {
                    "lun": 0,
                    "sizeInGB": 9,
                    "hostCaching": "None",
                    "source": {"id": "/subscriptions/s/snapshot"},
                },
                {"lun": 1, "hostCaching": "ReadOnly"},
            ],
        },
        "safetyProfile": {
            "reportedForPolicyViolation": False,
            "blockDeletionBeforeEndOfLife": True,
            "allowDeletionOfReplicatedLocations": False,
            "policyViolations": [],
        },
        "securityProfile": {"uefiSettings": {"signatureTemplateNames": ["NoSignatureTemplate"]}},
        "validationsProfile": {"validationOperationStatus": "NotExecuted"},
        "provisioningState": "Succeeded",
    },
}


def test_the_body_is_what_the_specification_lets_be_written_without_what_the_version_was_made_of() -> None:
    profile = DOCUMENT["properties"]["publishingProfile"]
    west, east = profile["targetRegions"]
    assert update_body(DOCUMENT, FlagEverywhere(False)) == {
        "location": "westus",
        "tags": {"owner": "fedora-cloud", "empty": None},
        "properties": {
            "publishingProfile": {
                "targetRegions": [west, {**east, "excludeFromLatest": False}],
                "replicaCount": 1,
                "excludeFromLatest": False,
                "endOfLifeDate": "9999-12-31T23:59:59-01:00",
                "storageAccountType": "Standard_LRS",
                "replicationMode": "Full",
            },
            "storageProfile": {
                "osDiskImage": {"hostCaching": "ReadWrite", "source": {}},
                "dataDiskImages": [
                    {"lun": 0, "hostCaching": "None", "source": {}},
                    {"lun": 1, "hostCaching": "ReadOnly"},
                ],
            },
            "safetyProfile": {
                "blockDeletionBeforeEndOfLife": True,
                "allowDeletionOfReplicatedLocations": False,
            },
            "securityProfile": {"uefiSettings": {"signatureTemplateNames": ["NoSignatureTemplate"]}},
        },
    }


def read_only(model: Any, at: str = "") -> Iterator[str]:
    """The paths of all that the SDK's models, made of the specification, mark as read-only in a document."""
    for name, field in model._attr_to_rest_field.items():
        value = getattr(model, name, None)
        path = f"{at}.{field._rest_name}" if at else field._rest_name
        if field._visibility == ["read"]:
            yield path
            continue
        for inner in value if isinstance(value, list) else [value]:
            if hasattr(inner, "_attr_to_rest_field"):
                yield from read_only(inner, path)


def present(value: object, at: str = "") -> Iterator[str]:
    """The paths of all that a document holds, those of lists without places."""
    pairs = value.items() if isinstance(value, dict) else ()
    for key, inner in pairs:
        path = f"{at}.{key}" if at else key
        yield path
        yield from present(inner, path)
    for inner in value if isinstance(value, list) else ():
        yield from present(inner, at)


def test_nothing_that_the_specification_marks_as_read_only_is_sent() -> None:
    forbidden = set(read_only(GalleryImageVersion(DOCUMENT)))
    assert {"id", "properties.provisioningState", "properties.publishingProfile.publishedDate"} <= forbidden
    assert forbidden & set(present(update_body(DOCUMENT, FlagEverywhere(False)))) == set()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
PLACES = st.sampled_from(
    [(), ("properties",), ("properties", "publishingProfile"), ("properties", "safetyProfile"), ("tags",)]
)


@given(PLACES, st.text(max_size=8).map("added {}".format), JSON, st.booleans())
def test_what_a_document_has_besides_is_kept_as_it_came(
    place: tuple[str, ...], name: str, value: object, excluded: bool
) -> None:
    document = copy.deepcopy(DOCUMENT)
    at = document
    for step in place:
        at = at[step]
    at[name] = value
    before = copy.deepcopy(document)
    sent = update_body(document, FlagEverywhere(excluded))
    assert document == before, "the document that was read stays as it is"
    for step in place:
        sent = sent[step]
    assert sent[name] == value


@given(
    st.sampled_from(["tags", "safetyProfile", "storageProfile", "targetRegions", "endOfLifeDate"]),
    st.booleans(),
)
def test_what_a_document_lacks_or_has_as_null_is_not_made_up(part: str, null: bool) -> None:
    document = copy.deepcopy(DOCUMENT)
    for holder in (document, document["properties"], document["properties"]["publishingProfile"]):
        if part in holder:
            holder[part] = None
            if not null:
                del holder[part]
    sent = update_body(document, FlagEverywhere(False))
    if part == "storageProfile":  # required
        assert sent["properties"]["storageProfile"] == {}
    elif not null:
        assert part not in json.dumps(sent)


def changed(path: str, value: object) -> dict[str, Any]:
    """The document with one part changed."""
    document = copy.deepcopy(DOCUMENT)
    *places, last = path.split(".")
    at: Any = document
    for place in places:
        at = at[int(place) if isinstance(at, list) else place]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return document


BLIND = Fault(kind=FaultKind.REFUSE, match="GET */versions/*", after=1, times=None)
"""Only the look before a write works."""


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (None, "Azure was asked to let 43.20261118.0"),  # the client looks for itself at the end
        (FaultKind.ERROR_AFTER, "Azure was asked to let 43.20261118.0"),
        (FaultKind.LOST_ANSWER, "Azure was asked to let 43.20261118.0"),
    ],
)
async def test_a_write_that_cannot_be_looked_at_is_not_told_as_one_that_was_not_made(
    fault: FaultKind | None, told: str
) -> None:
    async with azure_harness(one_version_seed()) as here:
        if fault is not None:
            here.azure.faults.add(Fault(kind=fault, match="PUT *", times=None))
        here.azure.faults.add(BLIND)
        with pytest.raises(CloudError) as caught:
            await here.gallery.set_promoted(X64, CANDIDATE_NUMBER, promoted=True)
        assert here.excluded(CANDIDATE_NUMBER) is False
    assert caught.value.sentence.startswith(told)
    assert "but what became of it could not be looked up: Azure refused to show" in caught.value.sentence
    assert caught.value.kind is CloudErrorKind.REFUSED
    assert caught.value.doubtful


async def test_a_change_whose_progress_cannot_be_followed_is_followed_by_the_version_itself() -> None:
    """The addresses of operations may need a right of their own, and a token may end while one is followed."""
    async with azure_harness(one_version_seed(), polls=2) as here:
        fault = Fault(kind=FaultKind.ERROR, match="GET */capsOperations/*", status=403, times=None)
        here.azure.faults.add(fault)
        assert await here.gallery.set_promoted(X64, CANDIDATE_NUMBER, promoted=True) == ()
        assert here.excluded(CANDIDATE_NUMBER) is False
        assert here.requests("PUT") == 1
        await here.gallery.delete_version(X64, CANDIDATE_NUMBER)
        assert not here.has(CANDIDATE_NUMBER)
        assert here.requests("DELETE") == 1


async def test_a_deletion_that_cannot_be_looked_at_is_told_so() -> None:
    async with azure_harness(one_version_seed()) as here:
        here.azure.faults.add(Fault(kind=FaultKind.ERROR_AFTER, match="DELETE *", times=None))
        here.azure.faults.add(BLIND)
        with pytest.raises(CloudError, match=r"was asked to delete .* could not be looked up") as caught:
            await here.gallery.delete_version(X64, CANDIDATE_NUMBER, guard=lambda _: None)
    assert caught.value.doubtful


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("tags.delete", "never", "tags.delete was not there, and is now never"),
        ("tags.owner", None, "tags.owner was fedora-cloud, and is now not there"),
        (
            "properties.publishingProfile.endOfLifeDate",
            "2027-01-01T00:00:00Z",
            "publishingProfile.endOfLifeDate was 9999-12-31T23:59:59-01:00, and is now 2027-01-01T00:00:00Z",
        ),
        (
            "properties.safetyProfile.blockDeletionBeforeEndOfLife",
            False,
            "safetyProfile.blockDeletionBeforeEndOfLife was True, and is now False",
        ),
        (
            "properties.publishingProfile.targetRegions.0.regionalReplicaCount",
            3,
            "publishingProfile.targetRegions westus.regionalReplicaCount was 1, and is now 3",
        ),
        (
            "properties.storageProfile.source.id",
            None,
            "storageProfile.source.id was /subscriptions/s/image, and is now not there",
        ),
    ],
)
def test_what_is_other_after_a_write_is_told_by_its_place(path: str, value: object, line: str) -> None:
    assert other_differences(DOCUMENT, changed(path, value)) == (line,)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("properties.publishingProfile.excludeFromLatest", False),
        ("properties.publishingProfile.targetRegions.1.excludeFromLatest", False),
        ("properties.publishingProfile.targetRegions.0.name", "westus"),
        ("properties.provisioningState", "Updating"),
        ("properties.validationsProfile", None),
        ("location", "West US"),
        ("tags.empty", None),
        ("properties.publishingProfile.endOfLifeDate", "9999-12-31T23:59:59.000-01:00"),
        ("properties.publishingProfile.storageAccountStrategy", "DefaultStandard_LRS"),
        ("properties.securityProfile.allowed", False),
    ],
)
def test_what_means_the_same_is_no_difference(path: str, value: object) -> None:
    assert other_differences(DOCUMENT, changed(path, value)) == ()


def test_regions_in_another_order_are_no_difference_and_one_that_is_gone_is() -> None:
    turned, fewer = copy.deepcopy(DOCUMENT), copy.deepcopy(DOCUMENT)
    turned["properties"]["publishingProfile"]["targetRegions"].reverse()
    assert other_differences(DOCUMENT, turned) == ()
    fewer["properties"]["publishingProfile"]["targetRegions"].pop(0)
    gone = "publishingProfile.targetRegions westus was there, and is now not there"
    assert other_differences(DOCUMENT, fewer) == (gone,)


async def test_a_promotion_needs_no_right_to_what_the_version_was_made_of() -> None:
    async with azure_harness() as here:
        here.azure.conditions = Conditions(linked_rights=False)
        assert await here.gallery.set_promoted(X64, CANDIDATE_NUMBER, promoted=True) == ()
        assert here.excluded(CANDIDATE_NUMBER) is False


async def test_a_change_that_somebody_makes_between_two_tries_is_kept() -> None:
    async with azure_harness() as here:
        here.azure.faults.add(Fault(kind=FaultKind.THROTTLE, match="PUT *"))
        tags = here.azure.state.version(X64, str(CANDIDATE_NUMBER)).document["tags"]
        seen = []

        def tag(found: ImageVersion) -> None:
            """Somebody does so after each look, and before the write."""
            seen.append(found.tags.get("delete"))
            tags["delete"] = "never"

        assert await here.gallery.set_promoted(X64, CANDIDATE_NUMBER, promoted=True, guard=tag) == ()
        assert seen == [None, "never"]
        assert here.requests("PUT") == 2
        held = here.azure.state.version(X64, str(CANDIDATE_NUMBER)).document
        assert held["tags"] == {"owner": "fedora-cloud", "release": "43", "delete": "never"}


async def test_what_somebody_changed_while_it_was_written_is_told() -> None:
    async with azure_harness(polls=3) as here:
        held = here.azure.faults.add(Fault(kind=FaultKind.HOLD_AFTER, match="PUT *"))
        writing = asyncio.create_task(here.gallery.set_promoted(X64, CANDIDATE_NUMBER, promoted=True))
        await held.reached.wait()
        here.azure.state.versions[X64.casefold()][str(CANDIDATE_NUMBER)].document["tags"]["delete"] = "never"
        held.release()
        assert await writing == ("tags.delete was not there, and is now never",)


@pytest.mark.parametrize(
    "code", ["SubscriptionNotFound", "ResourceGroupNotFound", "GalleryNotFound", "ParentResourceNotFound", ""]
)
async def test_a_404_about_anything_else_is_no_absence(code: str) -> None:
    async with azure_harness() as here:
        match = f"GET */versions/{CANDIDATE_NUMBER}"
        here.azure.faults.add(
            Fault(kind=FaultKind.NOT_FOUND, match=match, code=code or "ResourceNotFound", times=None)
        )
        if code:  # a listing that lacks it as well makes no absence of it
            del here.azure.state.versions[X64.casefold()][str(CANDIDATE_NUMBER)]
        with pytest.raises(CloudError) as caught:
            await here.gallery.version(X64, CANDIDATE_NUMBER)
    assert not isinstance(caught.value, VersionAbsentError)
    if not code:  # the version's own, and its listing has it all the same
        assert caught.value.kind is CloudErrorKind.UNVERIFIED


async def test_absence_is_believed_only_where_the_listing_can_be_made() -> None:
    async with azure_harness() as here:
        del here.azure.state.versions[X64.casefold()][str(CANDIDATE_NUMBER)]
        with pytest.raises(VersionAbsentError):
            await here.gallery.version(X64, CANDIDATE_NUMBER)
        here.azure.faults.add(Fault(kind=FaultKind.REFUSE, match="GET */versions", times=None))
        with pytest.raises(CloudError) as caught:
            await here.gallery.version(X64, CANDIDATE_NUMBER)
    assert caught.value.kind is CloudErrorKind.REFUSED


@pytest.mark.parametrize("name", ["set_promoted", "delete_version"])
async def test_an_operation_that_a_newer_one_took_the_place_of_is_looked_at_again(name: str) -> None:
    async with azure_harness() as here:
        match = "PUT *" if name == "set_promoted" else "DELETE *"
        here.azure.faults.add(Fault(kind=FaultKind.FAIL_HALFWAY, match=match, code="OperationPreempted"))
        if name == "set_promoted":
            await here.gallery.set_promoted(X64, CANDIDATE_NUMBER, promoted=True)
            assert here.excluded(CANDIDATE_NUMBER) is False
        else:
            await here.gallery.delete_version(X64, CANDIDATE_NUMBER)
            assert not here.has(CANDIDATE_NUMBER)


async def test_one_odd_version_is_named_and_the_others_are_read() -> None:
    async with azure_harness() as here:
        held = here.azure.state.versions[X64.casefold()]
        for name in ("43.20260131.00", "43.20260201.0", "43.20260202.0"):
            held[name] = copy.deepcopy(held[str(CANDIDATE_NUMBER)])
            held[name].document["name"] = name
        del held["43.20260201.0"].document["properties"]["publishingProfile"]
        held["43.20260202.0"].document["properties"]["publishingProfile"]["excludeFromLatest"] = "true"
        found = await here.gallery.versions(X64)
    assert len(found) == 14
    assert sorted(map(str, found.unreadable)) == [
        "43.20260131.00 is no version",
        "43.20260201.0 cannot be read (at properties.publishingProfile)",
        "43.20260202.0 cannot be read (at properties.publishingProfile.excludeFromLatest)",
    ]


async def test_an_odd_definition_is_listed_by_what_can_be_known_of_it() -> None:
    async with azure_harness() as here:
        here.azure.state.definitions[X64.casefold()].pop("properties")
        here.azure.state.definitions["odd"] = {"location": "eastus", "name": "a/b"}
        found = await here.gallery.definitions()
    by_name = {definition.name: definition for definition in found}
    assert by_name[X64].problem == ""
    assert "cannot be listed" in by_name["a/b"].problem


async def test_a_state_in_another_case_is_the_same_and_regions_are_read_as_people_write_them() -> None:
    seed = one_version_seed(regions=(SeedRegion("East US"), SeedRegion("West Europe")), state="succeeded")
    async with azure_harness(seed) as here:
        found = await here.gallery.version(X64, CANDIDATE_NUMBER)
    assert found.state is VersionState.SUCCEEDED
    assert [region.name for region in found.regions] == ["eastus", "westeurope"]


async def test_a_tag_without_a_value_is_there_and_empty_and_goes_back_as_it_came() -> None:
    async with azure_harness(one_version_seed(end_of_life=NOW + timedelta(days=9))) as here:
        record = here.azure.state.versions[X64.casefold()][str(CANDIDATE_NUMBER)]
        record.document["tags"] = {"release": None}
        assert (await here.gallery.version(X64, CANDIDATE_NUMBER)).tags == {"release": ""}
        assert update_body(record.document, FlagEverywhere(True))["tags"] == {"release": None}
