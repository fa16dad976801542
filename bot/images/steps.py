"""The changes to a gallery that a plan is made of."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal, assert_never

from slipway.bot.core.steps import Step
from slipway.bot.images.retention import Rule


class FlagReason(StrEnum):
    """Why a version's flag is set or cleared."""

    NEWEST_CANDIDATE = "newest-candidate"
    NAMED = "named"
    ROLLED_BACK = "rolled-back"


_FLAG_REASONS = {
    FlagReason.NEWEST_CANDIDATE: "it is the newest candidate",
    FlagReason.NAMED: "this version was asked for by its number",
    FlagReason.ROLLED_BACK: "it is latest, and is to be taken back",
}


class SetExcluded(Step):
    """Set or clear a version's exclude-from-latest flag, in every region of it."""

    kind: Literal["set-excluded"] = "set-excluded"
    definition: str
    version: str
    excluded: bool
    why: FlagReason

    @property
    def title(self) -> str:
        """What it does, as an order."""
        if self.excluded:
            return f"take {self.version} of {self.definition} back from latest"
        return f"promote {self.version} of {self.definition}"

    @property
    def reason(self) -> str:
        """Why it is in the plan."""
        return _FLAG_REASONS[self.why]


class DeleteVersion(Step):
    """Delete a version that a rule of retention chose.

    ``limit`` is the number that the rule keeps (rules 2 and 3), ``end_of_life`` the date that rule 1 read.
    ``promoted`` is what the version was when it was chosen: one that is promoted later is not deleted.
    """

    kind: Literal["delete-version"] = "delete-version"
    definition: str
    version: str
    rule: Rule
    promoted: bool
    end_of_life: datetime | None = None
    limit: int | None = None

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"delete {self.version} of {self.definition}"

    @property
    def reason(self) -> str:
        """The rule that chose it."""
        match self.rule:
            case Rule.END_OF_LIFE:
                when = f" on {self.end_of_life:%Y-%m-%d}" if self.end_of_life else ""
                return f"it reached its end of life{when}"
            case Rule.CANDIDATES:
                return f"it is a candidate, and not among the newest {self.limit}"
            case Rule.ROLLING:
                return f"its definition is rolling, and it is not among the newest {self.limit}"
            case _:
                assert_never(self.rule)
