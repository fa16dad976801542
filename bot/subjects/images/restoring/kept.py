"""What can be brought back: versions that are disabled, and those that were deleted and are kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import ImageVersion, VersionNumber, VersionState
from slipway.bot.clouds.ports.image_removal import DisablesVersions, KeepsDeletedVersions
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.times import Clock
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.restoring.requests import Away, KeptPin


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
    """

    definition: DefinitionRef
    number: VersionNumber
    away: Away
    since: datetime | None
    until: datetime | None
    version: ImageVersion | None = None

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
            return f"was deleted{since}, and can be restored{until}"
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
            there = {each.number for each in listed}
            now = self._clock()
            try:
                deleted = await gallery.deleted_versions(definition.name)
            except CloudError as error:
                problem = error.sentence
                optional = error.kind is CloudErrorKind.REFUSED and gallery.deleted_takes_a_right
            else:
                found += [
                    KeptVersion(definition, each.number, Away.DELETED, each.deleted_at, each.kept_until)
                    for each in deleted
                    if each.number not in there and each.kept_until > now
                ]
        return Kept(tuple(sorted(found, key=lambda each: each.number, reverse=True)), problem, optional)

    def disabled(self, definition: DefinitionRef, version: ImageVersion) -> KeptVersion:
        """A disabled version as one that can be brought back."""
        since = version.disabled_since
        until = None if since is None else since + self._keep_disabled
        return KeptVersion(definition, version.number, Away.DISABLED, since, until, version)
