"""Into which rooms the Matrix adapter comes, where it goes on after a restart, and what it refuses."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from pydantic import SecretStr

from slipway.bot.chat.matrix.chat import MatrixChat
from slipway.bot.chat.matrix.memory import MatrixMemory
from slipway.bot.chat.matrix.messages.message_sender import ENCRYPTION_OFF_NOTICE
from slipway.bot.chat.model import Address, AnyEvent, Card
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import system_clock
from tests.matrix.builders import new_memory, settings
from tests.matrix.clients import Person
from tests.matrix.fakes import BAD_GATEWAY, EventRecorder, FaultProxy, answers
from tests.matrix.harness import BotRoom, running, wait_until_listening
from tests.support.key_value_store import InMemoryStore
from tests.support.processes.synapse import Account, Synapse


async def test_backlog_is_not_heard_at_the_first_start(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    async with Person(synapse, account) as bot:
        room = await alice.create_room(invite=(account.user_id,))
        await bot.join(room)
    await alice.say(room, "!promote long ago")
    recorder = EventRecorder()
    chat = MatrixChat(settings(synapse, account, room), new_memory(), system_clock)
    async with running(chat, recorder):
        await wait_until_listening(alice, room, recorder)
        assert "!promote long ago" not in recorder.texts


async def test_what_was_said_before_the_bot_entered_is_not_heard(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    home, late = await alice.create_room(public=True), await alice.create_room()
    recorder = EventRecorder()
    chat = MatrixChat(settings(synapse, account, home, late), new_memory(), system_clock)
    async with running(chat, recorder):
        await alice.member(home, account.user_id)
        await wait_until_listening(alice, home, recorder)
        await alice.say(late, "!promote before you came")
        await alice.invite(late, account.user_id)
        await alice.member(late, account.user_id)
        await alice.say(late, "!help now")
        await recorder.received("!help now")
    assert "!promote before you came" not in recorder.texts


async def test_an_event_is_heard_again_when_the_bot_died_while_taking_it_in(
    synapse: Synapse, alice: Person, account: Account, bot_room: BotRoom
) -> None:
    memory = MatrixMemory(InMemoryStore(bot_room.store.values))
    entered = asyncio.Event()

    async def dies(event: AnyEvent) -> None:
        entered.set()
        await asyncio.Event().wait()

    said = await alice.say(bot_room.room, "!promote while dying")
    async with running(MatrixChat(settings(synapse, account, bot_room.room), memory, system_clock), dies):
        async with asyncio.timeout(20):
            await entered.wait()

    recorder = EventRecorder()
    async with running(MatrixChat(settings(synapse, account, bot_room.room), memory, system_clock), recorder):
        received = await recorder.received("!promote while dying")
    assert received.event_id == said


async def test_an_error_while_taking_in_keeps_the_token_and_comes_out(
    synapse: Synapse, alice: Person, account: Account, bot_room: BotRoom
) -> None:
    memory = MatrixMemory(InMemoryStore(bot_room.store.values))

    async def fails(event: AnyEvent) -> None:
        raise OSError("the disk is full")

    await alice.say(bot_room.room, "!promote")
    chat = MatrixChat(settings(synapse, account, bot_room.room), memory, system_clock)
    kept = await memory.load_position()
    with pytest.raises(OSError, match="the disk is full"):
        async with asyncio.timeout(20):
            await chat.run(fails)
    assert await memory.load_position() == kept
    recorder = EventRecorder()
    async with running(chat, recorder):
        await recorder.received("!promote")


async def test_only_invites_into_configured_rooms_are_followed(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    recorder = EventRecorder()
    alias = f"images-{alice.id[1:].partition(':')[0]}"
    config = settings(synapse, account, f"#{alias}:slipway.test")
    chat = MatrixChat(config, new_memory(), system_clock)
    async with running(chat, recorder):
        stranger = await alice.create_room(invite=(account.user_id,))
        direct = await alice.create_room(invite=(account.user_id,), direct=True)
        assert chat.room_called(f"#{alias}:slipway.test") is None
        wanted = await alice.create_room(invite=(account.user_id,), alias=alias)
        await alice.member(wanted, account.user_id)
        await wait_until_listening(alice, wanted, recorder)
        assert chat.room_called(f"#{alias}:slipway.test") == wanted
        async with Person(synapse, account) as bot:
            await bot.sync()
            assert set(bot.events) == {wanted}
            assert bot.invites == {stranger, direct}


async def test_public_rooms_are_entered_and_closed_ones_reported(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    public, closed = await alice.create_room(public=True), await alice.create_room()
    recorder = EventRecorder()
    chat = MatrixChat(
        settings(synapse, account, public, closed, "#nowhere:slipway.test"), new_memory(), system_clock
    )
    async with running(chat, recorder):
        await alice.member(public, account.user_id)
        await wait_until_listening(alice, public, recorder)
        detail = chat.health().detail
        assert f"enter {closed}" in detail
        assert f"Invite {account.user_id}" in detail
        assert "#nowhere:slipway.test" in detail
        await alice.invite(closed, account.user_id)
        await alice.member(closed, account.user_id)
        await alice.say(public, "next")
        await recorder.received("next")
        assert closed not in chat.health().detail


async def test_a_known_person_may_talk_with_the_bot_alone(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    recorder = EventRecorder()
    chat = MatrixChat(
        settings(synapse, account), new_memory(), system_clock, is_known=lambda user: user == alice.id
    )
    async with running(chat, recorder), Person.of(synapse) as mallory:
        lured = await mallory.create_room(invite=(account.user_id,), direct=True)
        room = await alice.create_room(invite=(account.user_id,), direct=True)
        await alice.member(room, account.user_id)
        await wait_until_listening(alice, room, recorder)
        await alice.say(room, "help")
        assert (await recorder.received("help")).address is Address.DIRECT
        await mallory.sync()
        assert account.user_id not in [each["sender"] for each in mallory.events[lured]]
        await alice.invite(room, mallory.id)
        await mallory.join(room)
        await alice.say(room, "is it still only us?")
        back = await alice.create_room(invite=(account.user_id,), direct=True)
        await alice.member(back, account.user_id)
        await wait_until_listening(alice, back, recorder)
        assert "is it still only us?" not in recorder.texts


async def test_after_a_restart_a_direct_chat_is_still_one_and_a_group_is_still_none(
    synapse: Synapse, proxy: FaultProxy, alice: Person, account: Account
) -> None:
    memory, recorder = new_memory(), EventRecorder()
    config = settings(synapse, account, homeserver=proxy.url)

    def chat() -> MatrixChat:
        return MatrixChat(
            config, memory, system_clock, is_known=lambda user: user == alice.id, sleep=_no_wait
        )

    async with running(chat(), recorder), Person.of(synapse) as bob, Person.of(synapse) as mallory:
        direct = await alice.create_room(invite=(account.user_id,), direct=True)
        group = await alice.create_room(public=True)
        async with Person(synapse, account) as bot:
            for each in (bot, bob, mallory):
                await each.join(group)
        await alice.member(direct, account.user_id)
        await wait_until_listening(alice, direct, recorder)
        await alice.say(group, "whoami")
        await alice.say(direct, "before")
        assert (await recorder.received("before")).address is Address.DIRECT
    await alice.say(group, "whoami")
    await alice.say(direct, "meanwhile")
    proxy.faults["/members"].extend([BAD_GATEWAY] * 3)  # it does not say at once who is where
    async with running(chat(), recorder):
        assert (await recorder.received("meanwhile")).address is Address.DIRECT
        await alice.say(group, "whoami")
        await alice.say(direct, "after")
        assert (await recorder.received("after")).address is Address.DIRECT
    assert "whoami" not in recorder.texts
    assert not proxy.faults["/members"]


async def test_where_nobody_says_who_is_in_a_room_the_bot_is_silent_and_asks_again_later(
    synapse: Synapse, proxy: FaultProxy, alice: Person, account: Account
) -> None:
    recorder = EventRecorder()
    config = settings(synapse, account, homeserver=proxy.url)
    chat = MatrixChat(config, new_memory(), system_clock, is_known=lambda user: user == alice.id)
    async with running(chat, recorder):
        room = await alice.create_room(invite=(account.user_id,), direct=True)
        await alice.member(room, account.user_id)
        await wait_until_listening(alice, room, recorder)
        async with Person(synapse, account) as bot:  # whatever changes of a member, it is asked for anew
            path = f"/rooms/{room}/state/m.room.member/{account.user_id}"
            await bot.call("PUT", path, {"membership": "join", "displayname": "Another name"})
        proxy.faults["/members"].append(answers(403, '{"errcode": "M_FORBIDDEN", "error": "no"}'))
        await alice.say(room, "while it is not known")
        await alice.say(room, "and once it is")
        await recorder.received("and once it is")
    assert "while it is not known" not in recorder.texts


async def _no_wait(_seconds: float) -> None:
    await asyncio.sleep(0)


async def test_an_encrypted_room_is_refused_with_one_sentence(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    plain = await alice.create_room(invite=(account.user_id,))
    secret = await alice.create_room(invite=(account.user_id,), encrypted=True)
    memory = new_memory()
    for _start in range(2):
        recorder = EventRecorder()
        chat = MatrixChat(settings(synapse, account, plain, secret), memory, system_clock)
        async with running(chat, recorder):
            await alice.member(secret, account.user_id)
            await alice.member(plain, account.user_id)
            await wait_until_listening(alice, plain, recorder)
            await alice.say(secret, "!promote in clear text")
            with pytest.raises(ChatError, match="is encrypted") as refused:
                await chat.send(secret, Card(title="report"), thread=None, key="report")
            assert not refused.value.passing
            await alice.say(plain, "!last")
            await recorder.received("!last")
            assert "!promote in clear text" not in recorder.texts
            assert f"{secret} is encrypted" in chat.health().detail
    await alice.message(secret, ENCRYPTION_OFF_NOTICE)
    assert [each.body for each in alice.messages(secret, account.user_id)] == [ENCRYPTION_OFF_NOTICE]


async def test_a_room_that_becomes_encrypted_is_refused_from_then_on(
    bot_room: BotRoom, alice: Person
) -> None:
    await alice.call(
        "PUT", f"/rooms/{bot_room.room}/state/m.room.encryption/", {"algorithm": "m.megolm.v1.aes-sha2"}
    )
    await alice.message(bot_room.room, ENCRYPTION_OFF_NOTICE)


async def test_sending_before_listening_logs_in_and_knows_encrypted_rooms(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    plain, secret = await alice.create_room(public=True), await alice.create_room(public=True, encrypted=True)
    async with Person(synapse, account) as bot:
        await bot.join(plain)
        await bot.join(secret)
    chat = MatrixChat(settings(synapse, account, plain, secret), new_memory(), system_clock)
    await chat.send(plain, Card(title="up again"), thread=None, key="up")
    with pytest.raises(ChatError, match="is encrypted"):
        await chat.send(secret, Card(title="up again"), thread=None, key="up")
    await chat.close()
    await alice.message(plain, "up again")


async def test_a_password_keeps_the_device(synapse: Synapse, alice: Person, account: Account) -> None:
    room = await alice.create_room(public=True)
    for key in ("one", "one"):
        config = settings(
            synapse,
            account,
            room,
            access_token=None,
            password=SecretStr(account.password),
            device_id="SLIPWAY",
        )
        recorder = EventRecorder()
        chat = MatrixChat(config, new_memory(), system_clock)
        async with running(chat, recorder):
            await alice.member(room, account.user_id)
            await chat.send(room, Card(title="hello"), thread=None, key=key)
    await alice.say(room, "last")
    await alice.message(room, "last")
    assert len(alice.messages(room, account.user_id)) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"access_token": SecretStr("syt_wrong")}, "access token"),
        ({"access_token": None, "password": SecretStr("wrong")}, "log in as"),
        ({"access_token": None}, "`slipway matrix login`"),
        ({"user_id": "@other:slipway.test"}, "matrix.user_id is @other:slipway.test"),
    ],
)
async def test_a_login_that_cannot_work_ends_the_chat_with_a_clear_error(
    synapse: Synapse, account: Account, change: dict[str, object], words: str
) -> None:
    chat = MatrixChat(settings(synapse, account, **change), new_memory(), system_clock)
    with pytest.raises(ChatError, match=words) as error:
        async with asyncio.timeout(20):
            await chat.run(EventRecorder())
    assert not error.value.passing
    assert "syt_wrong" not in str(error.value)
    assert not chat.health().connected
    assert chat.health().detail == str(error.value)


async def test_a_message_to_a_room_without_the_bot_is_refused_for_good(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    room = await alice.create_room()
    chat = MatrixChat(settings(synapse, account, room), new_memory(), system_clock)
    with pytest.raises(ChatError, match="M_FORBIDDEN") as error:
        await chat.send(room, Card(title="hello"), thread=None, key="k")
    assert not error.value.passing
    await chat.close()


async def test_a_room_whose_alias_appears_later_is_entered_then(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    home, alias = await alice.create_room(public=True), f"later-{alice.id[1:].partition(':')[0]}"
    ahead = timedelta()
    recorder = EventRecorder()
    chat = MatrixChat(
        settings(synapse, account, home, f"#{alias}:slipway.test"),
        new_memory(),
        lambda: system_clock() + ahead,
    )
    async with running(chat, recorder):
        await alice.member(home, account.user_id)
        await wait_until_listening(alice, home, recorder)
        assert f"#{alias}" in chat.health().detail
        late = await alice.create_room(public=True, alias=alias)
        ahead = timedelta(minutes=6)
        await alice.say(home, "anybody there?")
        await alice.member(late, account.user_id)
        await alice.say(late, "!help")
        await recorder.received("!help")
        assert f"#{alias}" not in chat.health().detail
