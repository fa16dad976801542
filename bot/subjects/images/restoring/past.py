"""What a version was before it was taken away, as the operations tell that took it: pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from slipway.bot.operations.model import Operation, OperationState
from slipway.bot.subjects.images.cleaning_up.retention import Rule
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.restoring.steps import RestoreVersion
from slipway.bot.subjects.images.steps import DeleteVersion, DisableVersion, RemovalStep

MOST_READ = 20
"""So many of the newest operations about a version are looked at."""


@dataclass(frozen=True)
class Before:
    """What it was.

    Attributes:
        words: that, and who took it away, for a card.
        promoted: whether it was promoted; None where nothing of ours took it away, so that nobody knows.
        rule: the rule that took it away.
    """

    words: str = "not known: no operation of this Slipway took it away"
    promoted: bool | None = None
    rule: Rule | None = None


def before(version: Pin, operations: Iterable[Operation]) -> Before:
    """What a version was, by the newest operation about it that removes it; ``operations`` newest first."""
    for operation in operations:
        if operation.state in (OperationState.PROPOSED, OperationState.REJECTED, OperationState.EXPIRED):
            continue
        for step in operation.plan.steps:
            if isinstance(step, DeleteVersion | DisableVersion) and step.target == version.target:
                return _before(step, operation)
    return Before()


def _before(step: RemovalStep, operation: Operation) -> Before:
    facts = operation.plan.observed.get(step.named)
    latest = isinstance(facts, dict) and facts.get("latest") is True
    was = "latest" if latest else "promoted" if step.promoted else "a candidate"
    if step.rule is Rule.DISABLED:
        was = "disabled"
    words = f"{was}; {operation.id} {step.verb} it: {step.reason}"
    # What was disabled first is private since then, whatever it was.
    promoted = False if step.rule is Rule.DISABLED else step.promoted
    return Before(words, promoted, step.rule)


def is_under_way(version: Pin, operations: Iterable[Operation]) -> bool:
    """Whether an operation has begun to restore this version, and has not ended."""
    return any(
        operation.state is OperationState.RUNNING
        and any(
            isinstance(step, RestoreVersion) and step.target == version.target
            for step in operation.plan.steps
        )
        for operation in operations
    )
