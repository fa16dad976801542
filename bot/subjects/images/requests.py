"""What people ask of images. A planner pins a request: what was found is what is planned again later.

All of these are stored. ``kind``, the names of fields and their defaults stay as they are.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import Field

from slipway.bot.clouds.model import ImageVersion
from slipway.bot.core.model import Model
from slipway.bot.core.steps import Request
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.replication.reach import Debt, Reach

CLOUD_OF_FORMAT_1 = "azure"
"""Where a stored version is that names no cloud: there was only one when those were stored."""


class Pin(Model):
    """One version of one definition, found when the request was planned first.

    ``qualified`` is as in :class:`slipway.bot.subjects.images.definitions.DefinitionRef`, when it was found.
    """

    definition: str
    version: str
    cloud: str = CLOUD_OF_FORMAT_1
    qualified: bool = False

    @classmethod
    def of(cls, definition: DefinitionRef, version: ImageVersion) -> Pin:
        """The pin of a version that was found."""
        return cls(
            definition=definition.name,
            version=str(version.number),
            cloud=definition.cloud,
            qualified=definition.qualified,
        )

    @property
    def ref(self) -> DefinitionRef:
        """Its definition."""
        return DefinitionRef(self.cloud, self.definition, self.qualified)

    @property
    def target(self) -> str:
        """What tells versions apart, and what operations are found by later. Stored: stays as it is.

        Case does not count in names, as with Azure.
        """
        return f"version {self.cloud} {self.definition.casefold()} {self.version}"


class LatestChange(Request):
    """A change of what is latest.

    ``definition`` is the name or pattern that was asked for. ``pins`` is what planning first made of it. ``protects``
    are the versions that are protected from deletion once they are latest: planned again, they are the same.
    """

    definition: str = Field(min_length=1)
    pins: tuple[Pin, ...] | None = None
    protects: tuple[Pin, ...] = ()


class Promotion(LatestChange):
    """Promote a version, or the newest candidate, of the definitions that a name or pattern matches.

    ``version`` is what the person named, if anything. ``pins`` is what planning made of it; with pins, a
    newer candidate that arrives later changes nothing. ``avoid`` are those candidates that were rolled back, as
    planning found: they are only promoted when somebody names them. ``rollbacks`` says how many rollbacks of each
    pinned version had ended by then, by target; None where that was not noted, as in format 1. ``reach`` says how
    pinned versions get into their regions, by target; those that are not among them are promoted where they are.
    ``without`` are regions that are left out, ``waiver`` is why, in the words of whoever asked (empty in what was
    stored before a reason was asked for), and ``debts`` are those which former promotions left out, and which are
    copied to besides. ``published`` says when each pinned version was published, by target, where that is known;
    empty in what was stored before that was noted; and so is ``against``, the evidence against each.
    """

    version: str | None = None
    avoid: tuple[Pin, ...] = ()
    rollbacks: dict[str, int] | None = None
    reach: dict[str, Reach] = Field(default_factory=dict)
    without: tuple[str, ...] = ()
    waiver: str = ""
    debts: tuple[Debt, ...] = ()
    published: dict[str, datetime] = Field(default_factory=dict)
    against: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @property
    def why_without(self) -> str:
        """Why regions are left out, in the words of whoever asked."""
        return self.waiver

    @property
    def by_rules(self) -> bool:
        """Whether of each definition the newest is meant that meets its rules, and not the newest whatever it is."""
        return False

    @property
    def overridden(self) -> tuple[str, ...]:
        """The rules that need not be met."""
        return ()

    @property
    def in_spite(self) -> str:
        """What the summary says of rules and regions that are passed over, and so the audit trail, too: sentences
        behind a blank; empty for none."""
        if not self.without:
            return ""
        why = f": {self.why_without}" if self.why_without else ""
        return f" Without {join_names(sorted(self.without), len(self.without))}{why}"


class Promote(Promotion):
    """A promotion of what meets its rules. ``due`` is whether older candidates count where newer ones do not meet
    them; false in format 2, which knew no rules."""

    FORMAT: ClassVar[int] = 3

    kind: Literal["promote"] = "promote"
    due: bool = False

    @property
    def by_rules(self) -> bool:
        """As it was asked for."""
        return self.due


class PromoteOverride(Promotion):
    """A promotion in spite of rules: ``rules`` are their names, and ``words`` the reason that the person gives."""

    kind: Literal["promote-override"] = "promote-override"
    rules: tuple[str, ...] = Field(min_length=1)
    words: str = Field(min_length=1)

    @property
    def overridden(self) -> tuple[str, ...]:
        """Those that it names."""
        return self.rules

    @property
    def why_without(self) -> str:
        """The one reason that is given for both."""
        return self.words

    @property
    def in_spite(self) -> str:
        """Which, and why."""
        names = f"rule{'' if len(self.rules) == 1 else 's'} {', '.join(self.rules)}"
        out = f", and without {join_names(sorted(self.without), len(self.without))}" if self.without else ""
        return f" That is in spite of the {names}{out}: {self.words}"


class Rollback(LatestChange):
    """Take the newest promoted version of a definition back, so that the one before it is latest again; or all that
    is newer than ``to``.

    ``pins`` are those that were found to be taken back. ``version`` is how a request pins one that was stored before
    there were several: ``definition`` names its cloud then where that is needed. ``person`` is by whose word what is
    taken back is called bad; empty in what was stored before that was done.
    """

    kind: Literal["rollback"] = "rollback"
    version: str | None = None
    to: str | None = None
    person: str = ""


class Cleanup(Request):
    """Remove what retention chooses from the definitions that a name or pattern matches; None: all.

    ``pins`` are the versions chosen first; with pins, what becomes due later waits for the next clean-up.
    ``announced`` are those to be announced, and ``forgotten`` those of which that is taken back, as they were then;
    none of either where nothing was announced yet.
    ``caution`` is why so large a plan needs an approval, as it was when the pins were chosen: uploads that
    make the share smaller do not take the need away. ``published`` is as in :class:`Promotion`, of those that are to
    be removed.
    """

    kind: Literal["cleanup"] = "cleanup"
    definition: str | None = None
    pins: tuple[Pin, ...] | None = None
    announced: tuple[Pin, ...] = ()
    forgotten: tuple[Pin, ...] = ()
    caution: str = ""
    published: dict[str, datetime] = Field(default_factory=dict)

    @property
    def found(self) -> tuple[Pin, ...] | None:
        """Whatever it was found to be about when it was planned first; None before that."""
        return None if self.pins is None else (*self.pins, *self.announced, *self.forgotten)


def without_rollbacks(fields: dict[str, Any]) -> dict[str, Any]:
    """A promotion, or a step of one, of format 1 as one of format 2: what it had been through was not noted."""
    return {**fields, "rollbacks": None}


def without_rules(fields: dict[str, Any]) -> dict[str, Any]:
    """A promotion, or a step of one, of format 2 as one of format 3: no rule was overridden, and none chose."""
    return dict(fields)
