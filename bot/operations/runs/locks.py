"""One at a time within this process, by name: such as those who show one operation.

What operations change is guarded by :mod:`slipway.bot.operations.locking`, in the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary


class Locks:
    """Locks by the name of what they guard. A name that nobody holds or waits for costs nothing."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def holding(self, names: Iterable[str]) -> AsyncIterator[None]:
        """Hold all of these, once nobody else holds any of them; those who came first go first."""
        async with AsyncExitStack() as stack:
            for name in sorted(set(names)):  # in one order everywhere, so that no two wait for each other
                await stack.enter_async_context(self._locks.setdefault(name, asyncio.Lock()))
            yield
