"""What images add to reports, declared."""

from __future__ import annotations

from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.operations.services import Services
from slipway.bot.reports.declaration import ReportSection
from slipway.bot.reports.model import ReportKind
from slipway.bot.subjects.images.reporting.moved import draw_moves, look_at_moves, tell_moves
from slipway.bot.subjects.images.reporting.standing import (
    look_at_announced,
    look_at_candidates,
    look_at_debts,
    look_at_holds,
    tell_announced,
    tell_candidates,
    tell_debts,
    tell_holds,
)
from slipway.bot.subjects.images.services import ImageServices

_WEEKLY = (ReportKind.WEEKLY,)
_STANDING = (ReportKind.DAILY, ReportKind.WEEKLY)


def _has_galleries(services: Services) -> bool:
    return bool(services.clouds.all(IMAGE_VERSIONS))


def _has_regions(services: Services) -> bool:
    return services.get(ImageServices).replication.debts.configured


SECTIONS = (
    ReportSection(
        "images",
        "Images",
        (ReportKind.WEEKLY, ReportKind.MONTHLY),
        look_at_moves,
        tell_moves,
        draw=draw_moves,
    ),
    ReportSection(
        "candidates", "Candidates", _WEEKLY, look_at_candidates, tell_candidates, wanted=_has_galleries
    ),
    ReportSection("removals", "To be removed", _STANDING, look_at_announced, tell_announced),
    ReportSection("holds", "Holds", _STANDING, look_at_holds, tell_holds),
    ReportSection("regions", "Regions", _STANDING, look_at_debts, tell_debts, wanted=_has_regions),
)
