"""What people ask about freezes. Stored: ``kind``, the names of fields and their defaults stay as they are."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from slipway.bot.core.steps import Request


class FreezeChanges(Request):
    """Let nothing change for so many seconds; None for until somebody ends that. ``until`` is what was made of
    ``seconds`` when it was planned first."""

    kind: Literal["freeze"] = "freeze"
    person: str
    words: str = Field(min_length=1)
    seconds: int | None = Field(None, gt=0)
    until: datetime | None = None


class UnfreezeChanges(Request):
    """Let things change again."""

    kind: Literal["unfreeze"] = "unfreeze"
    person: str
    words: str = ""
