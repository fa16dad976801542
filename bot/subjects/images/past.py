"""What was done to a version, as its operations tell it: pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from slipway.bot.core.model import Json
from slipway.bot.core.steps import Step
from slipway.bot.operations.model import Operation, OperationState
from slipway.bot.subjects.images.adopting.steps import AdoptChange
from slipway.bot.subjects.images.evidence.steps import RecordVerdict
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.steps import LiftProtection, ProtectVersion, SetExcluded, VersionStep
from slipway.bot.subjects.images.watching.change import in_words

MOST_SHOWN = 10
"""How many operations are shown, the newest."""

_TOLD = frozenset(
    {
        OperationState.DONE,
        OperationState.FAILED,
        OperationState.APPROVED,
        OperationState.RUNNING,
        OperationState.PROPOSED,
    }
)
"""The states that say something of the version: what was refused, or did not hold any more, did nothing to it."""

_ANNOUNCING = {"announce-removal": "announced to go", "forget-announcement": "not to go any more"}
"""What steps of a clean-up do that remove nothing, by their kinds."""


@dataclass(frozen=True)
class PastStep:
    """What one operation did to a version, or is to do.

    Attributes:
        at: when it ended; when it was asked for where it has not.
        what: what it does, in short.
        by: who asked for it, by their id.
        approved_by: who agreed.
        state: where it is; its step's own end where it has one.
        replaced: what was latest before, of a promotion or a rollback; empty where nothing was, or it is not known.
        operation_id: its id.
    """

    at: datetime
    what: str
    by: str
    approved_by: tuple[str, ...]
    state: str
    replaced: str
    operation_id: str


def past_of(version: Pin, operations: Iterable[Operation]) -> tuple[PastStep, ...]:
    """What these operations did to a version, in their order, each once, however many steps it took. Verdicts are
    left out: they are evidence."""
    told = ((each, _numbers(version, each)) for each in operations if each.state in _TOLD)
    return tuple(_told(operation, numbers) for operation, numbers in told if numbers)


def _numbers(version: Pin, operation: Operation) -> list[int]:
    """The numbers of the steps that are about a version. One that protects it, or lifts that, goes with what it is
    done for."""
    ours = {
        number: step
        for number, step in enumerate(operation.plan.steps, start=1)
        if isinstance(step, VersionStep)
        and step.target == version.target
        and not isinstance(step, RecordVerdict)
    }
    weighty = [
        number for number, step in ours.items() if not isinstance(step, ProtectVersion | LiftProtection)
    ]
    return weighty or list(ours)


def _told(operation: Operation, numbers: Sequence[int]) -> PastStep:
    steps = [operation.plan.steps[number - 1] for number in numbers]
    return PastStep(
        at=operation.ended_at or operation.created_at,
        what="; ".join(dict.fromkeys(_what(operation, step) for step in steps)),
        by=operation.requester,
        approved_by=tuple(vote.person for vote in operation.votes if vote.choice.value == "approve"),
        state=_state(operation, numbers),
        replaced=next(filter(None, (_replaced(operation, step) for step in steps)), ""),
        operation_id=operation.id,
    )


def _what(operation: Operation, step: Step) -> str:
    if isinstance(step, AdoptChange):
        seen = f"{step.seen_at:%Y-%m-%d}"
        return f"adopt a change made outside of Slipway, seen on {seen}: it {in_words(step.change)} ({step.words})"
    return ", ".join(filter(None, (operation.kind, _ANNOUNCING.get(step.kind))))


def _state(operation: Operation, numbers: Sequence[int]) -> str:
    """How the steps ended: as the first one that did not do what it was to; the operation's own state while some have
    not ended."""
    reports = [each for each in operation.reports if each.number in numbers]
    if any(each.unknown for each in reports):
        return "unknown"
    if any(each.done is None for each in reports):
        return "failed"
    return "done" if len(reports) == len(numbers) else operation.state.value


def _replaced(operation: Operation, step: Step) -> str:
    """What was latest before a step that changes what is; empty where it does not, or nobody noted it."""
    if not isinstance(step, SetExcluded):
        return ""
    observed = operation.plan.observed
    names = (f"latest of {step.pin.ref}", f"latest of {step.cloud}:{step.definition}")
    return next((_latest(observed[each]) for each in names if each in observed), "")


def _latest(observed: Json) -> str:
    """What was latest, as a plan observed it: one number, or one by region."""
    if isinstance(observed, dict):
        return join_names(sorted({str(each) for each in observed.values()}))
    return str(observed) if observed else ""
