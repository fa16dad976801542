"""The changes to schedules that people make. Stored: ``kind``, the names of fields and defaults stay."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from slipway.bot.core.steps import Reach, Step, Target


class StorePause(Step):
    """Note that a schedule does not run for a while."""

    REASONS: ClassVar[frozenset[str]] = frozenset({"words"})
    REACH: ClassVar[Reach] = Reach.RECORDS

    kind: Literal["store-pause"] = "store-pause"
    schedule: str
    person: str
    words: str
    until: datetime | None

    @property
    def policy_targets(self) -> tuple[Target, ...]:
        """The schedule, by its name."""
        return (Target(self.schedule),)

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"pause {self.schedule} until {until_words(self.until)}"

    @property
    def reason(self) -> str:
        """Why, in the words of whoever pauses it."""
        return self.words


class LiftPause(Step):
    """Note that a schedule runs again. ``key`` names the pause that is lifted."""

    REASONS: ClassVar[frozenset[str]] = frozenset({"words"})
    REACH: ClassVar[Reach] = Reach.RECORDS

    kind: Literal["lift-pause"] = "lift-pause"
    schedule: str
    words: str
    key: str

    @property
    def policy_targets(self) -> tuple[Target, ...]:
        """The schedule, by its name."""
        return (Target(self.schedule),)

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"resume {self.schedule}"

    @property
    def reason(self) -> str:
        """Why, in the words of whoever resumes it."""
        return self.words


def until_words(until: datetime | None) -> str:
    """When a pause ends, behind “until”."""
    return "somebody resumes it" if until is None else f"{until:%Y-%m-%d %H:%M} UTC"
