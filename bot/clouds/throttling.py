"""What all requests of a kind do together when a cloud throttles them: one pause for all, and one budget of it.

Clouds count requests, so one that was refused says that the others will be, too. A listing that tried again by
itself would spend its tries while the rest keep the storm alive. What a cloud counts apart has a gate each: Azure's
reads and changes, each of EC2's actions in a region. Knows no SDK.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from slipway.bot.core.turns import Turn, waiting_for_turn
from slipway.bot.core.waiting import Sleep


@dataclass(frozen=True)
class Patience:
    """How long requests that a cloud throttles are held up.

    Attributes:
        first: the pause after the first refusal that names none, or a shorter one; it doubles from round to round.
        longest: no pause that the cloud did not ask for is longer.
        budget: so much pausing in a row, without anything being served, is borne. The default is longer than the
            three minutes over which Azure counts requests.
        sleep: lets time pass.
        jitter: a number from 0 to 1, another one each time, so that not all come back at the same moment.
    """

    first: timedelta = timedelta(seconds=0.8)
    longest: timedelta = timedelta(seconds=30)
    budget: timedelta = timedelta(minutes=5)
    sleep: Sleep = asyncio.sleep
    jitter: Callable[[], float] = random.random


USUAL_PATIENCE = Patience()

_SPREAD = 0.25
"""By so much of a pause those who waited come back later, at most."""


class ThrottleGate:
    """Shuts for all requests when one is refused; each runs within it. Belongs to one event loop.

    A round lasts from one shutting to the next: whoever was sent in it and is refused after the gate has shut again
    adds no pause of its own. The budget is spent by pauses, not by the clock, and is whole again once anything was
    served, or nothing is under way any more.

    Args:
        patience: how long.
        title: what people call the cloud.
        told: hears of each refusal.
    """

    def __init__(
        self, patience: Patience, title: str = "the cloud", told: Callable[[], None] = lambda: None
    ) -> None:
        self._patience = patience
        self._told = told
        self._why = f"{title} was asked too often"
        self._pausing = 0.0
        self._open = asyncio.Event()
        self._open.set()
        self._under_way = 0
        self._round = 0
        self._refusals = 0  # rounds in a row
        self._spent = 0.0

    def __enter__(self) -> None:
        """Note that a request with all its tries begins."""
        self._under_way += 1

    def __exit__(self, *_: object) -> None:
        """Note that it is over."""
        self._under_way -= 1
        if self._under_way == 0:
            self.served()

    async def enter(self) -> int:
        """Wait until the gate is open, and return the round it is."""
        while not self._open.is_set():
            with waiting_for_turn(Turn(self._pausing, self._why)):
                await self._open.wait()
            await self._stagger(self._patience.first.total_seconds())
        return self._round

    def served(self) -> None:
        """Note that the cloud answered something else than a refusal."""
        self._refusals = 0
        self._spent = 0.0

    async def refused(self, sent_in: int, retry_after: float | None) -> bool:
        """Pause after a refusal; False, at once, where the budget does not reach for it.

        Args:
            sent_in: the round in which the refused request was sent.
            retry_after: what the cloud asked for, in seconds; None for nothing.
        """
        self._told()
        if sent_in != self._round:
            return True  # somebody pauses for this round already; :meth:`enter` waits for that
        pause = self._pause(retry_after)
        if self._spent + pause > self._patience.budget.total_seconds():
            return False
        self._round += 1
        self._spent += pause
        self._refusals += 1
        self._open.clear()
        self._pausing = pause
        try:
            with waiting_for_turn(Turn(pause, self._why)):
                await self._patience.sleep(pause)
        finally:
            self._open.set()
        return True

    def _pause(self, retry_after: float | None) -> float:
        first = self._patience.first.total_seconds()
        if retry_after is not None and retry_after >= first:
            return retry_after
        # Whoever is told to come back at once, and is refused again, would knock without end.
        doubled: float = first * 2 ** min(self._refusals, 30)
        whole = min(doubled, self._patience.longest.total_seconds())
        return whole * (1 - _SPREAD * self._patience.jitter())

    async def _stagger(self, pause: float) -> None:
        await self._patience.sleep(_SPREAD * pause * self._patience.jitter())
