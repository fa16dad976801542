"""The bot's membership of its rooms: removed, without rights, in a room that was replaced, under a moving alias."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from slipway.bot.chat.matrix.chat import MatrixChat
from slipway.bot.chat.matrix.memory import MatrixMemory
from slipway.bot.chat.model import Card
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import system_clock
from tests.matrix.builders import new_memory, settings
from tests.matrix.clients import Person
from tests.matrix.fakes import EventRecorder
from tests.matrix.harness import BotRoom, running, wait_until_listening
from tests.support.key_value_store import InMemoryStore
from tests.support.processes.synapse import Account, Synapse


async def _detail(alice: Person, bot_room: BotRoom, part: str) -> str:
    """Talk until the bot's health speaks of something."""

    def told() -> str | None:
        detail = bot_room.chat.health().detail
        return detail if part in detail else None

    return await alice.until(told, what=part)


@pytest.mark.parametrize(("how", "word"), [("kick", "removed"), ("ban", "banned")])
async def test_being_removed_is_noted_and_not_undone(
    bot_room: BotRoom, alice: Person, how: str, word: str
) -> None:
    await alice.call("POST", f"/rooms/{bot_room.room}/{how}", {"user_id": bot_room.bot})
    detail = await _detail(alice, bot_room, word)
    assert f"{word} by {alice.id}" in detail
    assert f"Invite {bot_room.bot}" in detail
    members = await alice.call("GET", f"/rooms/{bot_room.room}/joined_members")
    assert set(members["joined"]) == {alice.id}


async def test_an_invite_brings_the_bot_back(bot_room: BotRoom, alice: Person) -> None:
    await alice.call("POST", f"/rooms/{bot_room.room}/kick", {"user_id": bot_room.bot})
    await _detail(alice, bot_room, "removed")
    await alice.invite(bot_room.room, bot_room.bot)
    await _detail(alice, bot_room, "Listening on Matrix")
    await alice.say(bot_room.room, "!help")
    await bot_room.recorder.received("!help")


