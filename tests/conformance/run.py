"""The whole bot on one platform or several, on simulated clouds, and people's acts with what comes of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.bot.app import App
from slipway.bot.chat.declaration import ChatContext
from slipway.bot.chat.model import (
    Accept,
    AnyEvent,
    Card,
    Chat,
    ChatHealth,
    Choice,
    KnowsRooms,
    OffersShortcuts,
    Platform,
    PrivateFile,
    SendsDirectMessages,
    SendsPrivateFiles,
)
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import Clock, system_clock
from slipway.bot.declared import Declarations
from slipway.bot.operations.model import Operation
from slipway.bot.wiring.parts import ChatBuilder, RunningBot
from tests.conformance.harness import (
    Capability,
    ChatPlatformHarness,
    SentMessage,
    VisibleMessage,
    Where,
)
from tests.support.azure import X64
from tests.support.configuration import PEOPLE, READER, declared_with, simulated_settings
from tests.support.harness import UPKEEP_EVERY
from tests.support.pauses import impatient, no_pauses
from tests.support.state_folder import prepare
from tests.toys.chat import POSTBOARD_CHAT

WITH_TOY_CHAT = declared_with(chats=(POSTBOARD_CHAT,))
"""Slipway, and a platform that nothing in it knows: held to the same as all others."""

TIMEOUT_SECONDS = 30.0
"""Seconds until a test gives up."""


def candidate() -> str:
    """The newest healthy candidate of X64."""
    return f"43.{system_clock() - timedelta(days=2):%Y%m%d}.0"


def operation_id(card: VisibleMessage) -> str:
    """The operation that a card speaks of."""
    found = re.search(r"op-\w+", card.text)
    assert found is not None, card.text
    return found[0]


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both tables of a configuration; what is in both is the other's, tables in them merged too."""
    return {
        **one,
        **{
            key: merged(one[key], value) if isinstance(value, Mapping) and key in one else value
            for key, value in other.items()
        },
    }


