"""The newest edit of a message wins, however slow, doubtful or cancelled the ones before it are."""

from __future__ import annotations

import asyncio

import pytest

from slipway.bot.chat.shared.edits import LatestEdits
from slipway.bot.core.errors import ChatError

CLOSED = ChatError("Could not change a message: the chat was closed.", passing=False)


class Message:
    """A message, with what was written to it, whose platform can be held up."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.open = asyncio.Event()
        self.open.set()

    async def write(self, text: str) -> None:
        await self.open.wait()
        self.written.append(text)

    async def lose(self, text: str) -> None:
        raise ChatError(f"No answer for {text}.", passing=True, doubtful=True)


async def at_once() -> None:
    """No rate limit."""


async def test_of_the_edits_that_wait_only_the_newest_is_made() -> None:
    edits, message = LatestEdits(at_once), Message()
    message.open.clear()
    asked = [
        asyncio.create_task(edits.edit("m", lambda number=number: message.write(f"{number}")))  # type: ignore[misc]
        for number in range(5)
    ]
    for _ in range(3):
        await asyncio.sleep(0)
    message.open.set()
    await asyncio.gather(*asked)
    assert message.written == ["4"]


async def test_edits_of_one_message_do_not_wait_for_anothers() -> None:
    edits, slow, quick = LatestEdits(at_once), Message(), Message()
    slow.open.clear()
    waiting = asyncio.create_task(edits.edit("slow", lambda: slow.write("late")))
    await edits.edit("quick", lambda: quick.write("soon"))
    assert (slow.written, quick.written) == ([], ["soon"])
    slow.open.set()
    await waiting


async def test_what_was_begun_goes_on_when_its_asker_is_cancelled() -> None:
    edits, message = LatestEdits(at_once), Message()
    message.open.clear()
    first = asyncio.create_task(edits.edit("m", lambda: message.write("first")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    second = asyncio.create_task(edits.edit("m", lambda: message.write("second")))
    await asyncio.sleep(0)
    message.open.set()
    await second
    assert message.written == ["first", "second"]


async def test_what_an_edit_raises_is_for_its_asker_alone() -> None:
    async def fail() -> None:
        raise ValueError("not mine")

    edits, message = LatestEdits(at_once), Message()
    with pytest.raises(ValueError, match="not mine"):
        await edits.edit("m", fail)
    await edits.edit("m", lambda: message.write("next"))
    assert message.written == ["next"]


@pytest.mark.parametrize("settles", [True, False])
async def test_an_edit_after_one_in_doubt_is_made_once_more_where_edits_can_come_late(settles: bool) -> None:
    async def settle() -> None:
        """The doubtful edit is through at once."""

    edits, message = LatestEdits(at_once, settle=settle if settles else None), Message()
    with pytest.raises(ChatError):
        await edits.edit("m", lambda: message.lose("first"))
    await edits.edit("m", lambda: message.write("second"))
    async with asyncio.timeout(5):
        while settles and len(message.written) < 2:  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0)
    assert message.written == ["second"] * (2 if settles else 1)


@pytest.mark.parametrize("closed", [CLOSED, None])
async def test_whoever_waits_when_all_is_closed_is_told(closed: ChatError | None) -> None:
    edits, message = LatestEdits(at_once, closed=closed), Message()
    message.open.clear()
    waiting = asyncio.create_task(edits.edit("m", lambda: message.write("never")))
    await asyncio.sleep(0)
    await edits.close()
    with pytest.raises(ChatError if closed else asyncio.CancelledError):
        await waiting
    assert message.written == []
