"""What time alone does to operations: proposals expire; approved ones that nobody carries on are carried on."""

from __future__ import annotations

from slipway.bot.core.model import Json
from slipway.bot.core.times import Clock
from slipway.bot.operations.approval_service import ApprovalService
from slipway.bot.operations.model import OperationState
from slipway.bot.operations.repository import OperationRepository
from slipway.bot.operations.runner import OperationRunner
from slipway.bot.workflows.engine import Payload, WorkflowEngine

WORKFLOW = "expire"


class Housekeeping:
    """Looks after operations once a minute."""

    def __init__(
        self,
        *,
        operations: OperationRepository,
        approvals: ApprovalService,
        runner: OperationRunner,
        workflows: WorkflowEngine,
        clock: Clock,
    ) -> None:
        self._operations = operations
        self._approvals = approvals
        self._runner = runner
        self._workflows = workflows
        self._clock = clock
        workflows.register(WORKFLOW, self._expire)

    async def sweep(self) -> None:
        """Expire what is over its time, start what is approved but was never begun, end what broke off."""
        now = self._clock()
        for operation in await self._operations.open_ones():
            if operation.state is not OperationState.PROPOSED:
                await self._runner.fail_interrupted(operation.id)
                if operation.state is OperationState.APPROVED:
                    await self._runner.start(operation.id)
            elif now >= operation.expires_at:
                payload: Payload = {"operation": operation.id}
                await self._workflows.start(WORKFLOW, f"{WORKFLOW}:{operation.id}", payload)

    async def _expire(self, payload: Payload) -> None:
        operation_id = str(payload["operation"])

        async def expire() -> Json:
            return await self._approvals.expire(operation_id)

        async def show() -> Json:
            await self._runner.show(operation_id)
            return None

        await self._workflows.step("expire", expire)
        await self._workflows.step("show", show)
