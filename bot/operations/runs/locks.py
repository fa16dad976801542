"""One operation at a time on one thing: what one has looked at must not be changed meanwhile by another.

The locks live in this process, and that is enough: the state folder's own lock keeps a second process off the
operations. They need not outlive it either, because an operation that goes on after a crash takes its locks
anew.
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
