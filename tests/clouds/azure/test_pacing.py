"""Hundreds of deletions finish under Azure's documented limits, and hardly any of them is refused."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.clouds.azure.images.gallery import AzureGallery
from slipway.bot.clouds.azure.pacing import REMAINING, Pacer, Window
from slipway.bot.clouds.azure.timing import RetryTiming
from slipway.bot.clouds.model import ImageVersion
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.azure.conditions import Conditions
from slipway.bot.clouds.simulated.azure.quotas import Limits
from slipway.bot.clouds.simulated.fedora import many
from slipway.bot.clouds.throttling import Patience
from tests.support.azure import azure_settings
from tests.support.clock import NOW, FakeClock
from tests.support.clouds import cloud_context

LIMITED = Conditions(limits=Limits())


class Time:
    """Time that passes by being slept, for the simulator and the adapter alike."""

    def __init__(self) -> None:
        self.clock = FakeClock()

    async def sleep(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))
        await asyncio.sleep(0)

    def seconds(self) -> float:
        return (self.clock.now - NOW).total_seconds()

    @property
    def timing(self) -> RetryTiming:
        quick = timedelta(milliseconds=1)
        patience = Patience(sleep=self.sleep, jitter=lambda: 0.0)
        return RetryTiming(backoff=quick, polling=quick, patience=patience, clock=self.seconds)


def look(_version: ImageVersion) -> None:
    """Nothing speaks against it."""


async def delete(gallery: AzureGallery, count: int) -> None:
    """Delete the oldest versions, one after the other, as the steps of a clean-up do."""
    (definition,) = await gallery.definitions()
    for version in sorted(await gallery.versions(definition.name), key=lambda each: each.number)[:count]:
        await gallery.delete_version(definition.name, version.number, guard=look)


def throttled(azure: SimulatedAzure) -> int:
    return sum(entry.status == 429 for entry in azure.requests)


async def test_five_hundred_deletions_are_refused_at_most_once_and_take_hardly_longer_than_they_must() -> (
    None
):
    """With a restart in the midst, after which nobody remembers what was sent."""
    time = Time()
    azure = SimulatedAzure(
        many(1, 501, NOW), page_size=1000, polls=0, clock=time.clock, conditions=LIMITED, pause_ms=0
    )
    await azure.start()
    try:
        for count in (230, 270):
            gallery = AzureGallery(azure_settings(azure), cloud_context("azure"), timing=time.timing)
            await delete(gallery, count)
            await gallery.close()
    finally:
        await azure.stop()
    gone = [entry for entry in azure.writes if entry.status == 202]
    assert len(gone) == 500
    assert throttled(azure) <= 1
    floor = 3 * 180.0  # 150 at once, and 150 more in each of three windows
    assert time.seconds() <= 1.05 * floor


async def test_what_others_use_of_the_limit_is_left_to_them() -> None:
    time = Time()
    pacer = Pacer({timedelta(minutes=3): 150}, time.sleep, time.seconds)
    for left in (5, 4, 3, 2, 1, 0):
        await pacer.turn()
        assert time.seconds() == 0
        pacer.answered({REMAINING: f"Microsoft.Compute/DeleteX3Min;{left}"}, None, throttled=False)
    await pacer.turn()
    assert time.seconds() == 180


async def test_a_limit_that_was_raised_is_used() -> None:
    time = Time()
    pacer = Pacer({timedelta(minutes=3): 2}, time.sleep, time.seconds)
    for left in range(9, -1, -1):
        await pacer.turn()
        pacer.answered({REMAINING: f"Microsoft.Compute/DeleteX3Min;{left}"}, None, throttled=False)
    assert time.seconds() == 0


async def test_after_a_refusal_nobody_is_sent_before_its_time() -> None:
    time = Time()
    pacer = Pacer({timedelta(minutes=3): 150, timedelta(minutes=30): 1000}, time.sleep, time.seconds)
    await pacer.turn()
    pacer.answered({}, 37.0, throttled=True)
    await pacer.turn()
    assert time.seconds() == 37.0


async def test_headers_that_say_nothing_of_it_change_nothing() -> None:
    time = Time()
    pacer = Pacer({timedelta(minutes=3): 1}, time.sleep, time.seconds)
    await pacer.turn()
    for odd in ("", "Microsoft.Compute/DeleteX", "Microsoft.Compute/DeleteX3Min;soon", "X7Min;0"):
        pacer.answered({REMAINING: odd}, None, throttled=False)
    await pacer.turn()
    assert time.seconds() == 180


@given(
    limit=st.integers(1, 6),
    gaps=st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=40),
)
def test_no_span_ever_has_more_than_the_limit(limit: int, gaps: list[float]) -> None:
    window, now, sent = Window(limit, 60.0), 0.0, list[float]()
    for gap in gaps:
        now += gap
        now = window.earliest(now)
        window.take(now)
        sent.append(now)
    for first in sent:
        assert sum(first <= each < first + 60.0 for each in sent) <= limit
