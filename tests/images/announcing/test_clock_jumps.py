"""What was announced, over boots of a machine whose clock was wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from slipway.bot.store.database import DATABASE, Database
from slipway.bot.subjects.images.announcing.model import Announcement
from slipway.bot.subjects.images.announcing.store import AnnouncementStore
from tests.support.clock import DAY, HOUR, NOW, FakeClock, FakeUptime

MINUTES = timedelta(minutes=20)


class Machine:
    """A machine, the bot on it, and what was announced at its first moment: to go three days later."""

    def __init__(self, database: Database, off: timedelta) -> None:
        self.clock, self.uptime = FakeClock(NOW + off), FakeUptime()
        self.store = AnnouncementStore(database, self.clock, self.uptime)

    async def announce(self) -> None:
        at = self.clock.now
        await self.store.announce(Announcement("azure", "a", "1.0.0", None, "rule", at, at + 3 * DAY, "key"))

    async def goes(self, by: timedelta) -> None:
        """Time passes, and the bot looks now and then."""
        for _ in range(by // MINUTES):
            self.clock.advance(MINUTES)
            self.uptime.advance(MINUTES)
            await self.store.look()

    def boots(self, *, meanwhile: timedelta, clock_moves: timedelta = timedelta()) -> None:
        self.uptime.boot()
        self.clock.advance(meanwhile + clock_moves)

    async def waits_until(self) -> datetime:
        (found,) = (await self.store.read()).every
        return found.until


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(tmp_path / DATABASE)
    await database.open()
    yield database
    await database.close()


@pytest.mark.parametrize("looks_first", [False, True])
async def test_a_clock_that_was_behind_until_a_boot_lets_nothing_go_early(
    database: Database, looks_first: bool
) -> None:
    machine = Machine(database, off=-30 * DAY)
    await machine.announce()
    await machine.goes(DAY)
    machine.boots(meanwhile=timedelta(minutes=5), clock_moves=30 * DAY)
    if looks_first:
        await machine.store.look()
    # Two days are left of the three, and what nobody saw counts for nothing.
    assert timedelta() <= await machine.waits_until() - (machine.clock.now + 2 * DAY) <= MINUTES
    until = await machine.waits_until()
    await machine.goes(DAY)
    machine.boots(meanwhile=timedelta(minutes=5))
    assert timedelta() <= await machine.waits_until() - until <= MINUTES, "the jump is counted once"


async def test_a_boot_by_a_right_clock_makes_nobody_wait_longer(database: Database) -> None:
    machine = Machine(database, off=timedelta())
    await machine.announce()
    for _ in range(3):
        await machine.goes(HOUR)
        machine.boots(meanwhile=timedelta(minutes=5))
        await machine.store.look()
        assert await machine.waits_until() == NOW + 3 * DAY


async def test_a_clock_that_is_set_right_before_the_boot_is_reckoned_with(database: Database) -> None:
    machine = Machine(database, off=-30 * DAY)
    await machine.announce()
    machine.clock.advance(30 * DAY)
    await machine.goes(HOUR)
    machine.boots(meanwhile=timedelta(minutes=5))
    assert await machine.waits_until() == NOW + 3 * DAY