async def test_the_rest_of_the_bot_is_told_of_rooms_and_can_ask_why_they_are_gone(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    room, recorder = await alice.create_room(invite=(account.user_id,)), EventRecorder()
    told: list[str] = []
    chat = MatrixChat(settings(synapse, account, room), new_memory(), system_clock, room_changed=told.append)
    with pytest.raises(ChatError, match="Not connected"):  # it may enter rooms first
        await chat.why_gone(room)
    async with running(chat, recorder):
        await wait_until_listening(alice, room, recorder)
        assert await chat.why_gone(room) is None
        told.clear()
        await alice.call("POST", f"/rooms/{room}/kick", {"user_id": account.user_id})
        await alice.until(lambda: told or None, what="word of the removal")
        assert f"was removed by {alice.id}" in (await chat.why_gone(room) or "")
        told.clear()
        await alice.invite(room, account.user_id)
        await alice.until(lambda: told or None, what="word of the return")
        assert await chat.why_gone(room) is None
        told.clear()
        answer = await alice.call("POST", f"/rooms/{room}/upgrade", {"new_version": "11"})
        await alice.until(lambda: told or None, what="word of the upgrade")
        why = await chat.why_gone(room) or ""
        assert f"{room} was replaced by {answer['replacement_room']}" in why
        assert "`matrix.rooms`" in why
        assert "not in the room !nowhere:slipway.test any more" in (
            await chat.why_gone("!nowhere:slipway.test") or ""
        )
        assert set(told) == {room}
        async with Person(synapse, account) as elsewhere:  # the account left by itself
            told.clear()
            await elsewhere.call("POST", f"/rooms/{room}/leave", {})
        await alice.until(lambda: told or None, what="word of its leaving")
        assert f"I am not in the room {room} any more" in (await chat.why_gone(room) or "")


async def _levels(alice: Person, room: str, change: dict[str, Any]) -> None:
    path = f"/rooms/{room}/state/m.room.power_levels/"
    content = await alice.call("GET", path)
    content["events"] = {**content["events"], **change.pop("events", {})}
    await alice.call("PUT", path, {**content, **change})


async def test_a_missing_right_is_told_once_and_forgotten_when_it_is_given(
    synapse: Synapse, bot_room: BotRoom, alice: Person, account: Account
) -> None:
    await _levels(alice, bot_room.room, {"events": {"m.reaction": 50}})
    told = await alice.message(bot_room.room, "may not place", sender=bot_room.bot)
    assert "power level 0 and needs 50" in told.body
    assert "`!approve`" in told.body
    await _detail(alice, bot_room, "may not place")
    again = MatrixChat(settings(synapse, account, bot_room.room), MatrixMemory(bot_room.store), system_clock)
    recorder = EventRecorder()
    async with running(again, recorder):  # a restart does not say it again
        await wait_until_listening(alice, bot_room.room, recorder)
        assert "may not place" in again.health().detail
    await _levels(alice, bot_room.room, {"events": {"m.reaction": 0}})
    await _detail(alice, bot_room, "Listening on Matrix")
    assert len(alice.messages(bot_room.room, bot_room.bot)) == 1


async def test_where_the_bot_may_not_speak_its_health_says_so(bot_room: BotRoom, alice: Person) -> None:
    await _levels(alice, bot_room.room, {"events_default": 50})
    assert "may not speak" in await _detail(alice, bot_room, "may not speak")


async def test_a_replaced_room_is_announced_and_the_new_one_not_entered(
    bot_room: BotRoom, alice: Person
) -> None:
    new = await alice.create_room(public=True)
    tombstone = {"body": "moved", "replacement_room": new}
    await alice.call("PUT", f"/rooms/{bot_room.room}/state/m.room.tombstone/", tombstone)
    told = await alice.message(bot_room.room, "This room was replaced", sender=bot_room.bot)
    assert new in told.body
    assert "do not follow" in told.body
    assert f"{bot_room.room} was replaced by {new}" in await _detail(alice, bot_room, "replaced")
    members = await alice.call("GET", f"/rooms/{new}/joined_members")
    assert set(members["joined"]) == {alice.id}
    await alice.say(bot_room.room, "!still here")
    await bot_room.recorder.received("!still here")


async def test_a_forged_successor_is_not_repeated(bot_room: BotRoom, alice: Person) -> None:
    content = {"body": "x", "replacement_room": "<a href='//evil'>here</a>"}
    await alice.call("PUT", f"/rooms/{bot_room.room}/state/m.room.tombstone/", content)
    told = await alice.message(bot_room.room, "This room was replaced", sender=bot_room.bot)
    assert "evil" not in told.body + told.html


async def test_an_alias_that_leads_elsewhere_is_followed_since_the_configuration_names_it(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    alias = f"moving-{alice.id[1:].partition(':')[0]}"
    old = await alice.create_room(public=True, alias=alias)
    new = await alice.create_room(public=True)
    ahead, recorder = timedelta(), EventRecorder()
    chat = MatrixChat(
        settings(synapse, account, f"#{alias}:slipway.test"), new_memory(), lambda: system_clock() + ahead
    )
    async with running(chat, recorder):
        await alice.member(old, account.user_id)
        await wait_until_listening(alice, old, recorder)
        path = f"/directory/room/%23{alias}:slipway.test"
        await alice.call("DELETE", path)
        await alice.call("PUT", path, {"room_id": new})
        ahead = timedelta(hours=2)
        await alice.say(old, "!wake")
        await alice.member(new, account.user_id)
        await alice.say(new, "!help")
        await recorder.received("!help")
        await alice.say(old, "!ignored")
        await alice.say(new, "!last")
        await recorder.received("!last")
        assert "!ignored" not in recorder.texts


async def test_a_room_the_bot_was_removed_from_takes_no_card(bot_room: BotRoom, alice: Person) -> None:
    await alice.call("POST", f"/rooms/{bot_room.room}/kick", {"user_id": bot_room.bot})
    await _detail(alice, bot_room, "removed")
    with pytest.raises(ChatError, match="M_FORBIDDEN"):
        await bot_room.chat.send(bot_room.room, Card(title="hello"), thread=None, key="k")


async def test_the_name_and_picture_are_set_once(
    synapse: Synapse, alice: Person, account: Account, tmp_path: Any
) -> None:
    room, store = await alice.create_room(public=True), InMemoryStore()
    memory = MatrixMemory(store)
    picture = tmp_path / "slipway.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    config = settings(synapse, account, room, display_name="Harbour Pilot", avatar=picture)

    async def profile() -> dict[str, str]:
        found: dict[str, str] = await alice.call("GET", f"/profile/{account.user_id}")
        return found

    async with running(MatrixChat(config, memory, system_clock), EventRecorder()):
        await alice.until(
            lambda: sum(name.startswith("note:") for name in store.values) == 2, what="the profile"
        )
    first = await profile()
    assert first["displayname"] == "Harbour Pilot"
    assert first["avatar_url"].startswith("mxc://slipway.test/")
    async with Person(synapse, account) as owner:
        await owner.call("PUT", f"/profile/{account.user_id}/displayname", {"displayname": "By hand"})
    recorder = EventRecorder()
    async with running(MatrixChat(config, memory, system_clock), recorder):
        await wait_until_listening(alice, room, recorder)
    assert await profile() == {**first, "displayname": "By hand"}


@pytest.mark.parametrize("content", [None, b"no picture"])
async def test_a_picture_that_is_none_is_told_and_nothing_else_suffers(
    synapse: Synapse, alice: Person, account: Account, tmp_path: Any, content: bytes | None
) -> None:
    picture = tmp_path / "slipway.png"
    if content is not None:
        picture.write_bytes(content)
    room, recorder = await alice.create_room(public=True), EventRecorder()
    chat = MatrixChat(settings(synapse, account, room, avatar=picture), new_memory(), system_clock)
    async with running(chat, recorder):
        await alice.member(room, account.user_id)
        await wait_until_listening(alice, room, recorder)
        assert "matrix.avatar" in chat.health().detail
