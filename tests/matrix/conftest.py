"""Fixtures of the tests that talk on a real Matrix homeserver."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from slipway.bot.chat.matrix.chat import MatrixChat
from slipway.bot.chat.matrix.memory import InMemory
from slipway.bot.core.times import system_clock
from tests.matrix.fakes import Proxy, faulty
from tests.matrix.harness import House, Notebook, running, settings, started
from tests.matrix.clients import Person
from tests.support.synapse import Account, Synapse


@pytest.fixture
async def alice(synapse: Synapse) -> AsyncIterator[Person]:
    async with Person.of(synapse) as person:
        yield person


@pytest.fixture
def account(synapse: Synapse) -> Account:
    return synapse.register(displayname="Slipway Bot")


@pytest.fixture
async def house(synapse: Synapse, alice: Person, account: Account) -> AsyncIterator[House]:
    room = await alice.create_room(invite=(account.user_id,))
    memory, notebook = InMemory(), Notebook()
    chat = MatrixChat(settings(synapse, account, room), memory, system_clock)
    async with running(chat, notebook):
        await alice.member(room, account.user_id)
        await started(alice, room, notebook)
        yield House(chat, notebook, room, memory, account.user_id)


@pytest.fixture
async def proxy(synapse: Synapse) -> AsyncIterator[Proxy]:
    async with faulty(synapse.url) as proxy:
        yield proxy
