"""What waits for its turn before a cloud that takes so many requests in a time, told to whoever shows how it goes.

The wait is deep in a cloud's adapter, and what shows it, the card of an operation, is far above. Nothing between them
needs to know: whoever carries a step out listens, and whoever waits tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

WORTH_TELLING = 3.0
"""Seconds: a shorter wait is over before somebody has read of it."""


@dataclass(frozen=True)
class Turn:
    """A wait for a turn.

    Attributes:
        seconds: how long it is likely to take.
        why: completes “waits for its turn until 12:03, as …”.
    """

    seconds: float
    why: str


Told = Callable[[Turn | None], None]
"""Is told of a wait, and by None that it is over."""

_TOLD: ContextVar[Told | None] = ContextVar("told_of_turns", default=None)


@contextmanager
def told_of_turns(told: Told) -> Iterator[None]:
    """What waits within is told."""
    token = _TOLD.set(told)
    try:
        yield
    finally:
        _TOLD.reset(token)


@contextmanager
def waiting_for_turn(turn: Turn) -> Iterator[None]:
    """Around a wait, which is told where somebody listens and it is long enough."""
    told = _TOLD.get()
    if told is None or turn.seconds < WORTH_TELLING:
        yield
        return
    told(turn)
    try:
        yield
    finally:
        told(None)
