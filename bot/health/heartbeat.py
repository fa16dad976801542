"""The bot's side: writes how it is doing, while it runs."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import structlog

from slipway.bot.chat.model import Chat, ChatHealth, Platform
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Sleep
from slipway.bot.health.report import BEAT_SECONDS, FILE

LOOK_SECONDS = 0.05
"""How often it is looked whether every chat is connected for the first time, so that "ready" is said then."""

log = structlog.get_logger(__name__)


class Heartbeat:
    """Writes the file while the bot runs.

    Args:
        state_dir: the folder of the file.
        chats: how they are, is written.
        clock: the time, which is written.
        monotonic: seconds that have passed, by which it beats.
        sleep: lets time pass.
    """

    def __init__(
        self,
        state_dir: Path,
        chats: Mapping[Platform, Chat],
        clock: Clock,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._path = state_dir / FILE
        self._chats = chats
        self._clock = clock
        self._monotonic = monotonic
        self._sleep = sleep
        self._failing = False

    async def run(self, ready: Callable[[], Awaitable[None]]) -> None:
        """Beat until cancelled; ``ready`` is called once, when every chat is connected.

        The file goes away at the end, so that a stopped bot is not taken for a running one. Where it cannot be
        written, the log says so, and its age says the rest: that is no reason to stop working.
        """
        try:
            await self._keep_beating(ready)
        finally:
            self._forget()

    async def _keep_beating(self, ready: Callable[[], Awaitable[None]]) -> None:
        told, written = False, self._monotonic() - BEAT_SECONDS
        while True:
            health: dict[str, ChatHealth] = {
                platform: chat.health() for platform, chat in self._chats.items()
            }
            news = not told and all(each.connected for each in health.values())
            if news:
                told = True
                await ready()
            if news or self._monotonic() - written >= BEAT_SECONDS:
                await self._write(self._beat(health))
                written = self._monotonic()
            await self._sleep(BEAT_SECONDS if told else LOOK_SECONDS)

    def _beat(self, health: Mapping[str, ChatHealth]) -> str:
        chats = {name: {"connected": each.connected, "detail": each.detail} for name, each in health.items()}
        return json.dumps({"at": self._clock().isoformat(), "chats": chats})

    async def _write(self, text: str) -> None:
        try:
            await asyncio.to_thread(self._replace, text)
        except OSError as error:
            if not self._failing:
                log.error("the heartbeat cannot be written, and the bot goes on", problem=str(error))
            self._failing = True
        else:
            if self._failing:
                log.info("the heartbeat is written again")
            self._failing = False

    def _replace(self, text: str) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self._path)

    def _forget(self) -> None:
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("the heartbeat cannot be taken away", problem=str(error))
