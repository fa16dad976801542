"""Good manners: as fast as the homeserver bears, typing, receipts, and files for what is too long."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta
from functools import partial
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.chat.matrix.chat import MatrixChat
from slipway.bot.chat.matrix.transport.errors import HomeserverError
from slipway.bot.chat.matrix.transport.rate_limit import (
    MAX_EDIT_INTERVAL,
    MAX_TRIES,
    Priority,
    RateLimiter,
)
from slipway.bot.chat.model import AnyEvent, Button, Card, Choice, Tone
from slipway.bot.chat.shared.edits import LatestEdits
from slipway.bot.chat.shared.plain import render_plain
from slipway.bot.core.times import system_clock
from tests.matrix.builders import LONG, PICTURED, new_memory, settings
from tests.matrix.clients import Person
from tests.matrix.fakes import EventRecorder, FaultProxy, RecordingSleep, answers
from tests.matrix.harness import BotRoom, chat_behind, running, wait_until_listening
from tests.support.pictures import PICTURE
from tests.support.processes.synapse import Account, Synapse


async def test_on_a_server_with_limits_every_answer_comes_and_only_the_last_edit(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    """Ten at once and then one a second; a Synapse as it comes gives one in five seconds."""
    room, recorder = await alice.create_room(public=True), EventRecorder()
    interval = timedelta(milliseconds=100)
    chat = MatrixChat(settings(synapse, account, room, edit_interval=interval), new_memory(), system_clock)
    async with running(chat, recorder):
        await alice.member(room, account.user_id)
        await wait_until_listening(alice, room, recorder)
        progress = await chat.send(room, Card(title="step 0"), thread=None, key="p")
        await asyncio.to_thread(synapse.limit, account, per_second=1, burst=10)
        steps = [
            chat.edit(room, progress, Card(title=f"step {number}"), thread=None, key=f"p{number}")
            for number in range(1, 31)
        ]
        words = [
            chat.send(room, Card(title=f"answer {number}"), thread=None, key=f"a{number}")
            for number in range(12)
        ]
        await asyncio.gather(*words, *steps)
        for number in range(12):
            await alice.message(room, f"answer {number}", sender=account.user_id)
        shown = await alice.message(room, "step 30", sender=account.user_id)
        assert shown.edits <= 2
        assert len(alice.messages(room, account.user_id)) == 13
        assert chat.edit_interval > interval
        assert chat.health().connected


async def test_a_whole_that_is_too_long_stands_as_a_file_in_the_same_thread_once(
    bot_room: BotRoom, alice: Person
) -> None:
    root = await alice.say(bot_room.room, "!images")
    for _ in range(2):
        sent = await bot_room.chat.send(bot_room.room, LONG, thread=root, key="long")
    await bot_room.chat.send(bot_room.room, Card(title="end"), thread=None, key="end")
    await alice.message(bot_room.room, "end")
    card, file, _ = alice.messages(bot_room.room, bot_room.bot)
    assert (card.id, card.thread, file.thread) == (sent, root, root)
    assert "of 900 rows are shown. The attached file has all of it." in card.body
    assert file.msgtype == "m.file"
    assert await _download(bot_room, alice, file.shown["url"]) == render_plain(LONG)
    assert await alice.unread(bot_room.room) == (0, 0)  # the card is silent, and so is what stands beside it


async def test_a_picture_stands_below_its_card_once_and_calls_nobody(
    bot_room: BotRoom, alice: Person
) -> None:
    root = await alice.say(bot_room.room, "!images")
    for thread in (None, root):
        for _ in range(2):
            await bot_room.chat.send(bot_room.room, PICTURED, thread=thread, key=f"{thread}")
    await bot_room.chat.send(bot_room.room, Card(title="end"), thread=None, key="end")
    await alice.message(bot_room.room, "end")
    *shown, _ = alice.messages(bot_room.room, bot_room.bot)
    assert [(each.msgtype, each.thread) for each in shown] == [
        ("m.notice", None),
        ("m.image", None),
        ("m.notice", root),
        ("m.image", root),
    ]
    content = shown[1].shown
    assert (content["body"], content["filename"]) == (PICTURE.alternative, PICTURE.name)
    assert content["info"] == {"mimetype": "image/png", "size": len(PICTURE.png), "w": 3, "h": 2}
    assert await alice.unread(bot_room.room) == (0, 0)


async def test_a_homeserver_that_takes_no_picture_is_told_of_in_its_place(
    synapse: Synapse, proxy: FaultProxy, alice: Person, account: Account, joined_room: str
) -> None:
    chat = chat_behind(proxy, synapse, account, joined_room, RecordingSleep())
    too_large = answers(413, '{"errcode": "M_TOO_LARGE", "error": "Upload request body is too large"}')
    proxy.faults["/media/v3/upload"].append(too_large)
    await chat.send(joined_room, PICTURED, thread=None, key="k")
    told = await alice.message(joined_room, "A picture could not be shown.")
    await chat.close()
    assert "M_TOO_LARGE" in told.body


async def test_an_answer_that_replaces_a_message_brings_its_file_and_progress_none(
    bot_room: BotRoom, alice: Person
) -> None:
    sent = await bot_room.chat.send(bot_room.room, Card(title="Working on it…"), thread=None, key="k")
    waiting = LONG.model_copy(update={"tone": Tone.WAITING})
    progress = waiting.model_copy(update={"fleeting": True})
    await bot_room.chat.edit(bot_room.room, sent, progress, thread=None, key="k1")
    await bot_room.chat.edit(bot_room.room, sent, waiting, thread=None, key="k2")
    await bot_room.chat.send(bot_room.room, Card(title="end"), thread=None, key="end")
    await alice.message(bot_room.room, "end")
    files = [each for each in alice.messages(bot_room.room, bot_room.bot) if each.msgtype == "m.file"]
    assert [file.thread for file in files] == [sent]


async def test_what_a_homeserver_takes_is_spent_on_progress_before_buttons_are_taken_back(
    synapse: Synapse, proxy: FaultProxy, alice: Person, account: Account, joined_room: str
) -> None:
    waits = RecordingSleep()
    chat = chat_behind(proxy, synapse, account, joined_room, waits)
    buttons = tuple(
        Button(choice=choice, label="…", operation_id="op-7k3f", digest_prefix="abcd1234")
        for choice in Choice
    )
    sent = await chat.send(joined_room, Card(title="Promote?", buttons=buttons), thread=None, key="k")
    proxy.faults["/redact/"].append(answers(429, '{"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 5000}'))
    for number in range(3):
        progress = Card(title=f"running, {number} of 6 steps done", fleeting=True)
        await chat.edit(joined_room, sent, progress, thread=None, key=f"p{number}")
    await alice.message(joined_room, "running, 2 of 6")
    assert waits.seconds == []  # nothing that would tell more had to wait
    assert chat.edit_interval == timedelta(seconds=10)  # half of one in five seconds
    assert len(alice.reactions(joined_room, sent)) == 2
    await chat.edit(joined_room, sent, Card(title="done"), thread=None, key="end")
    await alice.reacted(joined_room, sent, set())
    await chat.close()


async def _download(bot_room: BotRoom, person: Person, address: str) -> str:
    path = address.removeprefix("mxc://")
    headers = {"Authorization": f"Bearer {person.account.access_token}"}
    url = f"{person.url}/_matrix/client/v1/media/download/{path}"
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as answer:
        assert answer.status == 200
        return (await answer.read()).decode()


async def test_a_file_that_is_not_taken_is_told(
    synapse: Synapse, proxy: FaultProxy, alice: Person, account: Account, joined_room: str
) -> None:
    chat = chat_behind(proxy, synapse, account, joined_room, RecordingSleep())
    proxy.faults["/upload"].append(answers(413, '{"errcode": "M_TOO_LARGE", "error": "too large"}'))
    await chat.send(joined_room, LONG, thread=None, key="k")
    told = await alice.message(joined_room, "could not be attached")
    assert "M_TOO_LARGE" in told.body
    await chat.close()


async def test_typing_while_it_works_and_a_receipt_for_what_it_handled(
    synapse: Synapse, alice: Person, account: Account
) -> None:
    room = await alice.create_room(public=True)
    asked = asyncio.Event()
    recorder = EventRecorder()

    async def accept(event: AnyEvent) -> bool:
        await recorder(event)
        if "!slow" in recorder.texts:
            asked.set()
        return asked.is_set()

    chat = MatrixChat(settings(synapse, account, room), new_memory(), system_clock, typing_after=0.0)
    async with running(chat, accept):
        await alice.member(room, account.user_id)
        await wait_until_listening(alice, room, recorder)
        said = await alice.say(room, "!slow")
        await alice.until(lambda: alice.typing.get(room) == [account.user_id], what="typing")
        await chat.send(room, Card(title="done"), thread=None, key="k")
        await alice.until(lambda: alice.typing.get(room) == [], what="the end of typing")
        await alice.until(lambda: alice.receipts.get((room, account.user_id)) == said, what="a receipt")
        card = await chat.send(room, Card(title="done"), thread=said, key="in a thread")
        pressed = await alice.react(room, card)
        await alice.until(lambda: alice.receipts.get((room, account.user_id)) == pressed, what="another one")


def limited(seconds: float = 1.0) -> HomeserverError:
    return HomeserverError("too fast", passing=True, errcode="M_LIMIT_EXCEEDED", retry_after=seconds)


class Bucket:
    """A homeserver's bucket of tokens, with a clock that moves when somebody waits."""

    def __init__(self, burst: int, seconds_a_token: float) -> None:
        self.left = float(burst)
        self.burst = burst
        self.seconds_a_token = seconds_a_token
        self.taken: list[Any] = []
        self.refused = 0
        self.waited = 0.0

    async def sleep(self, seconds: float) -> None:
        self.waited += seconds
        self.left = min(self.burst, self.left + seconds / self.seconds_a_token)
        await asyncio.sleep(0)

    async def take(self, what: Any) -> Any:
        await asyncio.sleep(0)
        if self.left < 0.999:
            self.refused += 1
            raise limited((1 - self.left) * self.seconds_a_token)
        self.left -= 1
        self.taken.append(what)
        return what


