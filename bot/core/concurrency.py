"""Doing several things at once, all or none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from typing import Any, TypeVar

from slipway.bot.core.errors import SlipwayError

T = TypeVar("T")
KeyT = TypeVar("KeyT")


async def side_by_side(calls: Mapping[KeyT, Coroutine[Any, Any, T]]) -> dict[KeyT, T]:
    """The results of all calls, by the same keys in the same order.

    Raises:
        SlipwayError: the first that one of them raised; the others are ended then, for a part is no answer.
    """
    errors: list[Exception] = []
    tasks: dict[KeyT, asyncio.Task[T]] = {}
    try:
        async with asyncio.TaskGroup() as group:
            for key, call in calls.items():
                tasks[key] = group.create_task(call)
    except* SlipwayError as failed:
        errors.extend(failed.exceptions)
    if errors:
        raise errors[0]
    return {key: task.result() for key, task in tasks.items()}


async def side_by_side_as_found(
    pages: AsyncIterator[Iterable[KeyT]], call: Callable[[KeyT], Coroutine[Any, Any, T]]
) -> dict[KeyT, T]:
    """The results of a call for every key that comes on some page, in the order in which they come.

    The calls begin while later pages are still on their way. A key that comes twice is called for once.

    Raises:
        SlipwayError: the first that a page or one of the calls raised; the others are ended then.
    """
    errors: list[Exception] = []
    tasks: dict[KeyT, asyncio.Task[T]] = {}
    try:
        async with asyncio.TaskGroup() as group:
            async for page in pages:
                for key in page:
                    if key not in tasks:
                        tasks[key] = group.create_task(call(key))
    except* SlipwayError as failed:
        errors.extend(failed.exceptions)
    if errors:
        raise errors[0]
    return {key: task.result() for key, task in tasks.items()}


async def uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """The result of something short that ends once it has begun, even where its caller is cancelled; that comes out
    when it has ended."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise
            cancelled = error
        except Exception:  # noqa: BLE001 - it is the task's, and comes out below
            break
    if cancelled is not None:
        task.exception()  # seen: whoever is cancelled hears nothing else
        raise cancelled
    return task.result()
