"""Locks, declared."""

from __future__ import annotations

from slipway.bot.operations.declarations import (
    OperationKind,
    PolicyDefaults,
    StepKind,
    Subject,
    SubjectContext,
)
from slipway.bot.subjects.locks.releasing import ReleaseExecutor, ReleasePlanner, Releasing
from slipway.bot.subjects.locks.requests import ReleaseLock
from slipway.bot.subjects.locks.services import LockServices
from slipway.bot.subjects.locks.steps import DropLock


def _services(context: SubjectContext) -> LockServices:
    # With a database: not for `slipway check`.
    from slipway.bot.operations.locking.store import LockStore

    locks = LockStore(context.database, context.clock)
    return LockServices(Releasing(locks, context.operations, context.clock))


LOCKS_SUBJECT: Subject[LockServices] = Subject(
    name="locks",
    title="Locks",
    services=_services,
    kinds=(
        OperationKind(
            request=ReleaseLock,
            planner=lambda services: ReleasePlanner(services.releasing),
            arguments=lambda request: (request.operation, *request.words.split()),
            prose=True,
            policy=PolicyDefaults(approvals=0),
            needs=None,
            right="lock.release",
        ),
    ),
    steps=(
        StepKind(
            step=DropLock,
            executor=lambda services: ReleaseExecutor(services.releasing),
            touches=lambda step: (f"lock {step.operation}",),
            targets=lambda step: (f"lock {step.operation}",),
        ),
    ),
)
