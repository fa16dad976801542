"""Who the bot takes to be in a room: what is said to one person alone depends on it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from slipway.bot.chat.matrix.rooms.members import RoomMembers
from slipway.bot.chat.shared.payloads import JsonObject

ROOM, BOT, ALICE, EVE = "!r:example.org", "@slipway:example.org", "@alice:example.org", "@eve:example.org"


class Homeserver:
    """Says who is in the room; while it is held, what it read before comes late."""

    def __init__(self) -> None:
        self.members = [BOT, ALICE]
        self.asked = 0
        self.reading, self.answering = asyncio.Event(), asyncio.Event()
        self.answering.set()

    async def get_json(self, _what: str, path: str) -> JsonObject:
        assert "/members" in path
        self.asked += 1
        chunk = [{"state_key": each, "content": {"membership": "join"}} for each in self.members]
        self.reading.set()
        await self.answering.wait()
        return {"chunk": chunk}


def members_of(homeserver: Homeserver) -> RoomMembers:
    return RoomMembers(homeserver, asyncio.sleep)  # type: ignore[arg-type]  # what is used of a connection


def synced(*kinds: str, limited: bool = False, left: bool = False) -> Any:
    """What a sync says of the room."""
    events = [SimpleNamespace(source={"type": kind}) for kind in kinds]
    info = SimpleNamespace(timeline=SimpleNamespace(limited=limited, events=events), state=[])
    return SimpleNamespace(
        rooms=SimpleNamespace(join={} if left else {ROOM: info}, leave={ROOM: info} if left else {})
    )


@pytest.mark.parametrize(
    ("response", "asked"),
    [
        (synced("m.room.message"), 1),
        (synced("m.room.message", "m.room.member"), 2),
        (synced("m.room.message", limited=True), 2),  # somebody may have come in among what is left out
        (synced(left=True), 2),
    ],
)
async def test_they_are_asked_for_again_once_a_sync_may_have_changed_them(response: Any, asked: int) -> None:
    homeserver = Homeserver()
    members = members_of(homeserver)
    assert await members.of(ROOM) == await members.of(ROOM) == {BOT, ALICE}
    members.update(response)
    await members.of(ROOM)
    assert homeserver.asked == asked


async def test_an_answer_from_before_somebody_came_in_is_not_believed() -> None:
    homeserver = Homeserver()
    members = members_of(homeserver)
    homeserver.answering.clear()
    asking = asyncio.create_task(members.of(ROOM))
    await homeserver.reading.wait()
    homeserver.members.append(EVE)
    members.update(synced("m.room.member"))
    homeserver.answering.set()
    assert await asking == await members.of(ROOM) == {BOT, ALICE, EVE}
