"""Builders of image versions: each in one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from slipway.bot.clouds.model import (
    ImageVersion,
    TargetRegion,
    VersionNumber,
    VersionState,
)
from slipway.bot.subjects.images.settings import RetentionSettings
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
