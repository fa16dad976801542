"""The steps of a plan as tables: what shall be done and why, what became of it, and the same as values."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from slipway.bot.chat.model import Table
from slipway.bot.chat.tables import Cell, Row, number, table_of, text
from slipway.bot.core.steps import Step
from slipway.bot.operations.model import Operation, OperationState, Plan, StepReport

STEPS_SHOWN = 12
"""Rows of a plan on a card; all of them are in its thread where somebody has to agree, and in `!op ID`."""


class StepState(StrEnum):
    """What became of a step, for programs."""

    WAITS = "waits"
    RUNNING = "running"
    DONE = "done"
    ALREADY = "already"  # so it was, and nothing had to be done
    FAILED = "failed"
    UNKNOWN = "unknown"  # it was begun, and nobody knows whether it took effect
    UNREADABLE = "unreadable"  # another version of Slipway says how it ended
    NOT_DONE = "not_done"


_MARKS = {
    StepState.WAITS: "⏳ waits",
    StepState.RUNNING: "▶ running",
    StepState.DONE: "✔ done",
    StepState.ALREADY: "✔ already so",
    StepState.FAILED: "✘ failed",
    StepState.UNKNOWN: "? unknown",
    StepState.UNREADABLE: "- another version of Slipway says how it ended",
    StepState.NOT_DONE: "- not done",
}


def step_table(
    operation: Operation, limit: int | None = None, words: Callable[[StepReport], str] | None = None
) -> Table:
    """The steps of an operation: why each is done while that is decided on, and then what became of it.

    Args:
        operation: the operation.
        limit: how many are shown; all of them without.
        words: what to say of a step that ended; its mark without.
    """
    steps = operation.plan.steps
    reports = {report.number: report for report in operation.reports}
    rows: list[Row] = []
    for place, step in enumerate(steps[:limit], start=1):
        report = reports.get(place)
        state = _state(report) if report else _unreported(operation, place)
        told = words(report) if words and report else _MARKS[state]
        rows.append({**_planned(place, step), "state": text(state.value, told)})
    title = "Plan" if len(rows) == len(steps) else f"Plan: the first {len(rows)} of {len(steps)} steps"
    proposed = operation.state is OperationState.PROPOSED
    last = {"why": "Why"} if proposed else {"state": "Result"}
    return table_of({"number": "", "step": "Step", **last}, rows, title=title)


def plan_table(plan: Plan) -> Table:
    """The steps of a plan that nobody decides on."""
    rows = [_planned(place, step) for place, step in enumerate(plan.steps, start=1)]
    return table_of({"number": "", "step": "Step", "why": "Why"}, rows, title="Plan")


def done_table(operation: Operation) -> Table:
    """What each step of what has ended came to, with those that were not begun."""
    steps = dict(enumerate(operation.plan.steps, start=1))
    rows: list[Row] = []
    for report in operation.reports:
        planned = _planned(report.number, steps[report.number]) if report.number in steps else {}
        rows.append(
            {
                **planned,
                "number": number(report.number),
                "result": text(report_words(report)),
                "state": text(_state(report).value),
            }
        )
    for place in sorted(steps.keys() - {report.number for report in operation.reports}):
        left = StepState.NOT_DONE
        result = text(f"{_MARKS[left]}: {steps[place].title}")
        rows.append({**_planned(place, steps[place]), "result": result, "state": text(left.value)})
    return table_of({"number": "", "result": "Result"}, rows, title="What was done")


def report_mark(report: StepReport) -> str:
    """What became of a step, in a word."""
    return _MARKS[_state(report)]


def report_words(report: StepReport) -> str:
    """What became of a step, for whoever does not see its title."""
    if report.untried:
        return f"{report_mark(report)}: {report.title}"
    if report.failure is not None:
        return f"{'?' if report.unknown else '✘'} {report.title}"
    if report.done is None:
        return report_mark(report)
    return f"✔ {'already so: ' if report.done.already else ''}{report.done.summary}"


def result_words(report: StepReport) -> str:
    """What became of a step, beside its title."""
    return report_mark(report) if report.failure else report_words(report)


def _planned(place: int, step: Step) -> dict[str, Cell]:
    return {
        "number": number(place),
        "kind": text(step.kind),
        "step": text(step.title),
        "why": text(step.reason, step.reason),
    }


def _state(report: StepReport) -> StepState:
    if report.untried:
        return StepState.NOT_DONE
    if report.failure is not None:
        return StepState.UNKNOWN if report.unknown else StepState.FAILED
    if report.done is None:
        return StepState.UNREADABLE
    return StepState.ALREADY if report.done.already else StepState.DONE


def _unreported(operation: Operation, place: int) -> StepState:
    if operation.state.ended:
        return StepState.NOT_DONE
    current = len(operation.reports) + 1
    running = operation.state is OperationState.RUNNING and place == current
    return StepState.RUNNING if running else StepState.WAITS
