"""Running the Matrix adapter, or the whole bot with it, in a room on a real homeserver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from slipway.bot.app import App
from slipway.bot.chat.matrix.account.account_store import AccountStore
from slipway.bot.chat.matrix.chat import MatrixChat
from slipway.bot.chat.matrix.declaration import CHAT
from slipway.bot.chat.matrix.memory import MatrixMemory
from slipway.bot.chat.matrix.platform import MATRIX
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.chat.model import AnyEvent
from slipway.bot.cli.demo_settings import demo_settings
from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.config.settings import PersonSettings, SlipwaySettings
from slipway.bot.core.times import system_clock
from slipway.bot.wiring.parts import ChatBuilder, RunningBot
from tests.matrix.builders import new_memory, settings
from tests.matrix.clients import Person
from tests.matrix.encryption.encrypted_client import EncryptedPerson
from tests.matrix.fakes import EventRecorder, FaultProxy, RecordingSleep
from tests.support.configuration import DECLARED
from tests.support.key_value_store import InMemoryStore
from tests.support.pauses import nobody_waits
from tests.support.processes.synapse import Account, Synapse

CHATS = (ChatBuilder(MATRIX, CHAT.build),)


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


@dataclass
class BotRoom:
    """A room with alice and the bot in it, the bot listening."""

    chat: MatrixChat
    recorder: EventRecorder
    room: str
    store: InMemoryStore
    bot: str


def chat_behind(
    proxy: FaultProxy, synapse: Synapse, account: Account, room: str, waits: RecordingSleep, **more: object
) -> MatrixChat:
    config = settings(synapse, account, room, homeserver=proxy.url, **more)
    waits.chat = MatrixChat(config, new_memory(), system_clock, sleep=waits)
    return waits.chat


@dataclass
class EncryptedBotRoom:
    """An encrypted room with a person and the bot in it."""

    chat: MatrixChat
    recorder: EventRecorder
    room: str
    person: EncryptedPerson
    bot: str


async def wait_until_reading(person: EncryptedPerson, room: str, recorder: EventRecorder) -> None:
    """Talk until the bot listens; what falls into its first look is history to it."""
    for count in range(60):
        text = f"are you there? {count}"
        await person.say(room, text)
        await person.sync(wait_ms=200)
        if any(said.startswith("are you there?") for said in recorder.texts):
            await recorder.received(text)
            recorder.events.clear()
            return
    raise AssertionError("the bot never listened")


def everybody(_user: str) -> bool:
    return True


@asynccontextmanager
async def encrypted_bot_room(
    person: EncryptedPerson,
    matrix: Callable[[str], MatrixSettings],
    folder: Path,
    *,
    room: str | None = None,
    memory: MatrixMemory | None = None,
) -> AsyncIterator[EncryptedBotRoom]:
    """Run the bot in an encrypted room that the person made."""
    bot = matrix("").user_id
    entered = room is not None
    if room is None:
        room = await person.create_room(bot)
    memory, recorder = memory or new_memory(), EventRecorder()
    chat = MatrixChat(matrix(room), memory, system_clock, is_known=everybody, store=AccountStore(folder))
    async with running(chat, recorder):
        if not entered:
            await person.member(room, bot)
        await wait_until_reading(person, room, recorder)
        yield EncryptedBotRoom(chat, recorder, room, person, bot)


@asynccontextmanager
async def bot_without_clouds(folder: Path, matrix: MatrixSettings, *people: str) -> AsyncIterator[RunningBot]:
    """Run the bot on a state folder while the block runs; ``people`` are Matrix accounts that may do all."""
    demo = demo_settings(
        state_dir=folder / "state",
        aws_endpoint=None,
        azure_endpoint="http://127.0.0.1:9",
        spec=DECLARED.spec,
    )
    persons = tuple(
        PersonSettings(id=f"person{number}", identities=(f"matrix:{account}",), roles=("admin",))
        for number, account in enumerate(people)
    )
    configured = demo.model_copy(update={"matrix": matrix, "person": persons, "schedule": ()})
    async with App(configured, DECLARED, chats=CHATS, clouds=Clouds(), sleep=nobody_waits).running() as bot:
        yield bot


@asynccontextmanager
async def bot_with_clouds(configured: SlipwaySettings) -> AsyncIterator[RunningBot]:
    """Run the bot with the clouds that its settings name, while the block runs."""
    async with App(configured, DECLARED, chats=CHATS, sleep=nobody_waits).running() as bot:
        yield bot
