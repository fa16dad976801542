"""Reports what became of operations, once it is stored: as measurements, and to the log."""

from __future__ import annotations

from datetime import datetime

import structlog

from slipway.bot.core.measuring.meter import Meter
from slipway.bot.core.measuring.metrics import APPROVAL_SECONDS, TRANSITIONS, VOTES, Decided
from slipway.bot.operations.model import Operation, OperationState

_DECIDED = {
    OperationState.APPROVED: Decided.APPROVED,
    OperationState.REJECTED: Decided.REJECTED,
    OperationState.EXPIRED: Decided.EXPIRED,
    OperationState.CANCELLED: Decided.CANCELLED,
}


log = structlog.get_logger(__name__)


class OperationTally:
    """Counts states, votes, and how long people took.

    Args:
        meter: takes the measurements.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def proposed(self, found: Operation, event_key: str, at: datetime) -> None:
        """A proposal was stored, or found to be there already: then it has another event or an earlier time."""
        if found.event_key == event_key and found.created_at == at:
            self.moved(found.id, found.kind, OperationState.PROPOSED)

    def moved(self, operation_id: str, kind: str, to: OperationState) -> None:
        """An operation came into a state."""
        log.info("an operation came into a state", operation=operation_id, kind=kind, state=to.value)
        self._meter.count(TRANSITIONS, kind, to)

    def decided(self, kind: str, to: OperationState, created_at: datetime, at: datetime) -> None:
        """A proposal that waited for people waits no more."""
        if (how := _DECIDED.get(to)) is not None:
            seconds = max(0.0, (at - created_at).total_seconds())
            self._meter.observe(APPROVAL_SECONDS, seconds, kind, how)

    def changed(self, before: Operation, after: Operation, at: datetime | None) -> None:
        """What was done to an operation by votes and words: ``at`` is when it came into another state."""
        known = {(vote.person, vote.choice) for vote in before.votes}
        for vote in after.votes:
            if (vote.person, vote.choice) not in known:
                self._meter.count(VOTES, after.kind, vote.choice)
        if after.state is before.state:
            return
        self.moved(after.id, after.kind, after.state)
        if before.state is OperationState.PROPOSED and at is not None:
            self.decided(after.kind, after.state, after.created_at, at)
