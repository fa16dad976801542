"""What people ask of a version that must not launch any more. Stored: all names and defaults stay as they are."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from slipway.bot.subjects.images.requests import LatestChange


class Revoke(LatestChange):
    """Take one version out of latest in each cloud that has it, and call it bad.

    ``at`` is when, None for at once; ``words`` are the reason that the person gives. ``pins`` is where it was found
    when it was planned first.
    """

    kind: Literal["revoke"] = "revoke"
    person: str
    version: str = Field(min_length=1)
    words: str = Field(min_length=1)
    at: datetime | None = None
