"""What is to be written waits here for its turn, and what waits together is committed together.

A disk takes as long for one commit as for many, and some take ten milliseconds: what comes meanwhile would have to
wait for one of its own each. SQLite moreover has no queue for its lock: who does not get it sleeps up to a tenth of a
second, and may find others before it again and again.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from slipway.bot.core.errors import StorageError

T = TypeVar("T")

MOST_TOGETHER = 64
"""So many are committed at once at the most, so that the first of them does not wait long for the last."""


@dataclass(eq=False)
class Attempt(Generic[T]):
    """One try to write something: the ticket tells how it ended; all but the commit is done once it has a result."""

    work: Callable[[AsyncConnection], Awaitable[T]]
    ticket: str | None = None
    results: list[T] = field(default_factory=list)
    error: Exception | None = None
    over: bool = False
    context: contextvars.Context = field(default_factory=contextvars.copy_context)

    async def on(self, connection: AsyncConnection) -> None:
        """Do it, whoever has the turn, as for whoever asked for it: lines of the log bear what that is about."""

        async def run() -> None:
            self.results.append(await self.work(connection))

        await asyncio.create_task(run(), context=self.context)

    def outcome(self) -> T:
        """What it returned, or raised."""
        if self.error is not None:
            raise self.error
        return self.results[0]


class WriteQueue:
    """One transaction that writes at a time, in the order in which they were asked for.

    Args:
        transaction: begins one, and commits it at its end.
        ticket: what to ask by whether a transaction was committed.
    """

    def __init__(
        self,
        transaction: Callable[[], AbstractAsyncContextManager[AsyncConnection]],
        ticket: Callable[[AsyncConnection], Awaitable[str | None]],
    ) -> None:
        self._transaction = transaction
        self._ticket = ticket
        self._turn = asyncio.Lock()
        self._waiting: deque[Attempt[Any]] = deque()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[AsyncConnection]:
        """A transaction with nobody else's work in it."""
        async with self._turn, self._transaction() as connection:
            yield connection

    async def write(self, attempt: Attempt[T]) -> T:
        """Do something in a transaction, perhaps with others; when this returns it is committed.

        Raises:
            Exception: what the work, or the commit, raised; nothing of it is stored then, and of others all is.
        """
        self._waiting.append(attempt)
        try:
            async with self._turn:
                while not attempt.over:  # whoever had the turn before may have taken it along
                    await self._next()
        finally:
            with suppress(ValueError):
                self._waiting.remove(attempt)
        return attempt.outcome()

    async def _next(self) -> None:
        together = [self._waiting.popleft() for _ in range(min(MOST_TOGETHER, len(self._waiting)))]
        try:
            if not await self._committed(together) and len(together) > 1:
                for each in together:  # one of them failed, and undid the others: which it is shows now
                    each.results.clear()
                    await self._committed([each])
        finally:
            self._waiting.extendleft(each for each in reversed(together) if not each.over)

    async def _committed(self, together: Sequence[Attempt[Any]]) -> bool:
        """Do all of them in one transaction. Where that fails, it is the outcome of one alone, and of all where it is
        the storage that failed."""
        try:
            async with self._transaction() as connection:
                ticket = await self._ticket(connection)
                for each in together:
                    each.ticket = ticket
                    await each.on(connection)
        except Exception as error:  # noqa: BLE001 - it is raised where the work was asked for
            if len(together) > 1 and not isinstance(error, StorageError):
                return False
            _end(together, error)
        else:
            _end(together, None)
        return True


def _end(together: Sequence[Attempt[Any]], error: Exception | None) -> None:
    for each in together:
        each.error, each.over = error, True
