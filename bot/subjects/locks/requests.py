"""What people ask about locks. Stored: ``kind``, the names of fields and their defaults stay as they are."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from slipway.bot.core.steps import Request


class ReleaseLock(Request):
    """Take the lock of an operation away, whose step does not come to its end.

    ``ticket`` and ``targets`` are those of the lock that was there when it was planned first: a later one is another.
    """

    kind: Literal["lock-release"] = "lock-release"
    person: str
    operation: str = Field(min_length=1)
    words: str = Field(min_length=1)
    ticket: int | None = None
    targets: tuple[str, ...] = ()