class WrappedChat:
    """An adapter, and what a subclass does around it."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    @property
    def platform(self) -> Platform:
        return self._chat.platform

    @property
    def edit_interval(self) -> timedelta:
        return self._chat.edit_interval

    async def prepare(self) -> None:
        await self._chat.prepare()

    async def close(self) -> None:
        await self._chat.close()

    async def run(self, accept: Accept) -> None:
        await self._chat.run(accept)

    async def send(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        return await self._chat.send(room, card, thread=thread, key=key)

    async def edit(self, room: str, message_id: str, card: Card, *, thread: str | None, key: str) -> None:
        await self._chat.edit(room, message_id, card, thread=thread, key=key)

    async def direct_room(self, account: str) -> str:
        if not isinstance(self._chat, SendsDirectMessages):
            raise ChatError("Nobody can be spoken to alone here.", passing=False)
        return await self._chat.direct_room(account)

    async def send_private_file(self, account: str, file: PrivateFile, *, key: str) -> None:
        if not isinstance(self._chat, SendsPrivateFiles):
            raise ChatError("Nobody can be spoken to alone here.", passing=False)
        await self._chat.send_private_file(account, file, key=key)

    async def why_gone(self, room: str) -> str | None:
        return await self._chat.why_gone(room) if isinstance(self._chat, KnowsRooms) else None

    @property
    def offers_shortcuts(self) -> bool:
        return isinstance(self._chat, OffersShortcuts) and self._chat.offers_shortcuts

    async def is_direct(self, room: str) -> bool:
        return await self._chat.is_direct(room) if isinstance(self._chat, KnowsRooms) else False

    def is_private(self, room: str) -> bool:
        return isinstance(self._chat, KnowsRooms) and self._chat.is_private(room)

    def health(self) -> ChatHealth:
        return self._chat.health()


class RecordingChat(WrappedChat):
    """An adapter under test; what it hands in is written down, and can be handed in again."""

    def __init__(self, chat: Chat, received: list[AnyEvent]) -> None:
        super().__init__(chat)
        self._received = received
        self._accept: Accept | None = None
        self.closed: set[str] = set()  # rooms that take nothing

    async def send(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        if room in self.closed:
            raise ChatError(f"In {room} the bot may not write.", passing=False, locked_out=True)
        return await super().send(room, card, thread=thread, key=key)

    async def run(self, accept: Accept) -> None:
        async def record(event: AnyEvent) -> bool | None:
            answer = await accept(event)
            self._received.append(event)
            return answer

        self._accept = accept
        await self._chat.run(record)

    async def repeat(self) -> None:
        """Hand in all events once more, as an adapter that forgot would."""
        assert self._accept is not None
        for event in tuple(self._received):
            await self._accept(event)


@dataclass
class PlatformSession:
    """One platform of a run: people act, and what the bot then says is returned."""

    platform: ChatPlatformHarness
    running: Callable[[], RunningBot]
    received: list[AnyEvent] = field(default_factory=list)
    sent: list[SentMessage] = field(default_factory=list)
    chat: RecordingChat | None = None

    @property
    def chat_in_use(self) -> RecordingChat:
        """The adapter of the running bot."""
        assert self.chat is not None
        return self.chat

    def requires(self, *capabilities: Capability) -> None:
        """Skip the test on a platform that lacks one of these."""
        for capability in capabilities:
            if capability in self.platform.missing:
                pytest.skip(
                    f"{self.platform.platform} has no {capability}: {self.platform.missing[capability]}"
                )

    async def say(
        self,
        who: str,
        text: str,
        *,
        where: Where = Where.ROOM,
        thread: str | None = None,
        mention: bool = False,
        wait: bool = True,
    ) -> list[VisibleMessage]:
        """Say something, wait for all that follows from it, and return what is new before the speaker."""

        async def act() -> None:
            self.sent.append(await self.platform.say(who, text, where=where, thread=thread, mention=mention))

        return await self._after(act, who, where, wait=wait)

    async def press(
        self, who: str, choice: Choice, card: VisibleMessage, *, wait: bool = True
    ) -> list[VisibleMessage]:
        """Press a button, wait for all that follows, and return what is new before the presser."""
        return await self._after(lambda: self.platform.press(who, choice, card), who, Where.ROOM, wait=wait)

    async def press_shortcut(self, who: str, label: str, card: VisibleMessage) -> list[VisibleMessage]:
        """Press a button that says a line, and return what is new before the presser."""
        return await self._after(
            lambda: self.platform.press_shortcut(who, label, card), who, Where.ROOM, wait=True
        )

    async def withdraw_press(self) -> list[VisibleMessage]:
        """Take the last press back."""
        return await self._after(self.platform.withdraw_press, "alice", Where.ROOM)

    async def propose(self, text: str = f"!promote {X64}", who: str = "alice") -> tuple[VisibleMessage, str]:
        """Ask for a change; the card that proposes it, and its operation's id."""
        # Where that took long, those who can decide are called apart.
        card, *called = await self.say(who, text)
        assert all("approval is asked for" in each.text for each in called), called
        assert card.choices == set(Choice), card
        return card, operation_id(card)

    async def settle(self) -> None:
        """Wait until all that was done so far was heard, and all that follows from it is done."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await self.platform.settle()
            await self.running().idle()

    async def visible_messages(self, who: str = "alice", where: Where = Where.ROOM) -> list[VisibleMessage]:
        """What the bot has said, as a person sees it now."""
        return await self.platform.visible_messages(who, where)

    async def current(self, card: VisibleMessage, who: str = "alice") -> VisibleMessage:
        """A message as it is now."""
        (found,) = [each for each in await self.visible_messages(who) if each.id == card.id]
        return found

    async def until(self, look: Callable[[list[VisibleMessage]], bool]) -> list[VisibleMessage]:
        """Look into the room until it looks so, while work is still under way there."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while not look(found := await self.visible_messages()):  # noqa: ASYNC110 - no platform tells all of it
                await asyncio.sleep(0.02)
            return found

    async def _after(
        self, act: Callable[[], Awaitable[None]], who: str, where: Where, *, wait: bool = True
    ) -> list[VisibleMessage]:
        before = {each.id for each in await self.visible_messages(who, where)}
        await act()
        if wait:
            await self.settle()
        return [each for each in await self.visible_messages(who, where) if each.id not in before]


