"""What machines cost, in a table's few words."""

from __future__ import annotations

from slipway.bot.subjects.machines.launching.prices import money
from slipway.bot.subjects.machines.reporting.costs import UNKNOWN, Cost


def amount_in_words(cost: Cost, currency: str) -> str:
    """``0.06 USD (0.0208 an hour)``, and ``0.06 USD (rests)`` where nothing runs; unknown where there is no price."""
    if cost.so_far is None:
        return UNKNOWN
    now = f"{money(cost.per_hour)} an hour" if cost.per_hour else "rests"
    return f"{money(cost.so_far)} {currency} ({now})"
