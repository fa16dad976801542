"""The whole bot on simulated clouds, in a room that tests talk in: ``await bot.say("alice", "!images")``.

Everything between the room and the clouds is real: the door, DBOS on SQLite, the Azure SDK and boto3 over
HTTP. The room is an in-memory chat adapter, held to the same conformance as the real ones.
"""

from __future__ import annotations

import asyncio
import itertools
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

from slipway.bot.app import App, RunningBot, build_clouds
from slipway.bot.chat.model import (
    Accept,
    Address,
    AnyEvent,
    ButtonEvent,
    Card,
    ChatHealth,
    Choice,
    MessageEvent,
    Platform,
    Room,
)
from slipway.bot.chat.shared.plain import render_plain
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.config.load import settings_from
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.errors import ChatError
from slipway.bot.core.waiting import Sleep
from slipway.commands.all import rights

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
"""When tests happen, unless they say otherwise."""


class FakeClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by


@dataclass
class Shown:
    """A message in the room, with everything it said over time."""

    id: str
    room: str
    thread: str | None
    cards: list[Card]

    @property
    def card(self) -> Card:
        """What it says now."""
        return self.cards[-1]

    @property
    def text(self) -> str:
        """What it says now, as a person reads it."""
        return render_plain(self.card)


@dataclass
class MemoryChat:
    """A chat platform in memory."""

    platform: Platform = Platform.CONSOLE
    edit_interval: timedelta = timedelta()
    messages: list[Shown] = field(default_factory=list)
    troubles: list[ChatError] = field(default_factory=list)  # raised by the next sends and edits, in order
    accept: Accept | None = None
    prefix: str = "m"

    def __post_init__(self) -> None:
        self._keys: dict[str, str] = {}
        self._edits: set[tuple[str, str]] = set()
        self._numbers = itertools.count(1)
        self.events = itertools.count(1)  # goes on where a bot is started anew: no platform gives an id twice
        self.listening = asyncio.Event()
        self.changed = asyncio.Event()

    async def prepare(self) -> None:
        """There is nothing to know before."""

    async def close(self) -> None:
        """There is nothing to let go of."""

    async def run(self, accept: Accept) -> None:
        """Listen until cancelled."""
        self.accept = accept
        self.listening.set()
        await asyncio.Event().wait()

    async def send(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        """Show a card once for its key."""
        self._maybe_fail()
        if key not in self._keys:
            shown = Shown(f"{self.prefix}{next(self._numbers)}", room, thread, [card])
            self._keys[key] = shown.id
            self.messages.append(shown)
            self.changed.set()
        return self._keys[key]

    async def edit(self, room: str, message_id: str, card: Card, *, thread: str | None, key: str) -> None:
        """Replace what a message says, once for its key."""
        self._maybe_fail()
        if (message_id, key) in self._edits:
            return
        self._edits.add((message_id, key))
        shown = next(each for each in self.messages if each.id == message_id)
        shown.cards.append(card)
        self.changed.set()

    def health(self) -> ChatHealth:
        """Always well."""
        return ChatHealth(connected=self.accept is not None, last_heard_from=timedelta(), detail="")

    def _maybe_fail(self) -> None:
        if self.troubles:
            raise self.troubles.pop(0)


def settings(
    state_dir: Path,
    azure: SimulatedAzure | None,
    aws: SimulatedAws | None = None,
    changes: Mapping[str, Any] | None = None,
) -> SlipwaySettings:
    """The demo's configuration on these simulators, without its schedules; ``changes`` are merged in."""
    document = tomllib.loads(files("slipway.bot.config").joinpath("demo.toml").read_text("utf-8"))
    document["state_dir"] = str(state_dir)
    document["schedule"] = []
    if azure is None:
        del document["azure"]
    else:
        document["azure"] |= {"endpoint": azure.url, "max_attempts": 2, "timeout": "5s"}
    if aws is None:
        del document["aws"], document["profiles"]
    else:
        document["aws"] |= {"endpoint": aws.url, "max_attempts": 2, "timeout": "5s"}
    _merge(document, changes or {})
    secrets = {"SLIPWAY_AWS_ACCESS_KEY_ID": "test", "SLIPWAY_AWS_SECRET_ACCESS_KEY": "test"} if aws else {}
    return settings_from(document, state_dir, secrets, known_rights=rights())


def _merge(into: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


class Bot:
    """The running bot, as somebody in its room meets it."""

    def __init__(
        self, house: RunningBot, chat: MemoryChat, clock: FakeClock, azure: SimulatedAzure | None
    ) -> None:
        self.house = house
        self.chat = chat
        self.clock = clock
        self._azure = azure

    @property
    def azure(self) -> SimulatedAzure:
        """The simulated gallery behind it."""
        assert self._azure is not None
        return self._azure

    @property
    def messages(self) -> list[Shown]:
        """Every message of the bot so far."""
        return self.chat.messages

    async def say(
        self,
        who: str,
        text: str,
        *,
        room: str = "console",
        thread: str | None = None,
        event_id: str | None = None,
        address: Address = Address.ROOM,
        age: timedelta = timedelta(),
        wait: bool = True,
    ) -> list[Shown]:
        """Say something, wait until all that follows from it is done, and return the new messages."""
        before = len(self.messages)
        heard = MessageEvent(
            event_id=event_id or f"e{next(self.chat.events)}",
            room=Room(platform=self.chat.platform, id=room),
            speaker=who,
            text=text,
            address=address,
            thread=thread,
            sent_at=self.clock() - age,
        )
        await self._accept(heard, wait=wait)
        return self.messages[before:]

    async def press(
        self,
        who: str,
        choice: Choice,
        message: Shown,
        *,
        event_id: str | None = None,
        by_value: bool = False,
        wait: bool = True,
    ) -> list[Shown]:
        """Press a button of a message, named by the message or by the button's own value."""
        before = len(self.messages)
        button = next((each for each in message.cards[0].buttons if each.choice is choice), None)
        press = ButtonEvent(
            event_id=event_id or f"e{next(self.chat.events)}",
            room=Room(platform=self.chat.platform, id=message.room),
            speaker=who,
            choice=choice,
            message_id=None if by_value else message.id,
            operation_id=button.operation_id if by_value and button else None,
            digest_prefix=button.digest_prefix if by_value and button else None,
            sent_at=self.clock(),
        )
        await self._accept(press, wait=wait)
        return self.messages[before:]

    async def _accept(self, event: AnyEvent, *, wait: bool) -> None:
        assert self.chat.accept is not None
        await self.chat.accept(event)
        if wait:
            await self.house.workflows.idle()

    async def until(self, seen: Callable[[], bool]) -> None:
        """Wait until the room shows something, for conversations in which work is still under way."""
        async with asyncio.timeout(20):
            while not seen():
                self.chat.changed.clear()
                await self.chat.changed.wait()

    def excluded(self, definition: str, version: str) -> bool | None:
        """The exclude-from-latest flag as the gallery has it."""
        body = self.azure.snapshot()["definitions"][definition]["versions"][version]
        flag: bool | None = body["excluded"]
        return flag


@asynccontextmanager
async def slipway(
    state_dir: Path,
    *,
    azure: SimulatedAzure | None = None,
    aws: SimulatedAws | None = None,
    changes: Mapping[str, Any] | None = None,
    clock: FakeClock | None = None,
    chat: MemoryChat | None = None,
    grace: timedelta = timedelta(seconds=10),
    sleep: Sleep = asyncio.sleep,
) -> AsyncIterator[Bot]:
    """The bot, started and at the end stopped. Without ``azure``, on a gallery of its own."""
    clock = clock or FakeClock()
    chat = chat or MemoryChat()
    async with AsyncExitStack() as stack:
        if azure is None:
            azure = SimulatedAzure(fedora_gallery(clock()), clock=clock)
            await azure.start()
            stack.push_async_callback(azure.stop)
        configured = settings(state_dir, azure, aws, changes)
        gallery, machines = build_clouds(configured)
        app = App(
            configured,
            chats=(lambda _: chat,),
            gallery=gallery,
            machines=machines,
            clock=clock,
            grace=grace,
            sleep=sleep,
        )
        stop, opened = asyncio.Event(), asyncio.get_running_loop().create_future()
        running = asyncio.create_task(app.run(stop, opened))
        await asyncio.wait({running, opened}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        await chat.listening.wait()
        try:
            yield Bot(opened.result(), chat, clock, azure)
        finally:
            stop.set()
            await running
