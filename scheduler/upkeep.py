"""What is done once a minute beside the schedules: operations, the databases' knowledge of each other, pruning."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from slipway.bot.config.settings import HousekeepingSettings
from slipway.bot.core.times import Clock
from slipway.bot.operations.model import OPEN
from slipway.bot.store.database import Database
from slipway.bot.store.pruning import prune_messages, still_needed_since
from slipway.bot.workflows.engine import WorkflowEngine

PRUNE_EVERY = timedelta(hours=1)

PORTION = 200
"""How many rows are forgotten in one transaction: few, so that nobody waits for it."""

MOST_PORTIONS = 20
"""How many portions a minute: a year's rows are forgotten in some hours, beside all other work."""

Work = Callable[[], Awaitable[None]]


class Pruning:
    """Forgets what was heard and shown long ago. The audit trail and the operations stay for ever.

    Args:
        settings: how long things are kept.
        database: where messages are.
        workflows: where it stands what was heard.
        clock: the time.
    """

    def __init__(
        self, settings: HousekeepingSettings, database: Database, workflows: WorkflowEngine, clock: Clock
    ) -> None:
        self._settings = settings
        self._database = database
        self._workflows = workflows
        self._clock = clock
        self._due: datetime | None = None

    async def prune(self) -> None:
        """Forget some of what is over its time; all of it in the course of the next minutes, then once an hour."""
        now = self._clock()
        # A clock that was set back must not put it off for longer than an hour.
        if self._due is not None and now < self._due <= now + PRUNE_EVERY:
            return
        messages, workflows = now - self._settings.keep_messages, now - self._settings.keep_workflows
        states = tuple(state.value for state in OPEN)
        needed = await still_needed_since(self._database, states)
        workflows = workflows if needed is None else min(workflows, needed)
        more = [
            await self._portions(lambda: prune_messages(self._database, messages, states, PORTION)),
            await self._portions(lambda: self._workflows.prune(workflows, PORTION)),
        ]
        self._due = None if any(more) else now + PRUNE_EVERY

    async def _portions(self, prune: Callable[[], Awaitable[int]]) -> bool:
        """Whether there may be more."""
        for _ in range(MOST_PORTIONS):
            if await prune() < PORTION:
                return False
        return True


class Upkeep:
    """Does several things, each of them whatever becomes of the others."""

    def __init__(self, *works: Work) -> None:
        self._works = works

    async def sweep(self) -> None:
        """Do each of them once.

        Raises:
            ExceptionGroup: of what went wrong with some of them.
        """
        failures = []
        for work in self._works:
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - told together, when the others are done
                failures.append(error)
        if failures:
            raise ExceptionGroup("some of the upkeep could not be done", failures)
