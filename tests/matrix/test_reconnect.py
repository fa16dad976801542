"""Staying connected: a login that ends, a homeserver that goes away, and messages said only once."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from slipway.bot.chat.matrix.chat import MatrixChat
from slipway.bot.chat.matrix.platform import MATRIX
from slipway.bot.chat.model import Card, Room
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import system_clock
from slipway.bot.messages.service import MessageService
from slipway.bot.store.database import Database
from tests.matrix.builders import new_memory, settings
from tests.matrix.clients import Person
from tests.matrix.fakes import SOFT_LOGOUT, EventRecorder, FaultProxy, RecordingSleep
from tests.matrix.harness import chat_behind, running, wait_until_listening
from tests.support.processes.synapse import Account, Synapse, restarting_synapse


async def test_a_soft_logout_is_followed_by_a_new_login_as_the_same_device(
    synapse: Synapse, proxy: FaultProxy, alice: Person, account: Account
) -> None:
    room, waits, recorder = await alice.create_room(public=True), RecordingSleep(), EventRecorder()
    password = SecretStr(account.password)
    chat = chat_behind(proxy, synapse, account, room, waits, access_token=None, password=password)
    async with running(chat, recorder):
        await alice.member(room, account.user_id)
        await wait_until_listening(alice, room, recorder)
        proxy.faults["/sync"].append(SOFT_LOGOUT)
        await alice.say(room, "!first")
        await recorder.received("!first")
        await alice.say(room, "!second")
        await recorder.received("!second")
        assert not proxy.faults["/sync"]
        proxy.faults["/send/"].append(SOFT_LOGOUT)
        await chat.send(room, Card(title="still here"), thread=None, key="k")
        await chat.send(room, Card(title="still here"), thread=None, key="k")
        await alice.message(room, "still here")
        assert sum(path.endswith("/login") for path in proxy.asked) == 3
        assert chat.health().connected
    assert len(alice.messages(room, account.user_id)) == 1  # the device's transactions are still known
    assert waits.seconds == []


async def test_a_soft_logout_without_a_password_says_what_to_type(
    synapse: Synapse, proxy: FaultProxy, alice: Person, account: Account
) -> None:
    room = await alice.create_room(public=True)
    proxy.faults["/sync"].append(SOFT_LOGOUT)
    chat = chat_behind(proxy, synapse, account, room, RecordingSleep())
    with pytest.raises(ChatError, match="`slipway matrix login`") as error:
        async with asyncio.timeout(20):
            await chat.run(EventRecorder())
    assert not error.value.passing


async def test_a_bot_that_was_logged_out_says_so_and_stops(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    room, recorder = await alice.create_room(public=True), EventRecorder()
    chat = MatrixChat(settings(synapse, account, room), new_memory(), system_clock)
    listening = asyncio.create_task(chat.run(recorder))
    await alice.member(room, account.user_id)
    await wait_until_listening(alice, room, recorder)
    async with Person(synapse, account) as owner:
        await owner.call("POST", "/logout", {})
    with pytest.raises(ChatError, match="`slipway matrix login`") as error:
        async with asyncio.timeout(20):
            await listening
    assert not error.value.passing
    assert not chat.health().connected


async def test_a_restart_of_the_homeserver_is_lived_through(tmp_path: Path) -> None:
    waited = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        waited.set()
        await asyncio.sleep(0.1)

    async with restarting_synapse(tmp_path) as server:
        account = await asyncio.to_thread(server.synapse.register)
        async with Person.of(server.synapse) as alice:
            room, recorder = await alice.create_room(public=True), EventRecorder()
            config = settings(server.synapse, account, room)
            chat = MatrixChat(config, new_memory(), system_clock, sleep=sleep)
            with capture_logs() as logged:
                async with running(chat, recorder):
                    await alice.member(room, account.user_id)
                    await wait_until_listening(alice, room, recorder)
                    await chat.send(room, Card(title="before"), thread=None, key="k")
                    await server.stop()
                    async with asyncio.timeout(20):
                        await waited.wait()
                    assert not chat.health().connected
                    assert re.search("127.0.0.1 cannot be reached|connection was cut", chat.health().detail)
                    await server.start()
                    said = await alice.say(room, "!images")
                    received = await recorder.received("!images")
                    assert received.event_id == said
                    await chat.send(room, Card(title="before"), thread=None, key="k")
                    await chat.send(room, Card(title="after"), thread=None, key="l")
                    await alice.message(room, "after")
                    assert len(alice.messages(room, account.user_id)) == 2
    events = [each["event"] for each in logged]
    assert events.index("a chat does not answer") < events.index("a chat answers again")


async def test_a_message_whose_sending_was_not_written_down_is_not_said_again(
    synapse: Synapse, alice: Person, account: Account, tmp_path: Path
) -> None:
    """Killed between the homeserver's answer and our own note of it, the step runs again after the start."""
    room = await alice.create_room(public=True)
    async with Person(synapse, account) as bot:
        await bot.join(room)
    sent = []
    for life in ("first", "second"):
        database = Database(tmp_path / f"{life}.db")  # the second life knows nothing of what the first sent
        await database.open()
        chat = MatrixChat(settings(synapse, account, room), new_memory(), system_clock)
        messages = MessageService(database, {MATRIX: chat}, system_clock)
        where = Room(platform=MATRIX, id=room)
        sent.append(await messages.say(where, Card(title="Promoted"), key="hear:matrix:$e"))
        await chat.close()
        await database.close()
    await alice.say(room, "last")
    await alice.message(room, "last")
    assert sent == [each.id for each in alice.messages(room, account.user_id)] * 2
