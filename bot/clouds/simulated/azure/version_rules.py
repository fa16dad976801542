"""What a write makes of a version's document, or why it is refused. Pure: documents in, a document out.

A PUT replaces what it names **and resets what it leaves out**, except what the service keeps by itself: where the
image came from and its size, who reported it, when it was published. Source: a recorded PUT of 2026 without them,
and Microsoft's own client, which leaves them out on purpose. That a safety flag or an end of life which is left out
is lost is not recorded: the unkind reading is taken.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from slipway.bot.clouds.simulated.azure.errors import ArmError, invalid, linked_right_missing, unchangeable
from slipway.bot.clouds.simulated.azure.regions import display_name, short_name
from slipway.bot.clouds.simulated.azure.sources import SourceFacts, check_sources, links
from slipway.bot.clouds.simulated.azure.times import arm_time, read_arm_time

Document = dict[str, Any]

_VERSION = re.compile(r"(\d{1,10})\.(\d{1,10})\.(\d{1,10})", re.ASCII)
_INT32 = 2**31 - 1
_DEFAULT_STORAGE = "Standard_LRS"
_MOST_REPLICAS = 100
"""Of a version in a region. Source: Azure Compute Gallery, limits."""
_READ_ONLY = ("provisioningState", "replicationStatus", "validationsProfile")


def check_name(name: str) -> None:
    """Refuse what is no version's name."""
    if _VERSION.fullmatch(name) is None or max(integers(name)) > _INT32:
        raise invalid(
            "The image version name is invalid. The image version name should follow Major(int).Minor(int)."
            "Patch(int) format, for e.g: 1.0.0, 2018.12.1 etc"
        )


def integers(name: str) -> tuple[int, ...]:
    """A version's name as numbers, which is how Azure orders them; what is no number comes first."""
    return tuple(int(part) if part.isdigit() else -1 for part in name.split("."))


def without_nulls(value: Any) -> Any:
    """JSON without what is null: for the service that is the same as left out."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value


def check_linked_rights(resource: str, body: Document) -> None:
    """Refuse a body that names something to link to, changed or not, where the caller has no right to it."""
    for linked in links(_sources(body)):
        raise linked_right_missing(resource, linked)


def check_made_of(body: Document, known: Mapping[str, SourceFacts], definition: Document) -> None:
    """Refuse a new version that is made of what is not there, or does not fit its definition."""
    check_sources(links(_sources(body)), known, str(body.get("location", "")), definition)


def replaced(
    body: Document, before: Document | None, now: datetime, failed: Collection[str] = ()
) -> Document:
    """The version that a PUT makes; ``before`` is the one that is there already, whose copies ``failed`` in these
    regions.

    Raises:
        ArmError: the service would refuse it.
    """
    location = body.get("location")
    properties = _object(body, "properties")
    if not isinstance(location, str):
        raise invalid("Required parameter 'location' is missing (null).")
    if "storageProfile" not in properties:
        raise invalid("Required parameter 'storageProfile' is missing (null).")
    old = before["properties"] if before else {}
    profile = _publishing(_object(properties, "publishingProfile"), old, location, now)
    document: Document = {
        "location": short_name(location),
        **({"tags": _object(body, "tags")} if "tags" in body else {}),
        "properties": {
            **{key: value for key, value in properties.items() if key not in _READ_ONLY},
            "publishingProfile": profile,
            "storageProfile": _storage(_object(properties, "storageProfile"), old.get("storageProfile")),
            "safetyProfile": _safety(_object(properties, "safetyProfile"), old.get("safetyProfile", {})),
            "provisioningState": "Succeeded",
        },
    }
    if before is not None:
        _check_unchanged(before, document)
        _check_regions_may_go(before, profile, failed)
    return document


def merged(body: Document, before: Document, now: datetime, failed: Collection[str] = ()) -> Document:
    """The version that a PATCH makes: the parts that it names are changed, lists as a whole.

    What the service does with regions that a PATCH leaves out is not documented.

    Raises:
        ArmError: the service would refuse it.
    """
    whole = copy.deepcopy(before)
    if "tags" in body:
        whole["tags"] = _object(body, "tags")
    properties = _object(body, "properties")
    for part in ("publishingProfile", "safetyProfile", "storageProfile"):
        whole["properties"].setdefault(part, {}).update(_object(properties, part))
    return replaced(whole, before, now, failed)


def finished(document: Document) -> None:
    """Write into a version what is known once it was made: the size of its disk."""
    disk = document["properties"]["storageProfile"].setdefault(
        "osDiskImage", {"hostCaching": "ReadWrite", "source": {}}
    )
    disk.setdefault("sizeInGB", 30)


def launches_in(document: Document, region: str) -> bool:
    """Whether the flags let “latest” find the version in the region; a region's own wins."""
    profile = document["properties"].get("publishingProfile") or {}
    for target in profile.get("targetRegions") or ():
        if short_name(target["name"]) == short_name(region):
            own = target.get("excludeFromLatest")
            return not (profile.get("excludeFromLatest") if own is None else own)
    return False


