"""Azure counts requests and refuses more: a plan of many listings, and a change, outlast a storm that ends, and no
other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from slipway.bot.clouds.azure.timing import RetryTiming
from slipway.bot.clouds.model import ImageVersion
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.clouds.simulated.fedora import many
from slipway.bot.clouds.throttling import Patience, ThrottleGate
from slipway.bot.core.errors import CloudError, CloudErrorKind, ResponsibleParty
from tests.support.azure import AzureHarness, azure_harness
from tests.support.clock import NOW

LISTINGS = 60
VERSIONS = 3

BUDGET = timedelta(minutes=5).total_seconds()


@asynccontextmanager
async def large_gallery(
    pauses: list[float], versions: int = VERSIONS, **more: object
) -> AsyncIterator[AzureHarness]:
    """A gallery of many definitions; pauses of a throttle take no time, and are noted where they are no jitter."""

    async def sleep(seconds: float) -> None:
        if seconds > 0.2:
            pauses.append(seconds)
        await asyncio.sleep(0)

    quick = timedelta(milliseconds=1)
    patience = Patience(sleep=sleep, jitter=lambda: 0.0)
    timing = RetryTiming(backoff=quick, polling=quick, patience=patience, clock=lambda: sum(pauses))
    async with azure_harness(many(LISTINGS, versions, NOW), timing=timing, more=dict(more)) as here:
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


CHANGES = ("PUT", "DELETE")


async def change(here: AzureHarness, method: str, seen: list[ImageVersion]) -> None:
    """Promote, or delete, the oldest candidate of the first definition; ``seen`` gets every look before a write."""
    definition = here.azure.seed.definitions[0]
    candidates = [each for each in await here.gallery.versions(definition.name) if each.excluded]
    oldest = min(candidates, key=lambda each: each.number)
    if method == "PUT":
        await here.gallery.set_promoted(definition.name, oldest.number, promoted=True, guard=seen.append)
    else:
        await here.gallery.delete_version(definition.name, oldest.number, guard=seen.append)


@pytest.mark.parametrize("method", CHANGES)
async def test_a_change_outlasts_a_storm_by_time_and_not_by_a_number_of_tries(method: str) -> None:
    pauses: list[float] = []
    seen: list[ImageVersion] = []
    async with large_gallery(pauses, max_attempts=2) as here:
        here.azure.faults.add(Fault(kind=FaultKind.THROTTLE, match=f"{method} *", times=9))
        await change(here, method, seen)
        assert here.requests(method) == 10
    assert len(seen) == 10, "a look before each try"
    assert len(pauses) == 9
    assert sum(pauses) <= BUDGET


@pytest.mark.parametrize("method", CHANGES)
async def test_a_change_that_azure_throttles_without_end_is_given_up_with_the_budget(method: str) -> None:
    """The looks between the tries are served, and make nothing whole again."""
    pauses: list[float] = []
    async with large_gallery(pauses) as here:
        here.azure.faults.add(Fault(kind=FaultKind.THROTTLE, match=f"{method} *", times=None))
        with pytest.raises(CloudError, match="too many requests") as caught:
            await change(here, method, [])
    assert caught.value.kind is CloudErrorKind.THROTTLED
    assert not caught.value.doubtful, "Azure took nothing"
    assert BUDGET / 2 < sum(pauses) <= BUDGET


@pytest.mark.parametrize("method", CHANGES)
async def test_a_pause_that_azure_asks_of_a_change_is_borne_as_far_as_the_budget_reaches(method: str) -> None:
    pauses: list[float] = []
    async with large_gallery(pauses, versions=4) as here:
        here.azure.faults.add(Fault(kind=FaultKind.THROTTLE, match=f"{method} *", seconds=290))
        await change(here, method, [])
        here.azure.faults.add(Fault(kind=FaultKind.THROTTLE, match=f"{method} *", seconds=301))
        with pytest.raises(CloudError, match="left alone for 5m1s"):
            await change(here, method, [])
    assert pauses == [290.0]


async def test_changes_side_by_side_pause_once_and_share_the_budget() -> None:
    pauses: list[float] = []
    async with large_gallery(pauses) as here:
        names = [definition.name for definition in here.azure.seed.definitions[:5]]
        doomed = {name: (await here.gallery.versions(name))[0] for name in names}
        here.azure.faults.add(Fault(kind=FaultKind.THROTTLE, match="DELETE *", times=5, seconds=100))
        async with asyncio.TaskGroup() as group:
            for name, version in doomed.items():
                group.create_task(here.gallery.delete_version(name, version.number))
        assert here.requests("DELETE") == 10
    assert pauses[0] == 100.0
    assert sum(pauses) <= BUDGET


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


async def test_pauses_and_those_who_waited_for_one_are_spread() -> None:
    slept: list[float] = []
    paused, go_on = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 1:
            paused.set()
            await go_on.wait()

    gate = ThrottleGate(Patience(first=timedelta(seconds=8), sleep=sleep, jitter=lambda: 1.0))
    leader = asyncio.create_task(gate.refused(await gate.enter(), None))
    await paused.wait()
    follower = asyncio.create_task(gate.enter())
    await asyncio.sleep(0)
    assert not follower.done()
    go_on.set()
    assert await leader
    assert await follower == 1
    assert slept == [6.0, 2.0], "up to a quarter sooner, and up to a quarter of the first pause later"
