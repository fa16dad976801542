"""The stage in memory: what every test of conversations talks in, held to what the real platforms do."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, ClassVar

from slipway.bot.app import Wiring
from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.model import (
    Address,
    AnyEvent,
    ButtonEvent,
    Card,
    Chat,
    Choice,
    MessageEvent,
    Platform,
    Room,
    WithdrawnReaction,
)
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import system_clock
from tests.conformance.stage import Hitch, Said, Seen, Trait, Where
from tests.support.memory_chat import MemoryChat, PostedMessage

_DIRECT = "direct:"


class ShakyChat(MemoryChat):
    """A room in memory in which messages can go wrong on their way."""

    def __init__(self) -> None:
        super().__init__()
        self.hitches: list[Hitch] = []

    async def send(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        hitch = self._next()
        sent = await super().send(room, card, thread=thread, key=key)
        self._fail(hitch)
        return sent

    async def edit(self, room: str, message_id: str, card: Card, *, thread: str | None, key: str) -> None:
        hitch = self._next()
        await super().edit(room, message_id, card, thread=thread, key=key)
        self._fail(hitch)

    def _next(self) -> Hitch | None:
        hitch = self.hitches.pop(0) if self.hitches else None
        if hitch is not Hitch.LOST_ANSWER:
            self._fail(hitch)
        return hitch

    def _fail(self, hitch: Hitch | None) -> None:
        if hitch is not None:
            raise ChatError("The room is shut.", passing=hitch is not Hitch.LASTING)


class MemoryStage:
    """A room that is a list."""

    platform: Platform = CONSOLE
    lacks: Mapping[Trait, str] = {
        Trait.EDITING: "a list of messages has nobody's edits",
        Trait.BOTS: "nobody but people is in it",
        Trait.SIZE_LIMITS: "memory takes a message of any size",
    }
    again_at_start = False
    room: ClassVar[str] = "console"

    def __init__(self) -> None:
        self._chat = ShakyChat()
        self._numbers = itertools.count(1)
        self._events: list[AnyEvent] = []
        self._missed: list[AnyEvent] = []

    async def open(self) -> None:
        """Nothing is needed."""

    async def close(self) -> None:
        """Nothing is held."""

    def configuration(self) -> dict[str, Any]:
        return {"console": {"enabled": True}}

    def identity(self, who: str) -> str:
        return f"console:{who}"

    def make(self, wiring: Wiring) -> Chat:
        return self._chat

    async def ready(self) -> None:
        await self._chat.listening.wait()
        missed, self._missed = self._missed, []
        for event in missed:
            await self._hand_in(event)

    async def left(self) -> None:
        self._chat.accept = None
        self._chat.listening.clear()

    async def settle(self) -> None:
        """What is said is handed in at once."""

    async def say(self, who: str, text: str, *, where: Where, thread: str | None, mention: bool) -> Said:
        direct = where is Where.DIRECT
        heard = MessageEvent(
            event_id=f"e{next(self._numbers)}",
            room=Room(platform=self.platform, id=_DIRECT + who if direct else self.room),
            speaker=who,
            text=text,
            address=Address.DIRECT if direct else Address.MENTION if mention else Address.ROOM,
            thread=thread,
            sent_at=system_clock(),
        )
        await self._happen(heard)
        return Said(heard.event_id, who)

    async def press(self, who: str, choice: Choice, card: Seen) -> None:
        press = ButtonEvent(
            event_id=f"e{next(self._numbers)}",
            room=Room(platform=self.platform, id=self.room),
            speaker=who,
            choice=choice,
            message_id=card.id,
            sent_at=system_clock(),
        )
        await self._happen(press)

    async def take_back(self) -> None:
        press = next(each for each in reversed(self._events) if isinstance(each, ButtonEvent))
        withdrawal = WithdrawnReaction(
            event_id=f"e{next(self._numbers)}",
            room=press.room,
            speaker=press.speaker,
            reaction_event_id=press.event_id,
            sent_at=system_clock(),
        )
        await self._happen(withdrawal)

    async def edit(self, said: Said, text: str) -> None:
        raise NotImplementedError

    async def delete(self, said: Said) -> None:
        raise NotImplementedError

    async def machines_say(self, text: str) -> None:
        raise NotImplementedError

    async def seen(self, who: str, where: Where) -> list[Seen]:
        room = _DIRECT + who if where is Where.DIRECT else self.room
        return [_seen(shown) for shown in self._chat.messages if shown.room == room]

    async def again(self) -> None:
        for event in tuple(self._events):
            await self._hand_in(event)

    def hinder(self, hitch: Hitch, times: int = 1) -> None:
        self._chat.hitches += [hitch] * times

    async def files(self) -> list[str]:
        return []

    async def _happen(self, event: AnyEvent) -> None:
        self._events.append(event)
        if self._chat.accept is None:
            self._missed.append(event)
        else:
            await self._hand_in(event)

    async def _hand_in(self, event: AnyEvent) -> None:
        assert self._chat.accept is not None
        await self._chat.accept(event)


def _seen(shown: PostedMessage) -> Seen:
    return Seen(
        id=shown.id,
        text=shown.text,
        choices=frozenset(button.choice for button in shown.card.buttons),
        thread=shown.thread,
        edits=len(shown.cards) - 1,
        calls=frozenset(shown.card.mentions),
    )
