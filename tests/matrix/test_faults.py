"""Matrix in trouble: a real Synapse behind a proxy that can fail."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr

from slipway.bot.chat.matrix.chat import MatrixChat
from slipway.bot.chat.matrix.declaration import CHAT
from slipway.bot.chat.matrix.transport.retries import LOOK_EVERY, wait_for_answers
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
    Forward,
    RecordingSleep,
    answers,
    does_it_but_hangs_up,
    hangs_up,
    never_answers,
)
from tests.matrix.harness import chat_behind, running, wait_until_listening
from tests.support.processes.synapse import Account, Synapse


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


async def test_the_bot_hears_as_soon_as_the_homeserver_is_back_however_long_it_was_away(
    synapse: Synapse, proxy: FaultProxy, alice: Person, account: Account
) -> None:
    looks: list[float] = []

    async def sleep(seconds: float) -> None:
        looks.append(seconds)
        if seconds > LOOK_EVERY:
            await asyncio.Event().wait()  # it would be deaf for longer than between two looks

    room, recorder = await alice.create_room(public=True), EventRecorder()
    config = settings(synapse, account, room, homeserver=proxy.url)
    async with running(MatrixChat(config, new_memory(), system_clock, sleep=sleep), recorder):
        await alice.member(room, account.user_id)
        await wait_until_listening(alice, room, recorder)
        proxy.down = True
        await alice.say(room, "what a poll under way still brings")
        await alice.until(lambda: sum(looks) > 300, what="an outage of five minutes")
        proxy.down = False
        await alice.say(room, "!images")
        await recorder.received("!images")


async def test_a_homeserver_that_answers_and_fails_is_given_time() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    await wait_for_answers(60.0, lambda: asyncio.sleep(0, True), sleep)
    assert waits == [60.0]
    waits.clear()
    assert await wait_for_answers(7.0, lambda: asyncio.sleep(0, False), sleep)
    assert waits == [2.0, 2.0, 2.0, 1.0]


async def test_a_homeserver_that_came_back_just_after_it_failed_is_asked_at_once() -> None:
    async def sleep(_seconds: float) -> None:
        raise AssertionError("it waits")

    assert not await wait_for_answers(10.0, lambda: asyncio.sleep(0, True), sleep, was_away=True)


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
    assert error.value.locked_out  # so what is to be said is kept
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


async def test_an_edit_is_seen_before_the_buttons_that_follow_it(
    synapse: Synapse, proxy: FaultProxy, account: Account, joined_room: str
) -> None:
    chat = chat_behind(proxy, synapse, account, joined_room, RecordingSleep())
    sent = await chat.send(joined_room, Card(title="Working on it…"), thread=None, key="k")
    buttons: list[datetime] = []

    async def noted(_request: web.Request, forward: Forward) -> web.StreamResponse:
        buttons.append(system_clock())
        return await forward()

    proxy.faults["/send/m.reaction"].append(noted)
    button = Button(choice=Choice.APPROVE, label="Approve", operation_id="op-7k3f", digest_prefix="ab")
    await chat.edit(joined_room, sent, Card(title="waits", buttons=(button,)), thread=None, key="e")
    edited = chat.edited_at(joined_room, sent)
    assert edited is not None
    assert edited <= buttons[0]
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
        await alice.say(room, "what ends the poll under way")
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
        assert chat.health().detail.endswith(": 127.0.0.1 cannot be reached.")


async def test_doctor_tells_of_a_clock_that_is_not_the_homeservers(
    synapse: Synapse, proxy: FaultProxy, account: Account, tmp_path: Path
) -> None:
    async def hours_ago(_request: web.Request, forward: Forward) -> web.StreamResponse:
        answer = await forward()
        answer.headers["Date"] = format_datetime(system_clock() - timedelta(hours=3, minutes=1), usegmt=True)
        return answer

    assert CHAT.probe is not None
    behind = settings(synapse, account, homeserver=proxy.url, encryption=False)
    right = await CHAT.probe(behind, str(tmp_path))
    proxy.faults["/client/versions"].extend([hours_ago] * 9)
    wrong = await CHAT.probe(behind, str(tmp_path))
    (told,) = set(wrong.problems) - set(right.problems)
    assert told.startswith("This machine's clock is 3h ahead of that of Matrix")
    assert "NTP" in told
    assert not wrong.well
    assert wrong.next
