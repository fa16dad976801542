"""The changes to the list that people make. Stored: ``kind``, the names of fields and defaults stay."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from slipway.bot.core.steps import Reach, Step, Target


class StoreAcknowledgement(Step):
    """Note that a person knows of a problem and sees to it."""

    REASONS: ClassVar[frozenset[str]] = frozenset({"words"})
    REACH: ClassVar[Reach] = Reach.RECORDS

    kind: Literal["store-acknowledgement"] = "store-acknowledgement"
    problem: str
    person: str
    words: str
    until: datetime

    @property
    def policy_targets(self) -> tuple[Target, ...]:
        """The problem, by its id."""
        return (Target(self.problem),)

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"acknowledge {self.problem} until {self.until:%Y-%m-%d %H:%M} UTC"

    @property
    def reason(self) -> str:
        """Why, in the words of whoever acknowledges it."""
        return self.words
