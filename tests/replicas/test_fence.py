"""The fence: what passes while the lease is certain, waits while it is not, and is cut off once it is lost."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from slipway.bot.core.fencing import LeadershipLostError
from slipway.bot.replicas.connections import fenced
from slipway.bot.replicas.fence import LeaseFence
from slipway.bot.store.postgres import PostgresAccess


async def test_what_changes_something_waits_for_the_lease_and_is_cut_off_with_it() -> None:
    now = 100.0
    fence = LeaseFence(lambda: now)
    await fence.undisputed()  # a follower may say what hearing asks for
    with pytest.raises(LeadershipLostError):
        await fence.held()  # and change nothing
    fence.lead(1, 108.0)
    await fence.held()
    fence.held_in_thread()
    now = 108.0
    waiting = [asyncio.create_task(fence.held()), asyncio.create_task(fence.undisputed())]
    with ThreadPoolExecutor(2) as threads:
        blocked = threads.submit(fence.held_in_thread)
        await asyncio.sleep(0)
        assert not any(each.done() for each in waiting)
        assert not blocked.done()
        fence.renewed(116.0)
        await asyncio.gather(*waiting)
        await asyncio.wrap_future(blocked)
        now = 116.0
        left, cut = asyncio.create_task(fence.held()), threads.submit(fence.held_in_thread)
        await asyncio.sleep(0)
        fence.lose()
        for each in (left, asyncio.wrap_future(cut)):
            with pytest.raises(asyncio.CancelledError):
                await each


async def test_no_boundary_takes_a_lost_lease_for_a_failure() -> None:
    fence = LeaseFence(lambda: 0.0)
    fence.lose()

    async def step() -> str:
        try:
            await fence.held()
        except Exception:  # noqa: BLE001 - what every boundary of Slipway has
            return "stored as failed"
        return "done"

    task = asyncio.create_task(step())
    await asyncio.wait({task})
    assert task.cancelled()


class ForeignLease:
    """A connection to a database in which another replica has the lease."""

    def cursor(self) -> ForeignLease:
        return self

    def execute(self, *_statement: object) -> None: ...

    def fetchone(self) -> None: ...

    def commit(self) -> None: ...

    def close(self) -> None: ...


def test_a_connection_is_not_used_once_the_lease_is_gone_and_no_thread_of_a_library_shouts_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ends: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda told: ends.append(told.exc_type))
    fence = LeaseFence(lambda: 0.0)
    fence.lead(1, 8.0)
    access = fenced(PostgresAccess("postgresql://slipway@127.0.0.1/slipway"), fence, "a")
    with pytest.raises(LeadershipLostError):
        access.try_out(ForeignLease())
    library = threading.Thread(target=access.try_out, args=(ForeignLease(),), daemon=True)
    library.start()
    library.join(10)
    assert ends == [SystemExit]  # of which Python says nothing
