"""What people ask of holds. Stored: ``kind``, the names of fields and their defaults stay as they are."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from slipway.bot.core.steps import Request
from slipway.bot.subjects.images.holds.model import PlacedHold
from slipway.bot.subjects.images.requests import Pin


class HoldRequest(Request):
    """About a definition (or those that a pattern matches), or one version of it. ``pins`` is what was found when it
    was planned first, with an empty version for a whole definition."""

    person: str
    definition: str = Field(min_length=1)
    version: str | None = None
    pins: tuple[Pin, ...] | None = None


class Hold(HoldRequest):
    """Neither promote nor remove it, for so many seconds; None for until somebody lifts that. ``words`` are the
    reason that the person gives; ``until`` is what was made of ``seconds`` when it was planned first."""

    kind: Literal["hold"] = "hold"
    words: str = Field(min_length=1)
    seconds: int | None = Field(None, gt=0)
    until: datetime | None = None


class Unhold(HoldRequest):
    """Lift whoever's holds on it."""

    kind: Literal["unhold"] = "unhold"
    words: str = ""


def pin_of(hold: PlacedHold) -> Pin:
    """What a hold is on."""
    return Pin(cloud=hold.cloud, definition=hold.definition, version=hold.version)
