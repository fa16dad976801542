"""Pausing and resuming as operations: what is done once, what is not begun, and what is never called done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.subjects.schedules.model import Pause
from slipway.bot.subjects.schedules.pausing import PauseExecutor, ResumeExecutor
from slipway.bot.subjects.schedules.steps import LiftPause, StorePause
from tests.support.clock import NOW

STEP = StorePause(schedule="nightly", person="alice", words="a release", until=NOW + timedelta(days=3))


class Stored:
    """Stands for the store; whether it forgets what is placed, and keeps what is lifted."""

    def __init__(self, *, broken: bool = False) -> None:
        self.held: dict[str, Pause] = {}
        self.broken = broken

    async def pauses(self) -> Mapping[str, Pause]:
        return self.held

    async def pause(self, pause: Pause) -> None:
        if not self.broken:
            self.held[pause.schedule] = pause

    async def resume(self, schedule: str, key: str) -> None:
        if not self.broken and self.held[schedule].key == key:
            del self.held[schedule]


def pausing(store: Stored) -> PauseExecutor:
    return PauseExecutor(store, lambda: NOW)  # type: ignore[arg-type]


def resuming(store: Stored) -> ResumeExecutor:
    return ResumeExecutor(store)  # type: ignore[arg-type]


async def test_a_pause_is_placed_and_lifted_once_for_its_step() -> None:
    store = Stored()
    assert await pausing(store).observe(STEP, "t") is None
    await pausing(store).act(STEP, "t")
    assert (await pausing(store).verify(STEP, "t")).summary.startswith("nightly is paused until 2026-11-23")
    assert await pausing(store).observe(STEP, "t") is not None
    assert await pausing(store).observe(STEP, "another") is None
    lift = LiftPause(schedule="nightly", words="", key="t")
    assert await resuming(store).observe(lift, "u") is None
    await resuming(store).act(lift, "u")
    assert (await resuming(store).verify(lift, "u")).summary == "nightly runs again from its next time on"


async def test_what_is_over_when_it_is_carried_out_is_not_begun() -> None:
    with pytest.raises(CloudError, match="which has passed") as caught:
        await pausing(Stored()).observe(STEP.model_copy(update={"until": NOW}), "t")
    assert caught.value.kind is CloudErrorKind.CONFLICT
    assert (
        await resuming(Stored()).observe(LiftPause(schedule="nightly", words="", key="gone"), "t") is not None
    )


async def test_what_cannot_be_seen_is_never_called_done() -> None:
    store = Stored(broken=True)
    await pausing(store).act(STEP, "t")
    with pytest.raises(CloudError, match="is not there") as caught:
        await pausing(store).verify(STEP, "t")
    assert caught.value.kind is CloudErrorKind.UNVERIFIED
    store.held["nightly"] = Pause("nightly", "alice", "a release", NOW, None, "t")
    lift = LiftPause(schedule="nightly", words="", key="t")
    await resuming(store).act(lift, "u")
    with pytest.raises(CloudError, match="is there still"):
        await resuming(store).verify(lift, "u")
