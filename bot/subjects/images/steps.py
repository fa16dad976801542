"""The changes to a gallery that a plan is made of. Stored: ``kind``, the names of fields and defaults stay."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Literal, assert_never

from slipway.bot.core.steps import Permanence, Step
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.requests import CLOUD_OF_FORMAT_1, Pin
from slipway.bot.subjects.images.retention import Rule


class FlagReason(StrEnum):
    """Why a version's flag is set or cleared."""

    NEWEST_CANDIDATE = "newest-candidate"
    NEWEST_NOT_ROLLED_BACK = "newest-not-rolled-back"
    NAMED = "named"
    ROLLED_BACK = "rolled-back"
    UNDER_WAY = "under-way"
    FAILED_HALFWAY = "failed-halfway"


_FLAG_REASONS = {
    FlagReason.NEWEST_CANDIDATE: "it is the newest candidate",
    FlagReason.NEWEST_NOT_ROLLED_BACK: "it is the newest candidate that was not rolled back",
    FlagReason.NAMED: "this version was asked for by its number",
    FlagReason.ROLLED_BACK: "it is latest, and its rollback was asked for",
    FlagReason.UNDER_WAY: "its promotion is under way, and its end is waited for",
    FlagReason.FAILED_HALFWAY: "it is promoted, and its update failed: that is made again",
}


class VersionStep(Step):
    """A change of one version. ``qualified`` is as in :class:`.definitions.DefinitionRef`."""

    definition: str
    version: str
    cloud: str = CLOUD_OF_FORMAT_1
    qualified: bool = False

    @property
    def named(self) -> str:
        """The version as sentences have it: ``43.20261101.0 of Fedora-Cloud-43-x64``."""
        return f"{self.version} of {DefinitionRef(self.cloud, self.definition, self.qualified)}"

    @property
    def pin(self) -> Pin:
        """The version."""
        return Pin(
            definition=self.definition, version=self.version, cloud=self.cloud, qualified=self.qualified
        )

    @property
    def target(self) -> str:
        """Exactly what it changes, by which operations are found later."""
        return self.pin.target

    @property
    def touched(self) -> tuple[str, ...]:
        """What it changes, for locks: the definition, because latest is a matter of all its versions.

        Case does not count in names, as with Azure.
        """
        return (f"definition {self.cloud}:{self.definition.casefold()}",)


class SetExcluded(VersionStep):
    """Set or clear a version's own flag that keeps it from being latest, in every region of it.

    ``rollbacks`` says how many rollbacks of a version had ended when it was chosen to be promoted; None where that
    was not noted, as in format 1.
    """

    FORMAT: ClassVar[int] = 2

    REASONS: ClassVar[frozenset[str]] = frozenset({"why"})

    kind: Literal["set-excluded"] = "set-excluded"
    excluded: bool
    why: FlagReason
    rollbacks: int | None = None

    @property
    def title(self) -> str:
        """What it does, as an order."""
        if self.excluded:
            return f"take {self.named} back from latest"
        return f"promote {self.named}"

    @property
    def reason(self) -> str:
        """Why it is in the plan."""
        return _FLAG_REASONS[self.why]


class DeleteVersion(VersionStep):
    """Delete a version that a rule of retention chose.

    ``limit`` is the number that the rule keeps (rules 2 and 3), ``end_of_life`` the date that rule 1 read.
    ``promoted`` is what the version was when it was chosen: one that is promoted later is not deleted.
    """

    PERMANENCE: ClassVar[Permanence] = Permanence.FINAL

    kind: Literal["delete-version"] = "delete-version"
    rule: Rule
    promoted: bool
    end_of_life: datetime | None = None
    limit: int | None = None

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"delete {self.named}"

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
