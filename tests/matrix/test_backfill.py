"""What a sync leaves out is read back: nothing said is lost, nothing is heard twice."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.chat.matrix.chat import MatrixChat
from slipway.bot.chat.matrix.events.backfill import PAGE_SIZE, Backfill
from slipway.bot.chat.matrix.events.event_listener import missed_events_card
from slipway.bot.chat.matrix.memory import MatrixMemory, SyncPosition
from slipway.bot.chat.matrix.platform import MATRIX
from slipway.bot.chat.matrix.transport.retries import MAX_TRIES
from slipway.bot.chat.model import MessageEvent
from slipway.bot.core.times import system_clock
from slipway.bot.store.database import Database
from slipway.bot.store.memory import ChatMemory
from tests.matrix.builders import BOT, new_memory, settings
from tests.matrix.clients import Person
from tests.matrix.fakes import BAD_GATEWAY, EventRecorder, FaultProxy, RecordingSleep, answers
from tests.matrix.harness import BotRoom, bot_without_clouds, chat_behind, running, wait_until_listening
from tests.support.key_value_store import InMemoryStore
from tests.support.processes.synapse import Account, Synapse

FORBIDDEN = answers(403, '{"errcode": "M_FORBIDDEN", "error": "no history for you"}')


async def test_a_burst_while_the_bot_is_down_is_heard_whole_once_and_in_order(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    room = await alice.create_room(public=True)
    memory, recorder = new_memory(), EventRecorder()
    async with running(MatrixChat(settings(synapse, account, room), memory, system_clock), recorder):
        await alice.member(room, account.user_id)
        await wait_until_listening(alice, room, recorder)
        await alice.say(room, "!before")
        await recorder.received("!before")
    sent: list[str] = []
    for _ in range(3):
        sent += await asyncio.gather(*(alice.say(room, "!images") for _ in range(50)))
    last = await alice.say(room, "!last")
    recorder = EventRecorder()
    async with running(MatrixChat(settings(synapse, account, room), memory, system_clock), recorder):
        await recorder.received("!last")
    received = [event.event_id for event in recorder.events]
    assert Counter(received) == Counter([*sent, last])
    assert received[-1] == last
    times = [event.sent_at for event in recorder.events]
    assert times == sorted(times)


async def test_what_was_said_while_the_bot_was_down_is_answered_once(
    synapse: Synapse, alice: Person, account: Account, tmp_path: Path
) -> None:
    room = await alice.create_room(public=True)
    matrix = settings(synapse, account, room)
    async with bot_without_clouds(tmp_path, matrix, alice.id) as bot:
        await alice.member(room, account.user_id)
        await alice.until(lambda: bot.chats[MATRIX].health().connected or None, what="connection")
        before = await alice.say(room, "!whoami")
        await alice.message(room, "You are", sender=account.user_id)
        await bot.workflows.idle()
    meanwhile = [await alice.say(room, text) for text in ("!whoami", "!whoami", "!status")]
    async with bot_without_clouds(tmp_path, matrix, alice.id) as bot:
        await alice.until(lambda: len(alice.messages(room, account.user_id)) >= 4, what="four answers")
        await alice.say(room, "!help")
        await alice.message(room, "!promote", sender=account.user_id)
        await bot.workflows.idle()
    said = alice.messages(room, account.user_id)
    assert len(said) == 5, [each.body[:60] for each in said]
    assert len({before, *meanwhile}) == 4


async def test_a_token_that_is_no_longer_known_means_going_on_from_the_last_message(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    room, quiet = await alice.create_room(public=True), await alice.create_room(public=True)
    store, recorder = InMemoryStore(), EventRecorder()
    memory = MatrixMemory(store)
    config = settings(synapse, account, room, quiet)
    async with running(MatrixChat(config, memory, system_clock), recorder):
        await alice.member(quiet, account.user_id)
        await wait_until_listening(alice, room, recorder)
        wanted = {
            room: await alice.say(room, "!promote, heard before"),
            quiet: await alice.say(quiet, "!cleanup, heard before"),
        }
        await alice.until(
            lambda: json.loads(store.values.get("place", "{}")).get("seen") == wanted, what="the place"
        )
    await asyncio.gather(*(alice.say(room, f"!{number}") for number in range(130)))
    await alice.say(room, "!last")
    await memory.save_position(SyncPosition("s_nobody_knows_this", wanted))
    recorder = EventRecorder()
    async with running(MatrixChat(config, memory, system_clock), recorder):
        await recorder.received("!last")
        await alice.say(quiet, "!after")
        await recorder.received("!after")
    assert Counter(recorder.texts) == Counter([*(f"!{number}" for number in range(130)), "!last", "!after"])


async def _with_missed_messages(alice: Person, chat: MatrixChat, room: str, bot: str) -> EventRecorder:
    """Let the chat come into the room, hear something, and stop; then say more than one sync holds."""
    recorder = EventRecorder()
    async with running(chat, recorder):
        await alice.member(room, bot)
        await wait_until_listening(alice, room, recorder)
    await asyncio.gather(*(alice.say(room, f"!{number}") for number in range(110)))
    await alice.say(room, "!last")
    return EventRecorder()


async def test_a_message_that_was_edited_while_the_bot_was_down_is_heard_as_it_reads_now(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    room, memory, recorder = await alice.create_room(public=True), new_memory(), EventRecorder()
    config = settings(synapse, account, room)
    async with running(MatrixChat(config, memory, system_clock), recorder):
        await alice.member(room, account.user_id)
        await wait_until_listening(alice, room, recorder)
    in_a_gap = await alice.say(room, "!promote the wrong one")
    await alice.edit(room, in_a_gap, "!promote another wrong one")
    await alice.edit(room, in_a_gap, "!promote the right one")
    await asyncio.gather(*(alice.say(room, f"!{number}") for number in range(110)))
    in_the_sync = await alice.say(room, "!cleanup everything")
    await alice.edit(room, in_the_sync, "!cleanup one")
    await alice.say(room, "!last")
    recorder = EventRecorder()
    async with running(MatrixChat(config, memory, system_clock), recorder):
        await recorder.received("!last")
    said = {event.event_id: event.text for event in recorder.events if isinstance(event, MessageEvent)}
    assert said[in_a_gap] == "!promote the right one"
    assert said[in_the_sync] == "!cleanup one"
    assert len(recorder.texts) == 113


async def test_missed_messages_are_asked_for_again_while_the_homeserver_is_in_trouble(
    synapse: Synapse, proxy: FaultProxy, alice: Person, account: Account
) -> None:
    room, waits = await alice.create_room(public=True), RecordingSleep()
    chat = chat_behind(proxy, synapse, account, room, waits)
    waits.chat = None  # it stays connected
    recorder = await _with_missed_messages(alice, chat, room, account.user_id)
    proxy.faults["/messages"].extend([BAD_GATEWAY] * 4)
    async with running(chat, recorder):
        await recorder.received("!last")
    assert len(recorder.texts) == len(set(recorder.texts)) == 111
    assert len(waits.seconds) == 4


@pytest.mark.parametrize("failure", [FORBIDDEN, BAD_GATEWAY])
async def test_messages_that_stay_missed_are_told_in_the_room(
    synapse: Synapse, proxy: FaultProxy, alice: Person, account: Account, failure: Any
) -> None:
    room, waits = await alice.create_room(public=True), RecordingSleep()
    chat = chat_behind(proxy, synapse, account, room, waits)
    waits.chat = None
    recorder = await _with_missed_messages(alice, chat, room, account.user_id)
    proxy.faults["/messages"].extend([failure] * (MAX_TRIES + 1))
    async with running(chat, recorder):
        await recorder.received("!last")
        told = await alice.message(room, "I may have missed something", sender=account.user_id)
        assert "say a command again" in told.body
    assert len(recorder.texts) == 100  # the rest is heard all the same


async def test_a_room_that_is_entered_again_does_not_hand_out_what_was_said_meanwhile(
    bot_room: BotRoom, alice: Person
) -> None:
    async with asyncio.timeout(20):
        await alice.call("POST", f"/rooms/{bot_room.room}/kick", {"user_id": bot_room.bot})
        await alice.say(bot_room.room, "!promote behind its back")
        await alice.invite(bot_room.room, bot_room.bot)
        await alice.until(
            lambda: (
                sum(
                    event["type"] == "m.room.member" and event["content"].get("membership") == "join"
                    for event in alice.events[bot_room.room]
                    if event.get("state_key") == bot_room.bot
                )
                >= 2
            )
        )
    await alice.say(bot_room.room, "!last")
    await bot_room.recorder.received("!last")
    assert bot_room.recorder.texts == ["!last"]


async def test_the_sync_position_is_kept_in_the_database(tmp_path: Path) -> None:
    position = SyncPosition("s1_2", {"!a:b": "$x", "!ö:b": "$y"})
    for expected in (None, position):
        database = Database(tmp_path / "slipway.db")
        await database.open()
        memory = MatrixMemory(ChatMemory(database, MATRIX))
        assert await memory.load_position() == expected
        await memory.save_position(position)
        await database.close()


HOUR_AGO = timedelta(hours=1)


@dataclass
class Said:
    """An event as nio gives it: with its source."""

    source: dict[str, Any]


@dataclass
class Page:
    """An answer to /messages, newest first."""

    chunk: list[Said]
    end: str | None


@dataclass
class History:
    """A room's events, oldest first, given out in pages of any length."""

    events: list[Said]
    lengths: list[int]
    user_id: str = BOT.user_id
    asked: int = field(default=0)

    async def request(self, _what: str, call: Any) -> Page:
        answer: Page = await call(self)
        return answer

    async def room_messages(self, _room: str, *, start: str, limit: int) -> Page:
        assert limit == PAGE_SIZE
        here = int(start)
        length = self.lengths[self.asked % len(self.lengths)]
        self.asked += 1
        there = max(0, here - length)
        return Page(self.events[there:here][::-1], str(there) if there else None)


