"""Placing and ending a freeze as operations: what is done once, what is not begun, and what is never called done."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.operations.freezing.model import Freeze, FreezeState, Unreadable
from slipway.bot.subjects.freezes.freezing import LiftExecutor, PlaceExecutor
from slipway.bot.subjects.freezes.steps import LiftFreeze, PlaceFreeze
from tests.support.clock import DAY, NOW

PLACE = PlaceFreeze(person="alice", words="a release", until=NOW + timedelta(days=3))
LIFT = LiftFreeze(person="bob", words="it is out", keys=("t",))


class Stored:
    """Stands for the store; whether it forgets what is placed, and keeps what is lifted."""

    def __init__(self, *, broken: bool = False) -> None:
        self.held: dict[str, Freeze] = {}
        self.unreadable = False
        self.broken = broken

    async def read(self) -> FreezeState:
        return Unreadable("ValueError") if self.unreadable else tuple(self.held.values())

    async def placed(self, key: str) -> bool:
        return key in self.held

    async def place(self, placed: Freeze) -> None:
        if not self.broken:
            self.held[placed.key] = placed

    async def lift(self, _person: str, _reason: str, _at: datetime) -> None:
        if not self.broken:
            self.held.clear()
            self.unreadable = False


def placing(store: Stored) -> PlaceExecutor:
    return PlaceExecutor(store, lambda: NOW)  # type: ignore[arg-type]


def lifting(store: Stored) -> LiftExecutor:
    return LiftExecutor(store, lambda: NOW)  # type: ignore[arg-type]


async def test_a_freeze_is_placed_and_lifted_once() -> None:
    store = Stored()
    assert await placing(store).observe(PLACE, "t") is None
    await placing(store).act(PLACE, "t")
    assert (await placing(store).verify(PLACE, "t")).summary.startswith("nothing changes until 2026-11-23")
    assert await placing(store).observe(PLACE, "t") is not None
    assert await lifting(store).observe(LIFT, "u") is None
    await lifting(store).act(LIFT, "u")
    assert (await lifting(store).verify(LIFT, "u")).summary == "things may change again"


async def test_what_cannot_be_read_can_be_lifted() -> None:
    store = Stored()
    store.unreadable = True
    assert await lifting(store).observe(LIFT, "u") is None
    await lifting(store).act(LIFT, "u")
    await lifting(store).verify(LIFT, "u")


async def test_a_freeze_that_would_be_over_is_not_begun() -> None:
    late = PLACE.model_copy(update={"until": NOW - DAY})
    with pytest.raises(CloudError, match="which has passed") as caught:
        await placing(Stored()).observe(late, "t")
    assert caught.value.kind is CloudErrorKind.CONFLICT


async def test_what_cannot_be_seen_is_never_called_done() -> None:
    store = Stored(broken=True)
    await placing(store).act(PLACE, "t")
    with pytest.raises(CloudError, match="is not there"):
        await placing(store).verify(PLACE, "t")
    store.held["t"] = Freeze("t", "alice", "a release", NOW, None)
    await lifting(store).act(LIFT, "u")
    with pytest.raises(CloudError, match="is there still"):
        await lifting(store).verify(LIFT, "u")
