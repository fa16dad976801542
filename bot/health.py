"""The heartbeat: a small file that says how the bot is doing, for `slipway health` and a container's check."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from slipway.bot.chat.model import Chat, ChatHealth, Platform
from slipway.bot.core.times import Clock

FILE = "health.json"

BEAT_SECONDS = 10.0

LOOK_SECONDS = 0.05
"""How often it is looked whether every chat is connected for the first time, so that "ready" is said then."""

STALE_AFTER = timedelta(seconds=45)
"""A heartbeat older than this means that the bot hangs or is gone."""


class Heartbeat:
    """Writes the file while the bot runs."""

    def __init__(self, state_dir: Path, chats: Mapping[Platform, Chat], clock: Clock) -> None:
        self._path = state_dir / FILE
        self._chats = chats
        self._clock = clock

    async def run(self, ready: Callable[[], Awaitable[None]]) -> None:
        """Beat until cancelled; ``ready`` is called once, when every chat is connected.

        The file goes away at the end, so that a stopped bot is not taken for a running one.
        """
        try:
            await self._keep_beating(ready)
        finally:
            self._forget()

    async def _keep_beating(self, ready: Callable[[], Awaitable[None]]) -> None:
        told, written = False, -BEAT_SECONDS
        while True:
            health: dict[str, ChatHealth] = {
                platform: chat.health() for platform, chat in self._chats.items()
            }
            news = not told and all(each.connected for each in health.values())
            if news:
                told = True
                await ready()
            if news or time.monotonic() - written >= BEAT_SECONDS:
                await asyncio.to_thread(self._write, self._beat(health))
                written = time.monotonic()
            await asyncio.sleep(BEAT_SECONDS if told else LOOK_SECONDS)

    def _beat(self, health: Mapping[str, ChatHealth]) -> str:
        chats = {name: {"connected": each.connected, "detail": each.detail} for name, each in health.items()}
        return json.dumps({"at": self._clock().isoformat(), "chats": chats})

    def _write(self, text: str) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self._path)

    def _forget(self) -> None:
        self._path.unlink(missing_ok=True)


def problem(state_dir: Path, now: datetime) -> str | None:
    """What is wrong with the bot that works on this folder, in one sentence; None if it is well."""
    try:
        beat = json.loads((state_dir / FILE).read_text())
        at = datetime.fromisoformat(beat["at"])
        silent = abs(now - at) > STALE_AFTER  # a clock that was set back must not keep a dead bot well
        deaf = [f"{name}: {each['detail']}" for name, each in beat["chats"].items() if not each["connected"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return f"No Slipway is running on {state_dir}."
    if silent:
        return f"Slipway gave no sign of life since {at:%Y-%m-%d %H:%M:%S %Z}."
    return "Not connected. " + " ".join(deaf) if deaf else None
