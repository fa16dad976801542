"""A chat platform as a newcomer would add one: its declaration, its settings, its adapter; and the platform itself.

Postboard is a service that keeps posts, takes each once for its key, and hands out events until they are
acknowledged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from slipway.bot.chat.declaration import ChatContext, ChatDeclaration
from slipway.bot.chat.model import (
    Accept,
    Address,
    AnyEvent,
    ButtonEvent,
    Card,
    Chat,
    ChatHealth,
    Choice,
    MessageEvent,
    Platform,
    Room,
    WithdrawnReaction,
)
from slipway.bot.chat.shared.plain import render_plain
from slipway.bot.core.errors import ChatError
from slipway.bot.core.probes import Finding
from slipway.bot.core.problems import Problem
from slipway.bot.core.settings import Settings

POSTBOARD = Platform("postboard")

_MEMBER = "member-"


# The platform, which a real newcomer would find on the network.


@dataclass
class Post:
    """Something on the board."""

    id: str
    room: str
    author: str
    text: str
    thread: str | None = None
    buttons: tuple[Choice, ...] = ()
    called: tuple[str, ...] = ()
    edits: int = 0


@dataclass(frozen=True)
class BoardEvent:
    """Something that happened there, by its number."""

    number: int
    kind: Literal["post", "press", "release"]
    author: str
    post: Post
    at: datetime
    choice: Choice | None = None
    of: int = 0  # the press that is taken back


@dataclass
class Board:
    """A postboard service."""

    posts: dict[str, Post] = field(default_factory=dict)
    events: list[BoardEvent] = field(default_factory=list)
    unread: list[BoardEvent] = field(default_factory=list)  # which the bot has not acknowledged
    keys: dict[str, str] = field(default_factory=dict)
    failures: list[tuple[bool, ChatError]] = field(default_factory=list)  # whether it is taken all the same
    news: asyncio.Event = field(default_factory=asyncio.Event)
    bot_listens: asyncio.Event = field(default_factory=asyncio.Event)

    def happen(
        self,
        kind: Literal["post", "press", "release"],
        author: str,
        post: Post,
        at: datetime,
        *,
        choice: Choice | None = None,
        of: int = 0,
    ) -> BoardEvent:
        """Note an event, and wake whoever waits for one."""
        event = BoardEvent(len(self.events) + 1, kind, author, post, at, choice, of)
        self.events.append(event)
        self.hand_out(event)
        return event

    def hand_out(self, *events: BoardEvent) -> None:
        """Let the bot have events, once more or for the first time."""
        self.unread += events
        self.news.set()

    def post(self, room: str, author: str, text: str, **more: object) -> Post:
        """Put a post on the board, as anybody."""
        made = Post(f"p{len(self.posts) + 1}", room, author, text, **more)  # type: ignore[arg-type]
        self.posts[made.id] = made
        return made

    async def call(self, key: str, change: Callable[[], str]) -> str:
        """What the bot does, each once for its key.

        Raises:
            ChatError: it was not taken, or its answer was lost.
        """
        taken, error = self.failures.pop(0) if self.failures else (True, None)
        if taken and key not in self.keys:
            self.keys[key] = change()
        if error is not None:
            raise error
        return self.keys[key]


BOARDS: dict[str, Board] = {}
"""The services that can be reached, by address."""


# What a newcomer adds.


class PostboardSettings(Settings):
    """``[postboard]``: one service."""

    address: str = Field(description="where the service is, like board.example.org")
    rooms: tuple[str, ...] = ("releng",)
    bot: str = "member-slipway"


class PostboardChat:
    """The adapter."""

    edit_interval = timedelta()

    def __init__(self, context: ChatContext[PostboardSettings]) -> None:
        self._settings = context.settings
        self._board = BOARDS[context.settings.address]

    @property
    def platform(self) -> Platform:
        """Which platform this is."""
        return POSTBOARD

    async def prepare(self) -> None:
        """There is nothing to know before."""

    async def close(self) -> None:
        """There is nothing to let go of."""
        self._board.bot_listens.clear()

    async def run(self, accept: Accept) -> None:
        """Take in what happened meanwhile, and then what happens."""
        self._board.bot_listens.set()
        while True:
            self._board.news.clear()
            while self._board.unread:
                found = self._event(self._board.unread[0])
                if found is not None:
                    await accept(found)
                self._board.unread.pop(0)
            await self._board.news.wait()

    async def send(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        """Post a card."""

        def post() -> str:
            made = self._board.post(room, self._settings.bot, render_plain(card), thread=thread)
            self._show(made, card)
            return made.id

        return await self._board.call(key, post)

    async def edit(self, room: str, message_id: str, card: Card, *, thread: str | None, key: str) -> None:
        """Replace a post."""

        def edit() -> str:
            post = self._board.posts[message_id]
            post.text, post.edits = render_plain(card), post.edits + 1
            self._show(post, card)
            return message_id

        await self._board.call(key, edit)

    def health(self) -> ChatHealth:
        """Well while it runs."""
        connected = self._board.bot_listens.is_set()
        return ChatHealth(connected=connected, last_heard_from=timedelta(), detail="")

    def _show(self, post: Post, card: Card) -> None:
        post.buttons = tuple(button.choice for button in card.buttons)
        post.called = card.mentions

    def _event(self, event: BoardEvent) -> AnyEvent | None:
        room = Room(platform=POSTBOARD, id=event.post.room)
        if not event.author.startswith(_MEMBER) or event.author == self._settings.bot:
            return None  # another bot, or ourselves
        name = f"event-{event.number}"
        match event.kind:
            case "post":
                text, address = self._address(event.post)
                return MessageEvent(
                    event_id=name,
                    room=room,
                    sender=event.author,
                    text=text,
                    address=address,
                    thread=event.post.thread,
                    sent_at=event.at,
                )
            case "press":
                assert event.choice is not None
                return ButtonEvent(
                    event_id=name,
                    room=room,
                    sender=event.author,
                    choice=event.choice,
                    message_id=event.post.id,
                    sent_at=event.at,
                )
            case "release":
                return WithdrawnReaction(
                    event_id=name,
                    room=room,
                    sender=event.author,
                    reaction_event_id=f"event-{event.of}",
                    sent_at=event.at,
                )

    def _address(self, post: Post) -> tuple[str, Address]:
        if post.room not in self._settings.rooms:
            return post.text, Address.DIRECT
        call = f"@{self._settings.bot} "
        if post.text.startswith(call):
            return post.text.removeprefix(call), Address.MENTION
        return post.text, Address.ROOM


def _build(context: ChatContext[PostboardSettings]) -> Chat:
    return PostboardChat(context)


def _check(settings: PostboardSettings, _secrets: bool) -> Iterator[Problem]:
    if not settings.bot.startswith(_MEMBER):
        yield Problem("bot", f'"{settings.bot}" is no member; write it like {_MEMBER}slipway')


async def _probe(settings: PostboardSettings, _state_dir: str) -> Finding:
    if settings.address not in BOARDS:
        why = f"Nothing answers at {settings.address}."
        return Finding("postboard", "no answer", (why,), "look at postboard.address")
    return Finding("postboard", f"{len(settings.rooms)} room")


POSTBOARD_CHAT = ChatDeclaration(
    platform=POSTBOARD,
    settings=PostboardSettings,
    build=_build,
    describe=lambda settings: f"postboard at {settings.address}",
    account_problem=lambda account: (
        None if account.startswith(_MEMBER) else f"is no member; write it like postboard:{_MEMBER}alice"
    ),
    room_problem=lambda room: None if room.islower() else "is no room; write it like postboard:releng",
    check=_check,
    rooms=lambda settings: settings.rooms,
    probe=_probe,
    account_example=f"postboard:{_MEMBER}alice",
    room_example="postboard:releng",
)
