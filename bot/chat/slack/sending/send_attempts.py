"""What the Slack adapter must still know after a restart: which messages it had begun to send."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict
from datetime import datetime
from typing import Protocol

from slipway.bot.core.times import Clock

REMEMBERED = 300
"""Tries that are kept. A message is sent again after a crash within the first of the next run's."""


class SlackMemory(Protocol):
    """Kept by whoever puts the bot together; ``save`` is durable when it returns."""

    async def load(self, name: str) -> str | None:
        """The value kept under this name, if there is one."""
        ...

    async def save(self, name: str, value: str) -> None:
        """Keep a value under this name, in place of any before."""
        ...


class InMemory:
    """A :class:`SlackMemory` that lasts as long as it is held: for tests."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    async def load(self, name: str) -> str | None:
        """The value saved last."""
        return self.values.get(name)

    async def save(self, name: str, value: str) -> None:
        """Keep it."""
        self.values[name] = value


class Begun:
    """The messages whose sending was begun, with the time of the last try: before another, one looks."""

    NAME = "begun"

    def __init__(self, memory: SlackMemory, clock: Clock) -> None:
        self._memory = memory
        self._clock = clock
        self._known: OrderedDict[str, float] | None = None
        self._lock = asyncio.Lock()  # what is saved last has to be what is known last

    async def tried(self, key: str) -> datetime | None:
        """When this message was last sent, whatever became of it; None if never."""
        async with self._lock:
            at = (await self._all()).get(token_of(key))
        return None if at is None else datetime.fromtimestamp(at, self._clock().tzinfo)

    async def begin(self, key: str) -> None:
        """Note that this message is sent now; whoever sends it again has seen that it is not there."""
        async with self._lock:
            known = await self._all()
            known.pop(token_of(key), None)
            known[token_of(key)] = self._clock().timestamp()
            while len(known) > REMEMBERED:
                known.popitem(last=False)
            await self._memory.save(self.NAME, json.dumps(list(known.items())))

    async def _all(self) -> OrderedDict[str, float]:
        if self._known is None:
            kept = await self._memory.load(self.NAME)
            self._known = OrderedDict((str(name), float(at)) for name, at in json.loads(kept or "[]"))
        return self._known


def token_of(key: str) -> str:
    """What stands for a message's key in its metadata and in file names: 20 hexadecimal digits."""
    return hashlib.sha256(key.encode()).hexdigest()[:20]
