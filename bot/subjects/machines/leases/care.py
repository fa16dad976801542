"""Who can look after machines: what only their owner does with them, and the rights that it takes."""

from __future__ import annotations

from enum import Enum

from slipway.bot.core.errors import UserError
from slipway.bot.core.text import nearest
from slipway.bot.people import People, Person, have, listed

CARE = ("extend", "terminate")
"""The rights that an owner needs: to let a machine live longer, and to end it."""


class OwnersAction(Enum):
    """What only its owner may do with a machine: the right that it takes, and words for a refusal."""

    EXTEND = ("extend", "extend it")
    STOP = ("stop", "stop it")
    START = ("start", "start it")
    HAND_OVER = ("handover", "hand it over")

    def __init__(self, right: str, words: str) -> None:
        self.right = right
        self.words = words


def may_look_after(people: People, person: Person) -> bool:
    """Whether somebody has all the rights that the owner of a machine needs."""
    return not _missing(people, person)


def check_care(people: People, person: Person, hint: str) -> None:
    """See that somebody who is to own a machine could look after it.

    Args:
        people: who there is, and what they may.
        person: who is to own it.
        hint: the next command, for whoever asked.

    Raises:
        UserError: they lack a right; says which, and who has it.
    """
    missing = _missing(people, person)
    if not missing:
        return
    rights = " and ".join(f"`{right}`" for right in missing)
    right, them = ("right", "it") if len(missing) == 1 else ("rights", "them")
    holders = have(each for each in people.persons if may_look_after(people, each))
    who_has = f"{holders} {them}" if holders else f"whoever runs Slipway can give {them}"
    raise UserError(
        f"{person} could not look after it: that takes the {right} {rights}, and {person.name} does not have {them}; "
        f"{who_has}.",
        hint=hint,
    )


def owners_alone(people: People, instance_id: str, owner: Person, action: OwnersAction) -> UserError:
    """Why somebody else may not do with a machine what is its owner's to do, and what helps; where its owner may not,
    either, that is whoever may end it."""
    whose = f"{instance_id} is {owner}'s, so only they can {action.words}"
    if people.may(owner, action.right, changes=True):
        other = ", or have them hand it over" if people.may(owner, "handover", changes=True) else ""
        return UserError(f"{whose}; ask them{other}.", hint=f"instances --of {owner.id}")
    enders = listed(people.holders("terminate", changes=True))
    return UserError(
        f"{whose}, and they have no right to `{action.right}`: whoever runs Slipway can give it."
        + (f" Who can end it: {enders}." if enders else ""),
        hint=f"terminate {instance_id}",
    )


def named_person(people: People, wanted: str, among: tuple[Person, ...] | None = None) -> Person:
    """The human of this id or name; letters count as they are or as small ones.

    Args:
        people: who there is.
        wanted: as it was typed.
        among: those who are told of where there is none; everybody, without.

    Raises:
        UserError: there is none.
    """
    folded = wanted.casefold().lstrip("@")
    for person in people.persons:
        if folded in (person.id.casefold(), person.name.casefold()):
            return person
    there = people.persons if among is None else among
    near = nearest(folded, [person.id for person in there])
    others = f" There {'is' if len(there) == 1 else 'are'} {listed(there)}." if there and not near else ""
    raise UserError(f"Nobody here is called {wanted}.{others}", nearest=near, given=wanted)


def _missing(people: People, person: Person) -> tuple[str, ...]:
    return tuple(right for right in CARE if not people.may(person, right, changes=True))
