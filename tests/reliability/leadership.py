"""Which replica worked when, and how long nobody did: pure looks at the lives of an episode's processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

TAKEN_OVER_WITHIN = 30.0
"""Seconds after the death of the one that works within which another one has taken up its work, on a machine that has
time for it."""

QUICK_START = 10.0
"""Seconds: a start that takes longer says that the machine has no time; 3 were seen at best."""


@dataclass(frozen=True)
class Hindrance:
    """From when to when a replica could not take over; ``replica`` is its number, None for all of them."""

    begin: float
    end: float
    replica: int | None


@dataclass(frozen=True)
class Span:
    """The life of one process.

    Attributes:
        number: its own.
        replica: which replica it was.
        began: when it was started.
        ready_at, led_at, works_at, ended_at: since when it heard, led and worked, and when it was gone; None for
            never.
    """

    number: int
    replica: int
    began: float
    ready_at: float | None
    led_at: float | None
    works_at: float | None
    ended_at: float | None


@dataclass(frozen=True)
class Absence:
    """How long nobody worked after the death of the one that did; None for longer than is looked at."""

    span: Span
    seconds: float | None


def absences(spans: Sequence[Span], hindrances: Sequence[Hindrance]) -> Iterator[Absence]:
    """After each death of the one that worked, where another one stood ready all the time and nothing hindered it.
    Where starts are slow, to take up work may take longer by the slowest of them: it begins the same things."""
    slowest = max((each.ready_at - each.began for each in spans if each.ready_at is not None), default=0.0)
    within = TAKEN_OVER_WITHIN + (slowest if slowest > QUICK_START else 0.0)
    for span in spans:
        if span.led_at is None or span.ended_at is None:
            continue
        until = span.ended_at + within
        begun = [
            max(0.0, each.works_at - span.ended_at)
            for each in spans
            if each.works_at is not None
            and each.led_at is not None
            and span.led_at < each.led_at
            and each.works_at <= until
        ]
        seconds = min(begun, default=None)
        over = until if seconds is None else span.ended_at + seconds
        if any(_stood_ready(each, span.ended_at, over, hindrances) for each in spans if each is not span):
            yield Absence(span, seconds)


def _stood_ready(span: Span, begin: float, end: float, hindrances: Sequence[Hindrance]) -> bool:
    if span.ready_at is None or span.ready_at > begin or (span.ended_at is not None and span.ended_at < end):
        return False
    return not any(
        each.replica in (None, span.replica) and each.begin < end and each.end > begin for each in hindrances
    )
