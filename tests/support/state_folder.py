"""State folders as a first start leaves them, so that not every bot of a test has to make its databases' tables."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from slipway.bot.store.database import DATABASE, Database
from slipway.bot.store.state_files import EXECUTOR_ID, WORKFLOWS
from slipway.bot.store.storage import Storage
from slipway.bot.workflows.engine import WorkflowEngine
from tests.support.pauses import poll_often

_FILES = (DATABASE, WORKFLOWS)

_made: list[Path] = []  # once for each process


async def prepare(state_dir: Path) -> None:
    """Put databases with all their tables, and nothing in them, into a folder that no bot ever worked in.

    A start makes the same of an empty folder: tests of that start the program itself.
    """
    if not _made:
        poll_often()
        _made.append(await _make())
    await asyncio.to_thread(_copy, _made[0], state_dir)


def _copy(made: Path, state_dir: Path) -> None:
    if any((state_dir / name).exists() for name in (*_FILES, EXECUTOR_ID)):
        return
    state_dir.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        shutil.copyfile(made / name, state_dir / name)


async def _make() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="slipway-state-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    database = Database(folder / DATABASE)
    await database.open()
    await database.close()
    workflows = WorkflowEngine(folder, Storage(folder))
    await workflows.launch()
    await workflows.close(timedelta())
    return folder
