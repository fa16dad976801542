"""Emergencies that nobody else has reviewed, as problems."""

from __future__ import annotations

from slipway.bot.operations.emergency.model import Emergency
from slipway.bot.operations.services import Services
from slipway.bot.problems.declaration import ProblemSource
from slipway.bot.problems.model import Found, Look
from slipway.bot.subjects.emergencies.services import EmergencyServices


async def look_at_emergencies(services: Services) -> Look:
    """One problem for each that nobody has reviewed."""
    prefix, name = services.settings.commands.prefix, services.people.name
    found = await services.get(EmergencyServices).store.open_ones()
    return Look.of(_found(each, name(each.person), prefix) for each in found)


def _found(each: Emergency, name: str, prefix: str) -> Found:
    return Found(
        key=each.operation_id,
        what=f"{name} let {each.operation_id} run in an emergency, and nobody else has reviewed it.",
        scope=each.operation_id,
        detail=f"`{prefix}{each.command}`: {each.reason}",
        since=each.at,
        move="Somebody else looks at what was done, and says whether it was right not to wait: "
        f"`{prefix}emergency review {each.operation_id} justified REASON`, or `unjustified`.",
    )


SOURCE: ProblemSource[Services] = ProblemSource(
    "emergencies",
    "emergencies",
    look_at_emergencies,
    tells=False,  # all rooms were told, at once
)
