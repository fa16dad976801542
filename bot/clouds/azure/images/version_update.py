"""The body of an update of a version, and what else of the version is other than before it.

An update is a PUT of the whole document, and Azure checks the writer's rights on every resource that the body links
to, changed or not. What a version was made of is therefore left out: azure-cli does so, the service keeps what was
there (recorded 2026-04-23, azure-cli's ``test_image_version_end_of_life_date``), and two sources in one PUT are
refused (“The gallery artifact version source can only be specified either directly under storageProfile or within
individual OS or data disks”). Everything else goes back as it came, because what a PUT leaves out may be taken for
unset.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from slipway.bot.clouds.azure.images.edits import FLAG, Edit
from slipway.bot.clouds.azure.regions import normalise_region

Document = Mapping[str, Any]

_READ_ONLY = {
    "": frozenset({"id", "name", "type", "systemData", "etag"}),
    "properties": frozenset(
        {
            "provisioningState",
            "replicationStatus",
            "validationsProfile",
            "imageMetadataProfiles",
            "restore",  # not read-only: said, it would bring a deleted version back
        }
    ),
    "properties.publishingProfile": frozenset({"publishedDate"}),
    "properties.safetyProfile": frozenset({"reportedForPolicyViolation", "policyViolations"}),
}
"""What is never sent, by the part that holds it: the specification marks it ``readOnly`` (API version 2026-03-03)."""

_MOST_TOLD = 5
_THERE = "there"
_REGIONS = "publishingProfile.targetRegions "


def update_body(document: Document, edit: Edit) -> dict[str, Any]:
    """The least that makes an edit, and keeps all else.

    Args:
        document: the version as it was just read.
        edit: what to change.

    Raises:
        KeyError, TypeError: it has no publishing profile, or not the form of one.
    """
    body: dict[str, Any] = copy.deepcopy(_without(document, ""))
    properties = body["properties"] = _without(body["properties"], "properties")
    profile = properties["publishingProfile"]
    properties["publishingProfile"] = _without(profile, "properties.publishingProfile")
    edit.apply(body)
    if isinstance(properties.get("safetyProfile"), dict):
        properties["safetyProfile"] = _without(properties["safetyProfile"], "properties.safetyProfile")
    # Required, also where nothing in it is sent: the specification's own example has an empty one.
    properties["storageProfile"] = _without_sources(properties.get("storageProfile"))
    return body


def _without(part: Document, path: str) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name not in _READ_ONLY[path]}


def _without_sources(profile: object) -> dict[str, Any]:
    """The storage profile with the disks' settings, and without what they were made of."""
    if not isinstance(profile, dict):
        return {}
    kept = {name: value for name, value in profile.items() if name != "source"}
    if isinstance(kept.get("osDiskImage"), dict):
        kept["osDiskImage"] = _disk(kept["osDiskImage"])
    if isinstance(kept.get("dataDiskImages"), list):
        kept["dataDiskImages"] = [
            _disk(disk) if isinstance(disk, dict) else disk for disk in kept["dataDiskImages"]
        ]
    return kept


def _disk(disk: Document) -> dict[str, Any]:
    """A disk with its source blanked, as azure-cli sends it, and without its size, which is read-only."""
    blank: dict[str, Any] = {"source": {}} if "source" in disk else {}
    return {name: value for name, value in disk.items() if name not in ("source", "sizeInGB")} | blank


def other_differences(before: Document, after: Document, wanted: Collection[str] = ()) -> tuple[str, ...]:
    """What of a version is other after an update than before it, apart from flags, and from what was ``wanted``.

    A line each, such as ``tags.delete was never, and is now not there``; at most five, and how many more. What a
    service may write differently and means the same (dates, region names, null for nothing) is no difference, and
    neither is what it keeps of its own, or a default that it says only since.
    """
    old, new = dict(_facts(before)), dict(_facts(after))
    lines = [
        f"{path} was {_words(old.get(path))}, and is now {_words(new.get(path))}"
        for path in dict.fromkeys((*old, *new))
        if path not in wanted
        and _plain(old.get(path), path) != _plain(new.get(path), path)
        and (path in old or _is_somebodys(path, new[path]))
        and not _is_in_missing_region(path, new)
    ]
    if len(lines) > _MOST_TOLD:
        lines[_MOST_TOLD:] = [f"{len(lines) - _MOST_TOLD} more"]
    return tuple(lines)


def _is_in_missing_region(path: str, new: Mapping[str, object]) -> bool:
    """Whether it is a setting of a region that is gone, which is told as one."""
    region, dot, _ = path.removeprefix(_REGIONS).partition(".")
    return path.startswith(_REGIONS) and bool(dot) and f"{_REGIONS}{region}" not in new


def _is_somebodys(path: str, value: object) -> bool:
    """Whether what was not there before is somebody's change, and no default that the service filled in."""
    if path.startswith(("tags.", "publishingProfile.endOfLifeDate")):
        return True
    return (path.startswith(_REGIONS) and value == _THERE) or value is True


def _facts(document: Document) -> Iterator[tuple[str, object]]:
    """Every value of a document that a write could lose, by its path; regions by their names."""
    yield from _leaves({name: document[name] for name in _without(document, "")}, "")


def _leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    shown = path.removeprefix("properties.")
    match value:
        case None:
            return
        case dict():
            hidden = _READ_ONLY.get(path, frozenset())
            for name, inner in value.items():
                if name not in hidden and name != FLAG:
                    yield from _leaves(inner, f"{path}.{name}" if path else str(name))
        case list() if path.endswith("targetRegions"):
            for region in value:
                name = region.get("name") if isinstance(region, dict) else None
                key = normalise_region(name) if isinstance(name, str) else "?"
                yield f"{shown} {key}", _THERE
                rest = (
                    {k: v for k, v in region.items() if k != "name"} if isinstance(region, dict) else region
                )
                yield from _leaves(rest, f"{path} {key}")
        case list():
            for number, inner in enumerate(value):
                yield from _leaves(inner, f"{path}.{number}")
        case _:
            yield shown, value


def _plain(value: object, path: str) -> object:
    """A value in the one way of several in which the service may write it."""
    if isinstance(value, str):
        if path == "location":
            return normalise_region(value)
        if path.endswith("Date"):
            try:
                moment = datetime.fromisoformat(value)
            except ValueError:
                return value
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return value


def _words(value: object) -> str:
    text = "not there" if value is None else str(value)
    shown = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return shown if len(shown) <= 40 else f"{shown[:39]}…"
