"""What people ask about schedules. Stored: ``kind``, the names of fields and their defaults stay as they are."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from slipway.bot.core.steps import Request


class PauseSchedule(Request):
    """Let a schedule not run for so many seconds; None for until somebody resumes it. ``until`` is what was made of
    ``seconds`` when it was planned first."""

    kind: Literal["schedule-pause"] = "schedule-pause"
    person: str
    schedule: str = Field(min_length=1)
    words: str = Field(min_length=1)
    seconds: int | None = Field(None, gt=0)
    until: datetime | None = None


class ResumeSchedule(Request):
    """Let a schedule run again."""

    kind: Literal["schedule-resume"] = "schedule-resume"
    person: str
    schedule: str = Field(min_length=1)
    words: str = ""
