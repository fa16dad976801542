"""What a bot costs that nobody talks to."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from slipway.bot.store.storage import Storage
from slipway.bot.workflows.engine import WorkflowEngine

WATCHED_SECONDS = 6.0


@pytest.mark.slow
async def test_an_idle_workflow_engine_hardly_asks_its_database(tmp_path: Path) -> None:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    workflows = WorkflowEngine(tmp_path, Storage(tmp_path))
    await workflows.launch()
    await asyncio.sleep(1.5)  # a first look into everything
    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        await asyncio.sleep(WATCHED_SECONDS)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    await workflows.close(timedelta())
    assert len(asked) < 5, asked  # DBOS by itself: some sixty, in as many transactions
