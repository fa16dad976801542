"""Takes in people, roles, policies and schedules anew while the bot runs; what else changed takes a restart.

A wrong file changes nothing. What counts changes in one step of the event loop, behind the entry in the audit trail:
a vote, a command or a tick is judged by the one configuration or by the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from slipway.bot.config.current import CurrentSettings
from slipway.bot.config.differences import Differences, differences, merged
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.errors import ConfigError
from slipway.bot.core.times import Clock
from slipway.bot.operations.trail.configuration import RELOADED, configuration_entry, note_configuration
from slipway.bot.store.database import Database

Load = Callable[[], SlipwaySettings]
"""Reads and checks the configuration anew; raises ConfigError where it has mistakes."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Reloaded:
    """What was taken in, what takes a restart, and what the other replicas have; the latter a sentence each."""

    differences: Differences
    replicas: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotReloaded:
    """Nothing was changed, because of these mistakes; a sentence each."""

    mistakes: tuple[str, ...]


class Reloader:
    """Reloads, one at a time.

    Args:
        load: reads the configuration; None where it came from no file.
        current: what counts.
        apply: lets a configuration count for whoever keeps something of it, at once and without waiting.
        after: what is to be done then.
        database: has the audit trail.
        clock: the present.
        works: whether this process is the one that works, by whose configuration all is done.
        others: has other replicas know which configuration counts here; what is to be said of theirs.
    """

    def __init__(
        self,
        load: Load | None,
        current: CurrentSettings,
        *,
        apply: Callable[[SlipwaySettings], None],
        after: Callable[[], Awaitable[None]],
        database: Database,
        clock: Clock,
        works: Callable[[], bool],
        others: Callable[[SlipwaySettings], Awaitable[tuple[str, ...]]],
    ) -> None:
        self._works = works
        self._others = others
        self._load = load
        self._current = current
        self._apply = apply
        self._after = after
        self._database = database
        self._clock = clock
        self._turn = asyncio.Lock()

    async def reload(self, by: str) -> Reloaded | NotReloaded:
        """Take in what the file says now.

        Args:
            by: who asks, such as a user of the machine, for the audit trail.
        """
        if self._load is None:
            return NotReloaded(("This Slipway was started without a file that could be read again.",))
        async with self._turn:
            try:
                found = await asyncio.to_thread(self._load)
            except ConfigError as error:
                log.error(
                    "the configuration was not taken in", problems=[str(each) for each in error.problems]
                )
                return NotReloaded(tuple(str(each) for each in error.problems))
            return await self._take(found, by)

    async def _take(self, found: SlipwaySettings, by: str) -> Reloaded:
        before = self._current.settings
        changed, next_one = differences(before, found), merged(before, found)
        if not self._works():  # the trail says what counts, which is the configuration of the one that works
            self._apply(next_one)
            return await self._told(changed, next_one, by)
        entry = configuration_entry(next_one, self._clock(), action=RELOADED).with_detail(
            ("user", by), ("changes", [*changed.taken]), ("needs_restart", [*changed.restart])
        )
        await note_configuration(self._database, entry)
        self._apply(next_one)  # behind the entry, and in one step
        await self._after()
        return await self._told(changed, next_one, by)

    async def _told(self, changed: Differences, settings: SlipwaySettings, by: str) -> Reloaded:
        log.info("the configuration was taken in", by=by, changes=len(changed.taken), restart=changed.restart)
        return Reloaded(changed, await self._others(settings))
