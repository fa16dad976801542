"""Policies that wait in vain for some who ask, by those whom the bot can reach. Pure.

`slipway check` refuses a policy that nobody could ever meet. What is told here may work for others: where alice asks,
nobody but her holds the role; or those who hold it have no account where the bot is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slipway.bot.config.policies.matching import Counted, rule_place, table_place
from slipway.bot.config.policies.settings import PolicySettings
from slipway.bot.core.seats import Seats
from slipway.bot.operations.declarations import OperationKind
from slipway.bot.operations.model import Policy
from slipway.bot.operations.policies import in_words, put_together
from slipway.bot.operations.policy import roles_given
from slipway.bot.people import People, Person, listed

Reachable = Callable[[Person], bool]
"""Whether somebody has an account where the bot is."""


@dataclass(frozen=True)
class Unmet:
    """A policy that waits in vain for some who may ask.

    Attributes:
        key: of the table or rule, as mistakes of slipway.toml call it.
        place: the same as cards call it.
        asks: what it asks for, in words.
        requesters: who may ask for it and would wait in vain.
        everybody: whether that is everybody who may ask.
        missing: how many persons too few there are, at least.
        unreachable: who could agree, and has no account where the bot is.
    """

    key: str
    place: str
    asks: str
    requesters: tuple[Person, ...]
    everybody: bool
    missing: int
    unreachable: tuple[Person, ...]

    @property
    def what(self) -> str:
        """As one sentence."""
        who = "whoever asks" if self.everybody else listed(self.requesters)
        wait = "waits" if self.everybody or len(self.requesters) == 1 else "wait"
        persons = "1 more person" if self.missing == 1 else f"{self.missing} more persons"
        return (
            f"{self.place} asks for {self.asks}, and {who} {wait} in vain: it takes {persons} who can agree."
        )

    @property
    def detail(self) -> str:
        """Who would count if the bot could reach them; empty for nobody."""
        have = "has" if len(self.unreachable) == 1 else "have"
        return f"{listed(self.unreachable)} {have} no account where the bot is." if self.unreachable else ""

    @property
    def move(self) -> str:
        """What there is to do, as a sentence."""
        return "Whose move it is: whoever runs Slipway; ask for fewer, or give more persons the role or an account."


def unmet(
    kinds: Iterable[OperationKind[Any, Any]],
    policies: Mapping[str, PolicySettings],
    people: People,
    reachable: Reachable,
) -> tuple[Unmet, ...]:
    """All policies that wait in vain for some. A role that user groups of a platform give, of which nobody told yet
    who is in them, is taken for held by enough.

    Args:
        kinds: those of which anybody could ask for something.
        policies: a table for each of them.
        people: everybody.
        reachable: whom the bot can reach.
    """
    return tuple(each for kind in kinds for each in _of_kind(kind, policies[kind.name], people, reachable))


def _of_kind(
    kind: OperationKind[Any, Any], settings: PolicySettings, people: People, reachable: Reachable
) -> Iterator[Unmet]:
    if settings.written_as not in ("", kind.name):  # told of the table that counts for it, too
        return
    right = kind.right or kind.name
    askers = [
        *people.holders(right, changes=True),
        *(s for s in people.schedules if people.may(s, right, changes=True)),
    ]
    places = [table_place(kind.name, settings)]
    places += [rule_place(kind.name, settings, number) for number in range(1, len(settings.rule) + 1)]
    for place, (key, asked) in zip(places, settings.everywhere(), strict=True):
        policy = put_together(kind, (Counted(place, asked, ()),))
        if any(people.awaits_groups(demand.role) for demand in policy.demands):
            continue
        can = [person for person in people.persons if reachable(person)]
        given = [(person, roles_given(person, policy, kind.name, "", people)) for person in can]
        short = {asker: _missing(kind.name, policy, asker.id, people, given) for asker in askers}
        waiting = tuple(asker for asker, missing in short.items() if missing > 0)
        if waiting:
            counting = {demand.role: demand.approvals for demand in policy.demands}
            yield Unmet(
                key=f"policy.{kind.name}{key}",
                place=place,
                asks=in_words(counting),
                requesters=waiting,
                everybody=len(waiting) == len(askers),
                missing=min(short[asker] for asker in waiting),
                unreachable=_unreachable(kind.name, policy, people, reachable),
            )


def _missing(
    kind: str, policy: Policy, requester: str, people: People, given: Iterable[tuple[Person, frozenset[str]]]
) -> int:
    """How many persons too few there are who could agree, of those who could where somebody else asks."""
    seats = Seats({demand.role: demand.approvals for demand in policy.demands})
    for person, roles in given:
        own = person.id == requester
        seats.take(person.id, roles_given(person, policy, kind, requester, people) if own else roles)
    return policy.needed - seats.count


def missing(kind: str, policy: Policy, requester: str, people: People) -> int:
    """How many persons too few there are who could agree to something that somebody asks for.

    Args:
        kind: of what.
        policy: what is asked for.
        requester: the id of whoever asks; empty for somebody else than all who could agree.
        people: everybody.
    """
    given = [(person, roles_given(person, policy, kind, "", people)) for person in people.persons]
    return _missing(kind, policy, requester, people, given)


def _unreachable(kind: str, policy: Policy, people: People, reachable: Reachable) -> tuple[Person, ...]:
    return tuple(
        person
        for person in people.persons
        if not reachable(person) and roles_given(person, policy, kind, "", people)
    )
