"""The bot itself: its audit trail is proved, it never ends by itself, and it comes to rest."""

from __future__ import annotations

import signal
from collections.abc import Iterator

from tests.reliability.evidence import Evidence


def trail(evidence: Evidence) -> Iterator[str]:
    """`slipway audit verify` finds nothing."""
    if evidence.proof:
        yield evidence.proof


def alive(evidence: Evidence) -> Iterator[str]:
    """No process ended but by a kill, or by SIGTERM with 0; and nothing in a log says “Internal error”."""
    for life in evidence.lives:
        if life.code not in (-signal.SIGKILL, None) and not (life.code == 0 and life.asked_to_stop):
            yield f"process {life.number} ended with {life.code}"
        for traceback in life.tracebacks:
            yield f"the log of process {life.number} has a traceback: {traceback}"


def ends(evidence: Evidence) -> Iterator[str]:
    """Once nothing fails any more, everything comes to its end within the time that there is for that."""
    yield from evidence.unsettled


def still(evidence: Evidence) -> Iterator[str]:
    """A start with nothing left to do says nothing and changes nothing."""
    yield from evidence.afterwards
