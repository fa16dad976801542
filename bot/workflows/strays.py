"""Workflows that nobody carries on, found after the database was away.

Where a connection ends while DBOS commits, it repeats what it did, and may take what it has stored before for
another's: a workflow that it took from its queue stays marked as running then, and nobody runs it. With SQLite a
commit ends in one way or the other, so there are none.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Set

import structlog

from slipway.bot.core.waiting import Sleep

LOOK_SECONDS = 2.0
"""Between two looks. What DBOS has taken from its queue it begins within milliseconds; what is found twice and does
not run here by then is a stray."""

log = structlog.get_logger(__name__)


class Strays:
    """Looks for strays after trouble, until none is left.

    Args:
        usable: waits until the database can be used.
        marked: the workflows that are marked as running.
        running: those that do run here, or are about to.
        resume: lets one go on behind its last step.
        sleep: lets time pass between two looks.
    """

    def __init__(
        self,
        usable: Callable[[], Awaitable[None]],
        marked: Callable[[], Awaitable[Set[str]]],
        running: Callable[[], Set[str]],
        resume: Callable[[str], Awaitable[None]],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._usable = usable
        self._marked = marked
        self._running = running
        self._resume = resume
        self._sleep = sleep
        self._trouble = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looking: asyncio.Task[None] | None = None

    def open(self) -> None:
        """From now on :meth:`expected` may be called, from any thread."""
        self._loop = asyncio.get_running_loop()

    def expected(self) -> None:
        """There was trouble: look for strays once it is over."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._begin)

    async def close(self) -> None:
        """Look no more."""
        self._loop = None
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})

    def _begin(self) -> None:
        self._trouble += 1
        if self._loop is not None and (self._looking is None or self._looking.done()):
            # Not in the context of a workflow, if it is one that met trouble: looking would be a step of that.
            self._looking = self._loop.create_task(
                self._look(), name="stray workflows", context=contextvars.Context()
            )

    async def _look(self) -> None:
        suspects: Set[str] = frozenset()
        while True:
            trouble = self._trouble
            await self._usable()
            await self._sleep(LOOK_SECONDS)
            found = await self._marked() - self._running()
            for workflow_id in found & suspects:
                log.warning("a workflow that nobody carried on goes on", workflow=workflow_id)
                await self._resume(workflow_id)
            suspects = found - suspects
            if not suspects and trouble == self._trouble:
                return
