"""When a cloud answered last, for `!status` and `slipway health`. It notes what work brings, and asks nobody."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.measuring.meter import UNMETERED, Meter
from slipway.bot.core.measuring.metrics import CLOUD_SECONDS, THROTTLES
from slipway.bot.core.platform_clock import PlatformClock
from slipway.bot.core.times import Clock, system_clock

_ANSWERS = frozenset(
    {
        CloudErrorKind.NOT_FOUND,
        CloudErrorKind.CONFLICT,
        CloudErrorKind.CAPACITY,
        CloudErrorKind.QUOTA,
        CloudErrorKind.INVALID,
        CloudErrorKind.UNVERIFIED,
    }
)
"""Failures that are about what was asked: the cloud itself is there, and lets Slipway in."""


@dataclass(frozen=True)
class Failure:
    """How a cloud did not answer as it should, and when."""

    at: datetime
    sentence: str


class TriedAgainError(Exception):
    """A cloud throttled a request, which is made again: that says nothing of how the cloud is."""


class CloudContact:
    """What one account's cloud answered last.

    Args:
        clock: the time.
        cloud: the account's name, for measurements.
        meter: takes them.
        monotonic: seconds that have passed, for how long a request takes.
    """

    def __init__(
        self,
        clock: Clock = system_clock,
        cloud: str = "",
        meter: Meter = UNMETERED,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._cloud = cloud
        self._meter = meter
        self._monotonic = monotonic
        self.platform_clock = PlatformClock(clock)
        """How this machine's clock is, by the ``Date`` of the cloud's newest answer."""
        self.answered_at: datetime | None = None
        self.failure: Failure | None = None
        """The newest failure; None once it answered again."""

    @contextmanager
    def noting(self, call: str) -> Iterator[None]:
        """Note what becomes of a request that is made within, with all of its tries.

        Args:
            call: what is asked, in a word of the code's own: never a name of anything in the cloud.
        """
        began, outcome = self._monotonic(), "cut off"
        try:
            yield
            outcome = "ok"
        except CloudError as error:
            outcome = error.kind
            if error.kind in _ANSWERS:
                self._answered()
            else:
                self.failure = Failure(self._clock(), error.sentence)
            raise
        except TriedAgainError:
            outcome = CloudErrorKind.THROTTLED
            raise
        else:
            self._answered()
        finally:
            self._meter.observe(CLOUD_SECONDS, self._monotonic() - began, self._cloud, call, outcome)

    def throttled(self) -> None:
        """The cloud refused a request because there were too many; it may be tried again."""
        self._meter.count(THROTTLES, self._cloud)

    def _answered(self) -> None:
        self.answered_at, self.failure = self._clock(), None
