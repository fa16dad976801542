"""Fixtures of the tests that talk on a real Matrix homeserver."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from slipway.bot.chat.matrix.chat import MatrixChat
from slipway.bot.chat.matrix.memory import MatrixMemory
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.core.times import system_clock
from tests.matrix.builders import settings
from tests.matrix.clients import Person
from tests.matrix.encryption.encrypted_client import EncryptedPerson
from tests.matrix.fakes import EventRecorder, FaultProxy, fault_proxy
from tests.matrix.harness import BotRoom, EncryptedBotRoom, encrypted_bot_room, running, wait_until_listening
from tests.support.key_value_store import InMemoryStore
from tests.support.processes.synapse import Account, Synapse


@pytest.fixture
async def alice(synapse: Synapse) -> AsyncIterator[Person]:
    async with Person.of(synapse) as person:
        yield person


@pytest.fixture
def account(synapse: Synapse) -> Account:
    return synapse.register(displayname="Slipway Bot")


@pytest.fixture
async def joined_room(synapse: Synapse, alice: Person, account: Account) -> str:
    """A room of alice's that the bot's account is in."""
    room = await alice.create_room(public=True)
    async with Person(synapse, account) as bot:
        await bot.join(room)
    return room


@pytest.fixture
async def bot_room(synapse: Synapse, alice: Person, account: Account) -> AsyncIterator[BotRoom]:
    room = await alice.create_room(invite=(account.user_id,))
    store, recorder = InMemoryStore(), EventRecorder()
    chat = MatrixChat(settings(synapse, account, room), MatrixMemory(store), system_clock)
    async with running(chat, recorder):
        await alice.member(room, account.user_id)
        await wait_until_listening(alice, room, recorder)
        yield BotRoom(chat, recorder, room, store, account.user_id)


@pytest.fixture
async def proxy(synapse: Synapse) -> AsyncIterator[FaultProxy]:
    async with fault_proxy(synapse.url) as proxy:
        yield proxy


@pytest.fixture
def matrix(synapse: Synapse, account: Account) -> Callable[[str], MatrixSettings]:
    return lambda room, **more: settings(synapse, account, room, **more)


@pytest.fixture
async def ann(synapse: Synapse, tmp_path: Path) -> AsyncIterator[EncryptedPerson]:
    """A strict one: she speaks only with devices that are cross-signed."""
    async with EncryptedPerson.of(synapse, tmp_path / "ann", strict=True) as person:
        yield person


@pytest.fixture
async def encrypted_room(
    ann: EncryptedPerson, matrix: Callable[[str], MatrixSettings], tmp_path: Path
) -> AsyncIterator[EncryptedBotRoom]:
    async with encrypted_bot_room(ann, matrix, tmp_path / "matrix") as found:
        yield found
