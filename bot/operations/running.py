"""The durable run of one operation: plan again, compare, do each step once, verify, report."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from weakref import WeakValueDictionary

import structlog

from bot.errors import CloudError, Mistake, Mover
from bot.model import Json
from bot.operations.audit import Entry
from bot.operations.cards import View, operation_card, report_card
from bot.operations.durable import Durable, Effect, Payload
from bot.operations.kinds import Subjects, command_line
from bot.operations.messages import Messages
from bot.operations.model import Operation, OperationState, Outcome, StepReport, Trouble
from bot.operations.planning import NothingToDo, Planning
from bot.operations.policy import Enough, Missing, Vetoed, standing
from bot.operations.records import Records
from bot.operations.staleness import differences
from bot.times import Clock
from bot.waiting import Sleep

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


class Running:
    """Carries approved operations out."""

    def __init__(
        self,
        *,
        records: Records,
        messages: Messages,
        planning: Planning,
        subjects: Subjects,
        durable: Durable,
        view: View,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._records = records
        self._messages = messages
        self._planning = planning
        self._subjects = subjects
        self._durable = durable
        self._view = view
        self._clock = clock
        self._sleep = sleep
        self._refreshing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        durable.register(WORKFLOW, self._run)

    async def start(self, operation_id: str) -> None:
        """Carry an approved operation out, once; returns when it is certain that this will happen."""
        await self._durable.start(WORKFLOW, f"{WORKFLOW}:{operation_id}", {"operation": operation_id})

    async def _run(self, payload: Payload) -> None:
        operation_id = str(payload["operation"])
        async with self._progress(await self._records.the(operation_id)) as touched:
            if await self._durable.step("begin", lambda: self._begin(operation_id)) == Verdict.GO:
                await self._steps(await self._records.the(operation_id), touched)
                await self._durable.step("finish", lambda: self._finish(operation_id))
        await self._durable.step("report", lambda: self._report(operation_id))

    async def _steps(self, operation: Operation, touched: asyncio.Event) -> None:
        for number in range(1, len(operation.plan.steps) + 1):
            effect = self._carry_out(operation.id, number)
            verdict = await self._durable.step(f"step-{number}", effect)
            touched.set()
            if verdict == Verdict.STOPPED or (verdict == Verdict.FAILED and not operation.plan.independent):
                return

    async def _begin(self, operation_id: str) -> Json:
        """Check approvals and plan once more; only what is unchanged may begin."""
        operation = await self._records.the(operation_id)
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
        where = standing(operation, operation.votes, self._view.people)
        if not isinstance(where, Enough):
            await self._end_stale(operation, (_unsettled(where, self._view),))
            return Verdict.OVER
        changed, trouble = await self._compare(operation)
        if trouble is not None:
            outcome = Outcome(summary="It failed before anything was changed.", trouble=trouble)
            await self._end(operation, OperationState.FAILED, outcome)
        elif changed:
            await self._end_stale(operation, changed)
        elif await self._records.move(
            operation_id,
            expected=OperationState.APPROVED,
            to=OperationState.RUNNING,
            entry=self._entry(operation, "started"),
        ):
            return Verdict.GO
        return Verdict.OVER

    async def _compare(self, operation: Operation) -> tuple[tuple[str, ...], Trouble | None]:
        hint = command_line(operation.plan.request)
        try:
            fresh = await self._planning.again(operation.plan)
        except Mistake as mistake:
            return (mistake.sentence,), None
        except CloudError as error:
            return (), Trouble.of(error, hint)
        except Exception:
            log.exception("planning again failed inside Slipway", plan=operation.id)
            return (), _own_trouble(operation)
        if isinstance(fresh, NothingToDo):
            return (fresh.summary,), None
        return differences(operation.plan, fresh), None

    def _carry_out(self, operation_id: str, number: int) -> Effect:
        async def carry_out() -> Json:
            operation = await self._records.the(operation_id)
            for report in operation.reports:
                if report.number == number:  # we died after it was stored
                    return Verdict.FAILED if report.trouble else Verdict.DONE
            if operation.cancelled_by is not None:
                return Verdict.STOPPED
            await self._records.note(self._entry(operation, f"step-{number}:begun"))
            report = await self._attempt(operation, number)
            ended = "failed" if report.trouble else "done"
            words = report.trouble.sentence if report.trouble else report.done.summary if report.done else ""
            facts: dict[str, Json] = dict(report.done.facts) if report.done else {}
            entry = self._entry(operation, f"step-{number}:{ended}", summary=words, **facts)
            await self._records.report(operation_id, report, entry)
            return Verdict.FAILED if report.trouble else Verdict.DONE

        return carry_out

    async def _attempt(self, operation: Operation, number: int) -> StepReport:
        step = operation.plan.steps[number - 1]
        try:
            done = await self._subjects.carry_out(step, operation.token(number))
        except (CloudError, Mistake) as error:
            trouble = Trouble.of(error, command_line(operation.plan.request))
        except Exception:
            # The last boundary of a step: whatever went wrong, the operation must end and say so.
            log.exception("a step failed inside Slipway", operation=operation.id, step=number)
            trouble = _own_trouble(operation)
        else:
            return StepReport(number=number, title=step.title, done=done)
        return StepReport(number=number, title=step.title, trouble=trouble)

    async def _finish(self, operation_id: str) -> Json:
        operation = await self._records.the(operation_id)
        if operation.state is OperationState.RUNNING:
            state, outcome = _outcome(operation, self._view)
            await self._end(operation, state, outcome)
        return Verdict.DONE

    async def _end(self, operation: Operation, state: OperationState, outcome: Outcome) -> None:
        entry = self._entry(operation, state.value, summary=outcome.summary)
        await self._records.move(
            operation.id, expected=operation.state, to=state, entry=entry, outcome=outcome
        )

    async def _end_stale(self, operation: Operation, changed: tuple[str, ...]) -> None:
        outcome = Outcome(
            summary="Things changed after this was proposed, so nothing was done.", differences=changed
        )
        await self._end(operation, OperationState.STALE, outcome)

    def _entry(self, operation: Operation, action: str, **detail: Json) -> Entry:
        return Entry(
            key=f"{operation.id}:{action}",
            at=self._clock(),
            actor="slipway",
            action=action,
            operation_id=operation.id,
            detail=tuple(detail.items()),
        )

    async def refresh(self, operation_id: str) -> None:
        """Let every card of the operation show how it stands now."""
        # One at a time: else one that read an older state could be the last to show it.
        async with self._refreshing.setdefault(operation_id, asyncio.Lock()):
            operation = await self._records.the(operation_id)
            await self._messages.show(operation_id, operation_card(operation, self._view))

    async def _report(self, operation_id: str) -> Json:
        await self.refresh(operation_id)
        operation = await self._records.the(operation_id)
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
        touched = asyncio.Event()

        async def follow() -> None:
            await self._sleep(PATIENCE_SECONDS)
            touched.set()
            while True:
                await touched.wait()
                touched.clear()
                await self.refresh(operation.id)
                # Asked anew each time: a platform that finds it too often bears less from then on.
                await self._sleep(self._messages.edit_interval(operation.room.platform))

        task = asyncio.create_task(follow(), name=f"progress of {operation.id}")
        try:
            yield touched
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _unsettled(where: Missing | Vetoed, view: View) -> str:
    """Why what was approved is not any more."""
    if isinstance(where, Vetoed):  # at the moment in which the last approval came in
        return f"{view.name(where.by)} rejected it while it was being approved"
    return "an approval no longer counts: its giver lost the role"


def _own_trouble(operation: Operation) -> Trouble:
    return Trouble(
        sentence="Slipway itself failed here; its log says how.",
        mover=Mover.ADMIN,
        hint=f"op {operation.id}",
    )


def _outcome(operation: Operation, view: View) -> tuple[OperationState, Outcome]:
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
    return OperationState.DONE, Outcome(summary=operation.plan.summary)
