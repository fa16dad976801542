"""What the daily digest says of freezes: what is frozen now."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.bot.operations.services import Services
from slipway.bot.reports.declaration import ReportSection
from slipway.bot.reports.model import Period, ReportKind, ReportView, Section, Severity


async def look_at_frozen(services: Services, _period: Period) -> tuple[str, ...]:
    """A sentence each."""
    return tuple(f"{services.freezes.words.why(each)}." for each in await services.freezes.all())


def tell_frozen(frozen: Sequence[str], view: ReportView) -> Section | None:
    """A line each; nothing where nothing is frozen."""
    if not frozen:
        return None
    return Section(
        summary="changes are frozen",
        severity=Severity.NEWS,
        lines=tuple(frozen),
        notes=view.offer("To end what somebody froze", "unfreeze"),
    )


SECTIONS = (ReportSection("freezes", "Freezes", (ReportKind.DAILY,), look_at_frozen, tell_frozen),)
