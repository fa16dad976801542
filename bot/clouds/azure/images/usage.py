"""What uses a gallery's versions: machines and scale sets of its subscription. Pure.

A machine that runs does not miss its version, and one that is made again does; a scale set that grows launches from
the version that its model names. Source: “Azure Compute Gallery”, on deleting versions that are in use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.clouds.ports.image_usage import ImageUse

API_VERSION = "2026-04-01"
"""What azure-mgmt-compute 39 asks for about machines and scale sets."""

MACHINES = "virtualMachines"
SCALE_SETS = "virtualMachineScaleSets"

_KINDS = {MACHINES: "machine", SCALE_SETS: "scale set"}

_OWN = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)/providers/Microsoft\.Compute"
    r"/galleries/(?P<gallery>[^/]+)/images/(?P<definition>[^/]+)(?:/versions/(?P<version>[^/]+))?",
    re.IGNORECASE,
)
_SHARED = re.compile(
    r"/(?:CommunityGalleries|SharedGalleries)/[^/]+/images/(?P<definition>[^/]+)(?:/versions/(?P<version>[^/]+))?",
    re.IGNORECASE,
)
"""By the public name of a gallery, which tells nothing of its own: whatever is called like a version of this one may
be it."""

_REFERENCES = ("id", "communityGalleryImageId", "sharedGalleryImageId")
_LATEST = "latest"


def read_uses(
    entries: Iterable[object], kind: str, gallery_path: str, account: AzureAccount
) -> Iterator[ImageUse]:
    """What a listing of machines or of scale sets says of the versions of one gallery.

    Args:
        entries: the listing's.
        kind: :data:`MACHINES` or :data:`SCALE_SETS`.
        gallery_path: the gallery's resource id.
        account: for errors.

    Raises:
        CloudError: UNEXPECTED_ANSWER where an entry is not understood: what it uses is not known then.
    """
    for entry in entries:
        match entry:
            case {"id": str(path), "name": str(name), "properties": Mapping() as properties}:
                by = f"{_KINDS[kind]} {name} of {_group(path)}"
            case _:
                raise _unclear(kind, account)
        if kind == SCALE_SETS:
            # One without a profile has none of its own: its machines are in the listing of machines.
            properties = _below(properties, "virtualMachineProfile", kind, account)
        storage = _below(properties, "storageProfile", kind, account)
        reference = _below(storage, "imageReference", kind, account)
        yield from _of(reference, by, gallery_path, kind, account)


def _below(document: Mapping[str, Any], name: str, kind: str, account: AzureAccount) -> Mapping[str, Any]:
    """A part that need not be there."""
    found = document.get(name)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise _unclear(kind, account)
    return found


def _of(
    reference: Mapping[str, Any], by: str, gallery_path: str, kind: str, account: AzureAccount
) -> Iterator[ImageUse]:
    exact = reference.get("exactVersion")
    for key in _REFERENCES:
        path = reference.get(key)
        if path is None:
            continue
        if not isinstance(path, str):
            raise _unclear(kind, account)
        found = _OWN.fullmatch(path) if key == "id" else _SHARED.fullmatch(path)
        if found is None or (key == "id" and not path.casefold().startswith(f"{gallery_path}/".casefold())):
            continue
        named = found["version"]
        follows = named is None or named.casefold() == _LATEST
        for text in dict.fromkeys((None if follows else named, exact)):
            if text is not None and not isinstance(text, str):
                raise _unclear(kind, account)
            if text:
                yield ImageUse(found["definition"], _number(text, kind, account), by)
        if follows and (kind == SCALE_SETS or not exact):
            yield ImageUse(found["definition"], None, f"{by}, which launches the latest")


def _number(text: str, kind: str, account: AzureAccount) -> VersionNumber:
    try:
        return VersionNumber.parse(text)
    except ValueError:
        raise _unclear(kind, account) from None


def _group(path: str) -> str:
    """The resource group in a resource id."""
    parts = path.split("/")
    return parts[4] if len(parts) > 4 else path


def _unclear(kind: str, account: AzureAccount) -> Exception:
    return account.unexpected_answer(f"{account.title} listed a {_KINDS[kind]} in a way that cannot be read.")
