"""What rules look at, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from slipway.bot.clouds.model import ImageVersion
from slipway.bot.subjects.images.contents.comparing import Inside
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.evidence.standing import NOTHING_KNOWN, Standing
from slipway.bot.subjects.images.rules.settings import PromotionSettings


class RuleName(StrEnum):
    """The rules that there are, as people name them. Stored with what overrides them: the values stay."""

    HOLD = "hold"
    VERDICT = "verdict"
    AGE = "age"
    NOT_OLDER = "not-older"
    REPLICATED = "replicated"
    ARCHITECTURES = "architectures"
    EVIDENCE = "evidence"
    CONTENTS = "contents"


ALWAYS = frozenset({RuleName.HOLD, RuleName.VERDICT})
"""The rules that hold of every definition, and that nothing overrides: who held or judged it can be asked."""


@dataclass(frozen=True)
class Sibling:
    """The same version for another architecture.

    Attributes:
        definition: the name of its definition.
        version: the version; None where there is none of this number.
        evidence: what counts of what is known of it.
    """

    definition: str
    version: ImageVersion | None
    evidence: Standing = NOTHING_KNOWN


@dataclass(frozen=True)
class Facts:
    """All that rules may rest on, of one version.

    Attributes:
        definition: its definition.
        version: the version as its cloud has it.
        now: the present.
        wanted: what is asked of the definition's versions.
        latest: the newest other version that is promoted; None where there is none.
        evidence: what counts of what is known of the version.
        held: why it is held, as the rest of a sentence about it; empty where it is not.
        siblings: the same version for the other architectures that are asked for.
        inside: what changes inside, or why that is not known; None where nobody looked.
    """

    definition: DefinitionRef
    version: ImageVersion
    now: datetime
    wanted: PromotionSettings = field(default_factory=PromotionSettings)
    latest: ImageVersion | None = None
    evidence: Standing = NOTHING_KNOWN
    held: str = ""
    siblings: tuple[Sibling, ...] = ()
    inside: Inside | None = None

    @property
    def image(self) -> str:
        """The version as commands take it: ``Fedora-Cloud-43-x64/43.20261101.0``."""
        return f"{self.definition}/{self.version.number}"


@dataclass(frozen=True)
class Broken:
    """A rule that a version does not meet.

    Attributes:
        rule: which.
        words: why, as the rest of a sentence about the version.
        remedy: the command that helps, without its prefix; empty where only time or another image does.
    """

    rule: RuleName
    words: str
    remedy: str = ""
