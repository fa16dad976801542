"""A change of a version that no operation of ours made, from when it was told until it is adopted or over: pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from slipway.bot.subjects.images.adopting.authorship import (
    NOT_ASKED,
    Authorship,
    Known,
    by_whom,
    why_not_known,
)
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.watching.change import Change, in_words

BY_THE_BUTTON = "it is right as it is"
"""What an adoption by a press says."""


class Stage(StrEnum):
    """Where it stands. Stored."""

    OPEN = "open"  # nobody has said whether it is right
    ADOPTED = "adopted"
    OVER = "over"  # the version is not as this left it any more: it was put right, or changed again


@dataclass(frozen=True)
class ForeignChange:
    """A foreign change as it is kept.

    Attributes:
        cloud: the account that has the version.
        definition: its definition's name; case does not count.
        qualified: as in :class:`.definitions.DefinitionRef`.
        notice: which notice about its definition told it, counted from 1.
        number: which change of that notice it is, counted from 1.
        change: what changed.
        seen_at: when the look began that saw it.
        since: when the look before that began, which saw what was before; None where that is not known.
        authorship: what is known of who made it.
        ask_at: when that is asked for next; None for never.
        stage: where it stands.
        ended_at: when it was adopted, or seen to be over; None while it is open.
        person: who adopted it, by their id; empty for nobody.
        reason: why, in their words.
        key: names the step that adopted it.
        revision: rises with each change of what the notice has to show of it; 1 at first.
        told_revision: the one that the notice shows; 0 before it was told.
    """

    cloud: str
    definition: str
    qualified: bool
    notice: int
    number: int
    change: Change
    seen_at: datetime
    since: datetime | None = None
    authorship: Authorship = NOT_ASKED
    ask_at: datetime | None = None
    stage: Stage = Stage.OPEN
    ended_at: datetime | None = None
    person: str = ""
    reason: str = ""
    key: str = ""
    revision: int = 1
    told_revision: int = 0

    @property
    def ref(self) -> DefinitionRef:
        """The definition, as it was called when this was told."""
        return DefinitionRef(self.cloud, self.definition, self.qualified)

    @property
    def pin(self) -> Pin:
        """The version."""
        return Pin(
            definition=self.definition,
            version=self.change.version,
            cloud=self.cloud,
            qualified=self.qualified,
        )

    @property
    def image(self) -> str:
        """The version as lines name it."""
        return f"{self.ref}/{self.change.version}"

    @property
    def open(self) -> bool:
        """Whether it can be adopted."""
        return self.stage is Stage.OPEN

    @property
    def words(self) -> str:
        """What happened, as a sentence without its full stop."""
        return f"{self.change.version} of {self.ref} {in_words(self.change)}"

    @property
    def line(self) -> str:
        """The same with who did it, or why that is not known, as sentences about the version's number."""
        by = by_whom(self.authorship, self.seen_at)
        return f"{self.change.version} {in_words(self.change)}{by}.{why_not_known(self.authorship)}"

    def reworded(self, **changes: object) -> ForeignChange:
        """The same with something changed that its notice is to show."""
        return replace(self, **changes, revision=self.revision + 1)  # type: ignore[arg-type]


def recorded(
    ref: DefinitionRef,
    notice: int,
    changes: Iterable[Change],
    during: tuple[datetime | None, datetime],
    known: Callable[[str, int], Authorship] = lambda _cloud, _number: NOT_ASKED,
) -> tuple[ForeignChange, ...]:
    """What is to be kept of changes that one notice tells.

    Args:
        ref: the definition.
        notice: the number of the notice.
        changes: what it tells.
        during: when the looks before and after them began.
        known: what is known at first of who made a change, by its cloud and its number in the notice.
    """
    since, seen_at = during
    found = []
    for number, change in enumerate(changes, start=1):
        authorship = known(ref.cloud, number)
        found.append(
            ForeignChange(
                *(ref.cloud, ref.name, ref.qualified, notice, number, change, seen_at, since, authorship),
                ask_at=seen_at if authorship.known is Known.ASKED else None,
            )
        )
    return tuple(found)


def meant(
    kept: Iterable[ForeignChange], definition: str, version: str | None, notice: int | None
) -> tuple[ForeignChange, ...]:
    """Those that somebody means by a definition's name (``CLOUD:NAME`` in one cloud), a version and a notice; of what
    they leave out, all."""
    wanted = definition.casefold()
    return tuple(
        each
        for each in kept
        if wanted in (each.definition.casefold(), f"{each.cloud}:{each.definition}".casefold())
        and version in (None, each.change.version)
        and notice in (None, each.notice)
    )


def images(kept: Collection[ForeignChange]) -> tuple[str, ...]:
    """The versions that these are about, as lines name them, each once."""
    return tuple(dict.fromkeys(each.image for each in kept))
