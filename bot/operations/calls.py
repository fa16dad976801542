"""Whom an operation calls by a mention: those who can decide on it, and at its end those whom it concerns. Pure."""

from __future__ import annotations

from collections.abc import Callable

from slipway.bot.config.policies.settings import HOLDERS, NOBODY
from slipway.bot.operations.model import Operation
from slipway.bot.operations.policy import may_decide, still_asked
from slipway.bot.people import People, Person

MOST_CALLED = 20
"""Persons that one card mentions at most: a role can be held by very many."""

Mentions = Callable[[Operation], tuple[str, ...]]
"""Whom the card of an operation mentions, as ``[policy.KIND]`` and its rules say."""


def holders(_operation: Operation) -> tuple[str, ...]:
    """Everybody whose approval counts, whatever the operation."""
    return (HOLDERS,)


def called_upon(operation: Operation, people: People, mentions: Mentions) -> tuple[str, ...]:
    """Their accounts, where the operation was asked for."""
    if operation.room is None:
        return ()
    accounts = (
        each.account_on(operation.room.platform) for each in who_is_called(operation, people, mentions)
    )
    return tuple(account for account in accounts if account)[:MOST_CALLED]


def reminded(operation: Operation, people: People, mentions: Mentions) -> tuple[str, ...]:
    """The accounts of those who are reminded of an operation: as :func:`called_upon`, and whoever asked for it where
    their own word is all that it takes."""
    if operation.room is None:
        return ()
    called = called_upon(operation, people, mentions)
    if called or not _confirmed_by_oneself(operation, people) or operation.votes:
        return called
    own = people.account(operation.requester, operation.room.platform)
    return () if own is None else (own,)


def who_is_called(operation: Operation, people: People, mentions: Mentions) -> tuple[Person, ...]:
    """Those who can still decide, in the order of the configuration.

    Whoever asked for it knows of it, and nobody else is called where it is theirs to confirm. Where none of those who
    are named can decide, as when the only one asked for it, everybody is called who can: else it would wait unseen.
    """
    whom = mentions(operation)
    if whom in ((), (NOBODY,)) or _confirmed_by_oneself(operation, people):
        return ()
    able = [each for each in still_asked(operation, people) if each.id != operation.requester]
    if HOLDERS not in whom:
        able = [each for each in able if each.id in whom] or able
    return tuple(able)


def concerned(operation: Operation, people: People) -> tuple[Person, ...]:
    """The humans whom what was done concerns, beside whoever asked for it, such as an owner whose machine somebody
    else ended. What was not done concerns nobody."""
    steps = operation.plan.steps
    done = [each.number for each in operation.reports if each.done is not None and each.number <= len(steps)]
    ids = dict.fromkeys(each for number in done for each in steps[number - 1].concerns)
    found = (people.by_id(each) for each in ids if each != operation.requester)
    return tuple(each for each in found if each is not None and each.human)


def told_of_end(operation: Operation, people: People) -> tuple[str, ...]:
    """The accounts that the report of an end mentions where it was asked for: of whoever asked, and of those whom it
    concerns."""
    if operation.room is None:
        return ()
    platform = operation.room.platform
    asked = people.account(operation.requester, platform)
    accounts = (asked, *(each.account_on(platform) for each in concerned(operation, people)))
    return tuple(account for account in accounts if account)[:MOST_CALLED]


def _confirmed_by_oneself(operation: Operation, people: People) -> bool:
    """Whether the approval of whoever asked for it is all that it takes, and nobody's role is asked for."""
    requester = people.by_id(operation.requester)
    policy = operation.plan.policy
    return (
        policy.needed == 1
        and not policy.demands[0].role
        and requester is not None
        and may_decide(requester, operation, people)
    )
