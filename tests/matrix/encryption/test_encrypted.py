"""The Matrix adapter in encrypted rooms on a real Synapse, with people on encrypted clients of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.bot.chat.matrix.account.account_store import AccountStore
from slipway.bot.chat.matrix.chat import MatrixChat
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.chat.model import Assurance, Button, ButtonEvent, Card, Choice, WithdrawnReaction
from slipway.bot.core.times import system_clock
from tests.matrix.builders import new_memory, settings
from tests.matrix.encryption.encrypted_client import EncryptedPerson
from tests.matrix.fakes import EventRecorder
from tests.matrix.harness import EncryptedBotRoom, encrypted_bot_room, running
from tests.support.processes.synapse import Account, Synapse

OPERATION = {"operation_id": "op-7k3f", "digest_prefix": "abcd1234"}


async def test_a_command_and_its_answer_and_an_edit_are_encrypted(encrypted_room: EncryptedBotRoom) -> None:
    said = await encrypted_room.person.say(encrypted_room.room, "!images")
    received = await encrypted_room.recorder.received("!images")
    assert (received.event_id, received.sender, received.assurance) == (
        said,
        encrypted_room.person.id,
        Assurance.FULL,
    )
    sent = await encrypted_room.chat.send(
        encrypted_room.room, Card(title="2 images"), thread=said, key="answer"
    )
    answer = await encrypted_room.person.message(encrypted_room.room, "2 images")
    assert answer.decrypted
    assert answer.event_id == sent
    assert answer.source["content"]["m.relates_to"]["event_id"] == said
    await encrypted_room.chat.edit(encrypted_room.room, sent, Card(title="3 images"), thread=said, key="more")
    edit = await encrypted_room.person.message(encrypted_room.room, "3 images")
    assert edit.decrypted
    assert edit.source["content"]["m.relates_to"] == {"rel_type": "m.replace", "event_id": sent}
    raw = await encrypted_room.person.call("GET", f"/rooms/{encrypted_room.room}/event/{edit.event_id}")
    assert raw["type"] == "m.room.encrypted"
    assert "images" not in str(raw)


async def test_the_same_key_shows_one_message(encrypted_room: EncryptedBotRoom) -> None:
    first = await encrypted_room.chat.send(
        encrypted_room.room, Card(title="only once"), thread=None, key="k1"
    )
    assert (
        await encrypted_room.chat.send(encrypted_room.room, Card(title="only once"), thread=None, key="k1")
        == first
    )


async def test_reactions_are_marked_as_forgeable_and_can_be_taken_back(
    encrypted_room: EncryptedBotRoom,
) -> None:
    buttons = tuple(
        Button(choice=choice, label="…", authentic=choice is Choice.REJECT, **OPERATION) for choice in Choice
    )
    sent = await encrypted_room.chat.send(
        encrypted_room.room, Card(title="Promote?", buttons=buttons), thread=None, key="ask"
    )
    await encrypted_room.person.message(encrypted_room.room, "Promote?")
    await encrypted_room.person.until(
        lambda: encrypted_room.person.reactions(encrypted_room.room, sent), what="a button"
    )
    assert encrypted_room.person.reactions(encrypted_room.room, sent) == {
        (encrypted_room.bot, "✅")
    }  # the one that may be forged
    pressed = await encrypted_room.person.react(encrypted_room.room, sent)
    await encrypted_room.person.redact(encrypted_room.room, pressed)
    await encrypted_room.recorder.until(lambda: len(encrypted_room.recorder.events) == 2)
    press, withdrawal = encrypted_room.recorder.events
    assert isinstance(press, ButtonEvent)
    assert (press.event_id, press.forgeable) == (pressed, True)
    assert isinstance(withdrawal, WithdrawnReaction)
    assert (withdrawal.reaction_event_id, withdrawal.sender) == (pressed, encrypted_room.person.id)


async def test_clear_text_in_an_encrypted_room_is_not_heard(encrypted_room: EncryptedBotRoom) -> None:
    await encrypted_room.person.say_in_clear(encrypted_room.room, "!promote forged")
    await encrypted_room.person.say(encrypted_room.room, "!last")
    await encrypted_room.recorder.received("!last")
    assert encrypted_room.recorder.texts == ["!last"]


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
        ) as encrypted_room,
    ):
        await bea.say(encrypted_room.room, "!promote")
        received = await encrypted_room.recorder.received("!promote")
        assert received.assurance is assurance
        assert (bea.account.device_id in received.doubt) is (assurance is not Assurance.FULL)
        await encrypted_room.chat.send(
            encrypted_room.room, Card(title="what I say"), thread=None, key="answer"
        )
        assert (await bea.message(encrypted_room.room, "what I say")).decrypted
        # Once its owner has signed it, it is believed.
        await bea.cross_sign()
        for count in range(60):
            text = f"signed {count}"
            await bea.say(encrypted_room.room, text)
            if (await encrypted_room.recorder.received(text)).assurance is Assurance.FULL:
                return
        raise AssertionError("never believed")


async def test_a_restart_keeps_device_identity_and_place(
    ann: EncryptedPerson, matrix: Callable[[str], MatrixSettings], tmp_path: Path
) -> None:
    memory = new_memory()
    async with encrypted_bot_room(ann, matrix, tmp_path / "matrix", memory=memory) as encrypted_room:
        before = await ann.keys_of(encrypted_room.bot)
        await encrypted_room.chat.send(encrypted_room.room, Card(title="before"), thread=None, key="before")
        await ann.message(encrypted_room.room, "before")
    await ann.say(encrypted_room.room, "!meanwhile")
    recorder = EventRecorder()
    chat = MatrixChat(
        matrix(encrypted_room.room), memory, system_clock, store=AccountStore(tmp_path / "matrix")
    )
    async with running(chat, recorder):
        received = await recorder.received("!meanwhile")
        assert received.assurance is Assurance.FULL
        await chat.send(encrypted_room.room, Card(title="after"), thread=None, key="after")
        assert (await ann.message(encrypted_room.room, "after")).decrypted
    assert await ann.keys_of(encrypted_room.bot) == before


async def test_it_can_send_before_its_first_look(
    ann: EncryptedPerson, matrix: Callable[[str], MatrixSettings], tmp_path: Path
) -> None:
    async with encrypted_bot_room(ann, matrix, tmp_path / "matrix") as encrypted_room:
        pass
    chat = MatrixChat(
        matrix(encrypted_room.room), new_memory(), system_clock, store=AccountStore(tmp_path / "matrix")
    )
    await chat.send(encrypted_room.room, Card(title="at once"), thread=None, key="now")
    await chat.close()
    assert (await ann.message(encrypted_room.room, "at once")).decrypted


async def test_what_cannot_be_read_is_told_once_a_session(encrypted_room: EncryptedBotRoom) -> None:
    session = encrypted_room.person.client.olm.outbound_group_sessions[encrypted_room.room]
    encrypted_room.person.client.olm.rotate_outbound_group_session(encrypted_room.room)
    hidden = encrypted_room.person.client.olm.outbound_group_sessions[encrypted_room.room]
    hidden.shared = True  # and nobody was given it
    await encrypted_room.person.say(encrypted_room.room, "!images 1")
    told = await encrypted_room.person.message(encrypted_room.room, "I could not read a message of yours")
    assert told.source["content"]["m.mentions"] == {"user_ids": [encrypted_room.person.id]}
    await encrypted_room.person.say(encrypted_room.room, "!images 2")
    encrypted_room.person.client.olm.outbound_group_sessions[encrypted_room.room] = session
    await encrypted_room.person.say(encrypted_room.room, "!images 3")
    await encrypted_room.recorder.received("!images 3")
    assert encrypted_room.recorder.texts == ["!images 3"]
    await encrypted_room.chat.send(encrypted_room.room, Card(title="last"), thread=None, key="last")
    await encrypted_room.person.message(encrypted_room.room, "last")
    texts = encrypted_room.person.texts(encrypted_room.room, encrypted_room.bot)
    assert len([text for text in texts if "I could not read" in text]) == 1


async def test_new_members_can_read_and_those_who_left_cannot(
    encrypted_room: EncryptedBotRoom, synapse: Synapse, tmp_path: Path
) -> None:
    async with EncryptedPerson.of(synapse, tmp_path / "cat") as cat:
        await encrypted_room.chat.send(encrypted_room.room, Card(title="before cat"), thread=None, key="1")
        await encrypted_room.person.call("POST", f"/rooms/{encrypted_room.room}/invite", {"user_id": cat.id})
        await cat.call("POST", f"/join/{encrypted_room.room}", {})
        await cat.sync()
        await cat.say(encrypted_room.room, "!here")
        await encrypted_room.recorder.received("!here")
        await encrypted_room.chat.send(encrypted_room.room, Card(title="for cat too"), thread=None, key="2")
        assert (await cat.message(encrypted_room.room, "for cat too")).decrypted
        assert not any("before cat" in text for text in cat.texts(encrypted_room.room, encrypted_room.bot))
        given = {
            event.session_id
            for event in cat.events[encrypted_room.room]
            if event.sender == encrypted_room.bot and event.decrypted
        }
        await cat.call("POST", f"/rooms/{encrypted_room.room}/leave", {})
        await encrypted_room.person.say(encrypted_room.room, "!gone")
        await encrypted_room.recorder.received("!gone")
        await encrypted_room.chat.send(encrypted_room.room, Card(title="without cat"), thread=None, key="3")
        assert (
            await encrypted_room.person.message(encrypted_room.room, "without cat")
        ).session_id not in given
