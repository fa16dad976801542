"""What people ask about problems. Stored: ``kind``, the names of fields and their defaults stay as they are."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from slipway.bot.core.steps import Request


class Acknowledge(Request):
    """Know of a problem and see to it, for so many seconds. ``words`` are the reason that the person gives; ``until``
    is what was made of ``seconds`` when it was planned first."""

    kind: Literal["problem-ack"] = "problem-ack"
    person: str
    problem: str = Field(min_length=1)
    words: str = Field(min_length=1)
    seconds: int = Field(gt=0)
    until: datetime | None = None
