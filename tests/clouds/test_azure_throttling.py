"""Azure counts requests and refuses more: a plan of many listings outlasts a storm that ends, and no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from slipway.bot.clouds.azure.gallery import RetryTiming
from slipway.bot.clouds.azure.throttling import Patience, ThrottleGate
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.clouds.simulated.fedora import many
from slipway.bot.core.errors import CloudError, CloudErrorKind, ResponsibleParty
from tests.support.azure import AzureHarness, azure_harness
from tests.support.clock import NOW

LISTINGS = 60
VERSIONS = 3

BUDGET = timedelta(minutes=5).total_seconds()


@asynccontextmanager
async def large_gallery(pauses: list[float], **more: object) -> AsyncIterator[AzureHarness]:
    """A gallery of many definitions; pauses of a throttle take no time, and are noted where they are no jitter."""

    async def sleep(seconds: float) -> None:
        if seconds > 0.2:
            pauses.append(seconds)
        await asyncio.sleep(0)

    quick = timedelta(milliseconds=1)
    timing = RetryTiming(backoff=quick, polling=quick, patience=Patience(sleep=sleep, jitter=lambda: 0.0))
    async with azure_harness(many(LISTINGS, VERSIONS, NOW), timing=timing, more=dict(more)) as here:
        yield here


async def list_all(here: AzureHarness) -> list[int]:
    """Every definition's number of versions, listed side by side; the first error ends the rest."""
    names = [definition.name for definition in here.azure.seed.definitions]
    async with asyncio.TaskGroup() as group:
        listings = [group.create_task(here.gallery.versions(name)) for name in names]
    return [len(listing.result()) for listing in listings]


async def refusal(here: AzureHarness) -> CloudError:
    with pytest.raises(ExceptionGroup) as caught:
        await list_all(here)
    error = caught.value.exceptions[0]
    assert isinstance(error, CloudError)
    return error


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=FaultKind.THROTTLE),
        Fault(kind=FaultKind.THROTTLE, bare=True),
        Fault(kind=FaultKind.THROTTLE, code="TooManyRequests", seconds=7),
        Fault(kind=FaultKind.UNAVAILABLE, seconds=7),
    ],
    ids=["compute", "compute-bare", "manager", "unavailable"],
)
async def test_a_plan_of_many_listings_outlasts_a_storm_of_refusals(fault: Fault) -> None:
    pauses: list[float] = []
    async with large_gallery(pauses) as here:
        here.azure.faults.add(fault.model_copy(update={"times": 200}))
        assert await list_all(here) == [VERSIONS] * LISTINGS
        assert len(here.azure.requests) == LISTINGS + 200
    assert sum(pauses) <= BUDGET


async def test_sixteen_refusals_at_once_are_one_pause_as_long_as_azure_asks_and_nothing_is_sent_in_it() -> (
    None
):
    pauses: list[float] = []
    over = asyncio.Event()

    async def sleep(seconds: float) -> None:
        if seconds:
            pauses.append(seconds)
            await over.wait()

    gate = ThrottleGate(Patience(sleep=sleep, jitter=lambda: 0.0))
    sent_in = [await gate.enter() for _ in range(16)]
    refused = asyncio.gather(*(gate.refused(each, 11.0) for each in sent_in))
    late = asyncio.create_task(gate.enter())
    for _ in range(10):
        await asyncio.sleep(0)
    assert pauses == [11.0]
    assert not late.done()
    over.set()
    assert all(await refused)
    assert await late == sent_in[0] + 1


async def test_a_storm_without_end_is_told_and_nobody_but_the_cloud_is_blamed() -> None:
    pauses: list[float] = []
    async with large_gallery(pauses) as here:
        here.azure.faults.add(Fault(kind=FaultKind.THROTTLE, times=None))
        error = await refusal(here)
        asked = len(here.azure.requests)
    assert error.kind is CloudErrorKind.THROTTLED
    assert error.responsible is ResponsibleParty.CLOUD
    assert "too many requests" in error.sentence
    assert "too many requests have been received for this subscription" in error.reason
    assert BUDGET / 2 < sum(pauses) <= BUDGET
    assert asked <= 16 * (len(pauses) + 1), "the listings that run at once, once a round"


async def test_being_told_to_come_back_at_once_again_and_again_ends_too() -> None:
    pauses: list[float] = []
    async with large_gallery(pauses) as here:
        here.azure.faults.add(Fault(kind=FaultKind.THROTTLE, seconds=0, times=None))
        assert (await refusal(here)).kind is CloudErrorKind.THROTTLED
        assert len(here.azure.requests) <= 400


async def test_whatever_is_served_makes_the_budget_whole_again() -> None:
    pauses: list[float] = []
    async with large_gallery(pauses, parallel_listings=1) as here:
        for served in range(4):
            here.azure.faults.add(Fault(kind=FaultKind.THROTTLE, seconds=200, after=served))
        assert await list_all(here) == [VERSIONS] * LISTINGS
    assert pauses == [200.0] * 4


async def test_after_a_storm_that_was_given_up_the_next_command_has_the_whole_budget() -> None:
    pauses: list[float] = []
    async with large_gallery(pauses) as here:
        here.azure.faults.add(Fault(kind=FaultKind.THROTTLE, times=None))
        await refusal(here)
        here.azure.faults.clear()
        here.azure.faults.add(Fault(kind=FaultKind.THROTTLE, seconds=290))
        assert await list_all(here) == [VERSIONS] * LISTINGS


async def test_a_pause_that_ends_with_whoever_made_it_holds_nobody_else_up() -> None:
    """The listing that pauses for all is given up, as when its room's command is cancelled."""
    holding = asyncio.Event()

    async def sleep(seconds: float) -> None:
        if seconds > 60:
            holding.set()
            await asyncio.Event().wait()
        await asyncio.sleep(0)

    quick = timedelta(milliseconds=1)
    timing = RetryTiming(backoff=quick, polling=quick, patience=Patience(sleep=sleep))
    async with azure_harness(many(2, VERSIONS, NOW), timing=timing) as here:
        first, second = (definition.name for definition in here.azure.seed.definitions)
        here.azure.faults.add(Fault(kind=FaultKind.THROTTLE, seconds=100))
        leader = asyncio.create_task(here.gallery.versions(first))
        await holding.wait()
        other = asyncio.create_task(here.gallery.versions(second))
        leader.cancel()
        assert len(await other) == VERSIONS
        with pytest.raises(asyncio.CancelledError):
            await leader
