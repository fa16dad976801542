"""The durable run of one operation: plan again, compare, do each step once, verify, report."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum

import structlog

from slipway.bot.core.errors import CloudError, ResponsibleParty, UserError
from slipway.bot.core.model import Json
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Sleep
from slipway.bot.operations.audit import AuditEntry
from slipway.bot.operations.cards import CardContext, operation_card, report_card
from slipway.bot.operations.kinds import Subjects, command_line, touched
from slipway.bot.operations.locks import Locks
from slipway.bot.operations.messages import Messages
from slipway.bot.operations.model import Failure, Operation, OperationState, Outcome, Plan, StepReport
from slipway.bot.operations.plan_service import NothingToDo, PlanService
from slipway.bot.operations.policy import Enough, Missing, Vetoed, approval_status
from slipway.bot.operations.repository import OperationRepository
from slipway.bot.operations.staleness import differences
from slipway.bot.workflows.engine import Effect, Payload, WorkflowEngine

WORKFLOW = "do"

PATIENCE_SECONDS = 2.0
"""How long an operation runs before its card shows progress: a quick one is edited once, when it has ended."""

log = structlog.get_logger(__name__)


class Verdict(StrEnum):
    """What a workflow step decided. Stored by the durable engine, so these words stay the same."""

    GO = "go"
    OVER = "over"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


class OperationRunner:
    """Carries approved operations out."""

    def __init__(
        self,
        *,
        operations: OperationRepository,
        messages: Messages,
        plans: PlanService,
        subjects: Subjects,
        workflows: WorkflowEngine,
        view: CardContext,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._operations = operations
        self._messages = messages
        self._plans = plans
        self._subjects = subjects
        self._workflows = workflows
        self._view = view
        self._clock = clock
        self._sleep = sleep
        self._refreshing = Locks()  # by operation
        self._changing = Locks()  # by what steps touch
        workflows.register(WORKFLOW, self._run)

    async def start(self, operation_id: str) -> None:
        """Carry an approved operation out, once; returns when it is certain that this will happen."""
        await self._workflows.start(WORKFLOW, _workflow_id(operation_id), {"operation": operation_id})

    async def mend(self, operation_id: str) -> None:
        """End an operation whose run broke off without ending it, which is a fault of Slipway's own."""
        if await self._workflows.over(_workflow_id(operation_id)):
            await self._give_up(operation_id)
            await self._report(operation_id)

    async def _run(self, payload: Payload) -> None:
        operation_id = str(payload["operation"])
        try:
            operation = await self._operations.get(operation_id)
            async with self._progress(operation) as news, self._changing.holding(_whole(operation.plan)):
                if await self._workflows.step("begin", lambda: self._begin(operation_id)) == Verdict.GO:
                    await self._steps(operation, news)
                    await self._workflows.step("finish", lambda: self._finish(operation_id))
        except Exception:
            # The last boundary of a run: it must not leave an operation that seems to run for ever.
            log.exception("an operation broke off inside Slipway", operation=operation_id)
            await self._workflows.step("give-up", lambda: self._give_up(operation_id))
        await self._workflows.step("report", lambda: self._report(operation_id))

    async def _steps(self, operation: Operation, news: asyncio.Event) -> None:
        for number, step in enumerate(operation.plan.steps, start=1):
            effect = self._carry_out(operation, number)
            alone = touched(step) if operation.plan.independent else ()
            async with self._changing.holding(alone):
                verdict = await self._workflows.step(f"step-{number}", effect)
            news.set()
            if verdict == Verdict.STOPPED or (verdict == Verdict.FAILED and not operation.plan.independent):
                return

    async def _begin(self, operation_id: str) -> Json:
        """Check approvals and plan once more; only what is unchanged may begin."""
        operation = await self._operations.get(operation_id)
        if operation.state is OperationState.RUNNING:  # we died after the compare-and-set below
            return Verdict.GO
        if operation.state is not OperationState.APPROVED:
            return Verdict.OVER
        if operation.cancelled_by is not None:
            name = self._view.name(operation.cancelled_by)
            await self._end(
                operation,
                OperationState.CANCELLED,
                Outcome(summary=f"Cancelled by {name}. Nothing was changed."),
            )
            return Verdict.OVER
        where = approval_status(operation, operation.votes, self._view.people)
        if not isinstance(where, Enough):
            await self._end_stale(operation, (_unsettled(where, self._view),))
            return Verdict.OVER
        changed, trouble = await self._compare(operation)
        if trouble is not None:
            outcome = Outcome(summary="It failed before anything was changed.", trouble=trouble)
            await self._end(operation, OperationState.FAILED, outcome)
        elif changed:
            await self._end_stale(operation, changed)
        elif await self._operations.move(
            operation_id,
            expected=OperationState.APPROVED,
            to=OperationState.RUNNING,
            entry=self._entry(operation, "started"),
        ):
            return Verdict.GO
        return Verdict.OVER

    async def _compare(self, operation: Operation) -> tuple[tuple[str, ...], Failure | None]:
        hint = command_line(operation.plan.request)
        try:
            fresh = await self._plans.again(operation.plan)
        except UserError as mistake:
            return (mistake.sentence,), None
        except CloudError as error:
            return (), Failure.of(error, hint)
        except Exception:
            log.exception("planning again failed inside Slipway", plan=operation.id)
            return (), _own_trouble(operation)
        if isinstance(fresh, NothingToDo):
            return (fresh.summary,), None
        return differences(operation.plan, fresh), None

    def _carry_out(self, operation: Operation, number: int) -> Effect:
        """The effect of one step. Asks only for what may have changed: a plan can have thousands of steps."""

        async def carry_out() -> Json:
            report = await self._operations.step_report(operation.id, number)  # there, if we died after it
            if report is None:
                if await self._operations.asked_to_stop(operation.id):
                    return Verdict.STOPPED
                await self._operations.note(self._entry(operation, _begun(number)))
                report = await self._attempt(operation, number)
                await self._keep(operation, report)
            return Verdict.FAILED if report.trouble else Verdict.DONE

        return carry_out

    async def _keep(self, operation: Operation, report: StepReport) -> None:
        ended = "failed" if report.trouble else "done"
        words = report.trouble.sentence if report.trouble else report.done.summary if report.done else ""
        facts: dict[str, Json] = dict(report.done.facts) if report.done else {}
        entry = self._entry(operation, f"step-{report.number}:{ended}", summary=words, **facts)
        await self._operations.report(operation.id, report, entry)

    async def _attempt(self, operation: Operation, number: int) -> StepReport:
        step = operation.plan.steps[number - 1]
        try:
            done = await self._subjects.carry_out(step, operation.token(number))
        except (CloudError, UserError) as error:
            trouble = Failure.of(error, command_line(operation.plan.request))
        except Exception:
            # The last boundary of a step: whatever went wrong, the operation must end and say so.
            log.exception("a step failed inside Slipway", operation=operation.id, step=number)
            trouble = _own_trouble(operation)
        else:
            return StepReport(number=number, title=step.title, done=done)
        return StepReport(number=number, title=step.title, trouble=trouble)

    async def _finish(self, operation_id: str) -> Json:
        operation = await self._operations.get(operation_id)
        if operation.state is OperationState.RUNNING:
            state, outcome = _outcome(operation, self._view)
            await self._end(operation, state, outcome)
        return Verdict.DONE

    async def _give_up(self, operation_id: str) -> Json:
        """End what broke off. Of a step that was under way nobody knows whether it took effect: it failed."""
        operation = await self._operations.get(operation_id)
        number = len(operation.reports) + 1
        if operation.state.ended:
            return Verdict.OVER
        if await self._operations.noted(self._entry(operation, _begun(number)).key):
            title, trouble = operation.plan.steps[number - 1].title, _own_trouble(operation)
            await self._keep(operation, StepReport(number=number, title=title, trouble=trouble))
            operation = await self._operations.get(operation_id)
        await self._end(operation, *_outcome(operation, self._view))
        return Verdict.OVER

    async def _end(self, operation: Operation, state: OperationState, outcome: Outcome) -> None:
        entry = self._entry(operation, state.value, summary=outcome.summary)
        await self._operations.move(
            operation.id, expected=operation.state, to=state, entry=entry, outcome=outcome
        )

    async def _end_stale(self, operation: Operation, changed: tuple[str, ...]) -> None:
        outcome = Outcome(
            summary="Things changed after this was proposed, so nothing was done.", differences=changed
        )
        await self._end(operation, OperationState.STALE, outcome)

    def _entry(self, operation: Operation, action: str, **detail: Json) -> AuditEntry:
        return AuditEntry(
            key=f"{operation.id}:{action}",
            at=self._clock(),
            actor="slipway",
            action=action,
            operation_id=operation.id,
            detail=tuple(detail.items()),
        )

    async def show(self, operation_id: str) -> None:
        """Let every card show how it stands; if others ended it before it began, tell whoever asked, in its thread.

        An edited card notifies nobody, and they wait for an answer.
        """
        operation = await self._operations.get(operation_id)
        ended = (OperationState.REJECTED, OperationState.EXPIRED, OperationState.CANCELLED)
        if operation.state in ended and operation.cancelled_by != operation.requester:
            await self._report(operation_id)
        else:
            await self.refresh(operation_id)

    async def refresh(self, operation_id: str) -> None:
        """Let every card of the operation show how it stands now."""
        # One at a time: else one that read an older state could be the last to show it.
        async with self._refreshing.holding((operation_id,)):
            operation = await self._operations.get(operation_id)
            await self._messages.show(operation_id, operation_card(operation, self._view))

    async def _report(self, operation_id: str) -> Json:
        await self.refresh(operation_id)
        operation = await self._operations.get(operation_id)
        card = await self._messages.card_of(operation_id, operation.room)
        account = self._view.people.account(operation.requester, operation.room.platform)
        await self._messages.say(
            operation.room,
            report_card(operation, self._view, (account,) if account else ()),
            key=f"{operation_id}:report",
            thread=operation.thread or (card.message_id if card else None),
        )
        return Verdict.DONE

    @asynccontextmanager
    async def _progress(self, operation: Operation) -> AsyncIterator[asyncio.Event]:
        """Keeps the card up to date while steps run, as often as the platform bears; set the event to tell
        that something changed."""
        news = asyncio.Event()

        async def follow() -> None:
            await self._sleep(PATIENCE_SECONDS)
            news.set()
            while True:
                await news.wait()
                news.clear()
                await self.refresh(operation.id)
                # Asked anew each time: a platform that finds it too often bears less from then on.
                await self._sleep(self._messages.edit_interval(operation.room.platform))

        task = asyncio.create_task(follow(), name=f"progress of {operation.id}")
        try:
            yield news
        finally:
            task.cancel()
            (failure,) = await asyncio.gather(task, return_exceptions=True)
            if isinstance(failure, Exception):  # a run does not depend on whether it could be shown
                log.error("progress could not be shown", operation=operation.id, exc_info=failure)