def event(number: int, age: timedelta) -> Said:
    sent = (system_clock() - age).timestamp() * 1000
    return Said({"type": "m.room.message", "event_id": f"${number}", "origin_server_ts": int(sent)})


async def _no_wait(_seconds: float) -> None:
    return None


def backfilled(history: History, last_seen: str | None, *, pages: int = 1000) -> tuple[list[str], bool]:
    backfill = Backfill(
        history,  # type: ignore[arg-type]  # the two things of a connection that are used
        system_clock,
        max_age=timedelta(minutes=10),
        sleep=_no_wait,
        max_pages=pages,
    )
    earlier = asyncio.run(backfill.fetch("!r", str(len(history.events)), last_seen))
    return [each.source["event_id"] for each in earlier.events], earlier.complete


@given(st.integers(0, 40), st.data(), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_however_the_pages_fall_all_that_followed_the_last_message_is_read(
    count: int, data: st.DataObject, lengths: list[int]
) -> None:
    events = [event(number, timedelta(0)) for number in range(count)]
    last = data.draw(st.integers(-1, count - 1))
    found, complete = backfilled(History(events, lengths), f"${last}")
    assert found == [f"${number}" for number in range(last + 1, count)]
    assert complete


@given(st.integers(0, 30), st.integers(0, 30), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_what_is_too_old_to_act_on_ends_the_reading_and_a_single_false_time_does_not(
    old: int, young: int, lengths: list[int]
) -> None:
    events = [event(number, HOUR_AGO) for number in range(old)]
    events += [event(old + number, timedelta(0)) for number in range(young)]
    for index in range(old, old + young, 2):
        if len(lengths) > 1 or lengths[0] > 1:
            events[index].source["origin_server_ts"] = "forged"
    history = History(events, lengths)
    found, complete = backfilled(history, "$before all of it")
    assert complete
    assert found[len(found) - young :] == [f"${number}" for number in range(old, old + young)]
    assert len(found) - young <= 2 * max(lengths)


def test_reading_back_without_end_is_left_at_a_bound_and_said_to_be_incomplete() -> None:
    events = [event(number, timedelta(0)) for number in range(100)]
    found, complete = backfilled(History(events, [10]), "$elsewhere", pages=3)
    assert (found, complete) == ([f"${number}" for number in range(70, 100)], False)


@pytest.mark.parametrize("written", [10**18, -1, True, None, "soon", 2**53 - 1])
def test_a_time_that_no_calendar_has_does_not_keep_a_gap_from_being_told(written: object) -> None:
    """It is the homeserver of whoever sent the event that writes it."""
    card = missed_events_card([{"origin_server_ts": written}], "it would not come")
    assert card.text.startswith("I could not read what was said, because it would not come.")
    assert missed_events_card([], "it would not come").text == card.text
    told = missed_events_card([{"origin_server_ts": 1_795_000_000_000}], "it would not come").text
    assert "said before 11:06:40 UTC, because" in told
