"""What everything about adopting works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.core.times import Clock
from slipway.bot.operations.declarations import SubjectContext
from slipway.bot.subjects.images.adopting.executor import AdoptChangeExecutor
from slipway.bot.subjects.images.adopting.planner import AdoptPlanner, KnownEvidence
from slipway.bot.subjects.images.catalogue import Catalogue

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.subjects.images.adopting.store import ForeignChangeStore


@dataclass(frozen=True)
class AdoptingServices:
    """What others changed, and what notes that it is right.

    Attributes:
        store: where foreign changes are kept.
        name: what to call a person by their id.
    """

    store: ForeignChangeStore
    name: Callable[[str], str]

    def planner(self, catalogue: Catalogue, evidence: KnownEvidence) -> AdoptPlanner:
        """Plans to adopt."""
        return AdoptPlanner(catalogue, self.store, evidence, self.name)

    def executor(self, clouds: Clouds, clock: Clock) -> AdoptChangeExecutor:
        """Adopts."""
        return AdoptChangeExecutor(clouds, self.store, clock)


def adopting_services(context: SubjectContext) -> AdoptingServices:
    """Build them."""
    # With a database: not for `slipway check`.
    from slipway.bot.subjects.images.adopting.store import ForeignChangeStore

    return AdoptingServices(ForeignChangeStore(context.database), context.people.name)
