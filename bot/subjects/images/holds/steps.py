"""The changes to holds. Stored: ``kind``, the names of fields and defaults stay."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from slipway.bot.core.steps import Reach
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.steps import VersionStep


class HoldStep(VersionStep):
    """A change of one person's hold. An empty ``version`` stands for all of the definition."""

    person: str

    @property
    def named(self) -> str:
        """What is held, as sentences have it."""
        ref = DefinitionRef(self.cloud, self.definition, self.qualified)
        return f"{self.version} of {ref}" if self.version else f"all of {ref}"

    @property
    def touched(self) -> tuple[str, ...]:
        """What it changes, for locks: a hold does not wait for work on its definition, which it is to stop."""
        return (f"hold {self.target}",)


class PlaceHold(HoldStep):
    """Keep a version, or all of a definition, from being promoted and removed."""

    REASONS: ClassVar[frozenset[str]] = frozenset({"words"})
    REACH: ClassVar[Reach] = Reach.RECORDS

    kind: Literal["place-hold"] = "place-hold"
    words: str
    until: datetime | None = None

    @property
    def title(self) -> str:
        """What it does, as an order."""
        until = "" if self.until is None else f" until {self.until:%Y-%m-%d %H:%M} UTC"
        return f"hold {self.named}{until}"

    @property
    def reason(self) -> str:
        """Why, in the words of whoever holds it."""
        return self.words


class LiftHold(HoldStep):
    """Lift somebody's hold."""

    REACH: ClassVar[Reach] = Reach.RECORDS

    kind: Literal["lift-hold"] = "lift-hold"
    name: str
    key: str

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"lift the hold of {self.name} on {self.named}"

    @property
    def reason(self) -> str:
        """Why."""
        return "lifting it was asked for"
