"""Compares the machine's clock with the homeserver's, by a request that needs no login."""

from __future__ import annotations

import time
from datetime import timedelta

from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.core.platform_clock import PlatformClock
from slipway.bot.core.times import Clock, system_clock


async def clock_ahead(settings: MatrixSettings, clock: Clock = system_clock) -> timedelta | None:
    """How far the machine's clock is ahead of the homeserver's; None where the homeserver does not say."""
    import aiohttp

    found = PlatformClock(clock)
    timeout = aiohttp.ClientTimeout(total=settings.request_timeout.total_seconds())
    began = time.monotonic()
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"{settings.homeserver.rstrip('/')}/_matrix/client/versions") as answer,
        ):
            found.note(answer.headers.get("Date"), timedelta(seconds=time.monotonic() - began))
    except (aiohttp.ClientError, TimeoutError):
        return None  # whoever asks has tried the connection, and tells what is wrong with that
    return found.ahead
