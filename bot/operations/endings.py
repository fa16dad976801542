"""How an operation ended, in words: in short for its card, and in full for its report."""

from __future__ import annotations

from slipway.bot.core.errors import ResponsibleParty
from slipway.bot.operations.model import Failure, Operation, OperationState, Outcome
from slipway.bot.operations.step_tables import report_mark
from slipway.bot.people import People


def end_in_short(operation: Operation, outcome: Outcome, people: People) -> str:
    """What became of it, and whose move it is; of the one step, too, where that is not simply done."""
    move = _whose_move(operation, outcome, people)
    summary = f"{outcome.summary} Whose move: {move}." if move else outcome.summary
    if len(operation.plan.steps) > 1 or not operation.reports:
        return summary
    report = operation.reports[0]
    plainly = report.done is not None and not report.done.already
    return summary if plainly else f"{summary}\n{report_mark(report)}: {report.title}"


def told_in_full(operation: Operation, prefix: str) -> list[str]:
    """What there is to say of an end beyond its summary: what changed, what failed and why, and what to type next.

    Args:
        operation: the operation; nothing is told of one that has not ended.
        prefix: what a command begins with.
    """
    outcome = operation.outcome
    if outcome is None:
        return []
    notes = list(outcome.differences)
    if outcome.failure is not None:
        if all(report.failure != outcome.failure for report in operation.reports):
            notes.append(outcome.failure.words)  # of the whole, and of no step
        notes += _failures(operation)
        notes += failure_notes(outcome.failure, prefix)
    return [*notes, *_afresh(operation, outcome, prefix)]


def failure_notes(failure: Failure, prefix: str) -> list[str]:
    """Whose move it is after a failure, and what to type next."""
    notes = [f"Whose move: {failure.responsible}."]
    if failure.hint:
        when = f", {failure.when}" if failure.when else ""
        notes.append(f"Next{when}: `{prefix}{failure.hint}`")
    return notes


def _whose_move(operation: Operation, outcome: Outcome, people: People) -> str:
    """Whose move it is after an end, in words for a whole room; empty where nobody has to do anything."""
    if outcome.failure is not None and outcome.failure.responsible is not ResponsibleParty.REQUESTER:
        return outcome.failure.responsible.value
    if outcome.failure is None and not _afresh(operation, outcome, ""):
        return ""
    requester = people.by_id(operation.requester)
    return requester.name if requester is not None and requester.human else "whoever wants this"


def _failures(operation: Operation) -> list[str]:
    """Why each step failed that did, in the cloud's own words; with its number, where that is not clear."""
    failed = [(report.number, report.failure.words) for report in operation.reports if report.failure]
    if len(operation.plan.steps) == 1:
        return [words for _, words in failed]
    return [f"Step {number}: {words}" for number, words in failed]


def _afresh(operation: Operation, outcome: Outcome, prefix: str) -> list[str]:
    """What to type for what does not hold any more, or was not agreed to in time."""
    if operation.state not in (OperationState.STALE, OperationState.EXPIRED):
        return []
    if outcome.hint is None:
        return [f"To plan it afresh: `{prefix}{operation.plan.command}`"]
    return [f"Next: `{prefix}{outcome.hint}`"] if outcome.hint else []
