"""Reads what other replicas have left in the database, whenever there is news and from time to time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from slipway.bot.core.waiting import Backoff, Sleep, first_of


async def read_on(
    read: Callable[[], Awaitable[None]],
    news: asyncio.Event,
    sleep: Sleep,
    every: float,
    failed: Callable[[Exception], None],
) -> None:
    """Read again and again, until cancelled.

    Args:
        read: takes in what is there.
        news: is set when there is something new.
        sleep: lets time pass between two looks.
        every: so many seconds pass between two without news.
        failed: tells that a look failed; what was left is kept, and the next look may do better.
    """
    backoff = Backoff()
    while True:
        news.clear()
        try:
            await read()
        except Exception as error:  # noqa: BLE001 - a boundary: it is told, and tried again
            failed(error)
            await sleep(backoff.next())
            continue
        backoff.reset()
        await first_of(news.wait(), sleep(every))
