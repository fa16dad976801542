"""A database with operations that can claim something."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from slipway.bot.operations.model import OperationState
from slipway.bot.operations.persistence.stored import write_plan
from slipway.bot.store.database import DATABASE, Database
from slipway.bot.store.tables import operation
from tests.operations.builders import plan
from tests.support.clock import NOW


@asynccontextmanager
async def database_with(folder: Path, operation_ids: Iterable[str]) -> AsyncIterator[Database]:
    """A database in which these operations are running."""
    database = Database(folder / DATABASE)
    await database.open()
    rows = [
        {
            "id": each,
            "event_key": each,
            "kind": "promote",
            "state": OperationState.RUNNING,
            "plan": write_plan(plan()),
            "digest": plan().digest,
            "requester": "alice",
            "platform": "console",
            "room": "console",
            "created_at": NOW,
            "expires_at": NOW,
            "sequence": number,
        }
        for number, each in enumerate(operation_ids, start=1)
    ]
    await database.execute(operation.insert(), rows)
    try:
        yield database
    finally:
        await database.close()
