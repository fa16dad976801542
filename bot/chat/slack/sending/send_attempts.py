"""What the adapter must still know after a restart: which messages it had begun to send."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import OrderedDict
from datetime import datetime

from slipway.bot.chat.declaration import KeyValueStore
from slipway.bot.core.times import Clock

MAX_ATTEMPTS = 300
"""Attempts that are kept. A message is sent again after a crash within the first of the next run's."""


class SendAttempts:
    """When each message was last attempted to be sent; before another attempt, it is looked for."""

    STORE_KEY = "begun"

    def __init__(self, store: KeyValueStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: OrderedDict[str, float] | None = None
        self._noted = self._saved = 0
        self._lock = asyncio.Lock()  # what is saved last has to be what is known last

    async def last_attempt(self, key: str) -> datetime | None:
        """When this message was last sent, whatever became of it; None if never."""
        at = (await self._all()).get(message_token(key))
        return None if at is None else datetime.fromtimestamp(at, self._clock().tzinfo)

    async def record(self, key: str) -> None:
        """Note that this message is sent now; whoever sends it again has seen that it is not there.

        Messages that are noted while something is saved are saved together after that.
        """
        known = await self._all()
        known.pop(message_token(key), None)
        known[message_token(key)] = self._clock().timestamp()
        while len(known) > MAX_ATTEMPTS:
            known.popitem(last=False)
        self._noted += 1
        mine = self._noted
        async with self._lock:
            if self._saved < mine:
                saving = self._noted
                await self._store.save(self.STORE_KEY, json.dumps(list(known.items())))
                self._saved = saving

    async def _all(self) -> OrderedDict[str, float]:
        if self._known is None:
            async with self._lock:
                if self._known is None:
                    kept = await self._store.load(self.STORE_KEY)
                    self._known = OrderedDict((str(name), float(at)) for name, at in json.loads(kept or "[]"))
        return self._known


def message_token(key: str) -> str:
    """What stands for a message's key in its metadata and in file names: 20 hexadecimal digits."""
    return hashlib.sha256(key.encode()).hexdigest()[:20]
