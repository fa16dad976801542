"""What is kept of a rotation over restarts: ids and times, and never a secret.

What was made and is not delivered is known again by this: by its id, or by its label where its source keeps one. What
only may be ours is nobody's to take away by belief: the cloud's log tells, or a person.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from slipway.bot.clouds.ports.credential_rotation import HeldKey
from slipway.bot.core.model import Model
from slipway.bot.subjects.credentials.answers import Memory

_SOON = timedelta(minutes=15)
"""What a try makes, it makes within this time of noting the ids before, as clocks differ; later ones are others'."""


_REMEMBERED = 100
"""Of how many it is known that Slipway made them, or took them away: far more than rotate between two looks."""


def _log() -> Any:
    """The log, whose library takes longer to load than a declaration may."""
    import structlog

    return structlog.get_logger(__name__)


class Rotation(Model):
    """One rotation of one credential. Stored: names of fields stay.

    Attributes:
        name: what people call the credential that is rotated.
        token: the step that makes its successor; what it makes carries it as its label.
        known: the ids that there were before anything was made.
        unheard: whether one was asked for, and nothing was heard of it yet.
        noted_at: when they were noted; what is made later comes after this.
        made: the id of the successor, once that is known; empty before.
        delivering: whether readers may have it already.
        staged_at: when it was delivered and proven; None before.
        paused_at: when the former was made inactive; None before, and where that is not done.
        failures: how many times it failed in a row.
        problem: why it failed last.
        left: ids that were made and not taken away again, though nothing came of them.
    """

    name: str
    token: str
    known: tuple[str, ...] = ()
    noted_at: datetime
    unheard: bool = False
    made: str = ""
    delivering: bool = False
    staged_at: datetime | None = None
    paused_at: datetime | None = None
    failures: int = 0
    problem: str = ""
    left: tuple[str, ...] = ()

    def unused(self, keys: Sequence[HeldKey], *, labels: bool) -> list[HeldKey]:
        """Those of a holder's keys that this rotation surely made, and that came to nothing."""
        if self.staged_at is not None:
            return [each for each in keys if each.id in self.left]
        named = (self.made, *self.left)
        return [
            each
            for each in keys
            if each.id in named or (not self.made and labels and each.label == self.token)
        ]

    def doubtful(self, keys: Sequence[HeldKey], *, labels: bool) -> list[HeldKey]:
        """Those that this rotation may have made, where nothing was heard of what it asked for, or somebody else.

        One that was there before is not ours, nor one that was used, for nobody can use ours.
        """
        if labels or not self.unheard:
            return []
        return [
            each
            for each in keys
            if each.id not in (*self.known, *self.left)
            and each.used_at is None
            and (each.made_at is None or abs(each.made_at - self.noted_at) < _SOON)
        ]

    def may_have_made(self, key: str) -> bool:
        """Whether a key by this id may be what it made to nothing, so that nobody means it by a table's name."""
        if self.staged_at is not None:
            return key in self.left
        return key in (self.made, *self.left) or (self.unheard and key not in self.known)

    def strays(self, keys: Sequence[HeldKey], *, labels: bool) -> list[HeldKey]:
        """Beside the successor: what a try made of which nobody heard, as where its request took effect late."""
        return [each for each in keys if labels and each.id != self.made and each.label == self.token]


class RotationLedger:
    """Keeps rotations by the credential that is rotated, entry by entry.

    Args:
        memory: where they stand.
    """

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self._writing = asyncio.Lock()

    async def of_entry(self, entry: str) -> Mapping[str, Rotation]:
        """Those of an entry, by the keys of the credentials."""
        return (await self._load(entry)).rotations

    async def about(self, entry: str, credential: str) -> Rotation | None:
        """The rotation of one credential, under way or not."""
        return (await self.of_entry(entry)).get(credential)

    async def own_changes(self, entry: str) -> OwnChanges:
        """What Slipway itself made and took away of an entry, which is no news."""
        kept = await self._load(entry)
        return OwnChanges(frozenset(kept.made), frozenset(kept.removed))

    async def keep(self, entry: str, credential: str, rotation: Rotation | None) -> None:
        """Keep how a rotation stands; None for that there is nothing to keep."""
        async with self._writing:
            kept = await self._load(entry)
            rotations = {key: each for key, each in kept.rotations.items() if key != credential}
            if rotation is None:
                kept = kept.model_copy(update={"rotations": rotations})
            else:
                made = _with(kept.made, rotation.made)
                kept = kept.model_copy(
                    update={"rotations": {**rotations, credential: rotation}, "made": made}
                )
            await self.memory.save(_name(entry), kept.model_dump_json())

    async def note_removed(self, entry: str, key: str) -> None:
        """Keep that Slipway took away the one with this id."""
        async with self._writing:
            kept = await self._load(entry)
            kept = kept.model_copy(update={"removed": _with(kept.removed, key)})
            await self.memory.save(_name(entry), kept.model_dump_json())

    async def _load(self, entry: str) -> _Kept:
        kept = await self.memory.load(_name(entry))
        try:
            return _Kept(rotations={}) if kept is None else _Kept.model_validate_json(kept)
        except ValidationError:
            _log().warning("what was kept of rotations is of another Slipway, and forgotten", entry=entry)
            return _Kept(rotations={})


@dataclass(frozen=True)
class OwnChanges:
    """The ids of what Slipway made and took away lately."""

    made: frozenset[str]
    removed: frozenset[str]


class _Kept(Model):
    rotations: dict[str, Rotation]
    made: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def _with(ids: tuple[str, ...], another: str) -> tuple[str, ...]:
    """These ids and another one, as many as are remembered."""
    return ids if another in (*ids, "") else (*ids, another)[-_REMEMBERED:]


def _name(entry: str) -> str:
    return f"credential rotations {entry}"
