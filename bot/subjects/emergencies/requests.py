"""What people ask about emergencies. Stored: ``kind``, the names of fields and their defaults stay as they are."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from slipway.bot.core.steps import Request
from slipway.bot.operations.emergency.model import Verdict


class ReviewEmergency(Request):
    """Say whether it was right not to wait for approvals. ``words`` are what the person says beside that."""

    kind: Literal["emergency-review"] = "emergency-review"
    person: str
    operation: str = Field(min_length=1)
    verdict: Verdict
    words: str = Field(min_length=1)
