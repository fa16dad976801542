"""Releasing a lock: when that is safe, planning it, and carrying it out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy, UserError
from slipway.bot.core.steps import Draft, StepDone
from slipway.bot.core.times import Clock, format_time
from slipway.bot.operations.locking.model import Claim
from slipway.bot.operations.model import Operation
from slipway.bot.subjects.locks.requests import ReleaseLock
from slipway.bot.subjects.locks.steps import DropLock

if TYPE_CHECKING:  # the database behind these takes most of a second, and `slipway check` needs none
    from slipway.bot.operations.locking.store import LockStore
    from slipway.bot.operations.persistence.repository import OperationRepository

STUCK_AFTER = timedelta(minutes=15)
"""How long the step under way of an operation that was asked to stop gets to end. Longer than a cloud's requests take
with all their tries."""

UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class Releasable:
    """Nothing more follows from whoever holds it; ``warning`` says what may come of it yet, if anything."""

    warning: str = ""


@dataclass(frozen=True)
class Needed:
    """It has to stay, and why; ``hint`` is what to type instead."""

    sentence: str
    hint: str


def release_of(
    claim: Claim, holder: Operation | None, begun_at: datetime | None, now: datetime
) -> Releasable | Needed:
    """Whether a lock can be taken from its holder. A pure rule.

    A holder that is at work changes what it has locked, and a second operation must not do so at the same time. So it
    has to be stopped first, and its lock goes with its end. Only where it was asked to stop, and the step under way
    does not end, it would hold its lock for ever.

    Args:
        claim: what is held.
        holder: whose it is; None for an operation that is not known.
        begun_at: when its step under way began; None where none is known to be.
        now: the present.
    """
    if holder is None or holder.state.ended:
        return Releasable()
    what = ", ".join(sorted(claim.targets))
    if holder.cancelled_by is None:
        return Needed(
            f"{holder.id} is at work on {what}, and nothing else may change that meanwhile. Stop it: its lock goes "
            "with its end.",
            f"cancel {holder.id}",
        )
    since = max(filter(None, (begun_at, claim.since)), default=claim.asked_at)
    number = len(holder.reports) + 1
    if now - since < STUCK_AFTER:
        return Needed(
            f"{holder.id} was asked to stop, and finishes its step {number}; its lock goes with its end. If that "
            f"does not come by {format_time(since + STUCK_AFTER, UTC)}, the lock can be released.",
            f"op {holder.id}",
        )
    return Releasable(
        f"Step {number} of {holder.id} was begun at {format_time(since, UTC)}, and whether it still changes "
        f"something is not known: look at {what} before anything else is done there."
    )


class Releasing:
    """What is asked of both when it is planned and right before it is done.

    Args:
        locks: who has what.
        operations: how the holder stands.
        clock: the present.
    """

    def __init__(self, locks: LockStore, operations: OperationRepository, clock: Clock) -> None:
        self.locks = locks
        self._operations = operations
        self._clock = clock

    async def judge(self, claim: Claim) -> Releasable | Needed:
        """Whether a claim can be taken away now."""
        holder = await self._operations.find(claim.operation_id)
        begun_at = None
        if holder is not None and not holder.state.ended:
            status = await self._operations.step_status(holder.id, len(holder.reports) + 1)
            begun_at = None if status.begun_at is None else status.begun_at.at
        return release_of(claim, holder, begun_at, self._clock())


class ReleasePlanner:
    """Plans :class:`.requests.ReleaseLock`."""

    def __init__(self, releasing: Releasing) -> None:
        self._releasing = releasing

    async def plan(self, request: ReleaseLock, now: datetime) -> Draft[ReleaseLock]:
        """Plan to take it away.

        Raises:
            UserError: the operation has no lock, or needs it.
        """
        claim = await self._releasing.locks.of(request.operation)
        warning = ""
        if request.ticket is None:
            warning, request = await self._pinned(request, claim)
        elif claim is not None and claim.ticket == request.ticket:
            warning = await self._check(claim)
        what = ", ".join(request.targets)
        step = DropLock(
            operation=request.operation,
            targets=request.targets,
            ticket=request.ticket or 0,
            person=request.person,
            words=request.words,
        )
        return Draft(
            request=request,
            summary=f"{request.operation} has no lock any more, and who waits for {what} goes on within a minute.",
            steps=(step,),
            observed={f"lock of {request.operation}": request.ticket},
            warnings=(warning,) if warning else (),
        )

    async def _pinned(self, request: ReleaseLock, claim: Claim | None) -> tuple[str, ReleaseLock]:
        """The warning that belongs to it, and the request with the lock that there is."""
        if claim is None:
            raise UserError(f"{request.operation} has no lock.", hint="locks")
        if not claim.held:
            raise UserError(
                f"{request.operation} has no lock yet: it waits in line. Cancelling it takes it out of that.",
                hint=f"cancel {request.operation}",
            )
        pinned = {"ticket": claim.ticket, "targets": tuple(sorted(claim.targets))}
        return await self._check(claim), request.model_copy(update=pinned)

    async def _check(self, claim: Claim) -> str:
        found = await self._releasing.judge(claim)
        if isinstance(found, Needed):
            raise UserError(found.sentence, hint=found.hint)
        return found.warning


class ReleaseExecutor:
    """Carries out :class:`.steps.DropLock`."""

    def __init__(self, releasing: Releasing) -> None:
        self._releasing = releasing

    async def observe(self, step: DropLock, _token: str) -> StepDone | None:
        """Done already where the claim is not there any more.

        Raises:
            CloudError: CONFLICT where the holder needs it after all.
        """
        claim = await self._releasing.locks.of(step.operation)
        if claim is None or claim.ticket != step.ticket:
            return _done(step, already=True)
        found = await self._releasing.judge(claim)
        if isinstance(found, Needed):
            raise CloudError(
                CloudErrorKind.CONFLICT,
                cloud="locks",
                sentence=found.sentence,
                remedy=Remedy(found.hint),
            )
        return None

    async def act(self, step: DropLock, _token: str) -> None:
        """Take it away."""
        await self._releasing.locks.release(step.operation)

    async def verify(self, step: DropLock, _token: str) -> StepDone:
        """Look again.

        Raises:
            CloudError: UNVERIFIED where it is there still.
        """
        claim = await self._releasing.locks.of(step.operation)
        if claim is not None and claim.ticket == step.ticket:
            raise CloudError(
                CloudErrorKind.UNVERIFIED,
                cloud="locks",
                sentence=f"The lock of {step.operation} was released, and is there still.",
            )
        return _done(step, already=False)


def _done(step: DropLock, *, already: bool) -> StepDone:
    return StepDone(
        summary=f"{step.operation} has no lock on {', '.join(step.targets)} any more",
        already=already,
        facts={"operation": step.operation, "targets": list(step.targets), "person": step.person},
    )
