"""Asking a homeserver again while it cannot answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from slipway.bot.core.errors import ChatError
from slipway.bot.core.waiting import Backoff, Sleep

MAX_TRIES = 10
"""How often something is asked for again while the homeserver cannot give it: some five minutes."""

LOOK_EVERY = 2.0
"""Seconds between two looks at whether a homeserver that is away is back."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


async def wait_for_answers(
    seconds: float, answers: Callable[[], Awaitable[bool]], sleep: Sleep, *, was_away: bool = False
) -> bool:
    """Wait after a failure, and no longer than until a homeserver answers that did not.

    One that answers, and fails at what it was asked, is given all of the time; but where it was away when it was last
    looked at, the failure may be from before it came back.

    Args:
        seconds: how long at most.
        answers: whether the homeserver answers anything now.
        sleep: lets time pass.
        was_away: whether it did not answer at the last look before this.

    Returns:
        Whether it still does not answer.
    """
    if await answers():
        if not was_away:
            await sleep(seconds)
        return False
    while seconds > 0:
        pause = min(LOOK_EVERY, seconds)
        await sleep(pause)
        seconds -= pause
        if await answers():
            return False
    return True


async def ask_with_retries(call: Callable[[], Awaitable[T]], sleep: Sleep) -> T:
    """Make a call, and make it again while it fails for a reason that passes.

    Raises:
        ChatError: it fails for good, or after :data:`MAX_TRIES` more tries.
    """
    backoff = Backoff()
    while True:
        try:
            return await call()
        except ChatError as error:
            if not error.passing or backoff.failures >= MAX_TRIES:
                raise
            wait = backoff.next(error.retry_after)
            log.warning("asked again later", problem=str(error), wait=round(wait, 1))
        await sleep(wait)
