"""When a cloud answered last, for `!status` and `slipway health`. It notes what work brings, and asks nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from slipway.bot.core.errors import CloudError, CloudErrorKind
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


class CloudContact:
    """What one account's cloud answered last.

    Args:
        clock: the time.
    """

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock
        self.answered_at: datetime | None = None
        self.failure: Failure | None = None
        """The newest failure; None once it answered again."""

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Note what becomes of a request that is made within, with all of its tries."""
        try:
            yield
        except CloudError as error:
            if error.kind in _ANSWERS:
                self._answered()
            else:
                self.failure = Failure(self._clock(), error.sentence)
            raise
        else:
            self._answered()

    def _answered(self) -> None:
        self.answered_at, self.failure = self._clock(), None
