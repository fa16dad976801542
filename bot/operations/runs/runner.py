"""The durable run of one operation: plan again, compare, do each step once, verify, report."""

from __future__ import annotations

import asyncio
from enum import StrEnum

import sqlalchemy as sa
import structlog

from slipway.bot.core.errors import CloudError, ResponsibleParty, StorageError, UserError
from slipway.bot.core.measuring.meter import UNMETERED, Meter
from slipway.bot.core.model import Json
from slipway.bot.core.steps import Step
from slipway.bot.core.times import Clock
from slipway.bot.core.uptime import ReadUptime, system_uptime
from slipway.bot.core.waiting import Sleep
from slipway.bot.logs import note
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.admission import Admission
from slipway.bot.operations.audit import StepPhase
from slipway.bot.operations.locking.store import LockStore
from slipway.bot.operations.locking.words import LockWords
from slipway.bot.operations.model import (
    Failure,
    Operation,
    OperationState,
    Outcome,
    Plan,
    StepReport,
    UnknownStep,
)
from slipway.bot.operations.persistence.changes import StepChange
from slipway.bot.operations.persistence.records import StepStatus
from slipway.bot.operations.persistence.repository import OperationRepository
from slipway.bot.operations.plan_service import PlanService
from slipway.bot.operations.presentation.cards import CardContext
from slipway.bot.operations.registry import SubjectServices
from slipway.bot.operations.runs.display import OperationDisplay
from slipway.bot.operations.runs.entries import RunEntries
from slipway.bot.operations.runs.outcomes import (
    Stop,
    own_failure,
    steps_outcome,
    stopped_short,
)
from slipway.bot.operations.runs.readiness import Changed, Readiness, Run
from slipway.bot.operations.runs.run_checks import Begin, CurrentStep, Keep, RunChecks
from slipway.bot.operations.runs.step_runner import StepRunner
from slipway.bot.operations.runs.waits import Waits
from slipway.bot.workflows.bodies import Payload
from slipway.bot.workflows.engine import Effect, WorkflowEngine

WORKFLOW = "do"

log = structlog.get_logger(__name__)


class Verdict(StrEnum):
    """What a workflow step decided. Stored by the workflow engine, so these words stay the same."""

    GO = "go"
    OVER = "over"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    ENDED = "ended"  # the operation itself, with this step


