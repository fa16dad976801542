"""The platform in memory for the suite: what end-to-end tests talk in, held to what the real platforms do."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.declaration import ChatContext
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
from tests.conformance.harness import (
    Capability,
    MakeHarness,
    SendFault,
    SentMessage,
    VisibleMessage,
    VisiblePicture,
    Where,
)
from tests.support.memory_chat import MemoryChat, PostedMessage

_DIRECT = "direct:"


class FaultyMemoryChat(MemoryChat):
    """A room in memory in which messages can go wrong on their way."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[SendFault] = []

    async def send(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        fault = self._next()
        sent = await super().send(room, card, thread=thread, key=key)
        self._fail(fault)
        return sent

    async def edit(self, room: str, message_id: str, card: Card, *, thread: str | None, key: str) -> None:
        fault = self._next()
        await super().edit(room, message_id, card, thread=thread, key=key)
        self._fail(fault)

    def _next(self) -> SendFault | None:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not SendFault.LOST_RESPONSE:
            self._fail(fault)
        return fault

    def _fail(self, fault: SendFault | None) -> None:
        if fault is not None:
            raise ChatError("The room is shut.", passing=fault is not SendFault.PERMANENT)


class MemoryHarness:
    """A room that is a list."""

    platform: Platform = CONSOLE
    missing: Mapping[Capability, str] = {
        Capability.EDITING: "a list of messages has nobody's edits",
        Capability.OTHER_BOTS: "nobody but people is in it",
        Capability.OWN_CLOCK: "it is in the bot's own process",
        Capability.SIZE_LIMITS: "memory takes a message of any size",
    }
    redelivers_at_start = False
    room: ClassVar[str] = "console"

    def __init__(self) -> None:
        self._chat = FaultyMemoryChat()
        self._numbers = itertools.count(1)
        self._events: list[AnyEvent] = []
        self._missed: list[AnyEvent] = []
        self._room_changed: Callable[[str], None] = lambda _room: None

    async def open(self) -> None:
        """Nothing is needed."""

    async def close(self) -> None:
        """Nothing is held."""

    def configuration(self) -> dict[str, Any]:
        return {"console": {"enabled": True}}

    def identity(self, who: str) -> str:
        return f"console:{who}"

    def make_chat(self, context: ChatContext[Any]) -> Chat:
        self._room_changed = context.callbacks.room_changed
        return self._chat

    async def ready(self) -> None:
        await self._chat.listening.wait()
        missed, self._missed = self._missed, []
        for event in missed:
            await self._hand_in(event)

    async def stopped(self) -> None:
        self._chat.accept = None
        self._chat.listening.clear()

    async def settle(self) -> None:
        """What is said is handed in at once."""

    async def say(
        self, who: str, text: str, *, where: Where, thread: str | None, mention: bool
    ) -> SentMessage:
        direct = where is Where.DIRECT
        received = MessageEvent(
            event_id=f"e{next(self._numbers)}",
            room=Room(platform=self.platform, id=_DIRECT + who if direct else self.room),
            sender=who,
            text=text,
            address=Address.DIRECT if direct else Address.MENTION if mention else Address.ROOM,
            thread=thread,
            sent_at=system_clock(),
        )
        await self._happen(received)
        return SentMessage(received.event_id, who)

    async def press(self, who: str, choice: Choice, card: VisibleMessage) -> None:
        press = ButtonEvent(
            event_id=f"e{next(self._numbers)}",
            room=Room(platform=self.platform, id=self.room),
            sender=who,
            choice=choice,
            message_id=card.id,
            sent_at=system_clock(),
        )
        await self._happen(press)

    async def press_shortcut(self, who: str, label: str, card: VisibleMessage) -> None:
        raise NotImplementedError

    async def withdraw_press(self) -> None:
        press = next(each for each in reversed(self._events) if isinstance(each, ButtonEvent))
        withdrawal = WithdrawnReaction(
            event_id=f"e{next(self._numbers)}",
            room=press.room,
            sender=press.sender,
            reaction_event_id=press.event_id,
            sent_at=system_clock(),
        )
        await self._happen(withdrawal)

    async def edit(self, said: SentMessage, text: str) -> None:
        raise NotImplementedError

    async def delete(self, said: SentMessage) -> None:
        raise NotImplementedError

    async def say_as_bots(self, text: str) -> None:
        raise NotImplementedError

    async def visible_messages(self, who: str, where: Where) -> list[VisibleMessage]:
        room = _DIRECT + who if where is Where.DIRECT else self.room
        return [_visible(shown) for shown in self._chat.messages if shown.room == room]

    async def redeliver(self) -> None:
        for event in tuple(self._events):
            await self._hand_in(event)

    def inject_fault(self, fault: SendFault, times: int = 1) -> None:
        self._chat.faults += [fault] * times

    def set_away(self, away: bool) -> None:
        self._chat.away = ChatError("The room is shut.", passing=True) if away else None

    async def set_room_gone(self, gone: bool) -> None:
        self._chat.away_in.pop(self.room, None)
        if gone:
            self._chat.away_in[self.room] = ChatError("It is archived.", passing=False, room_gone=True)
        if self._chat.accept is not None:
            self._room_changed(self.room)

    async def files(self) -> list[str]:
        return []

    async def pictures(self) -> list[VisiblePicture]:
        return [
            VisiblePicture(each.png, each.alternative, shown.thread)
            for shown in self._chat.messages
            for each in shown.card.pictures
        ]

    async def private_files(self, who: str) -> list[str]:
        return [file.text for account, file in self._chat.private.values() if account == who]

    async def _happen(self, event: AnyEvent) -> None:
        self._events.append(event)
        if self._chat.accept is None:
            self._missed.append(event)
        else:
            await self._hand_in(event)

    async def _hand_in(self, event: AnyEvent) -> None:
        assert self._chat.accept is not None
        await self._chat.accept(event)


def _visible(posted: PostedMessage) -> VisibleMessage:
    return VisibleMessage(
        id=posted.id,
        text=posted.text,
        choices=frozenset(button.choice for button in posted.card.buttons),
        thread=posted.thread,
        edits=len(posted.cards) - 1,
        mentions=frozenset(posted.card.mentions),
    )


HARNESSES: Mapping[str, MakeHarness] = {"memory": lambda _request: MemoryHarness()}