def _workflow_id(operation_id: str) -> str:
    return f"{WORKFLOW}:{operation_id}"


def _begun(number: int) -> str:
    return f"step-{number}:begun"


def _whole(plan: Plan) -> tuple[str, ...]:
    """What nobody else may change from the last look at the plan until it is carried out.

    Nothing, where the steps are independent: then each looks again by itself, and so a rollback need not wait
    for the hours that a large clean-up takes.
    """
    if plan.independent:
        return ()
    return tuple(name for step in plan.steps for name in touched(step))


def _unsettled(where: Missing | Vetoed, view: CardContext) -> str:
    """Why what was approved is not any more."""
    if isinstance(where, Vetoed):  # at the moment in which the last approval came in
        return f"{view.name(where.by)} rejected it while it was being approved"
    return "an approval no longer counts: its giver lost the role"


def _own_trouble(operation: Operation) -> Failure:
    return Failure(
        sentence="Slipway itself failed here; its log says how.",
        mover=ResponsibleParty.ADMIN,
        hint=f"op {operation.id}",
    )


def _outcome(operation: Operation, view: CardContext) -> tuple[OperationState, Outcome]:
    """How an operation ended, by its step reports."""
    total = len(operation.plan.steps)
    failed = [report for report in operation.reports if report.trouble is not None]
    done = len(operation.reports) - len(failed)
    if failed:
        counts = f"{len(failed)} of {total} steps failed, {done} done"
        left = total - len(operation.reports)
        summary = counts + (f", {left} not tried." if left else ".")
        return OperationState.FAILED, Outcome(summary=summary, trouble=failed[0].trouble)
    if done < total and operation.cancelled_by is not None:
        name = view.name(operation.cancelled_by)
        summary = f"Stopped by {name}: {done} of {total} steps were done, the others were not begun."
        return OperationState.CANCELLED, Outcome(summary=summary)
    if done < total:
        summary = f"It broke off after {done} of {total} steps; the others were not begun."
        return OperationState.FAILED, Outcome(summary=summary, trouble=_own_trouble(operation))
    return OperationState.DONE, Outcome(summary=operation.plan.summary)
