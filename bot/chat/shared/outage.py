"""A platform that does not answer for a while: what its failures are called, and how often they are logged."""

from __future__ import annotations

from datetime import datetime, timedelta

import aiohttp
import structlog

from slipway.bot.core.times import Clock

LOG_EVERY = timedelta(hours=1)
"""How often the same failure is logged again while it lasts."""

log = structlog.get_logger(__name__)


def connection_failure(error: Exception, other: str) -> str:
    """Why a call got no answer, in plain words.

    Args:
        error: what the HTTP client raised.
        other: what is said of all else, such as an answer that is no JSON; the error's name follows.
    """
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"{error.host} cannot be reached: its name is not known here"
        case aiohttp.ClientSSLError():
            return f"{error.host} cannot be reached safely: its certificate or encryption does not hold"
        case aiohttp.ClientConnectorError():
            return f"{error.host} cannot be reached"
        case aiohttp.ClientConnectionError() | ConnectionError():
            return "the connection was cut"
        case _:
            return f"{other} ({type(error).__name__})"


class OutageLog:
    """Logs that a platform does not answer: each failure once, and then rarely; and when it answers again.

    Args:
        platform: its name.
        clock: the time.
    """

    def __init__(self, platform: str, clock: Clock) -> None:
        self._platform = platform
        self._clock = clock
        self._began: datetime | None = None
        self._logged: dict[str, datetime] = {}

    def failed(self, problem: str, wait: float) -> None:
        """It did not answer, and is asked again after so many seconds."""
        now = self._clock()
        self._began = self._began or now
        logged = self._logged.get(problem)
        if logged is None or now - logged >= LOG_EVERY:
            self._logged[problem] = now
            log.warning(
                "a chat does not answer", platform=self._platform, problem=problem, wait=round(wait, 1)
            )

    def over(self) -> None:
        """It answers; whether it did before, too, or not."""
        if self._began is not None:
            away = round((self._clock() - self._began).total_seconds(), 1)
            log.info("a chat answers again", platform=self._platform, away=away)
        self._began = None
        self._logged.clear()
