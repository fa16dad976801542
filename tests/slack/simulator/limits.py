"""Slack's rate limits, enforced when asked to, on the injected clock.

Source: docs.slack.dev/apis/web-api/rate-limits. Tiers are per method and minute; ``chat.postMessage`` is
about one a second a channel with short bursts allowed. How long a burst may be is not documented: 3 here.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from tests.slack.simulator.changes import UniqueIds

_TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
_TIER_OF = {
    "apps.connections.open": 1,
    "usergroups.list": 2,
    "usergroups.users.list": 2,
    "conversations.list": 2,
    "chat.update": 3,
    "chat.delete": 3,
    "conversations.history": 3,
    "conversations.replies": 3,
    "conversations.info": 3,
    "conversations.join": 3,
    "conversations.open": 3,
    "reactions.add": 3,
    "team.info": 3,
    "bots.info": 3,
    "chat.postEphemeral": 4,
    "conversations.members": 4,
    "files.completeUploadExternal": 4,
    "files.getUploadURLExternal": 4,
    "users.info": 4,
    "views.open": 4,
    "views.publish": 4,
    "views.push": 4,
    "views.update": 4,
}
_POST_BURST = 3


@dataclass
class _Bucket:
    size: float
    each: float  # seconds a token takes to grow again
    level: float
    seen: float

    def take(self, now: float) -> float:
        """Take a token and return 0, or return the seconds until there is one."""
        self.level = min(self.size, self.level + (now - self.seen) / self.each)
        self.seen = now
        if self.level >= 1:
            self.level -= 1
            return 0
        return (1 - self.level) * self.each


class RateLimits:
    """Off until ``enforced`` is set."""

    def __init__(self, ids: UniqueIds) -> None:
        self.enforced = False
        self.refused = 0
        self._ids = ids
        self._buckets: dict[str, _Bucket] = {}

    def wait_for(self, method: str, channel: str) -> int:
        """Whole seconds that a call of now must wait for (Retry-After); 0 lets it through."""
        if not self.enforced:
            return 0
        now = self._ids.now()
        if method == "chat.postMessage":
            name, size, each = f"{method} {channel}", float(_POST_BURST), 1.0
        elif method in _TIER_OF:
            minute = _TIERS[_TIER_OF[method]]
            name, size, each = method, float(minute), 60 / minute
        else:
            return 0
        wait = self._buckets.setdefault(name, _Bucket(size, each, size, now)).take(now)
        self.refused += wait > 0
        return ceil(wait)