class ConformanceRun:
    """The bot and its clouds, with the platforms it is on. It can be stopped and started."""

    def __init__(
        self,
        state_dir: Path,
        azure: SimulatedAzure,
        *platforms: ChatPlatformHarness,
        declarations: Declarations = WITH_TOY_CHAT,
    ) -> None:
        self.state_dir = state_dir
        self.declarations = declarations
        self.azure = azure
        self.answers_at_once = False  # whoever waits is told at once that the bot is working on it
        self._away_for = 0.0  # seconds that the platforms will take nothing
        self.sessions = tuple(PlatformSession(platform, lambda: self.running) for platform in platforms)
        self._running: RunningBot | None = None

    @property
    def running(self) -> RunningBot:
        """The running bot."""
        assert self._running is not None
        return self._running

    @property
    def session(self) -> PlatformSession:
        """The only session."""
        (session,) = self.sessions
        return session

    @asynccontextmanager
    async def bot(
        self,
        changes: Mapping[str, Any] | None = None,
        *,
        aws: SimulatedAws | None = None,
        clock: Clock = system_clock,
    ) -> AsyncIterator[None]:
        """The bot, from its listening until it is stopped; ``changes`` go into its configuration."""
        configured = simulated_settings(
            self.state_dir,
            self.azure,
            aws,
            merged(self._configuration(), changes or {}),
            self.declarations,
        )
        app = App(
            configured,
            self.declarations,
            chats=tuple(self._builder(session) for session in self.sessions),
            clock=clock,
            sleep=self._sleep,
            upkeep_every=UPKEEP_EVERY,
        )
        await prepare(self.state_dir)
        try:
            async with app.running() as self._running:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    for session in self.sessions:
                        await session.platform.ready()
                    await self.running.idle()
                yield
        finally:
            self._running = None
            for session in self.sessions:
                await session.platform.stopped()

    def _builder(self, session: PlatformSession) -> ChatBuilder:
        def make(context: ChatContext[Any]) -> Chat:
            session.chat = RecordingChat(session.platform.make_chat(context), session.received)
            return session.chat

        return ChatBuilder(session.platform.platform, make)

    def _configuration(self) -> dict[str, Any]:
        document: dict[str, Any] = {"console": {"enabled": False}}
        for session in self.sessions:
            document = merged(document, session.platform.configuration())
        document["person"] = [
            {
                "id": who,
                "name": who.title(),
                "identities": [session.platform.identity(who) for session in self.sessions],
                "roles": ["reader" if who == READER else "releng"],
            }
            for who in PEOPLE
        ]
        return document

    async def _sleep(self, seconds: float) -> None:
        await (impatient if self.answers_at_once else no_pauses)(seconds)
        if self._away_for > 0:
            self._away_for -= seconds
            if self._away_for <= 0:
                self.set_away(0)

    def set_away(self, seconds: float) -> None:
        """Let the platforms take nothing until the bot has paused for so long altogether; 0: let them take all."""
        self._away_for = seconds
        for session in self.sessions:
            session.platform.set_away(seconds > 0)

    # What the cloud and the database hold

    def excluded(self, definition: str = X64, version: str = "") -> bool | None:
        """The exclude-from-latest flag as the gallery has it, of the candidate if none is named."""
        found = self.azure.snapshot()["definitions"][definition]["versions"][version or candidate()]
        flag: bool | None = found["excluded"]
        return flag

    async def operations(self) -> tuple[Operation, ...]:
        """The operations so far, the newest first."""
        return await self.running.operations.recent(20)


@asynccontextmanager
async def conformance_run(
    state_dir: Path,
    azure: SimulatedAzure,
    *platforms: ChatPlatformHarness,
    declarations: Declarations = WITH_TOY_CHAT,
) -> AsyncIterator[ConformanceRun]:
    """Platforms with their people in place, and a gallery; the bot is not running yet."""
    async with AsyncExitStack() as stack:
        await azure.start()
        stack.push_async_callback(azure.stop)
        for platform in platforms:
            await platform.open()
            stack.push_async_callback(platform.close)
        yield ConformanceRun(state_dir, azure, *platforms, declarations=declarations)
