"""What people ask of a version that is to come back. Stored: all names and defaults stay as they are."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from slipway.bot.core.steps import Request
from slipway.bot.subjects.images.requests import Pin


class Away(StrEnum):
    """How a version is away."""

    DISABLED = "disabled"
    DELETED = "deleted"


class KeptPin(Pin):
    """A version that can be brought back, as it was found when this was planned first. ``until`` is when it goes for
    good, as far as is known."""

    away: Away
    until: datetime | None = None


class Restore(Request):
    """Bring one version back as a candidate, in each cloud that keeps it.

    ``pins`` is where it was found when it was planned first.
    """

    kind: Literal["restore"] = "restore"
    definition: str = Field(min_length=1)
    version: str = Field(min_length=1)
    pins: tuple[KeptPin, ...] | None = None
