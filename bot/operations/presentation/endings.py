"""How an operation ended, in words: in short for its card, and in full for its report."""

from __future__ import annotations

import re

from slipway.bot.core.errors import ResponsibleParty
from slipway.bot.operations.model import Failure, Operation, OperationState, Outcome
from slipway.bot.operations.presentation.step_tables import report_mark
from slipway.bot.people import People

_NAME = re.compile(r"\S*\d\S*")

_LISTED = 4
"""Numbers of steps in a row that are told one by one; longer rows by their ends."""


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
    """Why each step failed that did, in the cloud's own words, with its number where that is not clear. What is the
    same of several steps is told once; what differs in names alone, such as a right that was lost in the middle, is
    told of the first."""
    failed: dict[str, list[int]] = {}
    first: dict[tuple[str, str], str] = {}
    alike: dict[str, list[int]] = {}
    codes: dict[str, str] = {}
    for report in operation.reports:
        if (failure := report.failure) is None or report.untried:
            continue
        words = failure.words
        like = first.setdefault((failure.code, _without_names(words) if failure.code else words), words)
        if words in (like, *failed):
            failed.setdefault(words, []).append(report.number)
        else:
            alike.setdefault(like, []).append(report.number)
            codes[like] = failure.code
    if len(operation.plan.steps) == 1:
        return list(failed)
    lines: list[str] = []
    for words, numbers in failed.items():
        lines.append(f"{_steps(numbers)}: {words}")
        if words in alike:
            lines.append(f"{_steps(alike[words])}: the same, each of what it is about ({codes[words]}).")
    if left := [report.number for report in operation.reports if report.untried]:
        lines.append(
            f"{_steps(left)}: not tried, as the step before failed{'' if len(left) == 1 else ' each time'}."
        )
    return lines


def _without_names(words: str) -> str:
    """The words without what has a digit, as have ids, versions and addresses."""
    return _NAME.sub("", words)


def _steps(numbers: list[int]) -> str:
    """``Step 4``; ``Steps 4, 5 and 9``; ``Steps 4 and 6 to 500``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts: list[str] = []
    for run in runs:
        long = len(run) > _LISTED
        parts += [f"{run[0]} to {run[-1]}"] if long else map(str, run)
    *front, last = parts
    told = f"{', '.join(front)} and {last}" if front else last
    return f"Step{'s' if len(numbers) > 1 else ''} {told}"


def _afresh(operation: Operation, outcome: Outcome, prefix: str) -> list[str]:
    """What to type for what does not hold any more, or was not agreed to in time."""
    if operation.state not in (OperationState.STALE, OperationState.EXPIRED):
        return []
    if outcome.hint is None:
        return [f"To plan it afresh: `{prefix}{operation.plan.command}`"]
    return [f"Next: `{prefix}{outcome.hint}`"] if outcome.hint else []
