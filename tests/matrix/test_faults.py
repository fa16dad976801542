"""Matrix in trouble: a real Synapse behind a proxy that can fail."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from pydantic import SecretStr

from slipway.bot.chat.matrix.chat import MatrixChat
from slipway.bot.chat.model import Button, Card, Choice
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import system_clock
from tests.matrix.builders import new_memory, settings
from tests.matrix.clients import APPROVE, Person
from tests.matrix.fakes import (
    BAD_GATEWAY,
    TOO_FAST,
    UNKNOWN_TOKEN,
    EventRecorder,
    FaultProxy,
    RecordingSleep,
    answers,
    does_it_but_hangs_up,
    hangs_up,
    never_answers,
)
from tests.matrix.harness import chat_behind, running, wait_until_listening
from tests.support.synapse import Account, Synapse


async def test_the_bot_hears_on_after_an_outage(
    synapse: Synapse, proxy: FaultProxy, alice: Person, account: Account
) -> None:
    room, waits, recorder = await alice.create_room(public=True), RecordingSleep(), EventRecorder()
    async with running(chat_behind(proxy, synapse, account, room, waits), recorder):
        await alice.member(room, account.user_id)
        await wait_until_listening(alice, room, recorder)
        nonsense = answers(200, "this is no JSON")
        proxy.faults["/sync"].extend(
            [BAD_GATEWAY, BAD_GATEWAY, TOO_FAST, *[hangs_up] * 4, nonsense]  # aiohttp and nio try again too
        )
        for number in range(10):
            await alice.say(room, f"!images {number}")
        await recorder.until(lambda: len(recorder.events) == 10)
        assert recorder.texts == [f"!images {number}" for number in range(10)]
        await alice.say(room, "!last")
        await recorder.received("!last")
        assert not proxy.faults["/sync"]
    assert len(waits.seconds) >= 4
    assert all("HTTP 502" in detail for detail in waits.details[:2])
    assert "<html>" not in "".join(waits.details)


async def test_a_login_that_ends_is_told_and_not_tried_for_ever(
    synapse: Synapse, proxy: FaultProxy, alice: Person, account: Account
) -> None:
    room, waits = await alice.create_room(public=True), RecordingSleep()
    proxy.faults["/sync"].append(UNKNOWN_TOKEN)
    chat = chat_behind(proxy, synapse, account, room, waits)
    with pytest.raises(ChatError, match="no longer knows the bot's access token") as error:
        async with asyncio.timeout(20):
            await chat.run(EventRecorder())
    assert not error.value.passing
    assert "secret words" not in str(error.value)
    assert waits.seconds == []


async def test_a_lost_answer_does_not_say_it_twice(
    synapse: Synapse, proxy: FaultProxy, alice: Person, account: Account, joined_room: str
) -> None:
    chat = chat_behind(proxy, synapse, account, joined_room, RecordingSleep())
    proxy.faults["/send/"].extend([does_it_but_hangs_up] * 20)
    with pytest.raises(ChatError) as error:
        await chat.send(joined_room, Card(title="once"), thread=None, key="k")
    assert error.value.passing
    proxy.faults["/send/"].clear()
    sent = await chat.send(joined_room, Card(title="once"), thread=None, key="k")
    await chat.send(joined_room, Card(title="last"), thread=None, key="l")
    await alice.message(joined_room, "last")
    assert [each.id for each in alice.messages(joined_room) if "once" in each.body] == [sent]
    await chat.close()


async def test_a_message_whose_buttons_are_not_taken_is_known_by_its_id(
    synapse: Synapse, proxy: FaultProxy, alice: Person, account: Account, joined_room: str
) -> None:
    chat = chat_behind(proxy, synapse, account, joined_room, RecordingSleep())
    card = Card(
        title="waits",
        buttons=(Button(choice=Choice.APPROVE, label="Approve", operation_id="op-7k3f", digest_prefix="ab"),),
    )
    proxy.faults["/send/m.reaction"].extend([BAD_GATEWAY] * 100)
    with pytest.raises(ChatError) as error:
        await chat.send(joined_room, card, thread=None, key="k")
    assert error.value.passing
    shown = await alice.message(joined_room, "waits")
    assert error.value.message_id == shown.id
    proxy.faults["/send/m.reaction"].clear()
    assert await chat.send(joined_room, card, thread=None, key="k") == shown.id
    await alice.reacted(joined_room, shown.id, {(account.user_id, APPROVE)})
    assert [each.id for each in alice.messages(joined_room) if "waits" in each.body] == [shown.id]
    await chat.close()


async def test_a_homeserver_that_answers_again_is_told(
    synapse: Synapse, proxy: FaultProxy, alice: Person, account: Account
) -> None:
    room, recorder, answering = await alice.create_room(public=True), EventRecorder(), asyncio.Event()
    chat = MatrixChat(
        settings(synapse, account, room, homeserver=proxy.url),
        new_memory(),
        system_clock,
        answers=answering.set,
        sleep=RecordingSleep(),
    )
    async with running(chat, recorder):
        await alice.member(room, account.user_id)
        await wait_until_listening(alice, room, recorder)
        assert not answering.is_set()
        proxy.faults["/sync"].extend([BAD_GATEWAY] * 12)
        async with asyncio.timeout(20):
            await answering.wait()


async def test_a_limit_is_waited_for_and_then_reported_as_passing(
    synapse: Synapse, proxy: FaultProxy, alice: Person, account: Account, joined_room: str
) -> None:
    chat = chat_behind(proxy, synapse, account, joined_room, RecordingSleep())
    proxy.faults["/send/"].extend([TOO_FAST] * 3)
    await chat.send(joined_room, Card(title="patient"), thread=None, key="k1")
    await alice.message(joined_room, "patient")
    proxy.faults["/send/"].extend([TOO_FAST] * 50)
    with pytest.raises(ChatError, match="M_LIMIT_EXCEEDED") as error:
        await chat.send(joined_room, Card(title="too many"), thread=None, key="k2")
    assert error.value.passing
    assert len(proxy.faults["/send/"]) >= 40
    await chat.close()


async def test_a_homeserver_that_never_answers_is_given_up(
    synapse: Synapse, proxy: FaultProxy, alice: Person, account: Account, joined_room: str
) -> None:
    chat = chat_behind(
        proxy, synapse, account, joined_room, RecordingSleep(), request_timeout=timedelta(seconds=0.3)
    )
    proxy.faults["/send/"].extend([never_answers] * 5)
    with pytest.raises(ChatError, match="took too long") as error:
        await chat.send(joined_room, Card(title="hello"), thread=None, key="k")
    assert error.value.passing
    await chat.close()


async def test_no_homeserver_at_all_is_waited_for(account: Account) -> None:
    waited = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        waited.set()
        await asyncio.Event().wait()

    nowhere = Synapse.__new__(Synapse)
    object.__setattr__(nowhere, "url", "http://127.0.0.1:9")
    config = settings(nowhere, account, access_token=None, password=SecretStr("secret"))
    chat = MatrixChat(config, new_memory(), system_clock, sleep=sleep)
    async with running(chat, EventRecorder()), asyncio.timeout(20):
        await waited.wait()
        assert "no sound answer" in chat.health().detail
