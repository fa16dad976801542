"""The Matrix adapter in encrypted rooms on a real Synapse, with people on encrypted clients of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from slipway.bot.chat.matrix.account.account_store import AccountStore
from slipway.bot.chat.matrix.chat import MatrixChat
from slipway.bot.chat.matrix.memory import InMemory
from slipway.bot.chat.model import Assurance, Button, ButtonEvent, Card, Choice, WithdrawnReaction
from slipway.bot.config.settings import MatrixSettings
from slipway.bot.core.times import system_clock
from tests.matrix.encrypted_client import EncryptedPerson
from tests.matrix.harness import EventRecorder, running, settings
from tests.support.synapse import Account, Synapse

OPERATION = {"operation_id": "op-7k3f", "digest_prefix": "abcd1234"}


@dataclass
class EncryptedBotRoom:
    """An encrypted room with a person and the bot in it."""

    chat: MatrixChat
    recorder: EventRecorder
    room: str
    memory: InMemory
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
    memory: InMemory | None = None,
) -> AsyncIterator[EncryptedBotRoom]:
    """Run the bot in an encrypted room that the person made."""
    bot = matrix("").user_id
    entered = room is not None
    if room is None:
        room = await person.create_room(bot)
    memory, recorder = memory or InMemory(), EventRecorder()
    chat = MatrixChat(matrix(room), memory, system_clock, is_known=everybody, store=AccountStore(folder))
    async with running(chat, recorder):
        if not entered:
            await person.member(room, bot)
        await wait_until_reading(person, room, recorder)
        yield EncryptedBotRoom(chat, recorder, room, memory, person, bot)


@pytest.fixture
def matrix(synapse: Synapse, account: Account) -> Callable[[str], MatrixSettings]:
    return lambda room, **more: settings(synapse, account, room, **more)


@pytest.fixture
async def ann(synapse: Synapse, tmp_path: Path) -> AsyncIterator[EncryptedPerson]:
    """A strict one: she speaks only with devices that are cross-signed."""
    async with EncryptedPerson.of(synapse, tmp_path / "ann", strict=True) as person:
        yield person


@pytest.fixture
async def home(
    ann: EncryptedPerson, matrix: Callable[[str], MatrixSettings], tmp_path: Path
) -> AsyncIterator[EncryptedBotRoom]:
    async with encrypted_bot_room(ann, matrix, tmp_path / "matrix") as found:
        yield found


async def test_a_command_and_its_answer_and_an_edit_are_encrypted(home: EncryptedBotRoom) -> None:
    said = await home.person.say(home.room, "!images")
    received = await home.recorder.received("!images")
    assert (received.event_id, received.speaker, received.assurance) == (said, home.person.id, Assurance.FULL)
    sent = await home.chat.send(home.room, Card(title="2 images"), thread=said, key="answer")
    answer = await home.person.message(home.room, "2 images")
    assert answer.decrypted
    assert answer.event_id == sent
    assert answer.source["content"]["m.relates_to"]["event_id"] == said
    await home.chat.edit(home.room, sent, Card(title="3 images"), thread=said, key="more")
    edit = await home.person.message(home.room, "3 images")
    assert edit.decrypted
    assert edit.source["content"]["m.relates_to"] == {"rel_type": "m.replace", "event_id": sent}
    raw = await home.person.call("GET", f"/rooms/{home.room}/event/{edit.event_id}")
    assert raw["type"] == "m.room.encrypted"
    assert "images" not in str(raw)


async def test_the_same_key_shows_one_message(home: EncryptedBotRoom) -> None:
    first = await home.chat.send(home.room, Card(title="only once"), thread=None, key="k1")
    assert await home.chat.send(home.room, Card(title="only once"), thread=None, key="k1") == first


async def test_reactions_are_marked_as_forgeable_and_can_be_taken_back(home: EncryptedBotRoom) -> None:
    buttons = tuple(
        Button(choice=choice, label="…", authentic=choice is Choice.REJECT, **OPERATION) for choice in Choice
    )
    sent = await home.chat.send(home.room, Card(title="Promote?", buttons=buttons), thread=None, key="ask")
    await home.person.message(home.room, "Promote?")
    await home.person.until(lambda: home.person.reactions(home.room, sent), what="a button")
    assert home.person.reactions(home.room, sent) == {(home.bot, "✅")}  # the one that may be forged
    pressed = await home.person.react(home.room, sent)
    await home.person.redact(home.room, pressed)
    await home.recorder.until(lambda: len(home.recorder.events) == 2)
    press, withdrawal = home.recorder.events
    assert isinstance(press, ButtonEvent)
    assert (press.event_id, press.forgeable) == (pressed, True)
    assert isinstance(withdrawal, WithdrawnReaction)
    assert (withdrawal.reaction_event_id, withdrawal.speaker) == (pressed, home.person.id)


async def test_clear_text_in_an_encrypted_room_is_not_heard(home: EncryptedBotRoom) -> None:
    await home.person.say_in_clear(home.room, "!promote forged")
    await home.person.say(home.room, "!last")
    await home.recorder.received("!last")
    assert home.recorder.texts == ["!last"]


@pytest.mark.parametrize(
    ("rule", "assurance"),
    [("accept", Assurance.FULL), ("warn", Assurance.DOUBTED), ("refuse", Assurance.REFUSED)],
)
async def test_a_device_that_its_owner_has_not_signed(
    synapse: Synapse, account: Account, tmp_path: Path, rule: str, assurance: Assurance
) -> None:
    async with (
        EncryptedPerson.of(synapse, tmp_path / "bea", signed=False) as bea,
        encrypted_bot_room(
            bea, lambda room: settings(synapse, account, room, unsigned_devices=rule), tmp_path / "matrix"
        ) as home,
    ):
        await bea.say(home.room, "!promote")
        received = await home.recorder.received("!promote")
        assert received.assurance is assurance
        assert (bea.account.device_id in received.doubt) is (assurance is not Assurance.FULL)
        await home.chat.send(home.room, Card(title="what I say"), thread=None, key="answer")
        assert (await bea.message(home.room, "what I say")).decrypted
        # Once its owner has signed it, it is believed.
        await bea.cross_sign()
        for count in range(60):
            text = f"signed {count}"
            await bea.say(home.room, text)
            if (await home.recorder.received(text)).assurance is Assurance.FULL:
                return
        raise AssertionError("never believed")


async def test_a_restart_keeps_device_identity_and_place(
    ann: EncryptedPerson, matrix: Callable[[str], MatrixSettings], tmp_path: Path
) -> None:
    memory = InMemory()
    async with encrypted_bot_room(ann, matrix, tmp_path / "matrix", memory=memory) as home:
        before = await ann.keys_of(home.bot)
        await home.chat.send(home.room, Card(title="before"), thread=None, key="before")
        await ann.message(home.room, "before")
    await ann.say(home.room, "!meanwhile")
    recorder = EventRecorder()
    chat = MatrixChat(matrix(home.room), memory, system_clock, store=AccountStore(tmp_path / "matrix"))
    async with running(chat, recorder):
        received = await recorder.received("!meanwhile")
        assert received.assurance is Assurance.FULL
        await chat.send(home.room, Card(title="after"), thread=None, key="after")
        assert (await ann.message(home.room, "after")).decrypted
    assert await ann.keys_of(home.bot) == before


async def test_it_can_send_before_its_first_look(
    ann: EncryptedPerson, matrix: Callable[[str], MatrixSettings], tmp_path: Path
) -> None:
    async with encrypted_bot_room(ann, matrix, tmp_path / "matrix") as home:
        pass
    chat = MatrixChat(matrix(home.room), InMemory(), system_clock, store=AccountStore(tmp_path / "matrix"))
    await chat.send(home.room, Card(title="at once"), thread=None, key="now")
    await chat.close()
    assert (await ann.message(home.room, "at once")).decrypted


async def test_what_cannot_be_read_is_told_once_a_session(home: EncryptedBotRoom) -> None:
    session = home.person.client.olm.outbound_group_sessions[home.room]
    home.person.client.olm.rotate_outbound_group_session(home.room)
    hidden = home.person.client.olm.outbound_group_sessions[home.room]
    hidden.shared = True  # and nobody was given it
    await home.person.say(home.room, "!images 1")
    told = await home.person.message(home.room, "I could not read a message of yours")
    assert told.source["content"]["m.mentions"] == {"user_ids": [home.person.id]}
    await home.person.say(home.room, "!images 2")
    home.person.client.olm.outbound_group_sessions[home.room] = session
    await home.person.say(home.room, "!images 3")
    await home.recorder.received("!images 3")
    assert home.recorder.texts == ["!images 3"]
    await home.chat.send(home.room, Card(title="last"), thread=None, key="last")
    await home.person.message(home.room, "last")
    texts = home.person.texts(home.room, home.bot)
    assert len([text for text in texts if "I could not read" in text]) == 1


async def test_new_members_can_read_and_those_who_left_cannot(
    home: EncryptedBotRoom, synapse: Synapse, tmp_path: Path
) -> None:
    async with EncryptedPerson.of(synapse, tmp_path / "cat") as cat:
        await home.chat.send(home.room, Card(title="before cat"), thread=None, key="1")
        await home.person.call("POST", f"/rooms/{home.room}/invite", {"user_id": cat.id})
        await cat.call("POST", f"/join/{home.room}", {})
        await cat.sync()
        await cat.say(home.room, "!here")
        await home.recorder.received("!here")
        await home.chat.send(home.room, Card(title="for cat too"), thread=None, key="2")
        assert (await cat.message(home.room, "for cat too")).decrypted
        assert not any("before cat" in text for text in cat.texts(home.room, home.bot))
        given = {
            event.session_id
            for event in cat.events[home.room]
            if event.sender == home.bot and event.decrypted
        }
        await cat.call("POST", f"/rooms/{home.room}/leave", {})
        await home.person.say(home.room, "!gone")
        await home.recorder.received("!gone")
        await home.chat.send(home.room, Card(title="without cat"), thread=None, key="3")
        assert (await home.person.message(home.room, "without cat")).session_id not in given
