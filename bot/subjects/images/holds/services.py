"""What everything about holds works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slipway.bot.core.times import Clock
from slipway.bot.operations.declarations import SubjectContext
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.holds.executors import LiftHoldExecutor, PlaceHoldExecutor
from slipway.bot.subjects.images.holds.planners import HoldPlanner, UnholdPlanner

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.subjects.images.holds.store import HoldStore


@dataclass(frozen=True)
class HoldServices:
    """What is held, and what changes that.

    Attributes:
        store: where it is kept.
        name: what to call a person by their id.
    """

    store: HoldStore
    name: Callable[[str], str]

    def placing(self, catalogue: Catalogue) -> HoldPlanner:
        """Plans to place holds."""
        return HoldPlanner(catalogue, self.store, self.name)

    def lifting(self, catalogue: Catalogue) -> UnholdPlanner:
        """Plans to lift holds."""
        return UnholdPlanner(catalogue, self.store, self.name)

    def placer(self, clock: Clock) -> PlaceHoldExecutor:
        """Places holds."""
        return PlaceHoldExecutor(self.store, clock)

    def lifter(self, clock: Clock) -> LiftHoldExecutor:
        """Lifts holds."""
        return LiftHoldExecutor(self.store, clock)


def hold_services(context: SubjectContext) -> HoldServices:
    """Build them."""
    # With a database: not for `slipway check`.
    from slipway.bot.subjects.images.holds.store import HoldStore

    return HoldServices(HoldStore(context.database, context.clock, context.people.name), context.people.name)
