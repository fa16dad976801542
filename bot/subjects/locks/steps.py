"""The changes to locks that people make. Stored: ``kind``, the names of fields and defaults stay."""

from __future__ import annotations

from typing import ClassVar, Literal

from slipway.bot.core.steps import Reach, Step, Target


class DropLock(Step):
    """Give up what an operation claims. ``ticket`` names the claim: a later one of the same operation is another."""

    REASONS: ClassVar[frozenset[str]] = frozenset({"words"})
    REACH: ClassVar[Reach] = Reach.RECORDS

    kind: Literal["drop-lock"] = "drop-lock"
    operation: str
    targets: tuple[str, ...]
    ticket: int
    person: str
    words: str

    @property
    def policy_targets(self) -> tuple[Target, ...]:
        """The lock, by the operation that holds it."""
        return (Target(self.operation),)

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"release the lock of {self.operation} on {', '.join(self.targets)}"

    @property
    def reason(self) -> str:
        """Why, in the words of whoever releases it."""
        return self.words
