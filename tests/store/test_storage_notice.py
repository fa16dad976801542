"""What rooms hear of a state folder that cannot be written: once each, and never what does not hold any more."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.model import Card, Room
from slipway.bot.core.errors import ChatError
from slipway.bot.health.notice_memory import NOTES, NOTES_BYTES, NoticeMemory, StandingNotice
from slipway.bot.health.storage_notice import SAME_WITHIN, TOLD_WITHIN, StorageNotice
from tests.support.clock import NOW, FakeClock
from tests.support.memory_chat import MemoryChat
from tests.support.processes.full_disk import full_disk_here

FULL = "The state folder cannot be written: the disk is full."
LOW = "Hardly any space is left for the state folder: 1.0 MiB are free."
NOTHING, AGAIN = "I take nothing in now, as I could not keep it.", "I take everything in again."
STARTS = itertools.count()
STOPPED = "I was stopped while I could take nothing in."


class KnownMemory(NoticeMemory):
    """A memory that says when it has kept something."""

    def __init__(self, folder: Path, kept: Callable[[Sequence[StandingNotice]], None]) -> None:
        super().__init__(folder)
        self._kept, self._loop = kept, asyncio.get_running_loop()

    def keep(self, standing: Sequence[StandingNotice]) -> None:
        super().keep(standing)
        self._loop.call_soon_threadsafe(self._kept, standing)


class Telling:
    """A notice under way, whose pauses end when the test says so."""

    def __init__(self, chat: MemoryChat, rooms: tuple[str, ...], clock: FakeClock, folder: Path) -> None:
        self._chat, self._heard = chat, asyncio.Event()
        self._go_on = asyncio.Semaphore(0)
        self.pauses = 0
        self.notice = StorageNotice(
            {CONSOLE: chat},
            [Room(platform=CONSOLE, id=room) for room in rooms],
            clock,
            ZoneInfo("UTC"),
            KnownMemory(folder, self._kept),
            self._sleep,
        )
        self.kept = dict.fromkeys(rooms, "")

    def _kept(self, standing: Sequence[StandingNotice]) -> None:
        self.kept = {each.room.id: each.message_id for each in standing}
        self._chat.changed.set()

    async def begin(self) -> None:
        """Let it begin."""
        self.running = asyncio.create_task(self.notice.run(self._watch))
        await self._heard.wait()

    async def tell(self, problem: str, seen: Callable[[], bool]) -> None:
        """Let it hear of a problem, "" for none, and wait until something is seen."""
        self._changed(problem)
        await self.until(seen)

    async def tell_in_vain(self, problem: str) -> None:
        """The same, where it cannot be said."""
        before = self.pauses
        await self.tell(problem, lambda: self.pauses > before)

    async def until(self, seen: Callable[[], bool]) -> None:
        """Wait until something is seen."""
        async with asyncio.timeout(20):
            while not seen():
                self._chat.changed.clear()
                await self._chat.changed.wait()

    def try_again(self) -> None:
        """Let one pause pass."""
        self._go_on.release()

    async def _watch(self, changed: Callable[[str], None]) -> None:
        self._changed = changed
        self._heard.set()
        await asyncio.Event().wait()

    async def _sleep(self, _seconds: float) -> None:
        self.pauses += 1
        self._chat.changed.set()
        await self._go_on.acquire()


@asynccontextmanager
async def telling(
    folder: Path, chat: MemoryChat, *rooms: str, clock: FakeClock | None = None
) -> AsyncIterator[Telling]:
    """A notice for some rooms."""
    found = Telling(chat, rooms, clock or FakeClock(NOW + next(STARTS) * timedelta(minutes=1)), folder)
    await found.begin()
    try:
        yield found
    finally:
        found.running.cancel()
        await asyncio.gather(found.running, return_exceptions=True)


def titles(chat: MemoryChat, message: int = 0) -> list[str]:
    """What a message said over time; nothing where it does not stand there yet."""
    return [card.title for card in chat.messages[message].cards] if len(chat.messages) > message else []


async def test_a_room_is_told_once_and_by_an_edit_when_it_is_over(tmp_path: Path) -> None:
    chat, clock = MemoryChat(), FakeClock()
    chat.away_in["away"] = ChatError("It is away.", passing=False)
    async with telling(tmp_path, chat, "cloud", "cloud", "away", clock=clock) as told:
        for times in range(3):  # a disk at its limit
            await told.tell(FULL, lambda: titles(chat) == [NOTHING, AGAIN] * times + [NOTHING])  # noqa: B023
            await told.tell("", lambda: titles(chat) == [NOTHING, AGAIN] * (times + 1))  # noqa: B023
        assert "the disk is full" in chat.messages[0].cards[0].text
        clock.advance(SAME_WITHIN + timedelta(seconds=1))
        await told.tell(FULL, lambda: titles(chat, 1) == [NOTHING])
    assert titles(chat) == [NOTHING, AGAIN] * 3


async def test_a_room_that_is_called_by_a_name_is_told_once_it_is_known_where_that_leads(
    tmp_path: Path,
) -> None:
    chat = MemoryChat(names={"#too": "cloud"})
    async with telling(tmp_path, chat, "#ops", "cloud", "#too") as told:
        await told.tell_in_vain(FULL)
        chat.names["#ops"] = "!abc"
        told.try_again()
        await told.until(lambda: len(chat.messages) == 2)
        await told.tell("", lambda: titles(chat) == titles(chat, 1) == [NOTHING, AGAIN])
    assert {each.room for each in chat.messages} == {"cloud", "!abc"}
    assert len(chat.messages) == 2


async def test_trouble_that_gets_worse_after_long_leaves_no_second_message(tmp_path: Path) -> None:
    chat, clock = MemoryChat(), FakeClock()
    async with telling(tmp_path, chat, "cloud", clock=clock) as told:
        await told.tell(LOW, lambda: titles(chat) == [NOTHING])
        clock.advance(2 * SAME_WITHIN)
        await told.tell(FULL, lambda: titles(chat) == [NOTHING, NOTHING])
        await told.tell("", lambda: titles(chat) == [NOTHING, NOTHING, AGAIN])
    assert len(chat.messages) == 1


async def test_a_room_that_could_not_be_told_hears_one_true_sentence_of_what_is_over(tmp_path: Path) -> None:
    chat, clock = MemoryChat(), FakeClock()
    chat.away_in["encrypted"] = ChatError("The device's keys cannot be stored now.", passing=True)
    async with telling(tmp_path, chat, "encrypted", clock=clock) as told:
        await told.tell_in_vain(FULL)
        clock.advance(timedelta(minutes=18))
        await told.tell_in_vain("")
        assert chat.messages == []
        del chat.away_in["encrypted"]
        clock.advance(timedelta(minutes=5))
        told.try_again()
        await told.until(lambda: bool(chat.messages))
    (message,) = chat.messages
    assert message.card.title == "I took nothing in for 18m, as I could not keep it."
    assert "That was until 2026-11-20 12:18 UTC" in message.card.text


async def test_a_room_that_could_not_be_told_is_told_as_soon_as_it_can_be(tmp_path: Path) -> None:
    chat = MemoryChat()
    chat.away_in["cloud"] = ChatError("It is away.", passing=True)
    async with telling(tmp_path, chat, "cloud") as told:
        await told.tell_in_vain(FULL)
        del chat.away_in["cloud"]
        told.try_again()
        await told.until(lambda: titles(chat) == [NOTHING])
        await told.tell("", lambda: titles(chat) == [NOTHING, AGAIN])


async def test_a_room_that_cannot_be_told_that_it_is_over_is_told_later_and_not_for_ever(
    tmp_path: Path,
) -> None:
    chat, clock = MemoryChat(), FakeClock()
    async with telling(tmp_path, chat, "cloud", clock=clock) as told:
        await told.tell(FULL, lambda: titles(chat) == [NOTHING])
        chat.away_in["cloud"] = ChatError("It is away.", passing=True)
        await told.tell_in_vain("")
        for days in (6, 2):
            clock.advance(timedelta(days=days))
            told.try_again()
            if clock.now - FakeClock().now < TOLD_WITHIN:
                await told.until(lambda: told.pauses == 2)
        del chat.away_in["cloud"]
        await told.tell("", lambda: titles(chat) == [NOTHING, AGAIN])
    assert told.pauses == 2


class SlowChat(MemoryChat):
    """A chat that gets no answer about one of its rooms for a while."""

    def __init__(self, slow: str) -> None:
        super().__init__()
        self._slow = slow
        self.answers = asyncio.Event()

    async def send(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        if room == self._slow:
            await self.answers.wait()
        return await super().send(room, card, thread=thread, key=key)


async def test_a_slow_room_keeps_no_other_waiting_and_is_told_what_holds_in_the_end(tmp_path: Path) -> None:
    chat = SlowChat("slow")
    async with telling(tmp_path, chat, "slow", "quick") as told:
        for count, problem in enumerate((FULL, "", FULL, ""), 1):
            await told.tell(problem, lambda: len(titles(chat)) == count)  # noqa: B023
        assert titles(chat) == [NOTHING, AGAIN] * 2
        assert len(chat.messages) == 1
        chat.answers.set()
        await told.until(lambda: titles(chat, 1) == [NOTHING, AGAIN])
        before = asyncio.all_tasks()
    assert all(task.done() for task in before - asyncio.all_tasks()), "a room's telling was left behind"
    assert len(asyncio.all_tasks()) == 1


async def test_the_next_start_puts_right_what_the_process_before_left_in_a_room(tmp_path: Path) -> None:
    chat = MemoryChat()
    async with telling(tmp_path, chat, "cloud", "former") as told:
        with full_disk_here(NOTES_BYTES):  # its file has its place, and nothing more can be written
            await told.tell(FULL, lambda: [titles(chat), titles(chat, 1)] == [[NOTHING]] * 2)
            await told.until(lambda: told.kept == {"cloud": "m1", "former": "m2"})
    async with telling(tmp_path, chat, "cloud") as told:  # killed, and there is space
        await told.tell("", lambda: [titles(chat), titles(chat, 1)] == [[NOTHING, AGAIN]] * 2)
        await told.until(lambda: told.kept == {})
    async with telling(tmp_path, chat, "cloud") as told:
        await told.tell("", lambda: True)
        await told.tell(FULL, lambda: titles(chat, 2) == [NOTHING])
    assert len(chat.messages) == 3, "a room was told that is not to be told any more"


async def test_the_next_start_tells_a_room_that_the_process_before_could_not_tell(tmp_path: Path) -> None:
    chat, clock = MemoryChat(), FakeClock()
    chat.away_in["cloud"] = ChatError("It is away.", passing=True)
    async with telling(tmp_path, chat, "cloud", clock=clock) as told:
        await told.tell_in_vain(FULL)
    del chat.away_in["cloud"]
    clock.advance(timedelta(hours=1))
    for _ in range(2):
        async with telling(tmp_path, chat, "cloud", clock=clock) as told:
            await told.tell("", lambda: len(chat.messages) == 1)
    assert titles(chat) == ["I took nothing in for 1h, as I could not keep it."]


async def test_a_bot_that_is_stopped_meanwhile_leaves_no_message_that_speaks_of_now(tmp_path: Path) -> None:
    chat = MemoryChat()
    chat.away_in["away"] = ChatError("It is away.", passing=True)
    async with telling(tmp_path, chat, "cloud", "away") as told:
        await told.tell(FULL, lambda: titles(chat) == [NOTHING])
        await told.until(lambda: told.pauses > 0 and told.kept == {"cloud": "m1", "away": ""})
    await told.notice.stopped()
    assert titles(chat) == [NOTHING, STOPPED]
    del chat.away_in["away"]
    async with telling(tmp_path, chat, "cloud", "away") as told:
        await told.tell("", lambda: titles(chat) == [NOTHING, STOPPED, AGAIN] and len(chat.messages) == 2)
    await told.notice.stopped()
    assert titles(chat)[-1] == AGAIN


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="short"),
        pytest.param(b"[]".ljust(NOTES_BYTES), id="something else"),
        pytest.param(b"\xff" * NOTES_BYTES, id="no text"),
    ],
)
async def test_a_file_that_cannot_be_read_stops_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NOTES).write_bytes(content)
    chat = MemoryChat()
    async with telling(tmp_path, chat, "cloud") as told:
        await told.tell(FULL, lambda: titles(chat) == [NOTHING])
        await told.until(lambda: told.kept == {"cloud": "m1"})
    async with telling(tmp_path, chat, "cloud") as told:
        await told.tell("", lambda: titles(chat) == [NOTHING, AGAIN])
