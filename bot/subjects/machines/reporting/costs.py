"""What machines have cost so far, by the configured prices. Pure.

An estimate of running alone: disks, addresses and traffic come on top, and a machine that rests costs only these.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from slipway.bot.clouds.machine_model import InstanceState
from slipway.bot.subjects.machines.launching.prices import PriceSettings, money
from slipway.bot.subjects.machines.listing import Found

_HOUR = 3600.0

UNKNOWN = "unknown"
"""What is said of a cost for which there is no price: it is not nothing."""


@dataclass(frozen=True)
class Cost:
    """What some machines cost, as far as there are prices.

    Attributes:
        so_far: of those that have a price; None where none has.
        per_hour: of those of them that run.
        unpriced: of how many machines there is no price.
    """

    so_far: float | None
    per_hour: float | None
    unpriced: int = 0

    def in_words(self, currency: str) -> str:
        """``about 1.20 USD, 0.0208 an hour now``; what has no price is called unknown."""
        unknown = f"{self.unpriced} machine{'' if self.unpriced == 1 else 's'} without a known price"
        if self.so_far is None:
            return f"{UNKNOWN}: {unknown}" if self.unpriced else f"0 {currency}"
        known = f"about {money(self.so_far)} {currency}, {money(self.per_hour or 0)} an hour now"
        return f"{known}; {unknown}, not counted" if self.unpriced else known


def cost_of(found: Found, prices: PriceSettings, now: datetime) -> Cost:
    """What one machine has cost by now."""
    instance, machine = found.instance, found.machine
    price = prices.of(instance.cloud, instance.region, instance.instance_type)
    if price is None:
        return Cost(None, None, unpriced=1)
    ran = machine.ran(now) if machine is not None else max(timedelta(), now - found.launched_at)
    return Cost(
        price * ran.total_seconds() / _HOUR, 0.0 if instance.state is InstanceState.STOPPED else price
    )


def total(costs: Iterable[Cost]) -> Cost:
    """What several machines cost together."""
    every = tuple(costs)
    priced = [each for each in every if each.so_far is not None]
    unpriced = sum(each.unpriced for each in every)
    if not priced:
        return Cost(None, None, unpriced)
    so_far = sum(each.so_far or 0.0 for each in priced)
    return Cost(so_far, sum(each.per_hour or 0.0 for each in priced), unpriced)


def price_in_words(found: Found, prices: PriceSettings) -> str:
    """What an hour of it costs while it runs."""
    instance = found.instance
    price = prices.of(instance.cloud, instance.region, instance.instance_type)
    return UNKNOWN if price is None else f"{money(price)} {prices.currency} an hour"
