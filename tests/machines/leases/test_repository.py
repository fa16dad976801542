"""What is stored of leases, in a real database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.bot.subjects.machines.leases.limits import (
    LimitReachedError,
    LimitSettings,
    Usage,
    Wanted,
    check_limits,
)
from slipway.bot.subjects.machines.leases.model import (
    ChangedMeanwhileError,
    Machine,
    Reservation,
    ReservationState,
)
from slipway.bot.subjects.machines.leases.repository import Leases
from tests.support.clock import NOW
from tests.support.leases import leases_in

HOUR = timedelta(hours=1)


def reservation(number: int = 1, owner: str = "alice", count: int = 1) -> Reservation:
    return Reservation(
        id=f"op{number}",
        state=ReservationState.CLAIMED,
        owner=owner,
        profile="small",
        cloud="aws",
        region="eu-west-1",
        token=f"token{number}",
        count=count,
        claimed_at=NOW,
        lease_ends_at=NOW + 2 * HOUR,
        cap_ends_at=NOW + 48 * HOUR,
        ssh_user="fedora",
    )


def machine_of(held: Reservation, number: int = 1) -> Machine:
    return Machine(
        cloud=held.cloud,
        instance_id=f"i-{held.id}-{number}",
        region=held.region,
        reservation_id=held.id,
        owner=held.owner,
        profile=held.profile,
        launched_at=held.claimed_at,
        lease_ends_at=held.lease_ends_at,
        cap_ends_at=held.cap_ends_at,
    )


def anything(_usage: Usage) -> None:
    """No limit."""


async def launched(leases: Leases, held: Reservation | None = None) -> Machine:
    held = held or reservation()
    await leases.claim(held, anything)
    machine = machine_of(held)
    await leases.launched(held.id, [machine])
    return machine


async def test_a_claim_counts_until_its_machines_do_and_then_they_do(tmp_path: Path) -> None:
    async with leases_in(tmp_path) as leases:
        held = reservation(count=3)
        await leases.claim(held, anything)
        (place,) = (await leases.usage()).places
        assert (place.owner, place.machines, place.hours, place.lease_ends_at) == (
            "alice",
            3,
            6.0,
            NOW + 2 * HOUR,
        )
        await leases.launched(held.id, [machine_of(held, number) for number in range(3)])
        places = (await leases.usage()).places
        assert [(place.machines, place.hours) for place in places] == [(1, 2.0)] * 3
        assert await leases.open_claims() == ()
        gone = (await leases.living())[0]
        await leases.note(gone, ended_at=NOW)
        assert len((await leases.usage()).places) == 2


async def test_a_claim_that_came_to_nothing_frees_its_place_and_can_be_made_again(tmp_path: Path) -> None:
    async with leases_in(tmp_path) as leases:
        held = reservation()
        await leases.claim(held, anything)
        await leases.release(held.id)
        assert (await leases.usage()).places == ()
        assert (await leases.claim(held, anything)).state is ReservationState.CLAIMED
        await leases.launched(held.id, [machine_of(held)])
        await leases.release(held.id)
        stored = await leases.reservation(held.id)
        assert stored is not None
        assert stored.state is ReservationState.LAUNCHED


async def test_a_claim_made_twice_is_one_also_where_nothing_would_fit_any_more(tmp_path: Path) -> None:
    def full(_usage: Usage) -> None:
        raise LimitReachedError("full")

    async with leases_in(tmp_path) as leases:
        await leases.claim(reservation(), anything)
        assert await leases.claim(reservation(), full) == reservation()
        with pytest.raises(LimitReachedError):
            await leases.claim(reservation(2), full)
        assert await leases.open_claims() == (reservation(),)
        assert await leases.with_token("token1") == reservation()


@given(
    asked=st.lists(st.tuples(st.sampled_from(["alice", "bob"]), st.integers(1, 4)), min_size=1, max_size=8),
    machines=st.integers(0, 8),
    per_person=st.integers(0, 6),
    hours=st.integers(0, 20),
)
def test_claims_at_once_never_exceed_a_limit_and_none_is_refused_that_would_fit(
    tmp_path_factory: pytest.TempPathFactory,
    asked: list[tuple[str, int]],
    machines: int,
    per_person: int,
    hours: int,
) -> None:
    limits = LimitSettings(machines=machines, machines_per_person=per_person, lease_hours=hours)

    async def claim(leases: Leases, number: int, owner: str, count: int) -> bool:
        ask = Wanted(owner, (), count, 2.0 * count)
        try:
            await leases.claim(
                reservation(number, owner, count), lambda usage: check_limits(limits, usage, ask, NOW)
            )
        except LimitReachedError:
            return False
        return True

    async def story(folder: Path) -> None:
        async with leases_in(folder) as leases:
            taken = await asyncio.gather(*(claim(leases, number, *ask) for number, ask in enumerate(asked)))
            usage = await leases.usage()
            assert len(usage.places) == sum(taken)
            held = {
                owner: sum(each.machines for each in usage.places if each.owner == owner)
                for owner, _ in asked
            }
            assert sum(held.values()) <= machines
            assert max(held.values()) <= per_person
            assert sum(each.hours for each in usage.places) <= hours
            for (owner, count), was_taken in zip(asked, taken, strict=True):
                if not was_taken:  # it does not fit at the end, when most is in use, either
                    with pytest.raises(LimitReachedError):
                        check_limits(limits, usage, Wanted(owner, (), count, 2.0 * count), NOW)

    with TemporaryDirectory(dir=tmp_path_factory.getbasetemp()) as folder:
        asyncio.run(story(Path(folder)))


async def test_of_two_changes_at_once_one_is_made_and_the_other_is_told(tmp_path: Path) -> None:
    async with leases_in(tmp_path) as leases:
        machine = await launched(leases)
        longer = [
            leases.change(machine, lease_ends_at=machine.lease_ends_at + hours * HOUR) for hours in (1, 2)
        ]
        first, second = await asyncio.gather(*longer, return_exceptions=True)
        assert sorted(isinstance(each, ChangedMeanwhileError) for each in (first, second)) == [False, True]
        stored = await leases.machine("aws", machine.instance_id)
        assert stored in (first, second)
        assert stored is not None
        assert stored.revision == 2


async def test_nothing_extends_a_lease_beyond_the_cap_and_nothing_changes_what_is_gone(
    tmp_path: Path,
) -> None:
    async with leases_in(tmp_path) as leases:
        machine = await launched(leases)
        changed = await leases.change(machine, owner="bob", lease_ends_at=NOW + 100 * HOUR)
        assert (changed.owner, changed.lease_ends_at) == ("bob", machine.cap_ends_at)
        await leases.note(changed, ended_at=NOW)
        with pytest.raises(ChangedMeanwhileError):
            await leases.change(changed, owner="carol")


async def test_a_change_that_a_limit_forbids_is_not_made(tmp_path: Path) -> None:
    async with leases_in(tmp_path) as leases:
        machine = await launched(leases)
        check = partial(
            check_limits, LimitSettings(lease_hours=3), wanted=Wanted("alice", (), 0, 2.0), now=NOW
        )
        with pytest.raises(LimitReachedError):
            await leases.change(machine, lease_ends_at=NOW + 4 * HOUR, check=check)
        assert await leases.living("alice") == (machine,)
        assert await leases.living("bob") == ()


async def test_what_is_due_waits_for_its_next_attempt_and_forgets_it_when_extended(tmp_path: Path) -> None:
    async with leases_in(tmp_path) as leases:
        machine = await launched(leases)
        late = machine.lease_ends_at
        assert await leases.due(late - timedelta(seconds=1), HOUR) == ()
        await leases.note(machine, attempts=1, next_attempt_at=late + HOUR, told={"30m": 1})
        assert await leases.due(late, HOUR) == ()
        (due,) = await leases.due(late + HOUR, HOUR)
        assert (due.attempts, due.told) == (1, {"30m": 1})
        extended = await leases.change(due, lease_ends_at=late + 3 * HOUR)
        assert (extended.attempts, extended.next_attempt_at) == (0, None)
        assert await leases.due(late + HOUR, HOUR) == ()


async def test_an_attempt_that_was_set_by_a_clock_that_was_ahead_holds_up_no_end(tmp_path: Path) -> None:
    async with leases_in(tmp_path) as leases:
        machine = await launched(leases)
        late = machine.lease_ends_at
        await leases.note(machine, attempts=1, next_attempt_at=late + 400 * 24 * HOUR)
        assert [each.instance_id for each in await leases.due(late, HOUR)] == [machine.instance_id]


async def test_adopting_takes_in_what_is_not_known_or_was_thought_gone_and_leaves_the_rest(
    tmp_path: Path,
) -> None:
    async with leases_in(tmp_path) as leases:
        machine = replace(await launched(leases), reservation_id=None)
        found = replace(machine, owner="bob")
        await leases.adopt(found)
        assert [each.owner for each in await leases.living()] == ["alice"]
        await leases.note(machine, ended_at=NOW)
        await leases.adopt(found)
        (back,) = await leases.living()
        assert (back.owner, back.ended_at, back.revision) == ("bob", None, 2)


async def test_how_long_a_machine_rested_is_counted_once_however_often_it_is_seen_to_run(
    tmp_path: Path,
) -> None:
    async with leases_in(tmp_path) as leases:
        machine = replace(machine_of(reservation()), reservation_id=None)
        await leases.adopt(machine)
        for hours in (1, 2):  # that it rests is seen twice
            await leases.rests(machine, NOW + hours * HOUR)
        (resting,) = await leases.living()
        assert resting.ran(NOW + 9 * HOUR) == HOUR
        for hours in (4, 5):  # by whoever started it, and by the watch, which had read it before
            await leases.runs(resting, NOW + hours * HOUR)
        (running,) = await leases.living()
        assert (running.stopped_at, running.rested_seconds) == (None, 3 * 3600)
        await leases.runs(running, NOW + 8 * HOUR)
        assert (await leases.living())[0].ran(NOW + 9 * HOUR) == 6 * HOUR
