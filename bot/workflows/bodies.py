"""What a workflow does: its body, what that is given, and the last boundary around it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from slipway.bot.core.errors import StorageError
from slipway.bot.core.model import Json

Payload = dict[str, Json]
"""What a workflow is started with."""

Body = Callable[[Payload], Coroutine[Any, Any, None]]
"""What a workflow does."""

log = structlog.get_logger(__name__)


async def told(name: str, work: Awaitable[None]) -> None:
    """Do a workflow's work: a fault in Slipway itself must not end silently inside DBOS.

    Raises:
        StorageError: the database cannot be used; that is no fault, and the work is to go on once it can be.
        Exception: whatever went wrong, which is logged.
    """
    try:
        await work
    except StorageError:
        raise
    except Exception:
        log.exception("a workflow failed", name=name)
        raise
