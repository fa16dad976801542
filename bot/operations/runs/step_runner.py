"""One step: carried out, or looked at where a former process may have begun it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager

import structlog

from slipway.bot.core.errors import CloudError, StorageError, UserError
from slipway.bot.core.measuring.meter import UNMETERED, Meter
from slipway.bot.core.measuring.metrics import STEP_SECONDS, StepOutcome
from slipway.bot.core.steps import LastingExecutor, Step, StepDone
from slipway.bot.core.waiting import Polling, Sleep
from slipway.bot.operations.model import Failure, Plan, StepReport
from slipway.bot.operations.registry import SubjectServices
from slipway.bot.operations.runs.outcomes import not_seen, own_failure, unknown_failure

WAIT_SECONDS = 60.0
"""Between two looks at what a step that lasts waits for."""

GoOn = Callable[[str], Awaitable[bool]]
"""Is told what a step waits for, and says whether it is to go on waiting."""

LOOKS = 6
"""How often a step is looked at that was begun, and is not seen done, before it is called unknown."""

log = structlog.get_logger(__name__)


class StepRunner:
    """Carries out steps by their executors, and says how each ended.

    Args:
        subjects: they have the executors.
        sleep: waits between two looks.
        rest: within it nothing is done but to wait for something that takes hours.
        meter: is told how long steps took.
        monotonic: seconds that have passed.
    """

    def __init__(
        self,
        subjects: SubjectServices,
        sleep: Sleep,
        rest: Callable[[], AbstractContextManager[None]],
        meter: Meter = UNMETERED,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._meter = meter
        self._monotonic = monotonic
        self._subjects = subjects
        self._sleep = sleep
        self._rest = rest
        self._patient = Polling(looks=LOOKS, sleep=sleep)

    async def carry_out(
        self, operation_id: str, plan: Plan, number: int, token: str, go_on: GoOn
    ) -> StepReport | None:
        """Do a step, once for its token, and see that it is done; None where it lasts, and is not to be waited for
        any longer."""
        began = self._monotonic()
        report = await self._carry_out(operation_id, plan, number, token, go_on)
        outcome = StepOutcome.STOPPED
        if report is not None:
            outcome = StepOutcome.DONE if report.failure is None else StepOutcome.FAILED
        seconds, kind = self._monotonic() - began, plan.steps[number - 1].kind
        self._meter.observe(STEP_SECONDS, seconds, kind, outcome)
        log.info("a step ended", step=number, does=kind, outcome=outcome.value, seconds=round(seconds, 3))
        return report

    async def _carry_out(
        self, operation_id: str, plan: Plan, number: int, token: str, go_on: GoOn
    ) -> StepReport | None:
        step = plan.steps[number - 1]
        if plan.unknown:  # another version of Slipway began it
            return StepReport(number=number, title=step.title, failure=unknown_failure(operation_id, plan))
        try:
            done = await self._do(step, token, go_on)
        except (CloudError, UserError) as error:
            failure = Failure.of(error, plan.command)
        except StorageError:  # it is done again once the state folder can be used
            raise
        except Exception:
            # The last boundary of a step: whatever went wrong, the operation must end and say so.
            log.exception("a step failed inside Slipway", operation=operation_id, step=number)
            failure = own_failure(operation_id)
        else:
            return None if done is None else StepReport(number=number, title=step.title, done=done)
        return StepReport(number=number, title=step.title, failure=failure)

    async def _do(self, step: Step, token: str, go_on: GoOn) -> StepDone | None:
        """Do a step unless it is done: observe, act, verify; see :class:`slipway.bot.core.steps.Executor`."""
        executor = self._subjects.executor(step)
        already = await executor.observe(step, token)
        if already is not None:
            return already
        await executor.act(step, token)
        if step.LASTING and isinstance(executor, LastingExecutor):
            while words := await executor.waiting(step, token):
                if not await go_on(words):
                    return None
                with self._rest():
                    await self._sleep(WAIT_SECONDS)
        return await executor.verify(step, token)

    async def find_out(self, operation_id: str, plan: Plan, number: int, token: str) -> StepReport:
        """What became of a step that was begun: looked at for a while, and nothing is changed.

        What is not seen done is called unknown, for the change may be under way.
        """
        step, why = plan.steps[number - 1], ""
        if plan.unknown:
            why = unknown_failure(operation_id, plan).sentence
        else:
            try:
                executor = self._subjects.executor(step)
                done = await self._patient.until(
                    lambda: executor.observe(step, token), lambda seen: seen is not None
                )
            except (CloudError, UserError) as error:
                why = Failure.of(error, plan.command).words
            except StorageError:
                raise
            except Exception:
                log.exception("a step could not be looked at", operation=operation_id, step=number)
                why = own_failure(operation_id).sentence
            else:
                if done is not None:
                    return StepReport(number=number, title=step.title, done=done)
        return not_seen(plan, number, why)
