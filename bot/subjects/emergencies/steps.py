"""What a review changes. Stored: ``kind``, the names of fields and defaults stay."""

from __future__ import annotations

from typing import ClassVar, Literal

from slipway.bot.core.steps import Reach, Step, Target
from slipway.bot.operations.emergency.model import Verdict


class StoreReview(Step):
    """Note what a person says of an emergency."""

    REACH: ClassVar[Reach] = Reach.RECORDS
    REASONS: ClassVar[frozenset[str]] = frozenset({"words"})

    kind: Literal["store-emergency-review"] = "store-emergency-review"
    operation: str
    person: str
    verdict: Verdict
    words: str

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"note that the emergency {self.operation} was {self.verdict}"

    @property
    def reason(self) -> str:
        """Why, in the words of whoever reviewed it."""
        return self.words

    @property
    def policy_targets(self) -> tuple[Target, ...]:
        """The operation."""
        return (Target(name=self.operation),)
