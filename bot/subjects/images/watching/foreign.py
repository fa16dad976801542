"""Whether an operation of ours did what changed of a version: pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from slipway.bot.core.steps import Step
from slipway.bot.operations.model import Operation, OperationState
from slipway.bot.subjects.images.adopting.steps import AdoptChange
from slipway.bot.subjects.images.announcing.steps import AnnounceRemoval, ForgetAnnouncement
from slipway.bot.subjects.images.evidence.steps import RecordVerdict
from slipway.bot.subjects.images.holds.steps import HoldStep
from slipway.bot.subjects.images.replication.steps import AwaitCopies, LeaveRegions, ReplicateVersion
from slipway.bot.subjects.images.steps import (
    DeleteVersion,
    DisableVersion,
    LiftProtection,
    ProtectVersion,
    SetExcluded,
    VersionStep,
)
from slipway.bot.subjects.images.watching.change import Aspect, Change

LISTED_LATE = timedelta(minutes=10)
"""How long after an operation that was seen to be done a listing may still show what was before it."""

ENDS_LATE = timedelta(hours=2)
"""How long after an operation that did not turn out well its cloud may still carry out what it was asked for."""


@dataclass(frozen=True)
class Effect:
    """What an operation of ours does, or did, to a version.

    Attributes:
        target: the version, as operations name it.
        aspects: what may change of it by that.
        until: until when that may come to be seen; None for one that has not ended.
    """

    target: str
    aspects: frozenset[Aspect]
    until: datetime | None


def effects(operation: Operation) -> tuple[Effect, ...]:
    """What an operation may have changed: nothing before people agreed to it, and nothing where they did not."""
    if operation.state in (OperationState.PROPOSED, OperationState.REJECTED, OperationState.EXPIRED):
        return ()
    until = None
    if operation.ended_at is not None:
        late = LISTED_LATE if operation.state is OperationState.DONE else ENDS_LATE
        until = operation.ended_at + late
    return tuple(
        Effect(step.target, _aspects(step), until)
        for step in operation.plan.steps
        if isinstance(step, VersionStep) and _aspects(step)
    )


_ALL = frozenset(Aspect)
_NOTHING: frozenset[Aspect] = frozenset()


def _aspects(step: Step) -> frozenset[Aspect]:
    """A step that is not known here may do anything: what is ours is never called foreign."""
    match step:
        case RecordVerdict() | HoldStep() | AwaitCopies() | ProtectVersion() | LiftProtection():
            return _NOTHING
        case AnnounceRemoval() | ForgetAnnouncement() | AdoptChange():
            return _NOTHING
        case SetExcluded():
            return frozenset({Aspect.HIDDEN if step.excluded else Aspect.PROMOTED, Aspect.END_OF_LIFE})
        case ReplicateVersion() | LeaveRegions():
            return frozenset({Aspect.REGIONS, Aspect.PROMOTED})
        case DeleteVersion():
            return _ALL - {Aspect.PROMOTED, Aspect.ENABLED}
        case DisableVersion():
            return _ALL - {Aspect.PROMOTED, Aspect.ENABLED, Aspect.DELETED}
        case _:
            return _ALL


def is_ours(change: Change, target: str, ours: Iterable[Effect], since: datetime) -> bool:
    """Whether an operation of ours explains a change.

    Args:
        change: what changed.
        target: its version, as operations name it.
        ours: what operations do or did, read after the change was seen.
        since: when the look began that saw what was before.
    """
    return any(
        each.target == target
        and change.aspect in each.aspects
        and (each.until is None or each.until >= since)
        for each in ours
    )
