"""What is looked at before an approved operation begins, and before a step that may not be as it was left.

A run is left between two steps, or in the middle of one, by a crash, and goes on in another process, maybe days
later. Then nothing is taken for granted: not that the step was not begun, nor that what is left may still be done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from slipway.bot.core.errors import CloudError, CloudErrorKind, StorageError, UserError
from slipway.bot.core.times import Clock, format_span, format_time
from slipway.bot.core.uptime import Moment, ReadUptime, passed
from slipway.bot.operations.admission import Admission
from slipway.bot.operations.model import Failure, Operation, OperationState, Outcome, Plan, StepReport
from slipway.bot.operations.persistence.records import StepStatus
from slipway.bot.operations.persistence.repository import OperationRepository
from slipway.bot.operations.plan_service import NothingToDo, PlanService
from slipway.bot.operations.policy import Enough, approval_status
from slipway.bot.operations.presentation.cards import CardContext, unsettled
from slipway.bot.operations.runs.outcomes import (
    Stop,
    cancelled_early,
    contradicted,
    ended_stale,
    failed_before,
    not_seen,
    own_failure,
    unknown_failure,
    untried,
)
from slipway.bot.operations.runs.staleness import differences, differences_left
from slipway.bot.operations.runs.step_runner import StepRunner

LONGEST_BREAK = timedelta(minutes=5)
"""How long after it was to begin a step may begin without what is left being planned again. Longer than a restart,
which must not take what it left half done for a change by others."""

LONGEST_UNPLANNED = timedelta(minutes=30)
"""How long ago, in one process, a run may have been planned when a step of it begins. Whatever the time went by with
(steps that take long, a machine that was suspended, a full disk), others may have changed what it rests on."""

_PASSING = frozenset(
    {
        CloudErrorKind.BROKEN,
        CloudErrorKind.THROTTLED,
        CloudErrorKind.TIMED_OUT,
        CloudErrorKind.UNREACHABLE,
        CloudErrorKind.UNEXPECTED_ANSWER,
    }
)
"""What may be over in a while, and takes nobody's move."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class CurrentStep:
    """A step that has no report yet; ``here``: it is about to begin, and no former process can have begun it."""

    operation_id: str
    plan: Plan
    number: int
    status: StepStatus
    here: bool


@dataclass(frozen=True)
class Begin:
    """The step may be carried out."""


@dataclass(frozen=True)
class Keep:
    """The step was begun before, and this is what became of it; ``stop`` says why nothing follows, if so."""

    report: StepReport
    stop: Stop | None = None


@dataclass(frozen=True)
class _Comparison:
    """What planning again brought.

    Attributes:
        changed: what is not as it was agreed to, a line each.
        failure: why that could not be found out.
        hint: as in :class:`slipway.bot.operations.model.Outcome`.
    """

    changed: tuple[str, ...] = ()
    failure: Failure | None = None
    hint: str | None = None


