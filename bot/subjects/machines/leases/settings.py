"""``[leases]``: how machines are looked after."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from pydantic import Field

from slipway.bot.core.settings import Duration, Settings


class OrphanRule(StrEnum):
    """What becomes of a machine that carries this Slipway's tag and that its database does not know."""

    LIST = "list"
    TERMINATE = "terminate"


class LeaseSettings(Settings):
    """``[leases]``."""

    warn: tuple[Duration, ...] = (timedelta(minutes=30), timedelta(minutes=5))  # before the end
    orphans: OrphanRule = OrphanRule.LIST
    orphans_after: Duration = timedelta(days=1)  # since its launch, and never before its own tag's time
    attempts: int = Field(3, ge=1, le=20)  # how often an end fails before that is told
    # What counts as not used, in all of a profile's idle_after: the highest average of CPU in five minutes, in
    # percent, and the traffic in and out.
    idle_cpu: float = Field(2.0, ge=0, le=100)
    idle_traffic_mib: float = Field(5.0, ge=0)
    idle_grace: Duration = timedelta(hours=1)  # between telling and stopping