class OperationRunner:
    """Carries approved operations out."""

    def __init__(
        self,
        *,
        operations: OperationRepository,
        messages: MessageService,
        plans: PlanService,
        subjects: SubjectServices,
        workflows: WorkflowEngine,
        admission: Admission,
        locks: LockStore,
        cards: CardContext,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
        uptime: ReadUptime = system_uptime,
        meter: Meter = UNMETERED,
    ) -> None:
        self._operations = operations
        self._subjects = subjects
        self._workflows = workflows
        self._cards = cards
        self._display = OperationDisplay(operations, messages, cards, sleep)
        self._entries = RunEntries(clock, uptime)
        self._step_runner = StepRunner(subjects, sleep, workflows.rest, meter)
        self._waits = Waits(operations, cards.waits, clock, cards.zone)
        self._checks = RunChecks(operations, plans, admission, self._step_runner, cards, clock, uptime)
        self._begun: set[tuple[str, int]] = set()  # steps noted as begun by this process, and not yet begun
        self._changed = Changed()
        self._locks = locks
        self._admission = admission
        words = LockWords(operations, cards.people, cards.zone)
        self._readiness = Readiness(
            locks, words, admission, operations, self._waits, self._changed, workflows.rest
        )
        workflows.register(WORKFLOW, self._run)

    async def start(self, operation_id: str) -> None:
        """Carry an approved operation out, once; returns when it is certain that this will happen.

        What is to wait for its time is left alone until then: it is asked about again each minute. So is what has
        come to its time while a cloud cannot be read, for an hour: nobody is there to ask for it again. What is to
        stop instead ends at once.
        """
        self._changed.tell(operation_id)
        operation = await self._operations.get(operation_id)
        if operation.state is OperationState.APPROVED:
            words = await self._checks.not_yet(operation)
            words = "" if words is None and await self._is_frozen(operation) else words
            self._waits.shown(operation_id, words or "")
            if words is not None:
                await self._display.refresh(operation_id)
                return
        await self._workflows.start(WORKFLOW, _workflow_id(operation_id), {"operation": operation_id})

    async def _is_frozen(self, operation: Operation) -> bool:
        """Whether an approved operation does not begin yet as it is frozen, which its card says; what is to stop
        ends."""
        return operation.cancelled_by is None and bool(await self._admission.frozen(operation.plan))

    async def fail_interrupted(self, operation_id: str) -> None:
        """End an operation whose run broke off without ending it, which is a fault of Slipway's own."""
        if await self._workflows.over(_workflow_id(operation_id)):
            await self._give_up(operation_id)
            await self._report(operation_id)

    async def look_again(self) -> None:
        """Let whoever waits look whether it is their turn, whatever became of those before them."""
        if left := await self._locks.drop_ended():
            log.error("locks of operations that had ended were dropped", locks=left)
        self._changed.tell_all()

    async def _run(self, payload: Payload) -> None:
        operation_id = str(payload["operation"])
        try:
            plan = await self._workflows.persistently(lambda: self._operations.plan(operation_id))
            note(operation=operation_id, kind=plan.kind)
            async with self._display.progress(operation_id) as news:
                await self._from_begin(Run(operation_id, plan, news))
        except Exception:
            # The last boundary of a run: it must not leave an operation that seems to run for ever.
            log.exception("an operation broke off inside Slipway", operation=operation_id)
            await self._workflows.step("give-up", lambda: self._give_up(operation_id))
        finally:
            # What it holds goes with its end. Where it is only left, as the bot stops, it keeps its locks.
            self._checks.forget(operation_id)
            self._changed.tell(operation_id)
        await self._workflows.step("report", lambda: self._report(operation_id))

    async def _from_begin(self, run: Run) -> None:
        await self._workflows.persistently(lambda: self._wait_for_turn(run))
        if await self._workflows.step("begin", lambda: self._begin(run.operation_id)) == Verdict.GO:
            if (run.operation_id, 1) in self._begun:  # all of it was planned right before
                run.stood_still = False
            await self._steps(run)
        elif run.held:
            await self._readiness.release(run)

    async def _wait_for_turn(self, run: Run) -> None:
        """Wait in line before it begins; not where it is to end instead, which a check says before it begins."""
        if not await self._admission.refusal(run.plan, run.operation_id):
            await self._readiness.ready(run, self._whole(run.plan))

    async def _steps(self, run: Run) -> None:
        for number, step in enumerate(run.plan.steps, start=1):
            verdict = await self._workflows.step(f"step-{number}", self._carry_out(run, number))
            self._waits.over(run.operation_id)
            run.news.set()
            if verdict == Verdict.ENDED:
                return
            if verdict == Verdict.STOPPED or (verdict == Verdict.FAILED and run.plan.ends_with(step)):
                break
        # Where the process died between a step's report and its end, or an older Slipway began the run.
        await self._workflows.step("finish", lambda: self._finish(run.operation_id))

    async def _begin(self, operation_id: str) -> Json:
        """Check approvals and plan once more; only what is unchanged may begin."""
        operation, problem = await self._operations.examined(operation_id)
        if operation.state is OperationState.RUNNING:  # we died after the compare-and-set below
            return Verdict.GO
        if operation.state is not OperationState.APPROVED:
            return Verdict.OVER
        found = await self._checks.before_start(operation, problem)
        if found is not None:
            await self._end(operation, *found)
            return Verdict.OVER
        if await self._operations.move(
            operation_id,
            expected=OperationState.APPROVED,
            to=OperationState.RUNNING,
            entry=self._entries.of_state(operation_id, "started"),
            also=(self._entries.of_begin(operation_id, 1),),
        ):
            self._begun.add((operation_id, 1))
            return Verdict.GO
        return Verdict.OVER

    def _carry_out(self, run: Run, number: int) -> Effect:
        """The effect of one step. Asks only for what may have changed: a plan can have thousands of steps."""
        operation_id, plan = run.operation_id, run.plan
        step = plan.steps[number - 1]

        async def carry_out() -> Json:
            status = await self._operations.step_status(operation_id, number)
            if status.report is not None:  # we died after it
                return Verdict.FAILED if status.report.failure else Verdict.DONE
            status, here = await self._ready_for(run, number, status)
            current = CurrentStep(operation_id, plan, number, status, here=here)
            self._begun.discard((operation_id, number))
            # What lasts is left where somebody wants that, in this process as in the one that began it.
            if status.asked_to_stop and (current.here or step.LASTING):
                return Verdict.STOPPED
            match await self._checks.before_step(current):
                case Begin():
                    wait = self._waits.of(operation_id, number, run.news)
                    with self._waits.turns(operation_id, run.news):
                        report = await self._step_runner.carry_out(
                            operation_id, plan, number, status.token, wait
                        )
                    if report is None:
                        return Verdict.STOPPED
                    return await self._keep(operation_id, plan, report)
                case Keep(report, stop):
                    return await self._keep(operation_id, plan, report, stop)
                case Stop() as stop:
                    operation = await self._operations.get(operation_id)
                    await self._end(operation, *stopped_short(plan, operation.reports, stop))
                    return Verdict.ENDED

        return carry_out

    async def _ready_for(self, run: Run, number: int, status: StepStatus) -> tuple[StepStatus, bool]:
        """Wait until a step may begin, or is to stop: how it stands then, and whether nobody can have begun it."""
        operation_id, about_to_begin = run.operation_id, (run.operation_id, number) in self._begun
        targets = self._whole(run.plan) or self._touched(run.plan.steps[number - 1])
        waited = await self._readiness.ready(
            run,
            targets,
            lambda: self._note_step(operation_id, number, StepPhase.STANDING, certain=about_to_begin),
        )
        if waited:
            status = await self._operations.step_status(operation_id, number)
        if not run.stood_still:
            return status, about_to_begin
        run.stood_still = False
        here = about_to_begin or await self._operations.step_stands(operation_id, number)
        self._checks.forget(operation_id)  # others may have changed what it had to itself until then
        if not status.asked_to_stop:
            await self._note_step(operation_id, number, StepPhase.RESUMED, certain=here)
        return status, here

    async def _note_step(self, operation_id: str, number: int, phase: StepPhase, *, certain: bool) -> None:
        """Note that a step stands still, or goes on, where it is certain that it was not begun."""
        if certain:
            await self._operations.note(self._entries.of_step(operation_id, number, phase))

    async def _keep(
        self, operation_id: str, plan: Plan, report: StepReport, stop: Stop | None = None
    ) -> Verdict:
        """Store a step's report; where nothing follows, the operation's end, and else that the next one begins.

        Where the whole is looked at once more, it ends after that.
        """
        entry = self._entries.of_report(operation_id, report)
        verdict, next_begins = await self._operations.report_step(
            operation_id, report, entry, lambda change: self._follow(change, operation_id, plan, report, stop)
        )
        if next_begins:
            self._begun.add((operation_id, report.number + 1))
        return verdict

    async def _follow(
        self, change: StepChange, operation_id: str, plan: Plan, report: StepReport, stop: Stop | None
    ) -> tuple[Verdict, bool]:
        """What follows from a step's end, and whether that is the next step."""
        failed = report.failure is not None and plan.ends_with(plan.steps[report.number - 1])
        stopped = change.cancelled_by is not None or failed
        over = stopped or report.number == len(plan.steps)
        verdict = Verdict.FAILED if report.failure else Verdict.DONE
        if not over and stop is None:
            await change.begin_next(self._entries.of_begin(operation_id, report.number + 1))
            return verdict, True
        if stop is None and self._subjects.confirmation(plan.request) is not None:
            return (Verdict.STOPPED if stopped else verdict), False
        by = self._cards.name(change.cancelled_by) if change.cancelled_by else ""
        reports = await change.reports()
        state, outcome = (
            steps_outcome(operation_id, plan, reports, by)
            if stop is None
            else stopped_short(plan, reports, stop)
        )
        end = self._entries.of_state(operation_id, state.value, summary=outcome.summary)
        return (Verdict.ENDED if await change.end(state, end, outcome) else Verdict.STOPPED), False

    async def _finish(self, operation_id: str) -> Json:
        operation = await self._operations.get(operation_id)
        if operation.state is OperationState.RUNNING:
            unconfirmed = await self._unconfirmed(operation)
            await self._end(operation, *self._outcome(operation, unconfirmed))
        return Verdict.DONE

    async def _unconfirmed(self, operation: Operation) -> Failure | None:
        """Why what was done cannot be said to be so, by a last look at the whole; None where it can."""
        plan = operation.plan
        confirm = self._subjects.confirmation(plan.request)
        done = [plan.steps[report.number - 1] for report in operation.reports if report.done is not None]
        if confirm is None or not done:
            return None
        try:
            sentence = await confirm(done)
        except (CloudError, UserError) as error:
            return Failure.of(error, plan.command)
        except StorageError:
            raise
        except Exception:
            # What cannot be looked at is not called done, whoever's fault it is.
            log.exception("the last look failed inside Slipway", operation=operation.id)
            return own_failure(operation.id)
        if not sentence:
            return None
        return Failure(sentence=sentence, responsible=ResponsibleParty.REQUESTER, hint=plan.command)

    async def _give_up(self, operation_id: str) -> Json:
        """End what broke off. Of a step that was under way is told what is seen of it."""
        operation = await self._operations.get(operation_id)
        number = len(operation.reports) + 1
        if operation.state.ended:
            return Verdict.OVER
        about_to_begin = (operation_id, number) in self._begun
        if not about_to_begin and await self._operations.step_begun(operation_id, number):
            await self._keep_what_is_seen(operation, number)
            operation = await self._operations.get(operation_id)
        await self._end(operation, *self._outcome(operation))
        return Verdict.OVER

    async def _keep_what_is_seen(self, operation: Operation, number: int) -> None:
        """Store how a step stands that was under way when its operation broke off."""
        plan, operation_id = operation.plan, operation.id
        if number > len(plan.steps):
            return
        token = operation.token(number)
        report = await self._step_runner.find_out(operation_id, plan, number, token)
        try:
            await self._store(operation_id, report)
        except sa.exc.DatabaseError:
            if report.done is None:
                raise
            log.exception("the end of a step could not be stored", operation=operation_id, step=number)
            failure = own_failure(operation_id)
            words = f"{failure.sentence} The change itself is there: {report.done.summary}"
            unkept = report.model_copy(
                update={"done": None, "failure": failure.model_copy(update={"sentence": words})}
            )
            await self._store(operation_id, unkept)

    async def _store(self, operation_id: str, report: StepReport) -> None:
        async def nothing(_change: StepChange) -> None:
            """Nothing follows by itself."""

        entry = self._entries.of_report(operation_id, report)
        await self._operations.report_step(operation_id, report, entry, nothing)

    def _outcome(
        self, operation: Operation, unconfirmed: Failure | None = None
    ) -> tuple[OperationState, Outcome]:
        by = self._cards.name(operation.cancelled_by) if operation.cancelled_by else ""
        return steps_outcome(operation.id, operation.plan, operation.reports, by, unconfirmed)

    async def _end(self, operation: Operation, state: OperationState, outcome: Outcome) -> None:
        entry = self._entries.of_state(operation.id, state.value, summary=outcome.summary)
        await self._operations.move(
            operation.id, expected=operation.state, to=state, entry=entry, outcome=outcome
        )

    async def show(self, operation_id: str) -> None:
        """As :meth:`.OperationDisplay.show`; and whoever waits looks again whether it is to go on waiting."""
        self._changed.tell(operation_id)
        await self._display.show(operation_id)

    async def tell(self, operation_id: str) -> None:
        """As :meth:`.OperationDisplay.tell`."""
        await self._display.tell(operation_id)

    async def _report(self, operation_id: str) -> Json:
        await self.tell(operation_id)
        return Verdict.DONE

    def _whole(self, plan: Plan) -> tuple[str, ...]:
        """What nobody else may change from the last look at the plan until it is carried out.

        Nothing, where the steps are independent, or one of them lasts: then each looks again by itself, and so a
        rollback need not wait for the hours that a large clean-up takes, or for the days of a promotion by waves.
        """
        if plan.independent or any(step.LASTING for step in plan.steps):
            return ()
        return tuple(name for step in plan.steps for name in self._touched(step))

    def _touched(self, step: Step) -> tuple[str, ...]:
        return () if isinstance(step, UnknownStep) else self._subjects.registry.touches(step)


def _workflow_id(operation_id: str) -> str:
    return f"{WORKFLOW}:{operation_id}"
