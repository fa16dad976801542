"""What a card says of a plan beside its steps, and what of it only the whole of the plan has.

A warning may have several lines: the first says it in short, and those below, each of which could stand alone, are
for the whole. So is what comes behind the first of very many.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from slipway.bot.chat.model import SYMBOLS, Field, Table, Tone
from slipway.bot.chat.tables import table_of, text
from slipway.bot.operations.model import Plan
from slipway.bot.operations.presentation.step_tables import STEPS_SHOWN

RowT = TypeVar("RowT")

WARNINGS_SHOWN = STEPS_SHOWN
"""Warnings on a card."""

EVIDENCE_SHOWN = 24
"""Rows of evidence on a card: a plan about one thing, such as a launch, has some sixteen, and shows them all."""


def warning_lines(plan: Plan) -> list[str]:
    """What whoever agrees has to know, a line each, as a card has it."""
    lines = [
        f"{SYMBOLS[Tone.WARNING]} {warning.partition(chr(10))[0]}"
        for warning in _first(plan.warnings, WARNINGS_SHOWN)
    ]
    more = len(plan.warnings) - len(lines)
    return [*lines, f"{SYMBOLS[Tone.WARNING]} {more} more of such things."] if more else lines


def evidence_fields(plan: Plan) -> tuple[Field, ...]:
    """What speaks for a plan, or against it, as a card has it."""
    shown = tuple(Field(label=label, value=value) for label, value in _first(plan.evidence, EVIDENCE_SHOWN))
    more = len(plan.evidence) - len(shown)
    return (*shown, Field(label="More", value=f"{more} rows like these")) if more else shown


def plan_follows(plan: Plan) -> bool:
    """Whether the whole of a plan follows in the thread of its first card: where its card has not all of it, and
    somebody has to agree to it."""
    return (len(plan.steps) > STEPS_SHOWN or says_more(plan)) and plan.policy.needed > 0


def says_more(plan: Plan) -> bool:
    """Whether there is more to be told of a plan than its card has, beside its steps."""
    return bool(rest_of(plan))


def rest_of(plan: Plan) -> tuple[Table, ...]:
    """All that a card has in short, or the first rows of; none where it has all."""
    several = len(_first(plan.warnings, WARNINGS_SHOWN)) < len(plan.warnings)
    alone = [each for each in plan.warnings if "\n" not in each] if several else []
    warnings = [_table("To know", alone)] if alone else []
    if len(_first(plan.evidence, EVIDENCE_SHOWN)) == len(plan.evidence):
        return (*warnings, *in_full(plan.warnings))
    rows = ({"label": text(label), "value": text(value)} for label, value in plan.evidence)
    return (*warnings, *in_full(plan.warnings), table_of({"label": "What", "value": "Is"}, rows))


def in_full(warnings: Iterable[str]) -> tuple[Table, ...]:
    """What stands below the first lines of warnings, a table for each that has such lines."""
    parts = (warning.split("\n") for warning in warnings)
    return tuple(_table(title, lines) for title, *lines in parts if lines)


def _first(rows: tuple[RowT, ...], most: int) -> tuple[RowT, ...]:
    """Those that a card has: all but where there are very many."""
    return rows if len(rows) <= most + 1 else rows[:most]  # one more takes no more room than to say so


def _table(title: str, lines: Iterable[str]) -> Table:
    return table_of({"line": "In full"}, ({"line": text(line)} for line in lines), title=title)
