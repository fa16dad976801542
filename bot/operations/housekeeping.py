"""What time alone does to operations: proposals are reminded of, and expire; approved ones that nobody carries on are
carried on; and what ended without anybody being told is told."""

from __future__ import annotations

from datetime import timedelta

import structlog

from slipway.bot.core.model import Json
from slipway.bot.core.times import Clock
from slipway.bot.operations.approval_reminders import ApprovalReminders
from slipway.bot.operations.approval_service import ApprovalService
from slipway.bot.operations.model import OperationState
from slipway.bot.operations.persistence.records import OpenOperation
from slipway.bot.operations.persistence.repository import OperationRepository
from slipway.bot.operations.runs.runner import OperationRunner
from slipway.bot.workflows.bodies import Payload
from slipway.bot.workflows.engine import WorkflowEngine

WORKFLOW = "expire"
"""The workflow by which versions before this one expired a proposal; what they left of it goes on."""

TOLD_WITHIN = timedelta(days=7)
"""How long after its end an operation is still told of, where that was not possible before."""

log = structlog.get_logger(__name__)


class Housekeeping:
    """Looks after operations once a minute. One that cannot be looked after keeps no other one from it."""

    def __init__(
        self,
        *,
        operations: OperationRepository,
        approvals: ApprovalService,
        runner: OperationRunner,
        reminders: ApprovalReminders,
        workflows: WorkflowEngine,
        clock: Clock,
    ) -> None:
        self._operations = operations
        self._approvals = approvals
        self._runner = runner
        self._reminders = reminders
        self._workflows = workflows
        self._clock = clock
        workflows.register(WORKFLOW, self._expire)

    async def sweep(self) -> None:
        """Remind of what nobody answers, expire what is over its time, start what is approved but was never begun,
        end what broke off, tell of what ended untold."""
        failed = []
        await self._runner.look_again()
        for operation in await self._operations.open_ones():
            try:
                await self._look_after(operation)
            except Exception:
                # A boundary: whatever is wrong with one, the next minute tries again.
                log.exception("an operation could not be looked after", operation=operation.id)
                failed.append(operation.id)
        for operation_id in await self._operations.untold(self._clock() - TOLD_WITHIN):
            if operation_id in failed:
                continue
            try:
                await self._runner.tell(operation_id)
            except Exception:
                log.exception("the end of an operation could not be told", operation=operation_id)

    async def refresh_waiting(self) -> None:
        """Let the cards of all that has not begun show what it waits for now."""
        for operation in await self._operations.open_ones():
            if operation.state is not OperationState.RUNNING:
                await self._runner.show(operation.id)

    async def _look_after(self, operation: OpenOperation) -> None:
        if operation.state is not OperationState.PROPOSED:
            await self._runner.fail_interrupted(operation.id)
            if operation.state is OperationState.APPROVED:
                await self._runner.start(operation.id)
        elif self._clock() >= operation.expires_at:
            await self._approvals.expire(operation.id)
            await self._runner.show(operation.id)
        else:
            await self._reminders.look(operation)

    async def _expire(self, payload: Payload) -> None:
        operation_id = str(payload["operation"])

        async def expire() -> Json:
            return await self._approvals.expire(operation_id)

        async def show() -> Json:
            await self._runner.show(operation_id)
            return None

        await self._workflows.step("expire", expire)
        await self._workflows.step("show", show)
