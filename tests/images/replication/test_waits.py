"""How long a step lasts that began by a clock that was wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from slipway.bot.store.database import DATABASE, Database
from slipway.bot.subjects.images.replication.executors import BakeExecutor
from slipway.bot.subjects.images.replication.steps import Bake
from slipway.bot.subjects.images.replication.waits import WaitStore
from tests.support.clock import DAY, HOUR, NOW, FakeClock, FakeUptime

STEP = Bake(wave="one", seconds=7200)
UNTIL_TWO = "wave one bakes until 2026-11-20 14:00 UTC"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(tmp_path / DATABASE)
    await database.open()
    yield database
    await database.close()


@pytest.mark.parametrize("off", [-30 * DAY, 30 * DAY])
@pytest.mark.parametrize("again", [False, True])
async def test_a_clock_that_is_set_right_makes_it_neither_longer_nor_shorter(
    database: Database, off: timedelta, again: bool
) -> None:
    clock, uptime = FakeClock(NOW + off), FakeUptime()
    bake = BakeExecutor(WaitStore(database, uptime), clock)
    await bake.act(STEP, "token")
    clock.now = NOW
    if again and off > timedelta():  # over a boot nobody knows when that was: it begins anew, once
        uptime.boot()
    for _ in range(2):
        assert await bake.waiting(STEP, "token") == UNTIL_TWO
        clock.advance(HOUR)
        uptime.advance(HOUR)
    assert await bake.waiting(STEP, "token") == ""
