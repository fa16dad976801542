"""Why a clean-up asks for an approval though policy asks for none: pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from slipway.bot.clouds.model import ImageVersion, VersionState
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.versions import is_promoted, latest_by_region


def caution(
    going: Mapping[DefinitionRef, Collection[ImageVersion]],
    found: Mapping[DefinitionRef, Collection[ImageVersion]],
    max_share: float,
) -> str:
    """What whoever agrees has to know first, in sentences; empty where nothing is out of the ordinary.

    Args:
        going: what goes of each definition.
        found: all that each has.
        max_share: the share of a definition above which that is said.
    """
    lost = last_promoted(going, found)
    last = (f"Attention, the last promoted version goes: {join_names(lost, len(lost))}.",) if lost else ()
    return " ".join((*last, *_share(going, found, max_share)))


def last_promoted(
    going: Mapping[DefinitionRef, Collection[ImageVersion]],
    found: Mapping[DefinitionRef, Collection[ImageVersion]],
) -> list[str]:
    """The newest promoted version of each definition of which no promoted one would be left that can be launched."""
    lost = []
    for definition, versions in going.items():
        gone = {id(each) for each in versions}
        promoted = [each for each in versions if is_promoted(each)]
        left = [each for each in found[definition] if id(each) not in gone and is_promoted(each)]
        sound = [each for each in left if each.state is VersionState.SUCCEEDED]
        if promoted and not latest_by_region(sound):  # one without regions launches nowhere
            newest = max(promoted, key=lambda each: each.number)
            lost.append(f"{newest.number} of {definition}")
    return lost


def _share(
    going: Mapping[DefinitionRef, Collection[ImageVersion]],
    found: Mapping[DefinitionRef, Collection[ImageVersion]],
    max_share: float,
) -> Iterator[str]:
    """A sentence where more than this share of any definition would go."""
    large = [
        f"{definition} ({len(versions)} of {len(found[definition])})"
        for definition, versions in going.items()
        if len(versions) > max_share * len(found[definition])
    ]
    if large:
        yield f"More than {max_share:.0%} would go of {join_names(large)}."
