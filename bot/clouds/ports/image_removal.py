"""What a gallery may offer besides, whose removals can be undone for a while: versions are taken out of use before
they are removed, or are kept after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from slipway.bot.clouds.model import ImageVersion, VersionNumber
from slipway.bot.clouds.ports.image_versions import Guard


@runtime_checkable
class DisablesVersions(Protocol):
    """A gallery whose versions can be disabled: nobody launches one any more, and it is still there."""

    async def disable_version(
        self, definition: str, number: VersionNumber, *, guard: Guard | None = None
    ) -> None:
        """Disable a version wherever it is, and note since when; one that is disabled already is no error.

        Each write begins with a look at the version, which ``guard`` is shown.
        """
        ...

    async def restore_version(
        self, definition: str, number: VersionNumber, *, guard: Guard | None = None
    ) -> None:
        """Bring a disabled version back wherever it is, as a candidate; one that is not disabled is no error.

        Who could launch it before has to be let anew: disabling takes that away, and the cloud does not remember it.
        """
        ...


@dataclass(frozen=True)
class DeletedVersion:
    """A version that was deleted, and that its cloud keeps for a while.

    Attributes:
        deleted_at: when it was deleted.
        kept_until: when its cloud forgets it.
        cloud: the adapter's name.
        regions: where it is kept, in a cloud in which each region keeps its own; empty elsewhere.
    """

    definition: str
    number: VersionNumber
    deleted_at: datetime
    kept_until: datetime
    cloud: str
    regions: frozenset[str] = frozenset()

    def lacking(self, version: ImageVersion) -> tuple[str, ...]:
        """The regions that keep it while it is there in others, as where a restoring was cut off."""
        same = version.number == self.number
        return tuple(sorted(self.regions - {region.name for region in version.regions})) if same else ()


@runtime_checkable
class KeepsDeletedVersions(Protocol):
    """A gallery that may keep what was deleted for a while."""

    @property
    def deleted_takes_a_right(self) -> bool:
        """Whether reading that takes a right that nothing else needs: then that it is missing is told where somebody
        asks for what was deleted, and not where they ask for what is there."""
        ...

    async def deleted_kept_for(self) -> timedelta | None:
        """How long what is deleted now is kept; None where it is not kept. What it says may be some minutes old.

        Raises:
            CloudError: that cannot be read.
        """
        ...

    async def deleted_versions(self, definition: str) -> tuple[DeletedVersion, ...]:
        """What is kept of a definition, in any order; none where the gallery keeps nothing.

        Raises:
            CloudError: that cannot be read.
        """
        ...

    async def undelete_version(self, definition: str, number: VersionNumber) -> None:
        """Bring a deleted version back as a candidate: promoted nowhere, whatever it was.

        Where the cloud brings it back only as it was, it is taken out of latest right after. One that is there
        already is only seen to be promoted nowhere.

        Raises:
            VersionAbsentError: it is not there, and not kept (any more).
            CloudError: anything else.
        """
        ...
