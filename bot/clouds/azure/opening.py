"""A client that is made at the first call which needs it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from slipway.bot.core.loading import LIBRARY_IMPORT


class Closable(Protocol):
    """A client with connections."""

    async def close(self) -> None:
        """Let go of them."""
        ...


ClientT = TypeVar("ClientT", bound=Closable)


class LazyClient(Generic[ClientT]):
    """Makes a client once, in a thread, since what makes it imports an SDK, which takes a second or so.

    Args:
        build: imports what it needs, and makes the client.
    """

    def __init__(self, build: Callable[[], ClientT]) -> None:
        self._build = build
        self._turn = asyncio.Lock()
        self._client: ClientT | None = None

    @property
    def known(self) -> ClientT | None:
        """The client; None where nothing needed it yet, or it is closed."""
        return self._client

    async def get(self) -> ClientT:
        """The client, made now if need be."""
        if self._client is not None:
            return self._client
        async with self._turn:
            if self._client is None:
                self._client = await asyncio.to_thread(self._made)
            return self._client

    async def close(self) -> None:
        """Let go of its connections, if it was made; the next :meth:`get` makes another."""
        async with self._turn:
            client, self._client = self._client, None
            if client is not None:
                await client.close()

    def _made(self) -> ClientT:
        with LIBRARY_IMPORT:
            return self._build()
