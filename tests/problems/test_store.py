"""The list in the database: in one place, however many processes look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from slipway.bot.problems.model import WELL, Look
from slipway.bot.problems.reconciling import ChangeKind
from slipway.bot.problems.store import ProblemStore
from slipway.bot.store.database import Backend, Database
from tests.problems.builders import DAY, HOUR, acknowledged, found
from tests.support.clock import NOW

LEAK = Look((found(),))


@pytest.fixture
async def stores(where: Path | Backend) -> AsyncIterator[tuple[ProblemStore, ProblemStore]]:
    """Two processes' view of one list."""
    databases = [Database(where) for _ in range(2)]
    for each in databases:
        await each.open()
    yield ProblemStore(databases[0]), ProblemStore(databases[1])
    for each in databases:
        await each.close()


async def test_two_processes_that_look_at_once_have_one_entry_and_one_message(
    stores: tuple[ProblemStore, ProblemStore],
) -> None:
    looks = [each.take_in("cellar", LEAK, NOW, HOUR) for each in stores]
    changes = [change for made in await asyncio.gather(*looks) for change in made]
    assert [each.kind for each in changes] == [ChangeKind.OPENED]
    ((entry,),) = await stores[0].untold()
    assert await stores[1].untold() == ((entry,),)


async def test_all_of_an_entry_is_read_as_it_was_stored(stores: tuple[ProblemStore, ProblemStore]) -> None:
    one, other = stores
    full = found(scope="west", detail="It drips.", since=NOW - DAY, owner="alice", move="Close it.")
    await one.take_in("cellar", Look((full,)), NOW, HOUR)
    (entry,) = await other.open_problems()
    assert (entry.found, entry.opened_at, entry.since) == (full, NOW, NOW - DAY)
    given = acknowledged()
    assert await other.acknowledge(entry.id, given)
    held = await one.find(entry.id)
    assert held is not None
    assert (held.acknowledged, held.revision) == (given, entry.revision + 1)


async def test_what_changes_while_it_is_told_is_told_again(stores: tuple[ProblemStore, ProblemStore]) -> None:
    one, other = stores
    await one.take_in("cellar", LEAK, NOW, HOUR)
    ((entry,),) = await one.untold()
    await other.acknowledge(entry.id, acknowledged())
    await one.told([entry])
    assert len(await one.untold()) == 1
    ((entry,),) = await one.untold()
    await one.told([entry])
    assert await one.untold() == ()


async def test_what_is_over_takes_no_acknowledgement_and_is_forgotten_later(
    stores: tuple[ProblemStore, ProblemStore],
) -> None:
    one, _ = stores
    await one.take_in("cellar", LEAK, NOW, HOUR)
    (entry,) = await one.open_problems()
    await one.take_in("cellar", WELL, NOW + HOUR, HOUR)
    assert not await one.acknowledge(entry.id, acknowledged())
    await one.forget(NOW + HOUR)
    assert await one.find(entry.id) is not None
    await one.forget(NOW + DAY)
    assert await one.find(entry.id) is None


async def test_what_a_subject_tells_itself_is_told_to_no_room(
    stores: tuple[ProblemStore, ProblemStore],
) -> None:
    one, _ = stores
    await one.take_in("cellar", LEAK, NOW, HOUR, tells=False)
    assert len(await one.open_problems()) == 1
    assert await one.untold() == ()
