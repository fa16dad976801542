"""What the Slack adapter must still know after a restart: which messages it had begun to send."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from datetime import datetime
from typing import Protocol

from bot.times import Clock

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

    async def tried(self, key: str) -> datetime | None:
        """When this message was last tried to be sent, None if never; and note that it is tried now."""
        known = await self._all()
        name, now = token_of(key), self._clock()
        before = known.pop(name, None)
        known[name] = now.timestamp()
        while len(known) > REMEMBERED:
            known.popitem(last=False)
        await self._memory.save(self.NAME, json.dumps(list(known.items())))
        return None if before is None else datetime.fromtimestamp(before, now.tzinfo)

    async def _all(self) -> OrderedDict[str, float]:
        if self._known is None:
            kept = await self._memory.load(self.NAME)
            known = OrderedDict((str(name), float(at)) for name, at in json.loads(kept)) if kept else None
            if self._known is None:  # nobody else has loaded it meanwhile
                self._known = known or OrderedDict()
        return self._known


def token_of(key: str) -> str:
    """What stands for a message's key in its metadata and in file names: 20 hexadecimal digits."""
    return hashlib.sha256(key.encode()).hexdigest()[:20]
