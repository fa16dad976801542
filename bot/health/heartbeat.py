"""The bot's side: writes how it is doing, while it runs."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import structlog

from slipway.bot.chat.clocks import clock_problem
from slipway.bot.chat.model import Chat, ChatHealth, Platform
from slipway.bot.clouds.contact import CloudContact
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Sleep
from slipway.bot.health.readiness import Looked
from slipway.bot.health.report import BEAT_SECONDS, FILE

LOOK_SECONDS = 0.05
"""How often it is looked whether every chat is connected for the first time, so that "ready" is said then."""

_ROOM = 4096
"""Bytes that a heartbeat is filled up to, so that one can be written over another that was shorter."""

_LONGEST_FAILURE = 300  # characters; the whole stands in `!status`

log = structlog.get_logger(__name__)


class Heartbeat:
    """Writes the file while the bot runs.

    Args:
        state_dir: the folder of the file.
        chats: how they are, is written.
        clock: the time, which is written.
        trouble: what is wrong with the bot itself, as a sentence; empty where nothing is.
        contacts: when each cloud answered last, is written.
        look: looks at all that the bot's work takes, whose problems are written beside those of chats; None for
            nothing more.
        hindrances: why rooms take nothing from the bot until somebody changes that, as sentences.
        replicas: which replicas there are, and who leads, as sentences; none where there is one process.
        monotonic: seconds that have passed, by which it beats.
        sleep: lets time pass.
    """

    def __init__(
        self,
        state_dir: Path,
        chats: Mapping[Platform, Chat],
        clock: Clock,
        *,
        trouble: Callable[[], str] = lambda: "",
        contacts: Mapping[str, CloudContact] = MappingProxyType({}),
        look: Callable[[], Awaitable[Looked]] | None = None,
        hindrances: Callable[[], Iterable[str]] = tuple,
        replicas: Callable[[], Iterable[str]] = tuple,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._path = state_dir / FILE
        self._chats = chats
        self._clock = clock
        self._trouble = trouble
        self._contacts = contacts
        self._look = look
        self._hindrances = hindrances
        self._replicas = replicas
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
            if news or self._monotonic() - written >= BEAT_SECONDS:
                await self._write(self._beat(health, await self._look() if self._look else None))
                written = self._monotonic()
            if news:  # after it is written, as who reads of it may ask at once how the bot is
                told = True
                await ready()
            await self._sleep(BEAT_SECONDS if told else LOOK_SECONDS)

    def _beat(self, health: Mapping[str, ChatHealth], looked: Looked | None = None) -> str:
        chats = {name: {"connected": each.connected, "detail": each.detail} for name, each in health.items()}
        clouds = {name: _contact(contact) for name, contact in self._contacts.items()}
        clocks = [clock_problem(name, each.clock_ahead) for name, each in health.items()]
        told = {*chats, "storage"}  # elsewhere in it, since before there were checks
        more = [check for check in looked.checks if check.name not in told] if looked else []
        beat = {
            "at": self._clock().isoformat(),
            "chats": chats,
            "trouble": self._trouble(),
            "clouds": clouds,
            "role": looked.role if looked else "",
            "checks": {check.name: check.problem or check.detail for check in more},
            "problems": [check.problem for check in more if check.problem],
            "warnings": [*filter(None, clocks), *self._hindrances()],
            "replicas": [*self._replicas()],
        }
        return json.dumps(beat).ljust(_ROOM)

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
        try:
            fresh.write_text(text)
        except OSError:
            fresh.unlink(missing_ok=True)
            with self._path.open(
                "r+"
            ) as file:  # on a full disk there is still room where the last one stands
                file.write(text)
        else:
            fresh.replace(self._path)

    def _forget(self) -> None:
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("the heartbeat cannot be taken away", problem=str(error))


def _contact(contact: CloudContact) -> dict[str, str | None]:
    failure = contact.failure
    return {
        "answered": contact.answered_at.isoformat() if contact.answered_at else None,
        "failed": failure.at.isoformat() if failure else None,
        "failure": failure.sentence[:_LONGEST_FAILURE] if failure else None,
    }