def region_flags(document: Document) -> dict[str, bool | None]:
    """Each target region's own flag, by its short name."""
    regions = (document["properties"].get("publishingProfile") or {}).get("targetRegions") or []
    return {short_name(region["name"]): region.get("excludeFromLatest") for region in regions}


def _publishing(sent: Document, old: Document, location: str, now: datetime) -> Document:
    before = old.get("publishingProfile", {})
    kinds = {short_name(region["name"]): region for region in before.get("targetRegions", ())}
    regions = [_region(each, kinds) for each in sent.get("targetRegions") or [{"name": location}]]
    names = [short_name(region["name"]) for region in regions]
    if len(set(names)) < len(names):
        raise invalid("Duplicate regions are not allowed in target publishing regions")
    if short_name(location) not in names:
        raise invalid(
            f"Gallery image version publishing profile regions {', '.join(names)} must contain the location of "
            f"image version {short_name(location)}"
        )
    profile = {
        **sent,
        "targetRegions": regions,
        "replicaCount": _replicas(sent, "replicaCount"),
        "excludeFromLatest": sent.get("excludeFromLatest", False),
        "publishedDate": before.get("publishedDate") or arm_time(now),
        "storageAccountType": sent.get(
            "storageAccountType", before.get("storageAccountType", _DEFAULT_STORAGE)
        ),
    }
    if "endOfLifeDate" in sent:
        profile["endOfLifeDate"] = _end_of_life(sent["endOfLifeDate"], before.get("endOfLifeDate"), now)
    return profile


def _region(sent: Any, before: Mapping[str, Document]) -> Document:
    if not isinstance(sent, dict) or not isinstance(sent.get("name"), str):
        raise invalid("Required parameter 'targetRegions.name' is missing (null).")
    known = before.get(short_name(sent["name"]), {})
    return {
        **sent,
        "name": display_name(sent["name"]),
        "regionalReplicaCount": _replicas(sent, "regionalReplicaCount"),
        "storageAccountType": sent.get(
            "storageAccountType", known.get("storageAccountType", _DEFAULT_STORAGE)
        ),
    }


def _replicas(sent: Document, key: str) -> int:
    count = sent.get(key, 1)
    if not isinstance(count, int) or not 1 <= count <= _MOST_REPLICAS:
        raise invalid(
            f"The value {count} of parameter {key} is out of range. The value must be between 1 and "
            f"{_MOST_REPLICAS}, inclusive."
        )
    return count


def _end_of_life(sent: Any, before: Any, now: datetime) -> str:
    """As the service writes it. One that has passed is refused where it is new."""
    if sent == before:  # as it was read, whatever that looks like
        return str(sent)
    try:
        moment = read_arm_time(sent if isinstance(sent, str) else "")
        shown = arm_time(moment)
    except (ValueError, OverflowError) as error:
        raise invalid(
            f"Could not convert string to DateTimeOffset: {sent}. Path 'properties.publishingProfile.endOfLifeDate'"
        ) from error
    if shown != before and moment <= now:
        raise invalid("EndOfLifeDate must be set to a future date.")
    return shown


def _storage(sent: Document, before: Document | None) -> Document:
    """Where the image came from: sent at its making, and kept afterwards."""
    sources = [source for source in _sources({"properties": {"storageProfile": sent}}) if source]
    directly = bool(_object(sent, "source"))
    if (directly and len(sources) > 1) or any(len(_kinds(source)) > 1 for source in sources):
        raise invalid(
            "The gallery artifact version source can only be specified either directly under storageProfile or "
            "within individual OS or data disks. One and only one source type (user image, snapshot, disk, virtual "
            "machine) can be provided"
        )
    if before is None:
        if not sources:
            raise invalid("Required parameter 'storageProfile.source' is missing (null).")
        return copy.deepcopy(sent)
    return _kept(sent, before)


