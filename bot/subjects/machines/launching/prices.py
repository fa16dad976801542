"""What machines cost, as far as slipway.toml says it: no cloud tells its prices to those who run machines there."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from slipway.bot.core.settings import Settings
from slipway.bot.core.times import format_duration


class PriceSettings(Settings):
    """``[prices]``: what an hour of a machine type costs.

    ``per_hour`` holds prices by ``TYPE``, by ``REGION TYPE`` or by ``ACCOUNT REGION TYPE``; the longest that fits
    counts.
    """

    currency: str = Field("USD", pattern=r"^\S{1,8}$", description="what prices are in, like USD")
    per_hour: dict[str, float] = Field(default_factory=dict)

    def of(self, cloud: str, region: str, instance_type: str | None) -> float | None:
        """What an hour of a machine costs; None where nobody said."""
        if instance_type is None:
            return None
        names = (f"{cloud} {region} {instance_type}", f"{region} {instance_type}", instance_type)
        return next((self.per_hour[name] for name in names if name in self.per_hour), None)

    def in_words(self, price: float, machines: int, lifetime: timedelta) -> str:
        """An estimate for so many machines: disks, addresses and traffic come on top."""
        total = price * machines * lifetime.total_seconds() / 3600
        each = "" if machines == 1 else " each"
        return (
            f"about {money(total)} {self.currency} for {format_duration(lifetime)} "
            f"({money(price)} an hour{each}; disks and traffic not counted)"
        )


def money(amount: float) -> str:
    """An amount with two digits, and a small one with as many as it takes, up to four."""
    digits = f"{amount:.4f}" if amount < 1 else f"{amount:.2f}00"
    return digits[:-2] + digits[-2:].rstrip("0")
