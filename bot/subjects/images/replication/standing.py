"""How it stands with what is owed: whether it is tried again, when, and if not, whose move it is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from slipway.bot.operations.model import Operation, OperationState
from slipway.bot.people import is_automatic
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.replication.agreed import Agreed, agreed_regions
from slipway.bot.subjects.images.replication.owed import Owed
from slipway.bot.subjects.images.replication.requests import RegionRetry
from slipway.bot.subjects.images.replication.states import copy_in_words

FIRST_PAUSE = timedelta(hours=1)
"""How long after a promotion, or a try, what it left out is tried again; twice as long after each further one."""

LONGEST_PAUSE = timedelta(days=1)

MOST_TRIES = 10
"""So often it is tried by itself, which takes a good week; then it is somebody's move."""


class DebtState(StrEnum):
    """How it stands with some regions that are owed."""

    UNDER_WAY = "under way"
    DUE = "due"
    LATER = "later"
    REFUSED = "refused"
    GIVEN_UP = "given up"
    NOT_AGREED = "not agreed"
    WAVES = "waves"
    BARRED = "barred"


@dataclass(frozen=True)
class Standing:
    """How it stands with some of the regions in which a version is owed.

    Attributes:
        owed: what is owed of its definition.
        regions: those that this is about.
        state: how it stands.
        tries: how often it was tried by itself.
        next_at: when it is tried again, where that is so.
        operation_id: what is under way, what ended the tries, or what covers it; empty where nothing does.
        words: why it is barred, as the rest of a sentence about the version.
    """

    owed: Owed
    regions: tuple[str, ...]
    state: DebtState
    tries: int = 0
    next_at: datetime | None = None
    operation_id: str = ""
    words: str = ""


def standings(
    owed: Owed, operations: Sequence[Operation], barred: str, now: datetime
) -> tuple[Standing, ...]:
    """How it stands with all that is owed of one definition: what is covered by an agreement, and what is not.

    Args:
        owed: what is owed.
        operations: that change its version, newest first.
        barred: why the version must not be promoted anywhere now, as the rest of a sentence; empty where it may.
        now: the present.
    """
    everything = tuple(sorted((*owed.copies, *owed.closed)))
    under_way = next((each for each in operations if not each.state.ended and _is_agreed(each)), None)
    if under_way is not None:
        return (Standing(owed, everything, DebtState.UNDER_WAY, operation_id=under_way.id),)
    if not owed.payable:
        return (Standing(owed, everything, DebtState.WAVES),)
    agreed = agreed_regions(owed.pin, operations)
    covered = tuple(region for region in owed.payable if region in agreed)
    others = tuple(region for region in owed.payable if region not in agreed)
    found = [_covered(owed, covered, agreed[covered[0]], operations, now)] if covered else []
    if others:
        found.append(Standing(owed, others, DebtState.NOT_AGREED))
    if barred:
        return tuple(Standing(each.owed, each.regions, DebtState.BARRED, words=barred) for each in found)
    return tuple(found)


def _covered(
    owed: Owed, regions: tuple[str, ...], agreed: Agreed, operations: Sequence[Operation], now: datetime
) -> Standing:
    """What is covered is tried again by itself, until that was refused or done often enough."""
    tries: list[Operation] = []
    for operation in operations:
        if operation.id == agreed.operation_id:
            break
        if isinstance(operation.plan.request, RegionRetry):
            tries.append(operation)
    last = tries[0] if tries else None
    if last is not None and last.state in (OperationState.REJECTED, OperationState.CANCELLED):
        return Standing(owed, regions, DebtState.REFUSED, len(tries), operation_id=last.id)
    if last is not None and last.state is OperationState.PROPOSED:
        return Standing(owed, regions, DebtState.UNDER_WAY, len(tries), operation_id=last.id)
    by_itself = 0  # since somebody asked for it last
    for each in tries:
        if not is_automatic(each.requester):
            break
        by_itself += 1
    if last is not None and by_itself >= MOST_TRIES:
        return Standing(owed, regions, DebtState.GIVEN_UP, by_itself, operation_id=last.id)
    ended_at = last.ended_at if last is not None else agreed.ended_at
    pause = min(FIRST_PAUSE * 2**by_itself, LONGEST_PAUSE)
    # One that ended later than now did so by a clock that was ahead: nobody knows when.
    next_at = now if ended_at is None or ended_at > now else ended_at + pause
    state = DebtState.DUE if next_at <= now else DebtState.LATER
    return Standing(owed, regions, state, by_itself, next_at, agreed.operation_id)


def _is_agreed(operation: Operation) -> bool:
    return operation.state in (OperationState.APPROVED, OperationState.RUNNING)


def line_of(standing: Standing, prefix: str, moment: str = "") -> str:
    """What is told of it: which regions, how far their copies are, and what comes next or whose move it is.

    Args:
        standing: how it stands.
        prefix: of command lines.
        moment: when it is tried again, in words.
    """
    owed = standing.owed
    named = f"{owed.version.number} of {owed.definition}"
    copies = [
        copy_in_words(region, owed.copies[region]) if region in owed.copies else f"{region} is not promoted"
        for region in standing.regions
    ]
    return f"{named}: {join_names(copies, len(copies))}. {next_of(standing, prefix, moment)}"


def next_of(standing: Standing, prefix: str, moment: str = "") -> str:
    """What comes next, or whose move it is, as a sentence."""
    image = f"{standing.owed.definition}/{standing.owed.version.number}"
    retry = f"`{prefix}region retry {standing.owed.definition}`"
    tries = f"{standing.tries} time{'' if standing.tries == 1 else 's'}"
    match standing.state:
        case DebtState.UNDER_WAY:
            return f"{standing.operation_id} is at it."
        case DebtState.DUE:
            return "It is tried again now."
        case DebtState.LATER:
            tried = f" It was tried {tries} since." if standing.tries else ""
            return f"It is tried again {moment or 'by itself'}.{tried}"
        case DebtState.REFUSED:
            return (
                f"{standing.operation_id} was stopped, so it is not tried by itself any more; {retry} does."
            )
        case DebtState.GIVEN_UP:
            return f"It was tried {tries} by itself, and is not any more: look why, then {retry}."
        case DebtState.NOT_AGREED:
            return f"Nobody has agreed to that yet: `{prefix}promote {image}` asks for it."
        case DebtState.WAVES:
            return f"Its waves did not come to their end: `{prefix}promote {image}` goes on."
        case DebtState.BARRED:
            return f"It waits, since the version {standing.words}."
