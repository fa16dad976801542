"""Looks at what may be wrong, brings it into the list of problems, and tells rooms of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from slipway.bot.chat.model import Room
from slipway.bot.core.errors import CloudError
from slipway.bot.core.times import Clock
from slipway.bot.messages.model import Lifetime
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.services import Services
from slipway.bot.problems.cards import lapsed_card, notice_card
from slipway.bot.problems.declaration import ProblemSource
from slipway.bot.problems.model import Entry, EntryState, Look, Unseen

LONGEST_LOOK = timedelta(minutes=10)
"""What has not answered by then could not be looked at."""

FORGET_EVERY = timedelta(hours=1)

log = structlog.get_logger(__name__)


class Problems:
    """Looks at each source as often as it says, each in a task of its own: a slow one keeps no other waiting.

    What is told of problems is kept by keys that the list gives, so that it is told once: after a crash, and by
    however many processes.

    Args:
        sources: all that are declared.
        services: what they look with, and the list.
        messages: says it.
        room: where; None for the log alone.
        clock: the present.
        keep: how long what is over is remembered.
    """

    def __init__(
        self,
        sources: Sequence[ProblemSource[Services]],
        services: Services,
        messages: MessageService,
        *,
        room: Room | None,
        clock: Clock,
        keep: timedelta,
    ) -> None:
        self._sources = tuple(sources)
        self._titles = {each.name: each.title for each in sources}
        self._services = services
        self._store = services.problems
        self._messages = messages
        self._room = room
        self._clock = clock
        self._keep = keep
        self._looked_at: dict[str, datetime] = {}
        self._looking: dict[str, asyncio.Task[None]] = {}
        self._forgot_at: datetime | None = None
        self._telling = asyncio.Lock()

    async def sweep(self) -> None:
        """Begin a look at each source whose time it is, and tell what changed by other ways."""
        now = self._clock()
        wanted = [each for each in self._sources if each.wanted(self._services)]
        await self._store.retire([each.name for each in wanted], now)
        for source in wanted:
            if source.name not in self._looking and self._is_due(source, now):
                self._looked_at[source.name] = now
                work = self._look(source)
                self._looking[source.name] = asyncio.create_task(work, name=f"problems {source.name}")
        await self._tell()
        await self._forget(now)

    def _is_due(self, source: ProblemSource[Any], now: datetime) -> bool:
        """Also where the clock was set back."""
        last = self._looked_at.get(source.name)
        return last is None or not timedelta() <= now - last < source.every

    async def _look(self, source: ProblemSource[Services]) -> None:
        try:
            look = await self._looked(source)
            changes = await self._store.take_in(
                source.name, look, self._clock(), source.patience, tells=source.tells
            )
            for change in changes:
                entry = change.entry
                log.info("a problem changed", id=entry.id, became=change.kind.value, what=entry.found.what)
            await self._tell()
        except Exception:
            # A boundary: whatever is wrong with one, the others are looked at, and the next time tries again.
            log.exception("a source of problems could not be brought into the list", source=source.name)
        finally:
            del self._looking[source.name]

    async def _looked(self, source: ProblemSource[Services]) -> Look:
        """What a source sees; that it could not look, where it fails."""
        what = f"Whether all is well with {source.title} cannot be seen."
        try:
            async with asyncio.timeout(LONGEST_LOOK.total_seconds()):
                return await source.look(self._services)
        except CloudError as error:
            move = f"Whose move it is: {error.responsible.value}."
            return Look(unseen=(Unseen("", what, error.words, move),))
        except TimeoutError:
            return Look(unseen=(Unseen("", what, "It took more than ten minutes."),))
        except Exception:
            log.exception("a source of problems failed", source=source.name)
            why = "Slipway failed at that, which is a fault of its own; its log says more."
            return Look(unseen=(Unseen("", what, why, "Whose move it is: whoever runs Slipway."),))

    async def _tell(self) -> None:
        """Say what is new, and edit what has changed."""
        async with self._telling:
            for entries in await self._store.untold():
                await self._tell_of(entries)

    async def _tell_of(self, entries: Sequence[Entry]) -> None:
        first = all(each.told_revision == 0 for each in entries)
        if self._room is not None:
            # What was forgotten since it was told is not told again: that would call people to what is long over.
            if first or await self._messages.knows(entries[0].notice):
                await self._say(self._room, entries, calls=first)
            for entry in entries:
                await self._remind(self._room, entry)
        await self._store.told(entries)

    async def _say(self, room: Room, entries: Sequence[Entry], *, calls: bool) -> None:
        view, title = self._services.problem_view, self._titles.get(entries[0].source, entries[0].source)
        card = notice_card(entries, view, self._clock(), title)
        if calls:
            card = card.model_copy(update={"mentions": view.accounts_of(entries, room.platform)})
        await self._messages.say(room, card, key=entries[0].notice, lifetime=Lifetime.REPORT)

    async def _remind(self, room: Room, entry: Entry) -> None:
        """Call once for a problem whose acknowledgement has lapsed: whoever gave it, and whom it is for."""
        given = entry.acknowledged
        if not entry.remind or given is None:
            return
        if entry.state is EntryState.OPEN and await self._messages.knows(entry.notice):
            view = self._services.problem_view
            who = (
                self._services.people.account(given.by, room.platform),
                *view.accounts_of([entry], room.platform),
            )
            accounts = tuple(dict.fromkeys(each for each in who if each))
            card = lapsed_card(entry, view).model_copy(update={"mentions": accounts})
            key = f"{entry.id} lapsed {given.until.isoformat()}"
            await self._messages.say(room, card, key=key, below=entry.notice, lifetime=Lifetime.REPORT)
        await self._store.reminded(entry)

    async def _forget(self, now: datetime) -> None:
        if self._forgot_at is None or not timedelta() <= now - self._forgot_at < FORGET_EVERY:
            self._forgot_at = now
            await self._store.forget(now - self._keep)

    async def idle(self) -> None:
        """Wait until no look is under way."""
        while self._looking:
            await asyncio.wait(tuple(self._looking.values()))

    async def close(self) -> None:
        """Break off what is under way: nothing that a look does is lost by that, and the next start looks again."""
        tasks = tuple(self._looking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
