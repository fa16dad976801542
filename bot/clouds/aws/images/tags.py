"""What the adapter notes on AMIs, so that a later run or another process knows what was done and what was before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

DISABLED_TAG = "slipway:disabled"
"""Since when an AMI has been disabled for removal; and behind a blank ``deprecated``, where it was deprecated for
that, which a restoring takes back."""

DEPRECATED_BEFORE_TAG = "slipway:deprecation-before"
"""When an AMI was to be deprecated before a promotion of a newer version set another time; ``none`` for never."""

PROTECTED_TAG = "slipway:protected"
"""Which Slipway, by its deployment's name, protects an AMI from deregistration: what bears another name or none is
somebody else's protection."""

_ALSO_DEPRECATED = "deprecated"
_NONE = "none"


def disabled_value(at: datetime, *, deprecated: bool) -> str:
    """The value of DISABLED_TAG."""
    moment = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return f"{moment} {_ALSO_DEPRECATED}" if deprecated else moment


def disabled_since(tags: Mapping[str, str]) -> datetime | None:
    """Since when an AMI has been disabled for removal; None where no such note is on it."""
    return moment_in(tags.get(DISABLED_TAG, "").partition(" ")[0])


def deprecated_for_removal(tags: Mapping[str, str]) -> bool:
    """Whether it was deprecated when it was disabled for removal."""
    return tags.get(DISABLED_TAG, "").endswith(f" {_ALSO_DEPRECATED}")


def before_value(before: datetime | None) -> str:
    """The value of DEPRECATED_BEFORE_TAG."""
    return _NONE if before is None else f"{before.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def has_former_deprecation(tags: Mapping[str, str]) -> bool:
    """Whether a former time of deprecation is noted that can be read."""
    noted = tags.get(DEPRECATED_BEFORE_TAG)
    return noted is not None and (noted == _NONE or moment_in(noted) is not None)


def former_deprecation(tags: Mapping[str, str]) -> datetime | None:
    """The noted former time of deprecation; None for never."""
    return moment_in(tags.get(DEPRECATED_BEFORE_TAG, ""))


def moment_in(text: str) -> datetime | None:
    """A moment that EC2 or a note writes; None where it cannot be read, or lacks its zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
