"""Image versions, each in one line, and a gallery that holds them in memory, for the pure planning rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from slipway.bot.clouds.azure.documents import why_no_azure_number
from slipway.bot.clouds.model import (
    Definition,
    ImageVersion,
    Lock,
    TargetRegion,
    UnreadableVersion,
    VersionListing,
    VersionNumber,
    VersionState,
)
from slipway.bot.clouds.ports.image_versions import Guard, VersionAbsentError, WantedRegion
from slipway.bot.core.errors import CloudError
from slipway.bot.subjects.images.cleaning_up.settings import RetentionSettings
from tests.support.azure import X64

POLICY = RetentionSettings()
"""How long versions are kept, as configured by default."""


def version(
    number: str,
    *,
    definition: str = X64,
    excluded: bool = True,
    state: VersionState = VersionState.SUCCEEDED,
    regions: Mapping[str, bool | None] | Iterable[str] = ("eastus", "westus"),
    ends: datetime | None = None,
    published: datetime | None = None,
    tags: Mapping[str, str] | None = None,
    cloud: str = "azure",
) -> ImageVersion:
    """A version, a candidate unless told otherwise. ``regions`` may give regions flags of their own."""
    flags = regions if isinstance(regions, Mapping) else dict.fromkeys(regions)
    return ImageVersion(
        definition=definition,
        number=VersionNumber.parse(number),
        excluded=excluded,
        state=state,
        regions=tuple(TargetRegion(name, 1, flag) for name, flag in flags.items()),
        published_at=published,
        end_of_life=ends,
        tags=tags or {},
        cloud=cloud,
    )


def promoted(number: str, **given: object) -> ImageVersion:
    """A promoted version."""
    return replace(version(number, **given), excluded=False)  # type: ignore[arg-type]


def candidates(count: int, *, definition: str = X64, first: int = 1) -> list[ImageVersion]:
    """Candidates 43.<first>.0, 43.<first+1>.0, …"""
    return [version(f"43.{first + step}.0", definition=definition) for step in range(count)]


class MemoryGallery:
    """Fulfils the port for planning; what it is not told, it does not have."""

    def __init__(
        self,
        *versions: ImageVersion,
        empty: Iterable[str] = (),
        cloud: str = "azure",
        title: str = "Azure",
    ) -> None:
        self.cloud = cloud
        self.title = title
        self.held: dict[str, dict[VersionNumber, ImageVersion]] = {name: {} for name in empty}
        self.failing: dict[str, CloudError] = {}
        self.unreadable: dict[str, tuple[UnreadableVersion, ...]] = {}
        self.held_by_locks: tuple[Lock, ...] = ()
        self.listed: list[str] = []
        for each in versions:
            self.put(each)

    def put(self, each: ImageVersion) -> None:
        self.held.setdefault(each.definition, {})[each.number] = each

    def change(self, definition: str, number: str, **changes: object) -> None:
        old = self.held[definition][VersionNumber.parse(number)]
        self.put(replace(old, **changes))  # type: ignore[arg-type]

    async def definitions(self) -> tuple[Definition, ...]:
        return tuple(Definition(name, cloud=self.cloud) for name in sorted(self.held))

    async def versions(self, definition: str) -> VersionListing:
        self.listed.append(definition)
        if definition in self.failing:
            raise self.failing[definition]
        odd = self.unreadable.get(definition, ())
        return VersionListing(tuple(self.held[definition].values()), odd)

    async def version(self, definition: str, number: VersionNumber) -> ImageVersion:
        try:
            return self.held[definition][number]
        except KeyError:
            raise VersionAbsentError(cloud=self.cloud, sentence="no such version") from None

    async def set_promoted(
        self, definition: str, number: VersionNumber, *, promoted: bool, guard: Guard | None = None
    ) -> tuple[str, ...]:
        old = self.held[definition][number]
        if guard is not None:
            guard(old)
        regions = tuple(replace(region, excluded=None) for region in old.regions)
        self.put(replace(old, excluded=not promoted, regions=regions))
        return ()

    async def delete_version(
        self, definition: str, number: VersionNumber, *, guard: Guard | None = None
    ) -> None:
        if guard is not None and number in self.held[definition]:
            guard(self.held[definition][number])
        self.held[definition].pop(number, None)

    async def locks(self) -> tuple[Lock, ...]:
        return self.held_by_locks

    def why_impossible(self, number: VersionNumber) -> str:
        return why_no_azure_number(number)

    async def close(self) -> None:
        """Holds nothing to let go of."""


class CopyingGallery(MemoryGallery):
    """One that copies versions by itself: a listing does not tell how far copies are, a version by itself does."""

    async def versions(self, definition: str) -> VersionListing:
        listed = await super().versions(definition)
        return VersionListing(
            tuple(
                replace(each, regions=tuple(replace(region, replication=None) for region in each.regions))
                for each in listed
            ),
            listed.unreadable,
        )

    async def begin_replication(
        self,
        definition: str,
        number: VersionNumber,
        regions: Sequence[WantedRegion],
        *,
        guard: Guard | None = None,
    ) -> None:
        raise NotImplementedError

    async def end_replication(
        self, definition: str, number: VersionNumber, regions: Sequence[str], *, guard: Guard | None = None
    ) -> tuple[str, ...]:
        raise NotImplementedError

    async def set_promoted_in(
        self,
        definition: str,
        number: VersionNumber,
        regions: Sequence[str],
        *,
        promoted: bool,
        guard: Guard | None = None,
    ) -> tuple[str, ...]:
        raise NotImplementedError
