"""What everything about images works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.core.steps import Planner
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Polling
from slipway.bot.subjects.images.adopting.services import AdoptingServices
from slipway.bot.subjects.images.alarms.settings import AlarmSettings
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.cleaning_up.settings import RetentionSettings
from slipway.bot.subjects.images.evidence.services import EvidenceServices
from slipway.bot.subjects.images.history import RollbackHistory
from slipway.bot.subjects.images.holds.services import HoldServices
from slipway.bot.subjects.images.promoting.planner import PromotePlanner
from slipway.bot.subjects.images.protecting.planner import ChangeT, ProtectingPlanner
from slipway.bot.subjects.images.replication.services import ReplicationServices
from slipway.bot.subjects.images.restoring.services import RestoringServices
from slipway.bot.subjects.images.rules.gathering import PromotionRules
from slipway.bot.subjects.images.timeline.charts import Charts
from slipway.bot.subjects.images.usage.reading import UsageReader

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.subjects.images.announcing.store import AnnouncementStore
    from slipway.bot.subjects.images.publishing.publisher import Publisher
    from slipway.bot.subjects.images.watching.survey import Survey
    from slipway.bot.subjects.images.watching.watcher import Watcher


@dataclass(frozen=True)
class ImageServices:
    """What planners, executors, commands and home sections about images are given.

    Attributes:
        clouds: the adapters; steps name theirs.
        catalogue: reads all galleries.
        history: which versions were rolled back.
        retention: what a clean-up keeps, and whose versions are ours.
        clock: the present.
        polling: how long a change may take to show.
        evidence: what is known of versions.
        holds: what must be neither promoted nor removed.
        charts: draws timelines of versions.
        publisher: publishes what is latest for programs; None where that is not configured.
        rules: what must hold of a version before it is promoted.
        replication: how versions get into their regions.
        survey: lists all galleries, for whatever watches them.
        watcher: tells what others changed of versions; None where that is not configured.
        adopting: what others changed, and what notes that it is right.
        alarms: ``[alarms."PATTERN"]``, in the order of slipway.toml.
        usage: what uses versions.
        announcements: what was announced to be removed.
        restoring: what brings versions back.
    """

    clouds: Clouds
    catalogue: Catalogue
    history: RollbackHistory
    retention: RetentionSettings
    clock: Clock
    polling: Polling
    evidence: EvidenceServices
    holds: HoldServices
    charts: Charts
    publisher: Publisher | None
    rules: PromotionRules
    replication: ReplicationServices
    survey: Survey
    watcher: Watcher | None
    adopting: AdoptingServices
    alarms: Mapping[str, AlarmSettings]
    usage: UsageReader
    announcements: AnnouncementStore
    restoring: RestoringServices

    @property
    def promoting(self) -> Planner[Any]:
        """Plans promotions."""
        return self.protecting(lambda catalogue: self.replication.planner(self._promoting, catalogue))

    def protecting(self, make: Callable[[Catalogue], Planner[ChangeT]]) -> ProtectingPlanner[ChangeT]:
        """Plans what another planner does, and that what is latest then is protected where that is configured."""
        return ProtectingPlanner(make, self.catalogue, self.rules.tables)

    def _promoting(self, catalogue: Catalogue) -> PromotePlanner:
        rules = self.rules.reading(catalogue)
        return PromotePlanner(catalogue, self.history, self.holds.store, rules, self.evidence.name)
