"""How much may be launched: by each person, by role, and in all. Pure: what is in use is handed in.

A lease hour is an hour of one machine, from its launch to the end of its lease: what was granted, not what is left.
So nothing frees before a lease ends, and the moment at which something does can be told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

from pydantic import Field

from slipway.bot.core.errors import UserError
from slipway.bot.core.settings import Settings

_HOUR = 3600.0

MACHINE, LEASE_HOUR = "machine", "lease hour"
"""What limits count."""


class RoleLimitSettings(Settings):
    """``[limits.roles.NAME]``: for its holders in place of the general ones; of several, the most generous counts."""

    machines_per_person: int | None = Field(
        None, ge=0, description="how many machines a holder may have, like 10"
    )
    lease_hours_per_person: int | None = Field(
        None, ge=0, description="how many lease hours a holder may have, like 500"
    )


class LimitSettings(Settings):
    """``[limits]``. What is left out has no limit."""

    machines: int | None = Field(None, ge=0, description="how many machines there may be in all, like 40")
    machines_per_person: int | None = Field(None, ge=0, description="how many one person may have, like 5")
    lease_hours: int | None = Field(
        None, ge=0, description="how many lease hours there may be in all, like 2000"
    )
    lease_hours_per_person: int | None = Field(
        None, ge=0, description="how many lease hours one person may have, like 200"
    )
    roles: dict[str, RoleLimitSettings] = Field(default_factory=dict)


class LimitReachedError(UserError):
    """A limit keeps something from being launched or extended; says which one, and when something frees."""


@dataclass(frozen=True)
class Place:
    """What one machine takes of the limits, or all machines of one launch that is under way.

    Attributes:
        owner: a person's id.
        machines: how many.
        lease_ends_at: when it frees.
        hours: their lease hours, of all of them together.
        name: whose it is, such as ``aws i-0f1e2d3c4b5a69788`` or an operation's id; to leave it out.
    """

    owner: str
    machines: int
    lease_ends_at: datetime
    hours: float
    name: str = ""


@dataclass(frozen=True)
class Usage:
    """Everything that counts against the limits."""

    places: tuple[Place, ...] = ()

    def without(self, names: Iterable[str]) -> Usage:
        """The same without these places."""
        left_out = frozenset(names)
        return Usage(tuple(place for place in self.places if place.name not in left_out))


@dataclass(frozen=True)
class LimitUse:
    """How much of one limit is in use.

    Attributes:
        whose: a person's id; empty where everybody's machines count together.
        unit: :data:`MACHINE` or :data:`LEASE_HOUR`.
    """

    whose: str
    unit: str
    used: float
    most: int

    @property
    def in_words(self) -> str:
        """How much is in use: ``3 of 10 machines``."""
        return f"{_number(self.used)} of {_amount(self.most, self.unit)}"

    @property
    def left(self) -> float:
        """How much is left."""
        return max(0.0, self.most - self.used)

    @property
    def left_in_words(self) -> str:
        """How much is left: ``7 of 10 machines``."""
        return f"{_number(self.left)} of {_amount(self.most, self.unit)}"

    def with_more(self, machines: int, hours: float) -> LimitUse:
        """The same with so much more in use."""
        return replace(self, used=self.used + (machines if self.unit == MACHINE else hours))


def left_in_words(uses: Iterable[LimitUse]) -> str:
    """What is left of all that counts for somebody: ``7 of 10 machines; in all 30 of 40 machines``; empty where
    nothing limits it."""
    return _in_words(uses, lambda each: each.left_in_words)


def used_in_words(uses: Iterable[LimitUse]) -> str:
    """What is in use of it: ``3 of 10 machines; in all 10 of 40 machines``; empty where nothing limits it."""
    return _in_words(uses, lambda each: each.in_words)


def _in_words(uses: Iterable[LimitUse], words: Callable[[LimitUse], str]) -> str:
    held = tuple(uses)
    own = " and ".join(words(each) for each in held if each.whose)
    everybody = " and ".join(words(each) for each in held if not each.whose)
    return "; ".join(filter(None, (own, f"in all {everybody}" if everybody else "")))


@dataclass(frozen=True)
class Wanted:
    """What somebody wants beside that: so many machines and lease hours, either of which may be none.

    Attributes:
        owner: a person's id.
        roles: those that they hold.
        machines: how many.
        hours: of all of them together.
    """

    owner: str
    roles: tuple[str, ...]
    machines: int
    hours: float


class _Limit(NamedTuple):
    """One limit, and how to count against it."""

    most: int
    whose: str  # empty: everybody's together
    unit: str
    of_place: Callable[[Place], float]
    wanted: float

    def counted(self, usage: Usage) -> list[Place]:
        """What counts against it."""
        return [place for place in usage.places if self.whose in ("", place.owner)]


def lease_hours(start: datetime, end: datetime) -> float:
    """The lease hours of one machine from a moment to another; none where the end is not behind the start."""
    return max(0.0, (end - start).total_seconds() / _HOUR)


def check_limits(limits: LimitSettings, usage: Usage, wanted: Wanted, now: datetime) -> None:
    """Whether the wanted fits beside what is in use.

    Raises:
        LimitReachedError: it does not; names the limit, how much of it is in use, and the earliest moment at which
            something frees.
    """
    for limit in _limits(limits, wanted):
        counted = limit.counted(usage)
        used = sum(map(limit.of_place, counted))
        if limit.wanted > 0 and used + limit.wanted > limit.most:
            raise LimitReachedError(_refusal(limit, counted, used, now), hint="instances")


def limit_uses(
    limits: LimitSettings, usage: Usage, owner: str, roles: tuple[str, ...]
) -> tuple[LimitUse, ...]:
    """Every limit that counts for somebody, their own first, and how much of it is in use."""
    return _uses(_limits(limits, Wanted(owner, roles, 0, 0)), usage)


def common_limit_uses(limits: LimitSettings, usage: Usage) -> tuple[LimitUse, ...]:
    """The limits on what everybody has together."""
    return _uses(_common_limits(limits, 0, 0), usage)


def _uses(limits: Iterable[_Limit], usage: Usage) -> tuple[LimitUse, ...]:
    return tuple(
        LimitUse(limit.whose, limit.unit, sum(map(limit.of_place, limit.counted(usage))), limit.most)
        for limit in limits
    )


def most_for(limits: LimitSettings, roles: Iterable[str]) -> tuple[int | None, int | None]:
    """How many machines and lease hours somebody with these roles may have; None where nothing limits it."""
    held = [limits.roles[role] for role in roles if role in limits.roles]
    machines = [each.machines_per_person for each in held if each.machines_per_person is not None]
    hours = [each.lease_hours_per_person for each in held if each.lease_hours_per_person is not None]
    return (
        max(machines, default=limits.machines_per_person),
        max(hours, default=limits.lease_hours_per_person),
    )


def _limits(limits: LimitSettings, wanted: Wanted) -> list[_Limit]:
    machines, hours = most_for(limits, wanted.roles)
    own = _of_both(machines, hours, wanted.owner, wanted.machines, wanted.hours)
    return [*own, *_common_limits(limits, wanted.machines, wanted.hours)]


def _common_limits(limits: LimitSettings, machines: float, hours: float) -> list[_Limit]:
    return _of_both(limits.machines, limits.lease_hours, "", machines, hours)


def _of_both(
    machines: int | None, hours: int | None, whose: str, wanted_machines: float, wanted_hours: float
) -> list[_Limit]:
    found = (
        (machines, MACHINE, _machines, wanted_machines),
        (hours, LEASE_HOUR, _hours, wanted_hours),
    )
    return [
        _Limit(most, whose, unit, of_place, wanted)
        for most, unit, of_place, wanted in found
        if most is not None
    ]


def _refusal(limit: _Limit, counted: list[Place], used: float, now: datetime) -> str:
    whose, has = (limit.whose, "has") if limit.whose else ("All together", "have")
    said = f"{whose} may have {_amount(limit.most, limit.unit)}, {has} {_number(used)} now"
    said += f", and {_number(limit.wanted)} more {'is' if limit.wanted == 1 else 'are'} asked for"
    if limit.wanted > limit.most:
        return f"{said}: that never fits."
    freeing = sorted(
        (
            replace(place, lease_ends_at=max(place.lease_ends_at, now))
            for place in counted
            if limit.of_place(place)
        ),
        key=lambda place: place.lease_ends_at,
    )
    # What is left is added up each time: once all have ended it is nothing, which no subtraction of hours promises.
    enough = next(
        _moment(place.lease_ends_at)
        for ended, place in enumerate(freeing, 1)
        if sum(map(limit.of_place, freeing[ended:])) + limit.wanted <= limit.most
    )
    first = _moment(freeing[0].lease_ends_at)
    then = f", and it is enough at {enough}" if enough != first else ", and that is enough"
    return f"{said}; the first lease of these ends at {first}{then}."


def _machines(place: Place) -> float:
    return place.machines


def _hours(place: Place) -> float:
    return place.hours


def _amount(number: float, unit: str) -> str:
    return f"{_number(number)} {unit}{'' if number == 1 else 's'}"


def _number(number: float) -> str:
    """Hours to a tenth, and without one where there is none."""
    return f"{number:.1f}".removesuffix(".0")


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