async def _nothing_waits(rate_limiter: RateLimiter) -> None:
    """What comes now would be sent at once, whatever it is."""
    async with asyncio.timeout(1):
        await rate_limiter.wait_until_clear(Priority.EDIT)


@given(st.lists(st.sampled_from(Priority), max_size=40), st.integers(1, 5))
def test_all_is_said_once_answers_first_and_nothing_waits_longer_than_the_server_asks(
    priorities: list[Priority], burst: int
) -> None:
    bucket = Bucket(burst, 5.0)
    rate_limiter = RateLimiter(timedelta(seconds=5), bucket.sleep)

    async def everything() -> None:
        whats = [(priority, number) for number, priority in enumerate(priorities)]
        calls = (rate_limiter.send(lambda what=what: bucket.take(what), what[0]) for what in whats)  # type: ignore[misc]
        assert await asyncio.gather(*calls) == whats
        await _nothing_waits(rate_limiter)

    asyncio.run(everything())
    assert sorted(bucket.taken) == sorted((priority, number) for number, priority in enumerate(priorities))
    assert bucket.waited <= 5.0 * max(0, len(priorities) - burst) + 0.1 * len(priorities)
    assert rate_limiter.edit_interval <= MAX_EDIT_INTERVAL


async def test_answers_go_before_edits_that_came_earlier() -> None:
    bucket, waits, go = Bucket(1, 5.0), asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        waits.set()
        await go.wait()
        await bucket.sleep(seconds)

    rate_limiter = RateLimiter(timedelta(seconds=5), sleep)
    order = ["first", "edit", "second", "third"]
    priorities = [Priority.MESSAGE, Priority.EDIT, Priority.MESSAGE, Priority.MESSAGE]
    await bucket.take("before")
    holder = asyncio.create_task(rate_limiter.send(lambda: bucket.take("first")))
    await waits.wait()
    rest = [
        asyncio.create_task(rate_limiter.send(lambda what=what: bucket.take(what), priority))  # type: ignore[misc]
        for what, priority in zip(order[1:], priorities[1:], strict=True)
    ]
    await asyncio.sleep(0)  # all of them stand in the queue
    go.set()
    await asyncio.gather(holder, *rest)
    assert bucket.taken == ["before", "first", "second", "third", "edit"]


