"""Which regions people agreed to when a promotion left them out: pure.

Whoever agrees to a promotion that leaves a region out is told that it goes on being tried there, and that nobody is
asked again. So the approval of the promotion covers that, and nothing else: not a region that was configured since,
not one that somebody took away by hand, not a wave that did not come.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from slipway.bot.operations.model import Operation, OperationState
from slipway.bot.subjects.images.history import TAKEN_BACK, TAKING_BACK, let_be_latest
from slipway.bot.subjects.images.replication.owed import pin_of
from slipway.bot.subjects.images.requests import Pin, Promotion

_ENDED = (OperationState.DONE, OperationState.FAILED)
"""A promotion that failed may have promoted the version all the same, and failed with another one."""


@dataclass(frozen=True)
class Agreed:
    """What covers a region.

    Attributes:
        operation_id: the promotion that left it out.
        ended_at: when that ended.
        overridden: the rules in spite of which it promoted.
    """

    operation_id: str
    ended_at: datetime | None
    overridden: tuple[str, ...] = ()


def agreed_regions(version: Pin, operations: Iterable[Operation]) -> dict[str, Agreed]:
    """The regions that a version may be copied to without a further word, with what covers each.

    Args:
        version: a version that is promoted.
        operations: that change it, newest first. What was agreed to before it was taken back last counts for nothing.
    """
    found: dict[str, Agreed] = {}
    for operation in operations:
        if operation.kind in TAKING_BACK and operation.state in TAKEN_BACK:
            break
        request = operation.plan.request
        if not isinstance(request, Promotion) or operation.state not in _ENDED:
            continue
        covers = Agreed(operation.id, operation.ended_at, request.overridden)
        regions = [
            region
            for debt in request.debts
            if pin_of(debt).target == version.target
            for region in debt.regions
        ]
        if let_be_latest(version, operation):
            regions += request.without
        for region in regions:
            found.setdefault(region, covers)
    return found
