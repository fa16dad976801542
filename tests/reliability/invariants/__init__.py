"""What has to hold in the end, whatever happened: each invariant is a pure look at the evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.reliability.evidence import Evidence
from tests.reliability.invariants import answers, changes, machines, reports, running


@dataclass(frozen=True)
class Invariant:
    """One of them.

    Attributes:
        name: as the table has it.
        check: gives a sentence for each violation.
    """

    name: str
    check: Callable[[Evidence], Iterator[str]]


INVARIANTS = (
    Invariant("approved", changes.approved),
    Invariant("agreed to", changes.agreed_to),
    Invariant("held", changes.held),
    Invariant("once", changes.once),
    Invariant("unspoiled", changes.unspoiled),
    Invariant("reserved", machines.reserved),
    Invariant("untouched", machines.untouched),
    Invariant("outlived", machines.outlived),
    Invariant("answered", answers.answered),
    Invariant("counted", answers.counted),
    Invariant("ticked", answers.ticked),
    Invariant("reported", reports.reported),
    Invariant("true", reports.true),
    Invariant("not twice", reports.not_twice),
    Invariant("cards", reports.cards_are_right),
    Invariant("trail", running.trail),
    Invariant("alive", running.alive),
    Invariant("one works", running.one_works),
    Invariant("taken over", running.taken_over),
    Invariant("ends", running.ends),
    Invariant("still", running.still),
)


def violations(evidence: Evidence) -> list[str]:
    """Everything that does not hold, as ``name: what``. What has not come to its end can be judged no further."""
    if evidence.unsettled:
        return [f"ends: {sentence}" for sentence in evidence.unsettled]
    return [f"{each.name}: {sentence}" for each in INVARIANTS for sentence in each.check(evidence)]
