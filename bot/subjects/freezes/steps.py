"""The changes to freezes that people make. Stored: ``kind``, the names of fields and defaults stay."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from slipway.bot.core.steps import Reach, Step, Target


class PlaceFreeze(Step):
    """Note that nothing is to change."""

    REASONS: ClassVar[frozenset[str]] = frozenset({"words"})
    REACH: ClassVar[Reach] = Reach.RECORDS

    kind: Literal["place-freeze"] = "place-freeze"
    person: str
    words: str
    until: datetime | None

    @property
    def policy_targets(self) -> tuple[Target, ...]:
        """A freeze is about everything, and has no name."""
        return (Target("everything"),)

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"freeze all changes until {until_words(self.until)}"

    @property
    def reason(self) -> str:
        """Why, in the words of whoever freezes them."""
        return self.words


class LiftFreeze(Step):
    """Note that things may change again. ``keys`` name what is lifted; none where that cannot be read."""

    REASONS: ClassVar[frozenset[str]] = frozenset({"words"})
    REACH: ClassVar[Reach] = Reach.RECORDS

    kind: Literal["lift-freeze"] = "lift-freeze"
    person: str
    words: str
    keys: tuple[str, ...]

    @property
    def policy_targets(self) -> tuple[Target, ...]:
        """A freeze is about everything, and has no name."""
        return (Target("everything"),)

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return "let things change again"

    @property
    def reason(self) -> str:
        """Why, in the words of whoever ends it."""
        return self.words


def until_words(until: datetime | None) -> str:
    """When a freeze ends, behind “until”."""
    return "somebody ends that" if until is None else f"{until:%Y-%m-%d %H:%M} UTC"
