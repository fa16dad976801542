"""What everything about restoring works with."""

from __future__ import annotations

from dataclasses import dataclass

from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.cleaning_up.settings import RetentionSettings
from slipway.bot.subjects.images.contents.comparing import Contents
from slipway.bot.subjects.images.restoring.kept import KeptReader
from slipway.bot.subjects.images.restoring.planner import AboutVersions, RestorePlanner


@dataclass(frozen=True)
class RestoringServices:
    """What brings versions back.

    Attributes:
        kept: reads what can be brought back.
        operations: tell what took a version away.
        contents: looks into versions.
        policy: what a clean-up keeps.
        prefix: of command lines.
    """

    kept: KeptReader
    operations: AboutVersions
    contents: Contents
    policy: RetentionSettings
    prefix: str

    def planner(self, catalogue: Catalogue) -> RestorePlanner:
        """Plans it."""
        return RestorePlanner(catalogue, self.kept, self.operations, self.contents, self.policy, self.prefix)
