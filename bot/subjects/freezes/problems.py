"""What may be wrong with freezes: that nobody can tell whether anything is frozen."""

from __future__ import annotations

from slipway.bot.operations.freezing.model import Unreadable
from slipway.bot.operations.services import Services
from slipway.bot.problems.declaration import ProblemSource
from slipway.bot.problems.model import WELL, Found, Look, Mend


async def look_at_freezes(services: Services) -> Look:
    """Whether the freezes can be read."""
    found = next((each for each in await services.freezes.all() if isinstance(each, Unreadable)), None)
    if found is None:
        return WELL
    return Look.of(
        [
            Found(
                key="unreadable",
                what="Whether changes are frozen cannot be read, so nothing is changed.",
                detail=f"Slipway's log says why ({found.why}).",
                move="Whose move it is: whoever runs Slipway; or whoever may end a freeze, which ends this, too.",
                mend=Mend(label="Unfreeze", command="unfreeze"),
            )
        ]
    )


SOURCES = (ProblemSource("freezes", "freezes", look_at_freezes),)
