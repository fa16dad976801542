"""Who gave too many wrong codes, as problems: maybe somebody else speaks by their account."""

from __future__ import annotations

from slipway.bot.operations.services import Services
from slipway.bot.problems.declaration import ProblemSource
from slipway.bot.problems.model import Found, Look


async def look_at_lockouts(services: Services) -> Look:
    """One problem a person, until codes of theirs count again."""
    name = services.people.name
    return Look.of(
        Found(
            key=f"locked out {each.person}",
            what=f"{name(each.person)} gave {each.tries} wrong codes in succession, and none of theirs counts now.",
            scope=each.person,
            move="Ask them whether it was they. If not, somebody else speaks by an account of theirs: take that out "
            "of the configuration.",
        )
        for each in await services.step_ups.locked()
    )


PARTS = (ProblemSource("step-up", "codes of authenticator apps", look_at_lockouts),)
