"""What a look at something found wrong, and the entry that is kept of it.

A source (:class:`.declaration.ProblemSource`) says what is wrong now. An entry is one problem from the moment it was
seen until its source is well; what is wrong again later is another entry.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from slipway.bot.core.model import Model
from slipway.bot.core.operation_ids import FEWEST, LETTERS
from slipway.bot.core.uptime import SET_BACK

_ID = re.compile(rf"(?:pb-?)?([{LETTERS}]{{4,8}})", re.ASCII)


class Mend(Model):
    """A command that mends a problem, as a button says it.

    Attributes:
        label: what stands on the button, such as ``Promote``.
        command: the line, without its prefix.
    """

    label: str
    command: str


class Found(Model):
    """Something that is wrong now. Stored: names of fields stay.

    The words say nothing that changes from look to look, such as how many days something lasts: each change of them
    is an edit of what was told.

    Attributes:
        key: names it for ever within its source, such as ``azure:fedora-cloud-43-x64 no new version``.
        what: what is wrong, as one sentence.
        scope: what has to be looked at to see it, from the whole to the part: ``azure/fedora-cloud-43-x64``. Where
            that cannot be looked at, the entry stays.
        detail: more about it, such as a cloud's own reason.
        since: since when it is so; None for since it was seen.
        owner: whom it is for: a person's id, or ``role:NAME``; empty for whom the configuration names.
        move: what there is to do about it, as a sentence.
        mend: the command that mends it; None where none does.
        patience: how long it is to last before anybody is told.
    """

    key: str
    what: str
    scope: str = ""
    detail: str = ""
    since: datetime | None = None
    owner: str = ""
    move: str = ""
    mend: Mend | None = None
    patience: timedelta = timedelta(0)


@dataclass(frozen=True)
class Unseen:
    """Something that could not be looked at.

    Attributes:
        scope: what, as :attr:`Found.scope` has it; empty for all that the source looks at.
        what: that it could not, as one sentence that is the same each time.
        detail: why.
        move: what there is to do about it.
    """

    scope: str
    what: str
    detail: str = ""
    move: str = ""

    def covers(self, scope: str) -> bool:
        """Whether something of this scope could not be seen."""
        return not self.scope or scope == self.scope or scope.startswith(f"{self.scope}/")


@dataclass(frozen=True)
class Look:
    """What a source saw: all that is wrong, but for what it could not look at.

    Attributes:
        found: what is wrong.
        unseen: what it could not look at.
        scopes: all that it looks at in this configuration, as :attr:`Found.scope` or its first part has it; None
            where it does not say. What is of another one is not looked at any more, and so is not called well.
    """

    found: tuple[Found, ...] = ()
    unseen: tuple[Unseen, ...] = ()
    scopes: frozenset[str] | None = None

    @classmethod
    def of(
        cls, found: Iterable[Found], unseen: Iterable[Unseen] = (), scopes: Iterable[str] | None = None
    ) -> Look:
        """Of whatever comes one after the other."""
        return cls(tuple(found), tuple(unseen), None if scopes is None else frozenset(scopes))

    def watches(self, scope: str) -> bool:
        """Whether it looks at what is of this scope."""
        if self.scopes is None or not scope:  # the whole of it
            return True
        return scope in self.scopes or scope.partition("/")[0] in self.scopes


WELL = Look()
"""All was looked at, and nothing is wrong."""


class EntryState(StrEnum):
    """Where an entry stands. Stored."""

    NEW = "new"  # seen, and not for long enough to tell anybody
    OPEN = "open"
    CLOSED = "closed"


class Ending(StrEnum):
    """Why an entry is closed. Stored."""

    WELL = "well"  # its source looked, and it is not so any more
    UNWATCHED = "unwatched"  # nothing looks at it any more: the configuration has changed


@dataclass(frozen=True)
class Acknowledgement:
    """Somebody's word that they know of a problem and see to it.

    Attributes:
        by: who, by their id.
        at: when.
        until: when it lapses.
        reason: their words.
        key: names the step that stored it.
        lapsed: whether it was noted that it has lapsed.
    """

    by: str
    at: datetime
    until: datetime
    reason: str
    key: str
    lapsed: bool = False

    def holds(self, now: datetime) -> bool:
        """Whether it has not lapsed."""
        return not self.lapsed and now < self.until


@dataclass(frozen=True)
class Entry:
    """A problem in the list.

    Attributes:
        id: what people call it: ``pb-7k3f``.
        source: the name of its source.
        found: what was seen last.
        state: where it stands.
        opened_at: when it was seen first.
        notice: the key of the message that tells of it, maybe together with others that came at once.
        closed_at: when it was seen to be over.
        ending: why it is closed; None while it is not.
        acknowledged: by whom; None for nobody.
        remind: whether it is still to be told that the acknowledgement has lapsed.
        revision: rises with each change; 1 at first.
        told_revision: the one that the message shows; 0 before it was told.
    """

    id: str
    source: str
    found: Found
    state: EntryState
    opened_at: datetime
    notice: str
    closed_at: datetime | None = None
    ending: Ending | None = None
    acknowledged: Acknowledgement | None = None
    remind: bool = False
    revision: int = 1
    told_revision: int = 0

    @property
    def since(self) -> datetime:
        """Since when it is so, as far as that is known."""
        return self.found.since or self.opened_at

    @property
    def closed(self) -> bool:
        """Whether it is over."""
        return self.state is EntryState.CLOSED

    def standing(self, now: datetime) -> Acknowledgement | None:
        """The acknowledgement that counts now; None where there is none."""
        given = self.acknowledged
        return given if given is not None and given.holds(now) else None

    def by_todays_clock(self, now: datetime) -> Entry:
        """The same, where it was noted by a clock that was ahead and has been set back since: as if that were now.
        Else it would never last for long enough to be told, and an acknowledgement of it would hold for years."""
        after, given = self, self.acknowledged
        if self.state is EntryState.NEW and self.opened_at - now > SET_BACK:
            after = replace(after, opened_at=now)
        if given is not None and given.at - now > SET_BACK:
            shifted = replace(given, at=now, until=now + (given.until - given.at))
            after = replace(after, acknowledged=shifted)
        return after

    def changed(self, **changes: object) -> Entry:
        """The same with something changed, which is to be shown."""
        return replace(self, **changes, revision=self.revision + 1)  # type: ignore[arg-type]


def random_problem_id(length: int = FEWEST) -> str:
    """An id that may be taken already, with so many letters."""
    return "pb-" + "".join(secrets.choice(LETTERS) for _ in range(length))


def read_problem_id(text: str) -> str | None:
    """The id that somebody means by ``7k3f``, ``pb7k3f`` or ``pb-7k3f``; None where it can be none."""
    match = _ID.fullmatch(text.strip().lower())
    return f"pb-{match[1]}" if match else None
