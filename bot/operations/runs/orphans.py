"""Runs that nobody carries on any more, because the workflow database that knew of them is lost."""

from __future__ import annotations

import structlog

from slipway.bot.operations.model import OperationState
from slipway.bot.operations.persistence.repository import OperationRepository
from slipway.bot.operations.runs.runner import WORKFLOW, OperationRunner
from slipway.bot.workflows.engine import WorkflowEngine

log = structlog.get_logger(__name__)


async def carry_on(
    operations: OperationRepository, runner: OperationRunner, workflows: WorkflowEngine
) -> None:
    """Start the run anew of each operation that is running and has none.

    Steps that have a report are not done again, and each other one is observed before it is done: what the run of
    before did to the cloud is found, not repeated.
    """
    for operation in await operations.open_ones():
        if operation.state is not OperationState.RUNNING:
            continue  # housekeeping starts what is approved
        if not await workflows.knows(f"{WORKFLOW}:{operation.id}"):
            log.error("a run that was lost is carried on", operation=operation.id)
            await runner.start(operation.id)
