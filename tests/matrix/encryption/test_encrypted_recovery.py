"""Encrypted rooms in the adapter's harder moments: missed messages, files, restarts, and members unseen."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from nio.crypto.attachments import decrypt_attachment

from slipway.bot.chat.matrix.account.account_store import AccountStore
from slipway.bot.chat.matrix.chat import MatrixChat
from slipway.bot.chat.matrix.memory import MatrixMemory
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.chat.model import Assurance, Card
from slipway.bot.chat.shared.plain import render_plain
from slipway.bot.core.times import system_clock
from tests.matrix.builders import LONG, PICTURED, new_memory, settings
from tests.matrix.encryption.encrypted_client import EncryptedPerson
from tests.matrix.fakes import EventRecorder, FaultProxy, Forward, hangs_up
from tests.matrix.harness import EncryptedBotRoom, encrypted_bot_room, everybody, running
from tests.support.pictures import PICTURE
from tests.support.processes.synapse import Account, Synapse

NOTHING_READ = "I could not read a message of yours"


def _encrypted_chat(settings: MatrixSettings, memory: MatrixMemory, folder: Path) -> MatrixChat:
    return MatrixChat(settings, memory, system_clock, is_known=everybody, store=AccountStore(folder))


async def chatter(person: EncryptedPerson, room: str, count: int = 105) -> None:
    """More events than one sync holds, which mean nothing to the bot."""
    path = f"/rooms/{room}/send/org.example.chatter"
    await asyncio.gather(*(person.call("PUT", f"{path}/n{number}", {}) for number in range(count)))


async def test_a_command_that_a_limited_timeline_leaves_out_of_an_encrypted_room_is_heard_once(
    ann: EncryptedPerson, matrix: Callable[[str], MatrixSettings], tmp_path: Path
) -> None:
    memory = new_memory()
    async with encrypted_bot_room(ann, matrix, tmp_path / "matrix", memory=memory) as encrypted_room:
        await ann.say(encrypted_room.room, "!before")
        await encrypted_room.recorder.received("!before")
    said = await ann.say(encrypted_room.room, "!meanwhile")
    mended = await ann.say(encrypted_room.room, "!promote wrong")
    edit: dict[str, Any] = {
        "m.new_content": {"msgtype": "m.text", "body": "!promote right"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": mended},
    }
    await ann.say(encrypted_room.room, "* !promote right", **edit)
    await chatter(ann, encrypted_room.room)
    last = await ann.say(encrypted_room.room, "!last")
    recorder = EventRecorder()
    chat = _encrypted_chat(matrix(encrypted_room.room), memory, tmp_path / "matrix")
    async with running(chat, recorder):
        await recorder.received("!last")
    assert Counter(event.event_id for event in recorder.events) == Counter([said, mended, last])
    assert (await recorder.received("!meanwhile")).assurance is Assurance.FULL
    # What an edit belongs to stands in clear text, so that a homeserver could put any edit to any message.
    received = await recorder.received("!promote right")
    assert (received.event_id, received.assurance) == (mended, Assurance.REFUSED)
    assert "edited before I read it" in received.doubt


async def test_a_file_and_a_picture_can_be_decrypted_by_the_person_alone(
    ann: EncryptedPerson, matrix: Callable[[str], MatrixSettings], synapse: Synapse, tmp_path: Path
) -> None:
    async with encrypted_bot_room(ann, matrix, tmp_path / "matrix") as encrypted_room:
        root = await ann.say(encrypted_room.room, "!images")
        await encrypted_room.recorder.received("!images")
        await encrypted_room.chat.send(encrypted_room.room, LONG, thread=root, key="long")
        await encrypted_room.chat.send(encrypted_room.room, PICTURED, thread=None, key="picture")
        event = await ann.message(encrypted_room.room, "whole.txt")
        pictured = await ann.message(encrypted_room.room, PICTURE.alternative)
    content = event.source["content"]["m.new_content"]
    assert event.decrypted
    assert content["msgtype"] == "m.file"
    assert "url" not in content  # clear text would stand there
    sealed = await _download(synapse, ann, content["file"]["url"])
    assert b"Fedora-Cloud" not in sealed
    file = content["file"]
    clear = decrypt_attachment(sealed, file["key"]["k"], file["hashes"]["sha256"], file["iv"])
    assert clear.decode() == render_plain(LONG)
    shown = pictured.source["content"]["m.new_content"]
    assert pictured.decrypted
    assert (shown["msgtype"], "url" in shown) == ("m.image", False)
    sealed, file = await _download(synapse, ann, shown["file"]["url"]), shown["file"]
    assert not sealed.startswith(b"\x89PNG")
    assert decrypt_attachment(sealed, file["key"]["k"], file["hashes"]["sha256"], file["iv"]) == PICTURE.png


async def _download(synapse: Synapse, person: EncryptedPerson, address: str) -> bytes:
    headers = {"Authorization": f"Bearer {person.account.access_token}"}
    url = f"{synapse.url}/_matrix/client/v1/media/download/{address.removeprefix('mxc://')}"
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as answer:
        assert answer.status == 200
        return await answer.read()


def _hide_the_next_key(encrypted_room: EncryptedBotRoom) -> Any:
    """From now on the person writes in a session whose key nobody was given; gives back the one before."""
    olm = encrypted_room.person.client.olm
    known = olm.outbound_group_sessions[encrypted_room.room]
    olm.rotate_outbound_group_session(encrypted_room.room)
    olm.outbound_group_sessions[encrypted_room.room].shared = True
    return known


async def test_what_cannot_be_read_is_told_once_a_session_also_after_a_restart(
    ann: EncryptedPerson, matrix: Callable[[str], MatrixSettings], tmp_path: Path
) -> None:
    memory = new_memory()
    async with encrypted_bot_room(ann, matrix, tmp_path / "matrix", memory=memory) as encrypted_room:
        known = _hide_the_next_key(encrypted_room)
        await ann.say(encrypted_room.room, "!images 1")
        await ann.message(encrypted_room.room, NOTHING_READ)
    await ann.say(encrypted_room.room, "!images 2")  # in the same session, while the bot is down
    recorder = EventRecorder()
    chat = _encrypted_chat(matrix(encrypted_room.room), memory, tmp_path / "matrix")
    async with running(chat, recorder):
        ann.client.olm.outbound_group_sessions[encrypted_room.room] = known
        await ann.say(encrypted_room.room, "!images 3")
        await recorder.received("!images 3")
        await chat.send(encrypted_room.room, Card(title="the end"), thread=None, key="end")
        await ann.message(encrypted_room.room, "the end")
    assert recorder.texts == ["!images 3"]
    assert sum(NOTHING_READ in text for text in ann.texts(encrypted_room.room, encrypted_room.bot)) == 1


async def _hides_members(_request: web.Request, forward: Forward) -> web.StreamResponse:
    """Beside a limited timeline, tells of nobody who came or went before it."""
    answer = await forward()
    found = json.loads(answer.body) if isinstance(answer.body, bytes) else {}
    for info in found.get("rooms", {}).get("join", {}).values():
        events = info["state"]["events"]
        info["state"]["events"] = [each for each in events if each["type"] != "m.room.member"]
    return web.Response(status=answer.status, text=json.dumps(found), content_type="application/json")


async def test_who_came_or_left_unseen_is_known_when_the_bot_speaks_next(
    ann: EncryptedPerson, synapse: Synapse, account: Account, proxy: FaultProxy, tmp_path: Path
) -> None:
    """A homeserver that loads members lazily need not tell of them when a limited timeline hides their coming."""

    def behind(room: str) -> MatrixSettings:
        return settings(synapse, account, room, homeserver=proxy.url)

    async with (
        EncryptedPerson.of(synapse, tmp_path / "cat", strict=True) as cat,
        EncryptedPerson.of(synapse, tmp_path / "dan", strict=True) as dan,
        encrypted_bot_room(ann, behind, tmp_path / "matrix") as encrypted_room,
    ):
        await ann.call("POST", f"/rooms/{encrypted_room.room}/invite", {"user_id": dan.id})
        await dan.call("POST", f"/join/{encrypted_room.room}", {})
        await dan.sync()
        await dan.say(encrypted_room.room, "!dan is here")
        await encrypted_room.recorder.received("!dan is here")
        await encrypted_room.chat.send(encrypted_room.room, Card(title="for dan"), thread=None, key="1")
        session = (await dan.message(encrypted_room.room, "for dan")).session_id
        proxy.down = True
        await ann.say(encrypted_room.room, "what a poll under way still brings")
        await ann.until(lambda: not encrypted_room.chat.health().connected, what="the bot to be cut off")
        await ann.call("POST", f"/rooms/{encrypted_room.room}/invite", {"user_id": cat.id})
        await cat.call("POST", f"/join/{encrypted_room.room}", {})
        await dan.call("POST", f"/rooms/{encrypted_room.room}/leave", {})
        await chatter(ann, encrypted_room.room)
        proxy.faults["/sync"].extend([_hides_members] * 100)
        proxy.down = False
        await ann.say(encrypted_room.room, "!back")
        await encrypted_room.recorder.received("!back")
        await encrypted_room.chat.send(encrypted_room.room, Card(title="for cat"), thread=None, key="2")
        seen = await cat.message(encrypted_room.room, "for cat")
        assert seen.decrypted
        assert seen.session_id != session


async def test_a_line_that_breaks_while_keys_are_looked_up_does_not_end_the_listening(
    ann: EncryptedPerson, synapse: Synapse, account: Account, proxy: FaultProxy, tmp_path: Path
) -> None:
    def behind(room: str) -> MatrixSettings:
        return settings(synapse, account, room, homeserver=proxy.url)

    async with (
        EncryptedPerson.of(synapse, tmp_path / "cat", strict=True) as cat,
        encrypted_bot_room(ann, behind, tmp_path / "matrix") as encrypted_room,
    ):
        proxy.faults["/keys/query"].extend([hangs_up] * 3)
        await ann.call("POST", f"/rooms/{encrypted_room.room}/invite", {"user_id": cat.id})
        await cat.call("POST", f"/join/{encrypted_room.room}", {})
        await cat.sync()
        for count in range(20):
            await cat.say(encrypted_room.room, f"!cat {count}")
            if (await encrypted_room.recorder.received(f"!cat {count}")).assurance is Assurance.FULL:
                break
        assert not proxy.faults["/keys/query"]
        assert (await encrypted_room.recorder.received(f"!cat {count}")).assurance is Assurance.FULL


async def _use_up_one_time_keys(person: EncryptedPerson, bot: str, device: str) -> str:
    """Claim the bot's keys until only the fallback key is left; its name."""
    body = {"one_time_keys": {bot: {device: "signed_curve25519"}}}
    while True:
        answer = await person.call("POST", "/keys/claim", body)
        ((name, key),) = answer["one_time_keys"][bot][device].items()
        if key.get("fallback"):
            return str(name)


async def test_a_new_device_is_understood_when_it_first_speaks_to_a_bot_that_is_down_and_out_of_keys(
    ann: EncryptedPerson,
    matrix: Callable[[str], MatrixSettings],
    account: Account,
    synapse: Synapse,
    tmp_path: Path,
) -> None:
    memory, used = new_memory(), []
    async with encrypted_bot_room(ann, matrix, tmp_path / "matrix", memory=memory) as encrypted_room:
        room = encrypted_room.room
        await ann.say(room, "!before")
        await encrypted_room.recorder.received("!before")
    for name in ("new", "newer"):
        used.append(await _use_up_one_time_keys(ann, account.user_id, account.device_id))
        async with EncryptedPerson.of(synapse, tmp_path / name, strict=True) as person:
            await ann.call("POST", f"/rooms/{room}/invite", {"user_id": person.id})
            await person.call("POST", f"/join/{room}", {})
            await person.sync()
            await person.say(room, f"!from a {name} device")
        recorder = EventRecorder()
        async with running(_encrypted_chat(matrix(room), memory, tmp_path / "matrix"), recorder):
            assert (await recorder.received(f"!from a {name} device")).assurance is Assurance.FULL
    assert len(set(used)) == 2  # what was used is replaced
