"""The facts about images that a plan rests on, named so that a difference reads as a sentence."""

from __future__ import annotations

from collections.abc import Iterable

from slipway.bot.clouds.model import ImageVersion, VersionListing
from slipway.bot.core.model import Json
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.versions import is_promoted, promoted_by_region


def observe_version(definition: DefinitionRef, version: ImageVersion) -> dict[str, Json]:
    """State, flags by region and end of life of one version."""
    regions: list[Json] = [*sorted(region.name for region in version.regions)]
    promoted: list[Json] = [*sorted(version.launch_regions)]
    facts: dict[str, Json] = {
        "state": version.state_title,
        "excluded": version.excluded,
        "end of life": version.end_of_life.isoformat() if version.end_of_life else None,
        "regions": regions,
        "promoted in": promoted,
    }
    return {f"{version.number} of {definition}": facts}


def observe_deletion(definition: DefinitionRef, version: ImageVersion, *, latest: bool) -> dict[str, Json]:
    """What makes a deletion right or wrong, short enough for plans of thousands of versions."""
    facts: dict[str, Json] = {"promoted": is_promoted(version), "latest": latest}
    return {f"{version.number} of {definition}": facts}


def observe_latest(definition: DefinitionRef, versions: Iterable[ImageVersion]) -> dict[str, Json]:
    """Latest of a definition by the flags: the number where all regions agree, or else the number by region."""
    by_region: dict[str, Json] = {
        region: str(version.number) for region, version in promoted_by_region(versions).items()
    }
    numbers = set(by_region.values())
    return {f"latest of {definition}": numbers.pop() if len(numbers) == 1 else by_region}


def observe_unreadable(definition: DefinitionRef, versions: VersionListing) -> dict[str, Json]:
    """What of a definition cannot be read, by name; nothing where all can."""
    names: list[Json] = [*sorted(each.name for each in versions.unreadable)]
    return {f"unreadable in {definition}": names} if names else {}
