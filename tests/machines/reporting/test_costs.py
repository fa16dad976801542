"""What machines are said to have cost."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from slipway.bot.clouds.machine_model import Instance, InstanceState
from slipway.bot.subjects.machines.launching.prices import PriceSettings
from slipway.bot.subjects.machines.leases.model import Machine
from slipway.bot.subjects.machines.listing import Found
from slipway.bot.subjects.machines.reporting.costs import Cost, cost_of, total
from tests.support.clock import HOUR, NOW

PRICES = PriceSettings(per_hour={"t3.small": 0.02, "eu-west-1 t3.small": 0.03})


def machine(stopped_at: datetime | None = None, rested: float = 0) -> Machine:
    return Machine(
        cloud="aws",
        instance_id="i-1",
        region="eu-west-1",
        reservation_id=None,
        owner="alice",
        profile="small",
        launched_at=NOW,
        lease_ends_at=NOW + 9 * HOUR,
        cap_ends_at=NOW + 9 * HOUR,
        stopped_at=stopped_at,
        rested_seconds=int(rested * 3600),
    )


def found(
    stored: Machine | None, *, kind: str = "t3.small", region: str = "eu-west-1", rests: bool = False
) -> Found:
    state = InstanceState.STOPPED if rests else InstanceState.RUNNING
    return Found(Instance("i-1", "ami-1", kind, state, region, NOW, cloud="aws"), stored)


@pytest.mark.parametrize(
    ("seen", "so_far", "per_hour"),
    [
        (found(machine()), 0.15, 0.03),
        (found(machine(), region="us-east-1"), 0.10, 0.02),
        (found(None), 0.15, 0.03),
        (found(machine(rested=2)), 0.09, 0.03),
        (found(machine(stopped_at=NOW + HOUR, rested=0.5), rests=True), 0.015, 0.0),
    ],
    ids=["runs", "elsewhere", "nothing stored", "rested before", "rests"],
)
def test_what_it_has_cost_by_now_is_its_time_without_rests_at_the_nearest_price(
    seen: Found, so_far: float, per_hour: float
) -> None:
    cost = cost_of(seen, PRICES, NOW + 5 * HOUR)
    assert cost.so_far == pytest.approx(so_far)
    assert cost.per_hour == per_hour


def test_what_has_no_price_is_unknown_and_never_nothing() -> None:
    unknown = cost_of(found(machine(), kind="m5.large"), PRICES, NOW + HOUR)
    assert (unknown.so_far, unknown.per_hour) == (None, None)
    assert unknown.in_words("USD") == "unknown: 1 machine without a known price"
    both = total([unknown, cost_of(found(machine()), PRICES, NOW + HOUR)])
    assert (
        both.in_words("EUR")
        == "about 0.03 EUR, 0.03 an hour now; 1 machine without a known price, not counted"
    )
    assert total([]) == Cost(None, None, 0)


def test_a_clock_that_was_set_back_makes_no_cost_below_nothing() -> None:
    assert cost_of(found(machine()), PRICES, NOW - timedelta(days=1)).so_far == 0
    assert cost_of(found(None), PRICES, NOW - timedelta(days=1)).so_far == 0
