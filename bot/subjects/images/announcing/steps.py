"""The changes to announcements. Stored: ``kind``, the names of fields and defaults stay."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Literal

from slipway.bot.core.steps import Reach
from slipway.bot.core.times import format_duration
from slipway.bot.subjects.images.steps import RemovalStep, VersionStep


class AnnounceRemoval(RemovalStep):
    """Announce that a version will go, in the first clean-up so many ``seconds`` later or more, if it is due."""

    REACH: ClassVar[Reach] = Reach.RECORDS

    kind: Literal["announce-removal"] = "announce-removal"
    seconds: int

    @property
    def touched(self) -> tuple[str, ...]:
        """What it changes, for locks: nothing of its definition."""
        return (f"announcement {self.target}",)

    @property
    def title(self) -> str:
        """What it does, as an order."""
        after = format_duration(timedelta(seconds=self.seconds))
        return f"announce that {self.named} goes {after} later"

    @property
    def verb(self) -> str:
        """What is done, as what follows “was not”."""
        return "announced"


class ForgetAnnouncement(VersionStep):
    """Forget that a version was announced, as it is not due any more. ``words`` say why."""

    REASONS: ClassVar[frozenset[str]] = frozenset({"words"})
    REACH: ClassVar[Reach] = Reach.RECORDS

    kind: Literal["forget-announcement"] = "forget-announcement"
    words: str

    @property
    def touched(self) -> tuple[str, ...]:
        """As that of the announcement."""
        return (f"announcement {self.target}",)

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"take back that {self.named} goes"

    @property
    def reason(self) -> str:
        """Why it is not due any more."""
        return f"it is not due any more: {self.words}"
