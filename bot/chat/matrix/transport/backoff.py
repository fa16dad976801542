"""How long to wait after a failure: ever longer, bounded, and not in step with others."""

from __future__ import annotations

import random

_FIRST_WAIT = 1.0
_MAX_WAIT = 60.0
_MAX_RETRY_AFTER = 300.0  # what a server may ask for; more is not believed


class Backoff:
    """Seconds to wait after the n-th failure in a row: doubling, at most a minute, half of it by chance."""

    def __init__(self) -> None:
        self._random = random.SystemRandom()
        self.failures = 0

    def next(self, asked: float = 0.0) -> float:
        """How long to wait now; not less than the server ``asked`` for, within reason."""
        wait: float = min(_MAX_WAIT, _FIRST_WAIT * 2 ** min(self.failures, 10))
        self.failures += 1
        return max(wait * self._random.uniform(0.5, 1.0), min(asked, _MAX_RETRY_AFTER))

    def reset(self) -> None:
        """After a success."""
        self.failures = 0
