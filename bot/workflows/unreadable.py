"""Workflows that were to begin again, and that DBOS has ended before they did.

So it does where it cannot read what a workflow was started with. Nothing of it begins then, and whoever waits for all
that is under way would wait for ever.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Set

import structlog

from slipway.bot.core.waiting import Sleep
from slipway.bot.workflows.under_way import UnderWay

LOOK_SECONDS = 2.0
"""Between two looks, as long as something is to begin again; what can be read begins within a second or two."""

log = structlog.get_logger(__name__)


class Unreadable:
    """Looks for them as long as anything is to begin.

    Args:
        under_way: knows what is to begin.
        usable: waits until the database can be used.
        over: which of these workflows have ended.
        sleep: lets time pass between two looks.
    """

    def __init__(
        self,
        under_way: UnderWay,
        usable: Callable[[], Awaitable[None]],
        over: Callable[[Set[str]], Awaitable[Set[str]]],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._under_way = under_way
        self._usable = usable
        self._over = over
        self._sleep = sleep
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    def look(self) -> None:
        """Something may be to begin: look until nothing is."""
        if self._under_way.to_begin and not self._closed and (self._looking is None or self._looking.done()):
            # Not in the context of a workflow: looking would be a step of that.
            self._looking = asyncio.create_task(
                self._look(), name="unreadable workflows", context=contextvars.Context()
            )

    async def close(self) -> None:
        """Look no more."""
        self._closed = True
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})

    async def _look(self) -> None:
        while self._under_way.to_begin:
            await self._sleep(LOOK_SECONDS)
            await self._usable()
            over = await self._over(frozenset(self._under_way.to_begin)) & self._under_way.to_begin
            for workflow_id in sorted(over):
                log.error("a workflow was ended that could not be read", workflow=workflow_id)
            self._under_way.will_not_begin(over)
