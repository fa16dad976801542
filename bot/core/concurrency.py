"""Doing several things at once, all or none."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
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
