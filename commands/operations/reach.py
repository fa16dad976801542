"""Policies that too few people can meet, for the list of problems and `slipway doctor`."""

from __future__ import annotations

from slipway.bot.operations.policy_reach import unmet
from slipway.bot.operations.services import Services
from slipway.bot.problems.declaration import ProblemSource
from slipway.bot.problems.model import Found, Look

SOURCE = "policies"
"""Names it in the list of problems. Stored."""


async def look_at_policies(services: Services) -> Look:
    """Each table or rule that waits in vain for some who may ask."""
    found = unmet(
        services.subjects.registry.kinds.values(),
        services.settings.policy,
        services.people,
        lambda person: any(each.platform in services.chats for each in person.identities),
    )
    return Look.of(Found(key=each.key, what=each.what, detail=each.detail, move=each.move) for each in found)


PARTS = (ProblemSource(SOURCE, "who has to agree", look_at_policies),)
