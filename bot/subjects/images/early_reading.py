"""Reads something of clouds once each, such as their locks, from the moment that it is known to be needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from types import TracebackType
from typing import Any, Generic, TypeVar

from slipway.bot.clouds.model import Lock
from slipway.bot.core.errors import CloudError

T = TypeVar("T")

Locks = tuple[Lock, ...] | CloudError
"""A cloud's locks; where they cannot be read, the error that says why."""


class EarlyReading(Generic[T]):
    """Reads of clouds while something else is still on its way. What is not asked for is ended with the block.

    Args:
        read: reads it of a cloud.
    """

    def __init__(self, read: Callable[[str], Coroutine[Any, Any, T]]) -> None:
        self._read = read
        self._begun: dict[str, asyncio.Task[T]] = {}

    def begin(self, cloud: str) -> None:
        """Start to read, unless that has been done."""
        if cloud not in self._begun:
            self._begun[cloud] = asyncio.create_task(self._read(cloud))

    async def of(self, clouds: Iterable[str]) -> dict[str, T]:
        """What each of these clouds has."""
        wanted = tuple(dict.fromkeys(clouds))
        for cloud in wanted:
            self.begin(cloud)
        return {cloud: await self._begun[cloud] for cloud in wanted}

    async def __aenter__(self) -> EarlyReading[T]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._begun.values():
            task.cancel()
        await asyncio.gather(*self._begun.values(), return_exceptions=True)
