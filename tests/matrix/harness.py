"""What tests of the Matrix adapter share: its settings, running it, and an ``accept`` to wait on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from pydantic import SecretStr

from slipway.bot.chat.matrix.chat import MatrixChat
from slipway.bot.chat.matrix.memory import InMemory
from slipway.bot.chat.model import AnyEvent, MessageEvent
from slipway.bot.config.settings import MatrixSettings
from tests.matrix.clients import Person
from tests.support.synapse import Account, Synapse


class EventRecorder:
    """An ``accept`` that keeps what it was given and can be waited on."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []
        self._news = asyncio.Condition()

    async def __call__(self, event: AnyEvent) -> None:
        async with self._news:
            self.events.append(event)
            self._news.notify_all()

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, MessageEvent)]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20), self._news:
            await self._news.wait_for(condition)

    async def received(self, text: str) -> MessageEvent:
        await self.until(lambda: text in self.texts)
        return next(event for event in self.events if isinstance(event, MessageEvent) and event.text == text)


def settings(synapse: Synapse, account: Account, *rooms: str, **more: object) -> MatrixSettings:
    values = {
        "homeserver": synapse.url,
        "user_id": account.user_id,
        "device_id": account.device_id,
        "access_token": SecretStr(account.access_token),
        "rooms": rooms,
        "request_timeout": timedelta(seconds=10),
        **more,
    }
    return MatrixSettings.model_validate(values)


@asynccontextmanager
async def running(chat: MatrixChat, accept: Callable[[AnyEvent], object]) -> AsyncIterator[None]:
    """Run a chat while the block runs; what it raises comes out."""
    task = asyncio.create_task(chat.run(accept))  # type: ignore[arg-type]
    try:
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def wait_until_listening(person: Person, room: str, recorder: EventRecorder) -> None:
    """Talk until the bot listens: what falls into its first look at the room is history to it."""
    for count in range(100):
        text = f"are you there? {count}"
        await person.say(room, text)
        try:
            async with asyncio.timeout(0.3):
                await recorder.until(lambda text=text: text in recorder.texts)  # type: ignore[misc]
        except TimeoutError:
            continue
        recorder.events.clear()
        return
    raise AssertionError("the bot never listened")


class BotRoom:
    """A room with alice and the bot in it, the bot listening."""

    def __init__(
        self, chat: MatrixChat, recorder: EventRecorder, room: str, memory: InMemory, bot: str
    ) -> None:
        self.chat = chat
        self.recorder = recorder
        self.room = room
        self.memory = memory
        self.bot = bot
