"""Whether the audit trail is whole, found out for whoever opens its page, and not at every opening: it reads all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from slipway.bot.core.times import Clock
from slipway.bot.operations.trail.chain import Broken
from slipway.bot.operations.trail.verification import Contradicted, Intact, verify
from slipway.bot.store.database import Database

FRESH_FOR = timedelta(minutes=10)
"""How long a finding is shown before the trail is read again."""

WAIT_SECONDS = 2.0
"""How long whoever opens the page waits for the finding; then the page says that it is being found out."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Verified:
    """What was found.

    Attributes:
        at: when.
        found: what; None where it could not be read.
    """

    at: datetime
    found: Intact | Broken | Contradicted | None


class Verification:
    """Reads the trail when somebody wants to know, one reading at a time.

    Args:
        database: where the trail is.
        clock: the time.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._newest: Verified | None = None
        self._reading: asyncio.Task[None] | None = None

    async def state(self) -> Verified | None:
        """What was found last; None while it is being found out for the first time."""
        stale = self._newest is None or self._clock() - self._newest.at > FRESH_FOR
        if stale and (self._reading is None or self._reading.done()):
            self._reading = asyncio.create_task(self._read(), name="verification of the audit trail")
        if self._reading is not None:
            await asyncio.wait({self._reading}, timeout=WAIT_SECONDS)
        return self._newest

    async def close(self) -> None:
        """Read no more."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        try:
            found = await verify(self._database)
        except Exception as error:  # noqa: BLE001 - a boundary: the page says that it is not known
            log.warning("the audit trail could not be read", problem=type(error).__name__)
            found = None
        self._newest = Verified(self._clock(), found)
