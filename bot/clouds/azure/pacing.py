"""Deletions at the pace that Azure allows, so that hundreds of them finish without being refused again and again.

Compute counts deletions of versions a subscription and region: 150 in three minutes and 1,000 in thirty, and says
in each answer how many are left (``x-ms-ratelimit-remaining-resource``, as recorded 2021 to 2026). Whether it counts
them by fixed windows, sliding ones or a bucket that refills is not documented: no more than the limit within any such
span keeps all three. What an answer says outranks what was counted here, so others' deletions count, a larger limit
is used, and after a restart the first answer tells what was used before. Resource Manager's own bucket (200, and 10 a
second) is never empty at that pace. Knows no SDK.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta

from slipway.bot.core.times import format_duration
from slipway.bot.core.turns import Turn, waiting_for_turn
from slipway.bot.core.waiting import Sleep

REMAINING = "x-ms-ratelimit-remaining-resource"
"""Names of counters and what is left of each: ``Microsoft.Compute/DeleteGalleryImageVersion3Min;149,…30Min;999``."""

DELETIONS = {timedelta(minutes=3): 150, timedelta(minutes=30): 1000}
"""How many deletions of versions are allowed, by span."""

_LEFT = re.compile(r"(\d{1,4})Min;(\d{1,9})(?:,|$)", re.ASCII)


class Window:
    """So many requests in any span of time. Pure: whoever asks says what time it is, in seconds.

    Args:
        limit: how many.
        span: seconds.
    """

    def __init__(self, limit: int, span: float) -> None:
        self._limit = limit
        self._span = span
        self._taken: deque[float] = deque()  # when each was sent, or is to be; in order

    def earliest(self, now: float) -> float:
        """When the next one may be sent."""
        while self._taken and self._taken[0] + self._span <= now:
            self._taken.popleft()
        over = len(self._taken) - self._limit
        return now if over < 0 else max(now, self._taken[over] + self._span)

    def take(self, at: float) -> None:
        """One is sent then."""
        self._taken.append(at)

    def told(self, remaining: int, now: float) -> None:
        """So many are left by what the cloud says: it knows others', too, and may count otherwise. What others sent
        may have been sent just now."""
        self._limit = max(self._limit, remaining)
        self.earliest(now)
        sent = sum(at <= now for at in self._taken)
        used = self._limit - remaining
        for _ in range(sent - used):
            self._taken.popleft()
        if used > sent:
            later = [at for at in self._taken if at > now]
            past = [at for at in self._taken if at <= now]
            self._taken = deque((*past, *[now] * (used - sent), *later))

    def refused(self, retry_after: float, now: float) -> None:
        """None is left for so many seconds."""
        expires = now + retry_after - self._span
        self._taken = deque([expires] * self._limit)


class Pacer:
    """Gives turns to requests of one group, in the order in which they are asked for. Belongs to one event loop.

    Args:
        limits: how many are allowed, by span.
        sleep: lets time pass.
        clock: seconds, of whatever beginning.
        title: what people call the account.
    """

    def __init__(
        self, limits: Mapping[timedelta, int], sleep: Sleep, clock: Callable[[], float], title: str = "Azure"
    ) -> None:
        self._windows = {span: Window(limit, span.total_seconds()) for span, limit in limits.items()}
        self._sleep = sleep
        self._clock = clock
        allowed = " and ".join(f"{limit:,} in {format_duration(span)}" for span, limit in limits.items())
        self._why = f"{title} takes so many deletions of versions: {allowed}"

    async def turn(self) -> None:
        """Wait until one may be sent; it counts from then on, whether it is sent or not."""
        now = self._clock()
        at = max((window.earliest(now) for window in self._windows.values()), default=now)
        for window in self._windows.values():
            window.take(at)
        if at > now:
            with waiting_for_turn(Turn(at - now, self._why)):
                await self._sleep(at - now)

    def answered(self, headers: Mapping[str, str], retry_after: float | None, *, throttled: bool) -> None:
        """Note what the answer to one says of those that are left."""
        now = self._clock()
        left = {
            timedelta(minutes=int(minutes)): int(count)
            for minutes, count in _LEFT.findall(headers.get(REMAINING) or "")
        }
        for span, window in self._windows.items():
            if span in left:
                window.told(left[span], now)
        if throttled and retry_after is not None:
            shortest = min(self._windows, default=None)
            if shortest is not None and retry_after <= shortest.total_seconds():
                self._windows[shortest].refused(retry_after, now)
            else:
                for window in self._windows.values():
                    window.refused(retry_after, now)
