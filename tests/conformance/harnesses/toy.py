"""The toy chat for the conformance suite: people on a postboard."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from slipway.bot.chat.declaration import ChatContext
from slipway.bot.chat.model import Chat, Choice, Platform
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import system_clock
from tests.conformance.harness import (
    Capability,
    MakeHarness,
    SendFault,
    SentMessage,
    VisibleMessage,
    VisiblePicture,
    Where,
)
from tests.toys.chat import BOARDS, POSTBOARD, POSTBOARD_CHAT, Board, BoardEvent, Post, PostboardSettings

ROOM = "releng"
_VERY_OFTEN = 10_000  # more than any test tries
BOT = PostboardSettings(address="").bot


class PostboardHarness:
    """One postboard, and everybody on it."""

    platform: Platform = POSTBOARD
    missing: Mapping[Capability, str] = {
        Capability.PICTURES: "a post is a text",
        Capability.PRIVATE_FILES: "nobody is spoken to alone who did not begin it",
        Capability.GONE_ROOMS: "a board is always there",
        Capability.OWN_CLOCK: "a board does not say what time it is there",
        Capability.SIZE_LIMITS: "a board takes a post of any size",
    }
    redelivers_at_start = False

    def __init__(self, address: str) -> None:
        self._address = address
        self._board = Board()
        self._pressed: BoardEvent | None = None
        self._others: set[str] = set()  # posts that other programs made in the bot's name

    async def open(self) -> None:
        BOARDS[self._address] = self._board

    async def close(self) -> None:
        del BOARDS[self._address]

    def configuration(self) -> dict[str, Any]:
        return {"postboard": {"address": self._address}}

    def identity(self, who: str) -> str:
        return f"postboard:{_account(who)}"

    def make_chat(self, context: ChatContext[Any]) -> Chat:
        return POSTBOARD_CHAT.build(context)

    async def ready(self) -> None:
        await self._board.bot_listens.wait()
        await self.settle()

    async def stopped(self) -> None:
        """The board stays as it is."""

    async def settle(self) -> None:
        while self._board.bot_listens.is_set() and self._board.unread:  # noqa: ASYNC110 - the board tells when there is some, only
            await asyncio.sleep(0.005)

    async def say(
        self, who: str, text: str, *, where: Where, thread: str | None, mention: bool
    ) -> SentMessage:
        called = f"@{BOT} {text}" if mention else text
        post = self._board.post(_room(who, where), _account(who), called, thread=thread)
        self._board.happen("post", post.author, post, system_clock())
        return SentMessage(post.id, who, post)

    async def press(self, who: str, choice: Choice, card: VisibleMessage) -> None:
        post = self._board.posts[card.id]
        self._pressed = self._board.happen("press", _account(who), post, system_clock(), choice=choice)

    async def press_shortcut(self, who: str, label: str, card: VisibleMessage) -> None:
        raise NotImplementedError

    async def withdraw_press(self) -> None:
        press = self._pressed
        assert press is not None
        self._board.happen("release", press.author, press.post, system_clock(), of=press.number)

    async def edit(self, said: SentMessage, text: str) -> None:
        said.raw.text = text

    async def delete(self, said: SentMessage) -> None:
        del self._board.posts[said.id]

    async def say_as_bots(self, text: str) -> None:
        for author in ("bot-jenkins", BOT):
            post = self._board.post(ROOM, author, text)
            self._others.add(post.id)
            self._board.happen("post", author, post, system_clock())

    async def visible_messages(self, who: str, where: Where) -> list[VisibleMessage]:
        room = _room(who, where)
        return [
            _visible(post)
            for post in self._board.posts.values()
            if (post.room, post.author) == (room, BOT) and post.id not in self._others
        ]

    async def redeliver(self) -> None:
        self._board.hand_out(*self._board.events)

    def inject_fault(self, fault: SendFault, times: int = 1) -> None:
        error = ChatError("The board is shut.", passing=fault is not SendFault.PERMANENT)
        self._board.failures += [(fault is SendFault.LOST_RESPONSE, error)] * times

    def set_away(self, away: bool) -> None:
        self._board.failures.clear()
        self.inject_fault(SendFault.TRANSIENT, _VERY_OFTEN if away else 0)

    async def set_room_gone(self, gone: bool) -> None:
        raise NotImplementedError

    async def files(self) -> list[str]:
        return []

    async def pictures(self) -> list[VisiblePicture]:
        raise NotImplementedError

    async def private_files(self, who: str) -> list[str]:
        raise NotImplementedError


def _account(who: str) -> str:
    return f"member-{who}"


def _room(who: str, where: Where) -> str:
    return ROOM if where is Where.ROOM else f"with-{who}"


def _visible(post: Post) -> VisibleMessage:
    return VisibleMessage(
        id=post.id,
        text=post.text,
        choices=frozenset(post.buttons),
        thread=post.thread,
        edits=post.edits,
        mentions=frozenset(account.removeprefix("member-") for account in post.called),
    )


HARNESSES: Mapping[str, MakeHarness] = {
    "toy": lambda request: PostboardHarness(str(request.getfixturevalue("tmp_path")))
}
