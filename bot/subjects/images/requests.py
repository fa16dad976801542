"""What people ask of images. A planner pins a request: what was found is what is planned again later.

All of these are stored. ``kind``, the names of fields and their defaults stay as they are.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from slipway.bot.clouds.model import ImageVersion
from slipway.bot.core.model import Model
from slipway.bot.core.steps import Request
from slipway.bot.subjects.images.definitions import DefinitionRef

CLOUD_OF_FORMAT_1 = "azure"
"""Where a stored version is that names no cloud: there was only one when those were stored."""


class Pin(Model):
    """One version of one definition, found when the request was planned first.

    ``qualified`` is as in :class:`slipway.bot.subjects.images.definitions.DefinitionRef`, when it was found.
    """

    definition: str
    version: str
    cloud: str = CLOUD_OF_FORMAT_1
    qualified: bool = False

    @classmethod
    def of(cls, definition: DefinitionRef, version: ImageVersion) -> Pin:
        """The pin of a version that was found."""
        return cls(
            definition=definition.name,
            version=str(version.number),
            cloud=definition.cloud,
            qualified=definition.qualified,
        )

    @property
    def ref(self) -> DefinitionRef:
        """Its definition."""
        return DefinitionRef(self.cloud, self.definition, self.qualified)

    @property
    def target(self) -> str:
        """What tells versions apart, and what operations are found by later. Stored: stays as it is.

        Case does not count in names, as with Azure.
        """
        return f"version {self.cloud} {self.definition.casefold()} {self.version}"


class Promote(Request):
    """Promote a version, or the newest candidate, of the definitions that a name or pattern matches.

    ``version`` is what the person named, if anything. ``pins`` is what planning made of it; with pins, a
    newer candidate that arrives later changes nothing. ``avoid`` are those candidates that were rolled back, as
    planning found: they are only promoted when somebody names them. ``rollbacks`` says how many rollbacks of each
    pinned version had ended by then, by target; None where that was not noted, as in format 1.
    """

    FORMAT: ClassVar[int] = 2

    kind: Literal["promote"] = "promote"
    definition: str = Field(min_length=1)
    version: str | None = None
    pins: tuple[Pin, ...] | None = None
    avoid: tuple[Pin, ...] = ()
    rollbacks: dict[str, int] | None = None


class Rollback(Request):
    """Take the newest promoted version of a definition back, so that the one before it is latest again.

    ``version`` pins the one that is taken back; ``definition`` names its cloud then where that is needed.
    """

    kind: Literal["rollback"] = "rollback"
    definition: str = Field(min_length=1)
    version: str | None = None


class Cleanup(Request):
    """Remove what retention chooses from the definitions that a name or pattern matches; None: all.

    ``pins`` are the versions chosen first; with pins, what becomes due later waits for the next clean-up.
    ``caution`` is why so large a plan needs an approval, as it was when the pins were chosen: uploads that
    make the share smaller do not take the need away.
    """

    kind: Literal["cleanup"] = "cleanup"
    definition: str | None = None
    pins: tuple[Pin, ...] | None = None
    caution: str = ""


def without_rollbacks(fields: dict[str, Any]) -> dict[str, Any]:
    """A promotion, or a step of one, of format 1 as one of format 2: what it had been through was not noted."""
    return {**fields, "rollbacks": None}
