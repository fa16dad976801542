"""What an adoption does: a person's word is noted. Stored: ``kind``, the names of fields and defaults stay."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from slipway.bot.core.steps import Reach
from slipway.bot.operations.model import Operation
from slipway.bot.subjects.images.adopting.requests import ChangeId
from slipway.bot.subjects.images.steps import VersionStep
from slipway.bot.subjects.images.watching.change import Aspect, Change, in_words


class AdoptChange(VersionStep):
    """Note that a change which no operation of ours made is right.

    ``notice`` and ``number`` name it, ``change`` is what it was, and ``seen_at`` when it was seen.
    """

    REASONS: ClassVar[frozenset[str]] = frozenset({"words", "person"})

    REACH: ClassVar[Reach] = Reach.RECORDS

    kind: Literal["adopt-change"] = "adopt-change"
    notice: int
    number: int
    change: Change
    seen_at: datetime
    person: str
    words: str

    @property
    def id(self) -> ChangeId:
        """Which change it is."""
        return ChangeId(cloud=self.cloud, definition=self.definition, notice=self.notice, number=self.number)

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"adopt that {self.named} {in_words(self.change)}"

    @property
    def reason(self) -> str:
        """Why, in the words of whoever adopts it."""
        return self.words

    @property
    def touched(self) -> tuple[str, ...]:
        """What it changes, for locks: what is noted of the version, and nothing in its cloud."""
        return (f"adoption {self.target}",)


def adopted_promotion(operation: Operation, target: str) -> datetime | None:
    """When a promotion of a version was seen that an operation adopts; None for one that adopts none."""
    return next(
        (
            step.seen_at
            for step in operation.plan.steps
            if isinstance(step, AdoptChange)
            and step.target == target
            and step.change.aspect is Aspect.PROMOTED
        ),
        None,
    )
