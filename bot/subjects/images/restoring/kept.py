"""What can be brought back: versions that are disabled, and those that were deleted and are kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import ImageVersion, VersionNumber, VersionState
from slipway.bot.clouds.ports.image_removal import DeletedVersion, DisablesVersions, KeepsDeletedVersions
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.times import Clock
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.restoring.requests import Away, KeptPin
from slipway.bot.subjects.images.versions import is_excluded_everywhere


@dataclass(frozen=True)
class KeptVersion:
    """A version that can be brought back.

    Attributes:
        definition: whose it is.
        away: whether it is disabled, or was deleted.
        since: when that was done, where it was noted.
        until: when it goes for good: a deleted one is forgotten by its cloud then, a disabled one may be deleted by a
            clean-up from then on. None where nothing says so.
        version: the version itself, as far as its cloud shows it still.
        regions: where it is away, of one that is a candidate in other regions.
    """

    definition: DefinitionRef
    number: VersionNumber
    away: Away
    since: datetime | None
    until: datetime | None
    version: ImageVersion | None = None
    regions: tuple[str, ...] = ()

    @property
    def pin(self) -> KeptPin:
        """The same as requests hold it."""
        return KeptPin(
            definition=self.definition.name,
            version=str(self.number),
            cloud=self.definition.cloud,
            qualified=self.definition.qualified,
            away=self.away,
            until=self.until,
        )

    @property
    def words(self) -> str:
        """How it is away and until when it can be brought back, as the rest of a sentence about it."""
        since = "" if self.since is None else f" on {self.since:%Y-%m-%d}"
        if self.away is Away.DELETED:
            until = "" if self.until is None else f" until {self.until:%Y-%m-%d %H:%M} UTC"
            where = f" in {join_names(self.regions, len(self.regions))}" if self.regions else ""
            return f"was deleted{where}{since}, and can be restored{until}"
        if self.until is None:
            return "is disabled, not by a clean-up, and can be restored"
        return f"was disabled{since}, and can be restored; a clean-up may delete it from {self.until:%Y-%m-%d} on"


@dataclass(frozen=True)
class Kept:
    """What is kept of a definition, newest first; ``problem`` is why it is not known what else is, as a sentence, and
    ``optional`` says that it is nothing but a right that whoever runs this may have left out."""

    versions: tuple[KeptVersion, ...] = ()
    problem: str = ""
    optional: bool = False

    def find(self, number: str) -> KeptVersion | None:
        """The one of this number, if there is one."""
        return next((each for each in self.versions if str(each.number) == number), None)


class KeptReader:
    """Reads what can be brought back.

    Args:
        clouds: have the galleries.
        keep_disabled: so long after it was disabled a clean-up deletes a version.
        clock: the present.
    """

    def __init__(self, clouds: Clouds, keep_disabled: timedelta, clock: Clock) -> None:
        self._clouds = clouds
        self._keep_disabled = keep_disabled
        self._clock = clock

    async def of(self, definition: DefinitionRef, versions: Iterable[ImageVersion]) -> Kept:
        """What of a definition can be brought back, of which these are listed."""
        gallery = self._clouds.get(IMAGE_VERSIONS, definition.cloud)
        listed = tuple(versions)
        found = (
            [self.disabled(definition, each) for each in listed if each.state is VersionState.DISABLED]
            if isinstance(gallery, DisablesVersions)
            else []
        )
        problem, optional = "", False
        if isinstance(gallery, KeepsDeletedVersions) and not definition.problem:
            there = {each.number: each for each in listed}
            now = self._clock()
            try:
                deleted = await gallery.deleted_versions(definition.name)
            except CloudError as error:
                problem = error.words
                optional = error.kind is CloudErrorKind.REFUSED and gallery.deleted_takes_a_right
            else:
                found += [
                    _deleted(definition, each, there.get(each.number))
                    for each in deleted
                    if each.kept_until > now and _can_come_back(each, there.get(each.number))
                ]
        return Kept(tuple(sorted(found, key=lambda each: each.number, reverse=True)), problem, optional)

    def disabled(self, definition: DefinitionRef, version: ImageVersion) -> KeptVersion:
        """A disabled version as one that can be brought back."""
        since = version.disabled_since
        until = None if since is None else since + self._keep_disabled
        return KeptVersion(definition, version.number, Away.DISABLED, since, until, version)


def _can_come_back(kept: DeletedVersion, there: ImageVersion | None) -> bool:
    """Whether a version may be restored, as its cloud shows it now.

    One that is there in part, as where a restoring or somebody was cut off, may be as long as it is a candidate: what
    is restored is latest nowhere, and what launches in other regions is not taken from anybody.
    """
    if there is None:
        return True
    candidate = there.state is VersionState.SUCCEEDED and is_excluded_everywhere(there)
    return candidate and bool(kept.lacking(there))


def _deleted(definition: DefinitionRef, kept: DeletedVersion, there: ImageVersion | None) -> KeptVersion:
    regions = () if there is None else kept.lacking(there)
    return KeptVersion(
        definition, kept.number, Away.DELETED, kept.deleted_at, kept.kept_until, there, regions
    )
