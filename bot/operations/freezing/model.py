"""What is frozen, by whom and until when: data, and the one rule. It knows no clock, no database and no chat."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from slipway.bot.core.patterns import fits


@dataclass(frozen=True)
class Freeze:
    """Somebody's word that nothing is to change.

    Attributes:
        key: names the step that placed it.
        person: the id of whoever said so.
        reason: their words.
        since: from when on.
        until: when it ends by itself; None for when somebody ends it.
    """

    key: str
    person: str
    reason: str
    since: datetime
    until: datetime | None

    def holds(self, now: datetime) -> bool:
        """Whether it has not ended. One from the future, by a clock that was ahead, holds as well."""
        return self.until is None or now < self.until


@dataclass(frozen=True)
class Unreadable:
    """Nobody can tell whether anything is frozen."""

    why: str


FreezeState = tuple[Freeze, ...] | Unreadable
"""What people said, as far as it can be read."""


@dataclass(frozen=True)
class Concern:
    """As much of an operation as decides whether a freeze is about it.

    Attributes:
        kind: its kind.
        requester: who asked for it, by their id.
        roles: the roles that they hold.
        clouds: the accounts in which it changes something.
        names: what it changes there, such as ``fedora-cloud-43-x64``.
        unknown: whether it has parts that nobody here knows, and that could be about anything.
    """

    kind: str
    requester: str = ""
    roles: frozenset[str] = frozenset()
    clouds: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    unknown: bool = False


@dataclass(frozen=True)
class Scope:
    """What a freeze by the calendar is about; an empty part leaves nothing out.

    Attributes:
        kinds: kinds of operation.
        clouds: accounts, such as ``azure.staging``.
        patterns: of names, such as ``Fedora-Cloud-43-*``.
        passing: who may go on nevertheless: persons by their ids, and roles.
    """

    kinds: tuple[str, ...] = ()
    clouds: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()

    @property
    def limited(self) -> bool:
        """Whether it leaves something out, whoever asks."""
        return bool(self.kinds or self.clouds or self.patterns)

    def covers(self, concern: Concern) -> bool:
        """Whether an operation is frozen by it."""
        if concern.requester in self.passing or concern.roles & frozenset(self.passing):
            return False
        if self.kinds and concern.kind not in self.kinds:
            return False
        if concern.unknown:
            return True
        if self.clouds and not concern.clouds & frozenset(self.clouds):
            return False
        return not self.patterns or any(
            fits(name, pattern) for name in concern.names for pattern in self.patterns
        )


@dataclass(frozen=True)
class Period:
    """One time that the calendar freezes.

    Attributes:
        name: of the window in slipway.toml.
        reason: why, as it stands there.
        begins, ends: the first moment, and the first one after it.
        scope: what it is about.
    """

    name: str
    reason: str
    begins: datetime
    ends: datetime
    scope: Scope = Scope()

    @property
    def key(self) -> str:
        """Names it among all periods of all windows."""
        return f"{self.name} {self.begins.isoformat()}"

    def holds(self, now: datetime) -> bool:
        """Whether it is now."""
        return self.begins <= now < self.ends


Frozen = Freeze | Period | Unreadable
"""Why an operation stands still, or is not proposed."""


def frozen(
    now: datetime,
    periods: Collection[Period],
    state: FreezeState,
    concern: Concern,
    go_on: Collection[str] = (),
) -> Frozen | None:
    """Why an operation may change nothing now; None where it may. Of several reasons, the one that lasts longest.

    Args:
        now: the present.
        periods: of the calendar, those that may hold now.
        state: what people said. Where that cannot be read, it counts as frozen, whoever asks for whatever.
        concern: the operation.
        go_on: kinds of operation that go on in a freeze that somebody said.
    """
    if isinstance(state, Unreadable):
        return state
    said = state if concern.kind not in go_on else ()
    found: Sequence[Freeze | Period] = (
        *(each for each in said if each.holds(now)),
        *(each for each in periods if each.holds(now) and each.scope.covers(concern)),
    )
    return max(found, key=_end_of, default=None)


def _end_of(each: Freeze | Period) -> tuple[bool, float]:
    """For the order of ends: what somebody has to end comes last."""
    until = each.until if isinstance(each, Freeze) else each.ends
    return until is None, 0.0 if until is None else until.timestamp()
