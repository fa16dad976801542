"""The bot itself: its audit trail is proved, it never ends by itself, one process works at a time, and it comes to
rest."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from itertools import pairwise

from tests.reliability.evidence import Evidence
from tests.reliability.leadership import TAKEN_OVER_WITHIN


def trail(evidence: Evidence) -> Iterator[str]:
    """`slipway audit verify` finds nothing."""
    if evidence.proof:
        yield evidence.proof


def alive(evidence: Evidence) -> Iterator[str]:
    """No process ended but by a kill, or by SIGTERM with 0, or as another one works by now, or as it could not be
    started without its database; and nothing in a log says “Internal error”."""
    for life in evidence.lives:
        followed = life.code == os.EX_TEMPFAIL and life.lost and evidence.options.replicas > 1
        stopped = life.code == 0 and life.asked_to_stop
        if life.code not in (-signal.SIGKILL, None) and not (stopped or followed or life.in_vain):
            yield f"process {life.number} ended with {life.code}"
        for traceback in life.tracebacks:
            yield f"the log of process {life.number} has a traceback: {traceback}"


def one_works(evidence: Evidence) -> Iterator[str]:
    """Of several processes one changes and says something at a time: none does after another one did since."""
    over: set[int] = set()
    for before, after in pairwise(evidence.done):
        if before.life != after.life:
            over.add(before.life)
        if after.life in over:
            yield f"process {after.life} did this after process {before.life} worked already: {after.what}"


def taken_over(evidence: Evidence) -> Iterator[str]:
    """After the death of the one that worked, another one has taken up its work in time."""
    for each in evidence.absences:
        if each.seconds is None:
            yield f"nobody took over within {TAKEN_OVER_WITHIN:.0f} s from process {each.span.number}"


def ends(evidence: Evidence) -> Iterator[str]:
    """Once nothing fails any more, everything comes to its end within the time that there is for that."""
    yield from evidence.unsettled


def still(evidence: Evidence) -> Iterator[str]:
    """A start with nothing left to do says nothing and changes nothing."""
    yield from evidence.afterwards
