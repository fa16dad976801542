"""Sinks of the audit trail that take nothing, for the list of problems."""

from __future__ import annotations

from slipway.bot.operations.services import Services
from slipway.bot.problems.declaration import ProblemSource
from slipway.bot.problems.model import Found, Look


async def look_at_sinks(services: Services) -> Look:
    """Each sink that did not take what it was given last."""
    found = (
        Found(
            key=f"audit sink {each.name}",
            what=f"{each.name} does not take entries of the audit trail.",
            scope=each.name,
            detail=f"{each.why}.",
            since=each.since,
            move="They wait in the trail, and follow in order once it does. Whose move it is: whoever runs Slipway.",
        )
        for each in services.audit_troubles()
    )
    return Look.of(found, scopes=services.audit_sinks)


PARTS: tuple[ProblemSource[Services], ...] = (
    ProblemSource(
        "audit-sinks",
        "where the audit trail goes",
        look_at_sinks,
        wanted=lambda services: bool(services.audit_sinks),
    ),
)
