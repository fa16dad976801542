"""Runs workflows without recording their steps: each of their effects may happen again, so a crash costs nothing.

That takes two commits instead of five, and half of the processor's time. It is for what only reads, and says what it
found once for its key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

import structlog

from slipway.bot.logs import about
from slipway.bot.store.unrecorded import UnrecordedRun, UnrecordedRuns
from slipway.bot.workflows.bodies import Body, told
from slipway.bot.workflows.under_way import UnderWay

log = structlog.get_logger(__name__)


class Persistently(Protocol):
    """Does something; where the state folder could not be used, all of it again once it can be."""

    async def __call__(self, work: Callable[[], Awaitable[None]], /) -> None:
        """Do it."""


class RepeatableRuns:
    """Keeps each until its end, and does after a crash all of it anew.

    Args:
        kept: where they are kept.
        bodies: by the names of the workflows.
        under_way: knows what runs in this process.
        persistently: how something is done that must not fail for a database that is away.
    """

    def __init__(
        self,
        kept: UnrecordedRuns,
        bodies: Mapping[str, Body],
        under_way: UnderWay,
        persistently: Persistently,
    ) -> None:
        self._kept = kept
        self._bodies = bodies
        self._under_way = under_way
        self._persistently = persistently
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def is_one(self, task: asyncio.Task[Any] | None) -> bool:
        """Whether a task is the body of one of them."""
        return task in self._tasks

    async def start(self, run: UnrecordedRun) -> None:
        """Begin one, unless one of its id was ever begun; when this returns it is committed."""
        if await self._kept.begin(run):
            self._begin(run)

    async def go_on(self) -> None:
        """Begin anew whatever a former process left."""
        for run in await self._kept.left():
            self._begin(run)

    def close(self) -> None:
        """Begin none any more: it is left for the next start."""
        self._closed = True

    def _begin(self, run: UnrecordedRun) -> None:
        if run.id in self._under_way.ids:
            return
        if run.name not in self._bodies:
            log.warning("work of another version of Slipway is left alone", workflows=[run.id])
            return
        task = asyncio.create_task(self._run(run), name=run.id)
        self._tasks.add(task)
        self._under_way.until_stored(task, run.id)
        task.add_done_callback(self._ended)

    async def _run(self, run: UnrecordedRun) -> None:
        task = asyncio.current_task()
        if self._closed or task is None:
            return
        with self._under_way.body(task, run.id), about(workflow=run.id):
            with suppress(Exception):  # a fault in Slipway itself, which is logged, ends this run alone
                await self._persistently(lambda: told(run.name, self._bodies[run.name](run.payload)))
            await self._persistently(lambda: self._kept.end(run.id))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a workflow is left for the next start", workflow=task.get_name(), exc_info=error)