def _kinds(source: Document) -> set[str]:
    """The types of source that are named; a blob's address and its storage account are one."""
    return {"blob" if key in ("uri", "storageAccountId") else key for key, value in source.items() if value}


def _kept(sent: Document, before: Document) -> Document:
    """The old storage profile with the caching that was sent, or a refusal where another source was."""
    kept = copy.deepcopy(before)
    _check_source(_object(sent, "source"), kept.get("source", {}), "storageProfile.source")
    disk, old = _object(sent, "osDiskImage"), kept.get("osDiskImage", {})
    _check_source(_object(disk, "source"), old.get("source", {}), "storageProfile.osDiskImage.source")
    if "hostCaching" in disk:
        old["hostCaching"] = disk["hostCaching"]
    held = {each["lun"]: each for each in kept.get("dataDiskImages", ())}
    for data in filter(None, sent.get("dataDiskImages", ())):
        known = held.get(data.get("lun"))
        if known is None:
            raise unchangeable("galleryImageVersion.properties.storageProfile.dataDiskImages")
        _check_source(
            _object(data, "source"), known.get("source", {}), "storageProfile.dataDiskImages.source"
        )
        if "hostCaching" in data:
            known["hostCaching"] = data["hostCaching"]
    return kept


def _check_source(sent: Document, before: Document, what: str) -> None:
    for key, value in sent.items():
        if before.get(key) != value:
            raise unchangeable(f"galleryImageVersion.properties.{what}.{key}")


def _safety(sent: Document, before: Document) -> Document:
    return {
        **sent,
        "reportedForPolicyViolation": before.get("reportedForPolicyViolation", False),
        "blockDeletionBeforeEndOfLife": sent.get("blockDeletionBeforeEndOfLife", False),
        "allowDeletionOfReplicatedLocations": sent.get("allowDeletionOfReplicatedLocations", False),
    }


def _check_unchanged(before: Document, after: Document) -> None:
    """Refuse to change the location, or the storage account type of the version or of a region."""
    old, new = before["properties"]["publishingProfile"], after["properties"]["publishingProfile"]
    known = old.get("targetRegions") or ()
    kinds = {short_name(region["name"]): region.get("storageAccountType") for region in known}
    changed = old.get("storageAccountType") not in (None, new["storageAccountType"])
    for region in new["targetRegions"]:
        kind = region["storageAccountType"]
        changed = changed or kinds.get(short_name(region["name"]), kind) != kind
    if changed:
        raise unchangeable("storageAccountType")
    if short_name(before["location"]) != after["location"]:
        raise unchangeable("location")


def _check_regions_may_go(before: Document, profile: Document, failed: Collection[str]) -> None:
    """Refuse to drop a region where the safety profile keeps them. (Which code the service gives is not known.)

    One whose copy failed may go: the service itself advises that, in an error of 2020 (azure-cli#15539), and it is no
    replicated location.
    """
    kept = {short_name(region["name"]) for region in profile["targetRegions"]}
    gone = region_flags(before).keys() - kept - set(failed)
    allowed = before["properties"].get("safetyProfile", {}).get("allowDeletionOfReplicatedLocations")
    if gone and not allowed:
        raise ArmError(
            409,
            "OperationNotAllowed",
            f"Replicated locations {', '.join(sorted(gone))} must not be deleted: "
            "allowDeletionOfReplicatedLocations is false.",
        )


def _sources(body: Document) -> Iterator[Document]:
    """Every place in a body that can name a source."""
    storage = _object(_object(body, "properties"), "storageProfile")
    yield _object(storage, "source")
    yield _object(_object(storage, "osDiskImage"), "source")
    for disk in storage.get("dataDiskImages") or ():
        yield _object(disk, "source") if isinstance(disk, dict) else {}


def _object(body: Document, key: str) -> Document:
    """A part of a body that is an object; one that was left out is empty."""
    value = body.get(key, {})
    if not isinstance(value, dict):
        raise invalid(f"The value of parameter {key} is invalid.")
    return value
