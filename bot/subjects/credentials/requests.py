"""What people answer to reminders. Stored: ``kind``, the names of fields and their defaults stay as they are."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from slipway.bot.core.steps import Request


class AnswerRequest(Request):
    """About one credential, by what people call it; ``key`` is what was found by that when it was planned first."""

    person: str
    name: str = Field(min_length=1)
    key: str = ""


class Snooze(AnswerRequest):
    """Remind nobody of it for so many seconds; ``until`` is what was made of them when it was planned first."""

    kind: Literal["credential-snooze"] = "credential-snooze"
    seconds: int = Field(gt=0)
    until: datetime | None = None


class Done(AnswerRequest):
    """It is seen to. That is not believed: the source has to show it."""

    kind: Literal["credential-done"] = "credential-done"
