"""What rooms are told of freezes: that one began, and that it is over. Each once, by its key; and its end in time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from slipway.bot.chat.model import Card, Tone
from slipway.bot.chat.named_rooms import NamedRooms
from slipway.bot.config.settings import FreezeWindowSettings
from slipway.bot.core.times import Clock
from slipway.bot.messages.model import Lifetime
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.audit import AuditEntry, AuditKey
from slipway.bot.operations.freezing.calendar import ended
from slipway.bot.operations.freezing.gate import FreezeGate
from slipway.bot.operations.freezing.model import Freeze, Frozen, Period, Unreadable
from slipway.bot.operations.freezing.words import of_scope
from slipway.bot.people import People

TOLD_WITHIN = timedelta(days=7)
"""How long after it is over it is still told that it is: a bot that was down for longer has other news."""


class FreezeNotices:
    """Tells them, once a minute.

    Args:
        gate: what is frozen.
        windows: the calendar of the configuration.
        people: how whoever ended a freeze is called.
        messages: says it.
        rooms: where.
        refresh: lets the cards of all that waits show that they do, or do not any more.
        clock: the present.
    """

    def __init__(
        self,
        gate: FreezeGate,
        windows: Sequence[FreezeWindowSettings],
        *,
        people: People,
        messages: MessageService,
        rooms: NamedRooms,
        refresh: Callable[[], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._gate = gate
        self._windows = tuple(windows)
        self._people = people
        self._messages = messages
        self._rooms = rooms
        self._refresh = refresh
        self._clock = clock
        self._told: set[str] = set()
        self._shown: frozenset[str] | None = None

    async def sweep(self) -> None:
        """Note and tell what began and what is over."""
        now = self._clock()
        await self._end_in_time(now)
        frozen = await self._gate.all()
        holding = [each for each in frozen if not isinstance(each, Unreadable)]
        for each in holding:
            if isinstance(each, Period):
                await self._note(each, "freeze window began", AuditKey.of_freeze(each.key, "began"))
            await self._tell_begin(each)
        over = await self._tell_ends(now, frozen)
        shown = frozenset(each.key for each in holding)
        if shown != self._shown if self._shown is not None else bool(shown or over):
            await self._refresh()
        self._shown = shown

    async def _end_in_time(self, now: datetime) -> None:
        """Note those whose time is over, with the trail's entry."""
        state = await self._gate.store.read()
        for each in state if not isinstance(state, Unreadable) else ():
            if not each.holds(now):
                detail = (("frozen by", each.person), ("reason", each.reason))
                key = AuditKey.of_freeze(each.key, "over")
                entry = AuditEntry(key=key, at=now, actor="slipway", action="freeze over", detail=detail)
                await self._gate.store.end(each, entry)

    async def _note(self, period: Period, action: str, key: AuditKey) -> None:
        if key not in self._told:
            detail = (("window", period.name), ("reason", period.reason), ("about", of_scope(period.scope)))
            entry = AuditEntry(key=key, at=self._clock(), actor="slipway", action=action, detail=detail)
            began = AuditKey.of_freeze(period.key, "began")
            await self._gate.store.note(entry, behind=None if key == began else began)
            self._told.add(key)

    async def _tell_begin(self, frozen: Freeze | Period) -> None:
        scoped = isinstance(frozen, Period) and frozen.scope.limited
        nothing = "Of that, nothing" if scoped else "Nothing"
        card = Card(
            tone=Tone.WARNING,
            title="Some changes are frozen" if scoped else "Changes are frozen",
            text=f"{self._gate.words.why(frozen)}.",
            notes=(
                f"{nothing} new is proposed, what is approved begins when that is over, and what runs stands still.",
            ),
        )
        await self._say(frozen.key, "", card)

    async def _tell_ends(self, now: datetime, left: Sequence[Frozen]) -> bool:
        """Tell what is over wherever it was told that it began, and what is left. Whether anything is over."""
        since = now - TOLD_WITHIN
        freezes, periods = await self._gate.store.ended_since(since), ended(self._windows, since, now)
        for frozen, by, reason in freezes:
            who = "Its time is over" if by == "slipway" else f"{self._people.name(by)} ended it"
            await self._tell_end(frozen.key, f"{who}{f': {reason}' if reason else ''}.", left)
        for period in periods:
            await self._note(period, "freeze window over", AuditKey.of_freeze(period.key, "over"))
            await self._tell_end(period.key, f"The freeze window {period.name} is over.", left)
        return bool(freezes or periods)

    async def _tell_end(self, key: str, text: str, left: Sequence[Frozen]) -> None:
        card = Card(
            tone=Tone.DONE,
            title="Changes are not frozen any more",
            text=text,
            notes=("What was approved begins within a minute. What schedules left out is not made up for.",),
        )
        if left:
            still = "\n".join(f"{self._gate.words.why(each)}." for each in left)
            card = Card(
                tone=Tone.WARNING,
                title="One freeze is over, and changes stay frozen",
                text=f"{text}\n{still}",
                notes=("What that is not about and was approved begins within a minute.",),
            )
        await self._say(key, "over", card)

    async def _say(self, key: str, what: str, card: Card) -> None:
        """Say it in every room, once; an end where its begin was told alone."""
        for room in self._rooms.known:
            begin = f"freeze:{key}:{room.platform}:{room.id}"
            name = f"{begin}:{what}" if what else begin
            if name in self._told:
                continue
            if not what or await self._messages.knows(begin):
                await self._messages.say(
                    room, card, key=name, below=begin if what else None, lifetime=Lifetime.REPORT
                )
            self._told.add(name)
