"""Sees by itself to what is owed: tries it again as far as people agreed to it, and tells what is somebody's move.

It changes nothing itself: it asks for ``region retry`` under an identity of its own, in the thread of the promotion
that left the region out.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog
from pydantic import ValidationError

from slipway.bot.chat.model import Card, Room, Tone
from slipway.bot.core.errors import CloudError, UserError
from slipway.bot.core.model import Model
from slipway.bot.core.times import Clock, format_time
from slipway.bot.operations.watches import Spot, WatchHost
from slipway.bot.subjects.images.replication.debts import Debts
from slipway.bot.subjects.images.replication.standing import DebtState, Standing, line_of

EVERY = timedelta(minutes=20)
"""Between two looks: each costs a listing for every definition that regions are configured for."""

MOST_SHOWN = 15
"""So many lines the card has; `regions` shows all."""

_MEMORY = "regions owed"

RETRY = "region-retry"
"""The kind of operation that is asked for."""

log = structlog.get_logger(__name__)


class Memory(Protocol):
    """What is asked of :class:`slipway.bot.store.memory.ChatMemory`."""

    async def load(self, name: str) -> str | None:
        """The value kept under this name, if there is one."""
        ...

    async def save(self, name: str, value: str) -> None:
        """Keep a value under this name, in place of any before."""
        ...


class Told(Model):
    """What was told. Stored: names of fields stay.

    Attributes:
        number: of the message: what comes newly owed is told in a new one.
        owed: what it is about: versions with their regions.
        open: whether it says that something is owed.
    """

    number: int = 0
    owed: tuple[str, ...] = ()
    open: bool = False


class DebtWatch:
    """Looks every twenty minutes.

    Args:
        debts: reads what is owed.
        memory: keeps what was told.
        clock: the present.
        room: where it is told; None for the log alone.
        prefix: of command lines.
        zone: in which times are told.
    """

    def __init__(
        self, debts: Debts, memory: Memory, *, clock: Clock, room: Room | None, prefix: str, zone: ZoneInfo
    ) -> None:
        self._debts = debts
        self._memory = memory
        self._clock = clock
        self._room = room
        self._prefix = prefix
        self._zone = zone
        self._looked_at: datetime | None = None

    async def look(self, host: WatchHost) -> None:
        """Look, if the last look was long enough ago; ask for what is due, and tell."""
        now = self._clock()
        if not self._debts.configured:
            return
        if self._looked_at is not None and timedelta() <= now - self._looked_at < EVERY:
            return
        self._looked_at = now
        try:
            found = await self._debts.of(None)
        except (CloudError, UserError) as error:
            log.warning("what is owed in regions could not be read", problem=error.sentence)
            return
        for each in found:
            if each.state is DebtState.DUE:
                await self._ask(each, host, now)
        await self._tell(found, host)

    async def _ask(self, due: Standing, host: WatchHost, now: datetime) -> None:
        """Ask for one try. Each has its own key by the hour: where nothing came of it, it is asked for again."""
        pin = due.owed.pin
        if await host.frozen(RETRY, cloud=pin.cloud, name=pin.definition.casefold()):
            return  # it stays due
        key = f"{due.owed.pin.target} {','.join(due.regions)} {due.tries} {now:%Y-%m-%dT%H}"
        spot = await host.spot_of(due.operation_id) or (Spot(self._room) if self._room else None)
        await host.ask(key, f"region retry {due.owed.definition}", spot)

    async def _tell(self, found: tuple[Standing, ...], host: WatchHost) -> None:
        """One message says what is owed; it is edited as that changes, and what comes newly owed is a new one."""
        told = await self._told()
        owed = tuple(
            sorted({f"{each.owed.pin.target} {region}" for each in found for region in each.regions})
        )
        if not owed and not told.open:
            return
        news = set(owed) - set(told.owed)
        after = Told(number=told.number + bool(news), owed=owed, open=bool(owed))
        if self._room is not None:
            card = self._card(found) if owed else _mended()
            await host.say(f"owed {after.number}", card, Spot(self._room))
        elif news:
            log.warning("regions are owed", owed=owed)
        if after != told:
            await self._memory.save(_MEMORY, after.model_dump_json())

    def _card(self, found: tuple[Standing, ...]) -> Card:
        lines = [self._line(each) for each in found[:MOST_SHOWN]]
        more = len(found) - len(lines)
        if more > 0:
            lines.append(f"And {more} more: `{self._prefix}regions`.")
        count = len({each.owed.definition for each in found})
        return Card(
            tone=Tone.WARNING,
            title=f"{count} definition{'' if count == 1 else 's'} not in every region",
            text="\n".join(lines),
            notes=(f"All of it, as it is now: `{self._prefix}regions`",),
        )

    def _line(self, standing: Standing) -> str:
        at = standing.next_at
        moment = "" if at is None else f"from {format_time(at, self._zone)} on"
        return line_of(standing, self._prefix, moment)

    async def _told(self) -> Told:
        kept = await self._memory.load(_MEMORY)
        try:
            return Told() if kept is None else Told.model_validate_json(kept)
        except ValidationError:  # of another version of Slipway: told anew
            return Told()


def _mended() -> Card:
    return Card(
        tone=Tone.DONE,
        title="Every promoted version is where it is wanted",
        text="What was owed in regions is there, or is owed no more.",
    )
