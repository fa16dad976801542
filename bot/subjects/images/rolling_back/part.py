"""What a rollback takes back of one definition, and what takes over: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slipway.bot.clouds.model import ImageVersion, VersionListing
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.versions import (
    latest_by_region,
)


@dataclass(frozen=True)
class Part:
    """What is taken back of one definition; nothing where that has been done.

    Attributes:
        taken: oldest first, so that latest moves once, with the last of them.
        waiting: those of them that are being taken back already, to be waited for.
        successors: what takes over by the flags, newest first: what the plan rests on, since copies come and go.
        copied: the same versions with their copies, as far as they matter for what is latest before and after; None
            where nobody looked.
    """

    definition: DefinitionRef
    versions: VersionListing
    taken: tuple[ImageVersion, ...]
    waiting: tuple[ImageVersion, ...] = ()
    successors: tuple[ImageVersion, ...] = ()
    copied: VersionListing | None = None

    @property
    def seen(self) -> VersionListing:
        """The versions, with their copies where somebody looked."""
        return self.versions if self.copied is None else self.copied

    @property
    def before(self) -> dict[str, ImageVersion]:
        """What is latest now, by region."""
        return latest_by_region(self.seen)

    @property
    def after(self) -> dict[str, ImageVersion]:
        """What is latest then, by region."""
        return latest_by_region(without(self.seen, self.taken))

    @property
    def pins(self) -> tuple[Pin, ...]:
        """What is taken back."""
        return tuple(Pin.of(self.definition, each) for each in self.taken)


def without(versions: Sequence[ImageVersion], taken: Sequence[ImageVersion]) -> list[ImageVersion]:
    """The versions but those that are taken back."""
    gone = {each.number for each in taken}
    return [each for each in versions if each.number not in gone]


def losing_regions(part: Part) -> list[str]:
    """The regions whose latest is taken back."""
    taken = {each.number for each in part.taken}
    return [region for region, version in part.before.items() if version.number in taken]
