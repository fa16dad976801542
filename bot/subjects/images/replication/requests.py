"""What is asked about regions in which a promoted version is owed. Stored: names and defaults stay as they are."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from slipway.bot.core.steps import Request
from slipway.bot.subjects.images.replication.reach import Debt


class RegionRetry(Request):
    """See to what is owed of the definitions that a name or pattern matches, as far as people agreed to it when they
    let it be left out.

    ``debts`` is what was found when it was planned first: what is owed later waits for another time.
    """

    kind: Literal["region-retry"] = "region-retry"
    definition: str = Field(min_length=1)
    debts: tuple[Debt, ...] | None = None
