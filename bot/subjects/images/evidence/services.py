"""What everything about evidence works with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slipway.bot.core.times import Clock
from slipway.bot.operations.declarations import SubjectContext
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.evidence.standing import Standing, standing
from slipway.bot.subjects.images.evidence.verdicts import RecordVerdictExecutor, VerdictPlanner
from slipway.bot.subjects.images.requests import Pin

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.subjects.images.evidence.store import EvidenceStore


@dataclass(frozen=True)
class EvidenceServices:
    """What is known of versions, and what records it.

    Attributes:
        store: where it is kept.
        name: what to call a source by its id.
    """

    store: EvidenceStore
    name: Callable[[str], str]

    async def standing(self, versions: Collection[Pin]) -> Mapping[str, Standing]:
        """What counts of what is known of these versions, by their targets; a version of which nothing is known is
        not among them."""
        found = await self.store.of(versions)
        return {target: standing(each) for target, each in found.items()}

    def verdicts(self, catalogue: Catalogue) -> VerdictPlanner[Any]:
        """Plans what people say of versions."""
        return VerdictPlanner(catalogue, self.store, self.name)

    def recording(self, clock: Clock) -> RecordVerdictExecutor:
        """Records what people say of versions."""
        return RecordVerdictExecutor(self.store, clock)


def evidence_services(context: SubjectContext) -> EvidenceServices:
    """Build them, and give other subjects what they may ask of evidence."""
    # With a database: not for `slipway check`.
    from slipway.bot.clouds.ports.image_candidates import IMAGE_CANDIDATES
    from slipway.bot.clouds.ports.image_evidence import IMAGE_EVIDENCE
    from slipway.bot.subjects.images.evidence.candidates import Candidates
    from slipway.bot.subjects.images.evidence.intake import EvidenceIntake
    from slipway.bot.subjects.images.evidence.store import EvidenceStore

    store = EvidenceStore(context.database)
    context.interfaces.give(IMAGE_EVIDENCE, EvidenceIntake(store, context.clouds, context.people.name))
    context.interfaces.give(IMAGE_CANDIDATES, Candidates(context.clouds, store, context.clock))
    return EvidenceServices(store, context.people.name)
