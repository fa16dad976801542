"""What versions are made of: which sources there are, and why one is refused. Pure.

A simulator that is told nothing of sources takes any; told of some, it knows these and no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from slipway.bot.clouds.simulated.azure import errors
from slipway.bot.clouds.simulated.azure.regions import short_name

Document = dict[str, Any]


class Generation(StrEnum):
    """How a machine of the image boots."""

    V1 = "V1"
    V2 = "V2"


class SourceFacts(BaseModel):
    """An image, snapshot, disk, machine or storage account.

    Attributes:
        location: a version is made of what is in its own region.
        generation: None for a blob's account, which tells nothing of it.
        busy: whether it is copied from too often right now.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    location: str = "eastus"
    generation: Generation | None = Generation.V2
    busy: bool = False


_LINKS = ("id", "virtualMachineId", "storageAccountId", "communityGalleryImageId")


def links(sources: Iterable[Document]) -> Iterable[str]:
    """What sources name, by resource id."""
    return (str(source[key]) for source in sources for key in _LINKS if source.get(key))


def check_sources(
    named: Iterable[str], known: Mapping[str, SourceFacts], location: str, definition: Document
) -> None:
    """Refuse to make a version of what is not there, elsewhere, busy, or of another generation.

    Args:
        named: the sources, by resource id.
        known: those that there are, by resource id in any case.
        location: the version's.
        definition: its document.

    Raises:
        ArmError: the service would refuse it.
    """
    folded = {name.casefold(): facts for name, facts in known.items()}
    wanted = definition["properties"].get("hyperVGeneration", Generation.V1)
    for name in named:
        facts = folded.get(name.casefold())
        if facts is None or short_name(facts.location) != short_name(location):
            raise errors.source_not_found(name)
        if facts.busy:
            raise errors.source_busy(name)
        if facts.generation not in (None, wanted):
            raise errors.other_generation(name, facts.generation, wanted)
