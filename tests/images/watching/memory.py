"""Foreign changes, kept in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from slipway.bot.subjects.images.adopting.authorship import Authorship
from slipway.bot.subjects.images.adopting.model import ForeignChange, Stage
from slipway.bot.subjects.images.definitions import DefinitionRef

Key = tuple[str, str, int, int]


class MemoryForeignChanges:
    """As :class:`slipway.bot.subjects.images.adopting.store.ForeignChangeStore` keeps them."""

    def __init__(self) -> None:
        self.kept: dict[Key, ForeignChange] = {}

    async def record(self, changes: Sequence[ForeignChange]) -> None:
        for each in changes:
            self.kept.setdefault(_key(each), each)

    async def open_ones(self) -> Sequence[ForeignChange]:
        return [each for each in self.kept.values() if each.open]

    async def over(self, changes: Sequence[ForeignChange], at: datetime) -> None:
        for each in changes:
            if self.kept[_key(each)].open:
                self.kept[_key(each)] = each.reworded(stage=Stage.OVER, ended_at=at)

    async def to_ask(self, now: datetime, limit: int) -> Sequence[ForeignChange]:
        due = [each for each in self.kept.values() if each.ask_at is not None and each.ask_at <= now]
        return due[:limit]

    async def know(self, change: ForeignChange, authorship: Authorship, ask_at: datetime | None) -> None:
        kept = self.kept[_key(change)]
        shown = int(authorship.known is not kept.authorship.known)
        changed = replace(kept, authorship=authorship, ask_at=ask_at, revision=kept.revision + shown)
        self.kept[_key(change)] = changed

    async def untold(self) -> Sequence[ForeignChange]:
        return [each for each in self.kept.values() if each.told_revision < each.revision]

    async def notice(self, change: ForeignChange) -> Sequence[ForeignChange]:
        return [each for key, each in self.kept.items() if key[:3] == _key(change)[:3]]

    async def last_notice(self, definition: DefinitionRef) -> int:
        same = (definition.cloud, definition.name.casefold())
        return max((key[2] for key in self.kept if key[:2] == same), default=0)

    async def told(self, changes: Sequence[ForeignChange]) -> None:
        for each in changes:
            self.kept[_key(each)] = replace(self.kept[_key(each)], told_revision=each.revision)

    async def forget(self, before: datetime) -> None:
        gone = [
            key
            for key, each in self.kept.items()
            if each.ended_at is not None and each.ended_at < before and each.told_revision == each.revision
        ]
        for key in gone:
            del self.kept[key]


def _key(change: ForeignChange) -> Key:
    return change.cloud, change.definition.casefold(), change.notice, change.number
