"""ARM's locks read into the model: what they hold of a gallery."""

from __future__ import annotations

import re
from collections.abc import Iterable

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.model import Lock

_PROVIDER = "/providers/microsoft.authorization/locks/"
_INSIDE = re.compile(
    r"/providers/microsoft\.compute/galleries/(?P<gallery>[^/]+)"
    r"(?:/images/(?P<definition>[^/]+)(?:/versions/(?P<version>[^/]+))?)?",
    re.IGNORECASE,
)
API_VERSION = "2020-05-01"
"""Of locks. Source: REST reference, Management Locks."""

_LEVELS = {"cannotdelete": False, "readonly": True}
"""ARM's levels, case-folded, and whether one forbids every change. ``NotSpecified`` locks nothing."""


def own_lock(account: AzureAccount) -> str:
    """What this Slipway calls the locks that it puts on versions."""
    return f"slipway-{account.deployment}"


def read_locks(entries: Iterable[object], gallery: str, account: AzureAccount) -> tuple[Lock, ...]:
    """The locks of a listing that hold versions of this gallery.

    Args:
        entries: the listing's entries: locks on the gallery, on what it holds, and on what holds it.
        gallery: its name.
        account: whose they are, for errors.

    Raises:
        CloudError: UNEXPECTED_ANSWER where an entry is not understood; what it locks is not known then.
    """
    found = []
    for entry in entries:
        lock = _read(entry, gallery, account)
        if lock is not None:
            found.append(lock)
    return tuple(found)


def _read(entry: object, gallery: str, account: AzureAccount) -> Lock | None:
    """The lock, or None where it is one of something else, or of nothing."""
    match entry:
        case {"id": str(path), "name": str(name), "properties": {"level": str(level)}}:
            pass
        case _:
            raise account.unexpected_answer(f"{account.title} listed a lock in a way that cannot be read.")
    scope, separator, _ = path.casefold().rpartition(_PROVIDER)
    if not separator:
        raise account.unexpected_answer(f"{account.title} listed a lock in a way that cannot be read.")
    if level.casefold() == "notspecified":
        return None
    read_only = _LEVELS.get(level.casefold(), True)
    if "/providers/" not in scope:  # on the resource group or the subscription, and so on all in it
        return Lock(name, read_only=read_only)
    inside = _INSIDE.search(scope)
    if inside is None or inside.end() != len(scope) or inside["gallery"] != gallery.casefold():
        return None
    ours = inside["version"] is not None and name.casefold() == own_lock(account).casefold()
    return Lock(name, inside["definition"], inside["version"], read_only, ours=ours)