class RunChecks:
    """Looks at operations before anything of them is done."""

    def __init__(
        self,
        operations: OperationRepository,
        plans: PlanService,
        admission: Admission,
        step_runner: StepRunner,
        cards: CardContext,
        clock: Clock,
        uptime: ReadUptime,
    ) -> None:
        self._admission = admission
        self._operations = operations
        self._plans = plans
        self._step_runner = step_runner
        self._cards = cards
        self._clock = clock
        self._uptime = uptime
        self._planned_at: dict[str, Moment] = {}
        """When a run that goes on in this process was planned last, by its operation."""

    def forget(self, operation_id: str) -> None:
        """A run has ended, or is left."""
        self._planned_at.pop(operation_id, None)

    async def before_start(self, operation: Operation, problem: str) -> tuple[OperationState, Outcome] | None:
        """How an approved operation ends without having begun; None if it may begin. ``problem`` is what of it does
        not fit together."""
        if operation.cancelled_by is not None:
            return cancelled_early(self._cards.name(operation.cancelled_by))
        if operation.plan.unknown:
            return failed_before(unknown_failure(operation.id, operation.plan))
        if problem:
            return failed_before(contradicted(operation.id, problem))
        where = approval_status(operation, operation.votes, self._cards.people)
        if not isinstance(where, Enough):
            return ended_stale((unsettled(where, self._cards),))
        if refused := await self._admission.refusal(operation.plan, operation.id):
            return ended_stale((refused,))
        self._planned_at[operation.id] = self._now()
        now = await self._compare(operation, differences)
        if now.failure is not None:
            return failed_before(now.failure)
        return ended_stale(now.changed, now.hint) if now.changed else None

    async def not_yet(self, operation: Operation) -> str | None:
        """Why an approved operation is not begun yet, for its card: empty where its time has not come, and a sentence
        where a cloud cannot be read at that, which may be over in a while. None where it may begin, or is to end."""
        plan, now = operation.plan, self._clock()
        if plan.not_before is None or operation.cancelled_by is not None or now >= plan.retried_until:
            return None
        if now < plan.not_before:
            return ""
        if why := await self._unreadable(operation):
            until = format_time(plan.retried_until, self._cards.zone)
            return f"{why} It is tried again each minute, until {until}."
        return None

    async def _unreadable(self, operation: Operation) -> str:
        """Why a cloud cannot be read that it would be planned by; empty where that is not for a while alone."""
        try:
            await self._plans.again(operation.plan)
        except CloudError as error:
            log.info(
                "a cloud cannot be read at an operation's time", operation=operation.id, why=error.sentence
            )
            return error.words if error.kind in _PASSING else ""
        except StorageError:
            raise
        except Exception:
            log.exception("planning at an operation's time failed inside Slipway", operation=operation.id)
        return ""

    async def _compare(
        self, operation: Operation, compare: Callable[[Plan, Plan], tuple[str, ...]]
    ) -> _Comparison:
        """Plan again: what changed, or why that could not be found out."""
        try:
            fresh = await self._plans.again(operation.plan)
        except UserError as error:  # asked for again, it would be refused again
            return _Comparison((error.sentence,), hint=error.hint or "")
        except CloudError as error:
            return _Comparison(failure=Failure.of(error, operation.plan.command))
        except StorageError:  # it is planned again once the state folder can be used
            raise
        except Exception:
            log.exception("planning again failed inside Slipway", plan=operation.id)
            return _Comparison(failure=own_failure(operation.id))
        if isinstance(fresh, NothingToDo):
            return _Comparison((fresh.summary,), hint="")
        return _Comparison(compare(operation.plan, fresh))

    async def before_step(self, current: CurrentStep) -> Begin | Keep | Stop:
        """Whether a step may be carried out: one that a former process may have begun, or that begins after a break,
        is looked at first, and what is left is planned again."""
        status, plan, number = current.status, current.plan, current.number
        if (failed := await self._failed_before(current)) is not None:
            return Keep(untried(plan, number, failed))
        away = self._away(status) or (self._unplanned(current.operation_id) if current.here else None)
        if (current.here and away is None) or (plan.unknown and not status.asked_to_stop):
            return Begin()
        operation, problem = await self._operations.examined(current.operation_id)
        if problem:
            torn = Stop(
                "What is stored of it does not fit together", failure=contradicted(operation.id, problem)
            )
            return torn if current.here else Keep(not_seen(plan, number, ""), torn)
        found = None
        if not current.here and (status.asked_to_stop or away is not None):
            found = await self._step_runner.find_out(operation.id, plan, number, status.token)
            if status.asked_to_stop:
                return Keep(found)
        done = number if found is not None and found.done is not None else number - 1
        stop = None if away is None else await self._outdated(operation, done, away)
        if found is None:
            return stop or Begin()
        return Keep(found, stop) if stop is not None or found.done is not None else Begin()

    async def _failed_before(self, current: CurrentStep) -> Failure | None:
        """Why the step before it failed, where it rests on that. One of which nobody knows how it ended may have been
        done: then it is tried."""
        place = current.number - 1
        if not place or not current.plan.steps[place].rests_on(current.plan.steps[place - 1]):
            return None
        report = (await self._operations.step_status(current.operation_id, place)).report
        return None if report is None or report.unknown else report.failure

    async def _outdated(self, operation: Operation, done: int, away: str) -> Stop | None:
        """Plan again what is left behind so many steps; why it is not to be done, if it is not."""
        if done == len(operation.plan.steps):
            return None
        where = approval_status(operation, operation.votes, self._cards.people)
        if not isinstance(where, Enough):
            return Stop(f"After {away} it was looked at again", (unsettled(where, self._cards),))
        self._planned_at[operation.id] = self._now()
        now = await self._compare(operation, lambda agreed, fresh: differences_left(agreed, fresh, done))
        if now.failure is not None:
            return Stop(f"After {away} what was left could not be planned again", failure=now.failure)
        if now.changed:
            why = f"After {away} what was left was planned again, and does not hold any more"
            return Stop(why, now.changed, hint=now.hint)
        return None

    def _unplanned(self, operation_id: str) -> str | None:
        """How long ago a run was planned last, in words, where that is too long."""
        planned_at = self._planned_at.get(operation_id)
        since = None if planned_at is None else passed(planned_at, self._now())
        if since is None:
            return "a while"
        return None if since <= LONGEST_UNPLANNED else format_span(since)

    def _away(self, status: StepStatus) -> str | None:
        """The break between the moment in which a step was to begin and now, in words; None where there was none
        worth the name. One of which nobody knows how long it was is a long one."""
        since = None if status.begun_at is None else passed(status.begun_at, self._now())
        if since is None:
            return "a break"
        return None if since <= LONGEST_BREAK else f"a break of {format_span(since)}"

    def _now(self) -> Moment:
        return Moment(self._clock(), self._uptime())