async def test_edits_leave_half_of_what_a_homeserver_says_that_it_takes_and_get_no_rarer() -> None:
    async def nothing(_seconds: float) -> None: ...

    rate_limiter = RateLimiter(timedelta(seconds=5), nothing)
    for _ in range(9):
        answers = iter([limited(4.0), limited(2.5), None])

        async def call(answers: Any = answers) -> None:
            if (error := next(answers)) is not None:
                raise error

        await rate_limiter.send(call, Priority.EDIT)
    assert rate_limiter.edit_interval == timedelta(seconds=8)


async def test_a_server_that_never_relents_is_not_asked_for_ever() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def refuse() -> None:
        raise limited(10_000.0)

    rate_limiter = RateLimiter(timedelta(seconds=5), sleep)
    with pytest.raises(HomeserverError):
        await rate_limiter.send(refuse)
    assert len(waits) == MAX_TRIES
    assert max(waits) <= 60
    await _nothing_waits(rate_limiter)
    assert await rate_limiter.send(lambda: asyncio.sleep(0, "well")) == "well"


async def test_who_gives_up_waiting_does_not_block_the_others() -> None:
    waits, gate = asyncio.Event(), asyncio.Event()

    async def sleep(_seconds: float) -> None:
        waits.set()
        await gate.wait()

    rate_limiter = RateLimiter(timedelta(seconds=5), sleep)
    tries = itertools.count()

    async def first() -> str:
        if next(tries) == 0:
            raise limited()
        return "first"

    holder = asyncio.create_task(rate_limiter.send(first))
    await waits.wait()
    impatient = asyncio.create_task(rate_limiter.send(lambda: asyncio.sleep(0, "impatient")))
    patient = asyncio.create_task(rate_limiter.send(lambda: asyncio.sleep(0, "patient")))
    await asyncio.sleep(0)
    impatient.cancel()
    gate.set()
    assert await holder == "first"
    assert await patient == "patient"
    await _nothing_waits(rate_limiter)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30))
def test_edits_never_cross_and_the_newest_is_always_the_last(gaps: list[int]) -> None:
    made: list[int] = []
    under_way = 0

    async def everything() -> None:
        limiter = RateLimiter(timedelta(seconds=5))
        edits = LatestEdits(partial(limiter.wait_until_clear, Priority.EDIT))

        async def send(number: int) -> None:
            nonlocal under_way
            under_way += 1
            assert under_way == 1
            await asyncio.sleep(0)
            made.append(number)
            under_way -= 1

        tasks = []
        for number, gap in enumerate(gaps):
            edit = edits.edit("$m", lambda number=number: send(number))  # type: ignore[misc]
            tasks.append(asyncio.create_task(edit))
            for _ in range(gap):
                await asyncio.sleep(0)
        await asyncio.gather(*tasks)

    asyncio.run(everything())
    assert made == sorted(set(made))
    assert made[-1] == len(gaps) - 1
