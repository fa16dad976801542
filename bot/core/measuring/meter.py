"""Measurements, and the port by which they are reported. Knows no system that collects them.

Whoever measures is handed a :class:`Meter`; without one, :data:`UNMETERED` takes all and keeps nothing. Values of
labels are bounded: they come from code and configuration, never from what somebody typed, and never name persons,
rooms or images.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

OTHER = "other"
"""The value of a label in place of one that is none of those that there may be."""


class Bound(StrEnum):
    """Where the values of a label come from, which bounds how many there are."""

    COMMANDS = "the commands"
    KINDS = "the kinds of operation"
    STEPS = "the kinds of step"
    CLOUDS = "the configured accounts of clouds"
    PLATFORMS = "the chat platforms"
    SCHEDULES = "the configured schedules"
    ROUTES = "the routes"
    STATES = "the states of an operation"
    DEPLOYMENT = "the configuration's name"
    CODE = "words of the code"
    REPLICA = "this replica, alone"


@dataclass(frozen=True)
class Label:
    """By what a measurement is told apart.

    Attributes:
        name: of the label.
        values: what it may be: an enumeration's values, or where they come from.
    """

    name: str
    values: Bound | type[StrEnum]


@dataclass(frozen=True)
class Counter:
    """How often something happened since the process began.

    Attributes:
        name: of the metric; ends in ``_total``.
        says: what it counts, as a sentence.
        labels: by what it is told apart.
        from_zero: whether each series is there from the start, at 0. Without that, Prometheus sees no rise in the
            first one, as the series begins with it. Its labels have to be bounded by what is known then.
    """

    name: str
    says: str
    labels: tuple[Label, ...] = ()
    from_zero: bool = False


@dataclass(frozen=True)
class Histogram:
    """How long something took or waited, in seconds.

    Attributes:
        name: of the metric; ends in ``_seconds``.
        says: what it measures, as a sentence.
        buckets: upper bounds, in seconds.
        labels: by what it is told apart.
        from_zero: as of :class:`Counter`.
    """

    name: str
    says: str
    buckets: tuple[float, ...]
    labels: tuple[Label, ...] = ()
    from_zero: bool = False


@dataclass(frozen=True)
class Gauge:
    """How something is, looked at when it is asked for.

    Attributes:
        name: of the metric.
        says: what it tells, as a sentence.
        labels: by what it is told apart.
    """

    name: str
    says: str
    labels: tuple[Label, ...] = ()


Metric = Counter | Histogram | Gauge


class Meter(Protocol):
    """Takes measurements. Never fails, and costs next to nothing."""

    def count(self, counter: Counter, *labels: str) -> None:
        """Something happened once more; the labels' values in the order of the declaration."""
        ...

    def observe(self, histogram: Histogram, seconds: float, *labels: str) -> None:
        """Something took so many seconds."""
        ...


class _Unmetered:
    """Keeps nothing."""

    def count(self, counter: Counter, *labels: str) -> None:
        """Nothing."""

    def observe(self, histogram: Histogram, seconds: float, *labels: str) -> None:
        """Nothing."""


UNMETERED: Meter = _Unmetered()
"""Where nobody collects measurements."""
