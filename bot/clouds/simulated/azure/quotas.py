"""How many requests a simulated Azure serves, and what it says of those that are left.

Deletions of versions are counted by compute in fixed windows of three and of thirty minutes (the error's details name
a window's start and end), and by Resource Manager in a bucket that refills.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from slipway.bot.clouds.simulated.azure.errors import error_body
from slipway.bot.clouds.simulated.azure.times import arm_time

_GROUP = "DeleteGalleryImageVersion"
_VERSION = re.compile(r".*/galleries/[^/]+/images/[^/]+/versions/[^/]+", re.IGNORECASE)
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


class Limits(BaseModel):
    """What is served: deletions of versions in 3 and in 30 minutes; the bucket's size, and its refill a second."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    in_3_minutes: int = 150
    in_30_minutes: int = 1000
    bucket: int = 200
    refill: float = 10.0


@dataclass
class Quotas:
    """What was used of them."""

    counts: dict[tuple[int, int], int] = field(default_factory=dict)
    tokens: float | None = None
    filled_at: datetime | None = None

    def ask(self, method: str, path: str, limits: Limits | None, now: datetime) -> web.Response | None:
        """Count a request; the refusal where it is one too many."""
        if limits is None or method != "DELETE" or not _VERSION.fullmatch(path):
            return None
        self._fill(limits, now)
        if self.tokens is not None and self.tokens < 1:
            wait = (1 - self.tokens) / limits.refill
            return _refused("TooManyRequests", wait, None)
        for minutes, limit in _spans(limits):
            number, ends = _window(minutes, now)
            if self.counts.get((minutes, number), 0) >= limit:
                told = {
                    "operationGroup": f"{_GROUP}{minutes}Min",
                    "startTime": arm_time(ends - timedelta(minutes=minutes)),
                    "endTime": arm_time(ends),
                    "allowedRequestCount": limit,
                    "measuredRequestCount": limit + 1,
                }
                return _refused("OperationNotAllowed", (ends - now).total_seconds(), json.dumps(told))
        for minutes, _limit in _spans(limits):
            key = (minutes, _window(minutes, now)[0])
            self.counts[key] = self.counts.get(key, 0) + 1
        if self.tokens is not None:
            self.tokens -= 1
        return None

    def tell(
        self, answer: web.StreamResponse, method: str, path: str, limits: Limits | None, now: datetime
    ) -> None:
        """Say on an answer what is left."""
        if limits is None or method != "DELETE" or not _VERSION.fullmatch(path):
            return
        left = [
            f"Microsoft.Compute/{_GROUP}{minutes}Min;"
            f"{max(0, limit - self.counts.get((minutes, _window(minutes, now)[0]), 0))}"
            for minutes, limit in _spans(limits)
        ]
        answer.headers["x-ms-ratelimit-remaining-resource"] = ",".join(left)
        answer.headers["x-ms-ratelimit-remaining-subscription-deletes"] = str(int(self.tokens or 0))

    def _fill(self, limits: Limits, now: datetime) -> None:
        if self.tokens is None or self.filled_at is None:
            self.tokens = float(limits.bucket)
        else:
            passed = (now - self.filled_at).total_seconds()
            self.tokens = min(float(limits.bucket), self.tokens + passed * limits.refill)
        self.filled_at = now


def _spans(limits: Limits) -> tuple[tuple[int, int], ...]:
    return (3, limits.in_3_minutes), (30, limits.in_30_minutes)


def _window(minutes: int, now: datetime) -> tuple[int, datetime]:
    """The number of the window that is now, and its end."""
    span = timedelta(minutes=minutes)
    number = (now - _EPOCH) // span
    return number, _EPOCH + (number + 1) * span


def _refused(code: str, wait: float, details: str | None) -> web.Response:
    words = (
        "The server rejected the request because too many requests have been received for this subscription."
    )
    more = [{"code": "TooManyRequests", "target": _GROUP, "message": details}] if details else None
    answer = web.json_response(error_body(code, words, details=more), status=429)
    answer.headers["Retry-After"] = str(max(1, int(-(-wait // 1))))
    return answer
