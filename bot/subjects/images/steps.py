"""The changes to a gallery that a plan is made of. Stored: ``kind``, the names of fields and defaults stay."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Literal, assert_never

from slipway.bot.core.steps import Permanence, Step, Target
from slipway.bot.subjects.images.cleaning_up.retention import Rule
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.formatting import format_regions
from slipway.bot.subjects.images.requests import CLOUD_OF_FORMAT_1, Pin


class FlagReason(StrEnum):
    """Why a version's flag is set or cleared."""

    NEWEST_CANDIDATE = "newest-candidate"
    NEWEST_NOT_ROLLED_BACK = "newest-not-rolled-back"
    NAMED = "named"
    ROLLED_BACK = "rolled-back"
    NEWER_THAN_TARGET = "newer-than-target"
    DUE = "due"
    REVOKED = "revoked"
    UNDER_WAY = "under-way"
    FAILED_HALFWAY = "failed-halfway"
    LAGGING = "lagging"
    OWED = "owed"


_FLAG_REASONS = {
    FlagReason.NEWEST_CANDIDATE: "it is the newest candidate",
    FlagReason.NEWEST_NOT_ROLLED_BACK: "it is the newest candidate that was not rolled back",
    FlagReason.DUE: "it is the newest candidate that meets its rules",
    FlagReason.NAMED: "this version was asked for by its number",
    FlagReason.ROLLED_BACK: "it is latest, and its rollback was asked for",
    FlagReason.REVOKED: "it is to be latest nowhere any more",
    FlagReason.NEWER_THAN_TARGET: "it is newer than the version that is to be latest",
    FlagReason.UNDER_WAY: "its promotion is under way, and its end is waited for",
    FlagReason.FAILED_HALFWAY: "it is promoted, and its update failed: that is made again",
    FlagReason.LAGGING: "it is promoted, and not all that belongs to that has come after it",
    FlagReason.OWED: "it is promoted, and is wanted in these regions, too",
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
    def policy_targets(self) -> tuple[Target, ...]:
        """The version, by its definition."""
        return (Target(self.definition, self.cloud, self.version),)

    @property
    def touched(self) -> tuple[str, ...]:
        """What it changes, for locks: the definition, because latest is a matter of all its versions.

        Case does not count in names, as with Azure.
        """
        return (f"definition {self.cloud}:{self.definition.casefold()}",)


class SetExcluded(VersionStep):
    """Set or clear a version's own flag that keeps it from being latest, in every region of it.

    ``rollbacks`` says how many rollbacks of a version had ended when it was chosen to be promoted; None where that
    was not noted, as in format 1. ``overridden`` are the rules that it need not meet; none in format 2. ``person`` is
    by whose word what is taken back is called bad; empty where nobody calls it so, as before there was evidence.

    With ``regions`` it is promoted in these alone, as a wave of the name ``wave``, or because they were owed.
    ``needs`` are regions where its copy has to be complete before anything is written, and ``after`` those where it
    has to be promoted already.

    ``published`` is when the version was published that was chosen to be promoted, which tells it from another one
    that has its number later; None where that was not noted, or its cloud does not say. ``against`` is the evidence
    against it that whoever agreed was shown; None where that was not noted: then none that comes later stops it.
    """

    FORMAT: ClassVar[int] = 3

    # What was known changes nothing of what is done: who asks for the same later has the same proposed.
    REASONS: ClassVar[frozenset[str]] = frozenset({"why", "person", "against"})

    kind: Literal["set-excluded"] = "set-excluded"
    excluded: bool
    why: FlagReason
    rollbacks: int | None = None
    overridden: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    wave: str = ""
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    person: str = ""
    published: datetime | None = None
    against: tuple[str, ...] | None = None

    @property
    def title(self) -> str:
        """What it does, as an order."""
        if self.excluded:
            return f"take {self.named} back from latest"
        if self.regions:
            wave = f" wave {self.wave}:" if self.wave else ""
            return f"promote {self.named} in{wave} {format_regions(self.regions)}"
        return f"promote {self.named}"

    @property
    def reason(self) -> str:
        """Why it is in the plan."""
        return _FLAG_REASONS[self.why]


class RemovalStep(VersionStep):
    """A step in the removal of a version that a rule of retention chose.

    ``limit`` is the number that the rule keeps (rules 2 and 3), ``end_of_life`` the date that rule 1 read.
    ``promoted`` is what the version was when it was chosen: one that is promoted later is not removed. ``announced``
    is when its removal was announced; None where it was not. ``published`` is when the version was published that was
    chosen, as in :class:`SetExcluded`.
    """

    REASONS: ClassVar[frozenset[str]] = frozenset({"announced"})

    rule: Rule
    promoted: bool
    end_of_life: datetime | None = None
    limit: int | None = None
    announced: datetime | None = None
    published: datetime | None = None

    def rests_on(self, before: Step) -> bool:
        """Nothing is removed from behind a protection that could not be lifted."""
        return isinstance(before, LiftProtection) and before.target == self.target

    @property
    def verb(self) -> str:
        """What is done with it, as what follows “was not”."""
        raise NotImplementedError

    @property
    def reason(self) -> str:
        """The rule that chose it."""
        announced = "" if self.announced is None else f"; announced on {self.announced:%Y-%m-%d}"
        return f"{self._rule_words}{announced}"

    @property
    def _rule_words(self) -> str:
        match self.rule:
            case Rule.END_OF_LIFE:
                when = f" on {self.end_of_life:%Y-%m-%d}" if self.end_of_life else ""
                return f"it reached its end of life{when}"
            case Rule.CANDIDATES:
                return f"it is a candidate, and not among the newest {self.limit}"
            case Rule.ROLLING:
                return f"its definition is rolling, and it is not among the newest {self.limit}"
            case Rule.DISABLED:
                return "a clean-up disabled it before, and nobody brought it back"
            case _:
                assert_never(self.rule)


class ProtectVersion(VersionStep):
    """Have its cloud refuse to delete a version, whoever asks for that."""

    STOPS: ClassVar[bool] = (
        False  # unprotected it is latest all the same, and the next wave is as good as before
    )

    kind: Literal["protect-version"] = "protect-version"

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"protect {self.named} from deletion"

    @property
    def reason(self) -> str:
        """Why it is in the plan."""
        return "it is latest then, and what is latest is to be protected"


class LiftProtection(RemovalStep):
    """Lift this Slipway's own protection of a version that is to be removed."""

    kind: Literal["lift-protection"] = "lift-protection"

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"lift the protection of {self.named} from deletion"

    @property
    def verb(self) -> str:
        """What is done with it, as what follows “was not”."""
        return "taken out of its protection"


class DisableVersion(RemovalStep):
    """Take a version out of use, in a cloud in which it can be brought back then. A later clean-up deletes it."""

    kind: Literal["disable-version"] = "disable-version"

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"disable {self.named}"

    @property
    def verb(self) -> str:
        """What is done with it, as what follows “was not”."""
        return "disabled"


class DeleteVersion(RemovalStep):
    """Delete a version for good."""

    PERMANENCE: ClassVar[Permanence] = Permanence.FINAL

    kind: Literal["delete-version"] = "delete-version"

    @property
    def title(self) -> str:
        """What it does, as an order."""
        return f"delete {self.named}"

    @property
    def verb(self) -> str:
        """What is done with it, as what follows “was not”."""
        return "deleted"


def way_back(step: VersionStep, until: datetime, prefix: str) -> str:
    """By which command what a step took away comes back and until when, as a sentence behind a blank; ``prefix`` is
    what commands begin with, so that people can paste it."""
    image = f"{step.pin.ref}/{step.version}"
    return f" `{prefix}restore {image}` brings it back until {until:%Y-%m-%d %H:%M} UTC."
