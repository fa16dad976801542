"""The bot of an episode: one process, or two replicas behind one face."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from tests.reliability.replica import START_SECONDS, Company, Life, Replica

LEADERS_SHARE = 0.7
"""How often what strikes one of two replicas strikes the one that works."""

_LOOK_EVERY = 0.05


class Bot:
    """All replicas. What is typed on a console is typed on that of the one that works, as that one answers.

    Args:
        replicas: one or two.
        company: what they share.
    """

    def __init__(self, replicas: Sequence[Replica], company: Company) -> None:
        self.replicas = replicas
        self.lives = company.lives

    @property
    def leading(self) -> Life | None:
        """The process that works; None for none. One that stands still does not know that another one does."""
        return max(
            (each for each in self.lives if each.leads),
            key=lambda each: (each.turn, each.number),
            default=None,
        )

    @property
    def settled(self) -> Life | None:
        """The process that works, where all are there and ready; else None."""
        there = all(each.lives and each.life.alive and each.life.ready.is_set() for each in self.replicas)
        leading = self.leading
        return leading if there and leading is not None and leading.ready.is_set() else None

    def pick(self, which: float) -> Replica:
        """One of them by a number below 1: mostly the one that works, if there is one."""
        leading = self.leading
        if leading is None:
            return self.replicas[int(which * len(self.replicas))]
        others = [each for each in self.replicas if each.number != leading.replica]
        if which < LEADERS_SHARE or not others:
            return self.replicas[leading.replica - 1]
        return others[0]

    def keep(self) -> None:
        """Start all, and start each again whenever it ends, until :meth:`rest`."""
        for each in self.replicas:
            each.keep()

    async def ready(self) -> None:
        """Wait until all are ready, and one works; each may die meanwhile."""
        await asyncio.gather(*(each.ready() for each in self.replicas))
        async with asyncio.timeout(START_SECONDS):
            while self.settled is None:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(_LOOK_EVERY)

    async def at_work(self, patience: float) -> None:
        """Wait until all are ready, and one works, or until so many seconds are over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self.settled is None:  # noqa: ASYNC110 - no event tells
                    await asyncio.sleep(_LOOK_EVERY)

    async def restart(self) -> None:
        """Stop them as an upgrade does, one after the other, and wait until all are ready again."""
        for each in self.replicas:
            await each.restart()
        await self.ready()

    async def rest(self) -> int:
        """Stop all as a service manager does, for good; the exit code, of more than one the first that is not 0."""
        for each in self.replicas:
            each.life.at_rest = True
        codes = [await each.rest() for each in self.replicas]
        return next((each for each in codes if each), 0)

    async def close(self) -> None:
        """Leave no process behind."""
        for each in self.replicas:
            await each.close()

    def spare(self) -> None:
        """Have none die at a commit, and none stand still."""
        for each in self.replicas:
            each.spare()
            each.thaw()
            each.pause = 0.0

    def move_clocks(self, minutes: int) -> None:
        """Have all clocks show so many minutes more than the machine's."""
        for each in self.replicas:
            each.move_clock(minutes)

    def say(self, line: str) -> Life | None:
        """Type a line; the process that reads it, None where nobody is there to."""
        leading = self.leading
        if leading is None or not self.replicas[leading.replica - 1].say(line):
            return None
        return leading
