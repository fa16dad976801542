"""What speaks for or against a version of an image, as whoever is about to use it is shown.

An interface for the subject of images to fulfil, and for every other to ask, and to record what it found out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from slipway.bot.clouds.machine_model import MachineImage
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.core.interfaces import Interface


class EvidenceKind(StrEnum):
    """By what something is known of a version. Stored: the values stay as they are."""

    BOOT = "boot"  # it was started, and came up or did not
    TESTS = "tests"  # a suite of tests was run on it
    VERDICT = "verdict"  # somebody says that it is good or bad


class Outcome(StrEnum):
    """What was found out. That nothing was is no outcome: there is no evidence then. Stored, too."""

    PASSED = "passed"
    FAILED = "failed"


@dataclass(frozen=True)
class Evidence:
    """Something that is known of a version.

    Attributes:
        cloud: the account that has it, such as ``azure.staging``.
        definition: its definition; case does not count.
        version: its number, such as ``43.20261101.0``.
        kind: by what it is known.
        outcome: what was found out.
        summary: a few plain words for cards; a person's reason.
        source: whose word it is: a person's id, or ``service:NAME``.
        at: when it was found out.
        key: names it for ever: recorded twice, it is there once.
        detail: more about it, such as the cloud's own words; may be empty.
        number: its place in the order in which all were recorded, from 1; 0 where it is not recorded yet.
    """

    cloud: str
    definition: str
    version: str
    kind: EvidenceKind
    outcome: Outcome
    summary: str
    source: str
    at: datetime
    key: str
    detail: str = ""
    number: int = 0


class ImageEvidence(Protocol):
    """What is recorded about images."""

    async def of(self, image: MachineImage) -> tuple[str, ...]:
        """What is recorded about an image, a few words each, the newest first; empty where nothing is."""
        ...

    async def record(self, found: Evidence) -> bool:
        """Record what was found out about a version; false where that is recorded already, by its key."""
        ...

    async def recorded(self, key: str) -> Evidence | None:
        """What was recorded under a key; None where nothing was."""
        ...


class NoImageEvidence:
    """Where no subject records anything about images."""

    async def of(self, _image: MachineImage) -> tuple[str, ...]:
        """Nothing."""
        return ()

    async def record(self, _found: Evidence) -> bool:
        """Nothing is kept."""
        return False

    async def recorded(self, _key: str) -> Evidence | None:
        """Nothing was."""
        return None


@runtime_checkable
class NamesVersions(Protocol):
    """What a gallery may say besides, whose images have ids that do not name their versions."""

    async def version_of_image(self, image: MachineImage) -> tuple[str, VersionNumber] | None:
        """The definition and the number of an image that machines are launched from; None where it is none of its
        versions.

        Raises:
            CloudError: that cannot be looked up.
        """
        ...


IMAGE_EVIDENCE: Interface[ImageEvidence] = Interface("evidence about images", NoImageEvidence())
