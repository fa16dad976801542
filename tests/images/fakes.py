"""A gallery in memory, for the pure planning rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from slipway.bot.clouds.model import Definition, ImageVersion, VersionNumber
from slipway.bot.core.errors import CloudError, CloudErrorKind


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

    async def versions(self, definition: str) -> tuple[ImageVersion, ...]:
        self.listed.append(definition)
        if definition in self.failing:
            raise self.failing[definition]
        return tuple(self.held[definition].values())

    async def version(self, definition: str, number: VersionNumber) -> ImageVersion:
        try:
            return self.held[definition][number]
        except KeyError:
            raise CloudError(CloudErrorKind.NOT_FOUND, cloud=self.cloud, sentence="no such version") from None

    async def set_promoted(self, definition: str, number: VersionNumber, *, promoted: bool) -> None:
        old = self.held[definition][number]
        regions = tuple(replace(region, excluded=None) for region in old.regions)
        self.put(replace(old, excluded=not promoted, regions=regions))

    async def delete_version(self, definition: str, number: VersionNumber) -> None:
        self.held[definition].pop(number, None)

    async def close(self) -> None:
        """Holds nothing to let go of."""
