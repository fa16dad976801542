"""The kinds of value that commands about images take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slipway.bot.clouds.model import VersionNumber
from slipway.bot.core.commands import Command
from slipway.commands.dispatch.context import MisuseError
from slipway.commands.grammar.values import Value, said_back, without_full_stop

VERSION_SEPARATOR = "/"

_LONGEST_VERSION = 5 * 18 + 4
"""Five numbers of 18 digits with dots between, as :class:`slipway.bot.clouds.model.VersionNumber` takes them."""


@dataclass(frozen=True, slots=True)
class ImageName:
    """An image as people name it: a definition (or a pattern, or ``CLOUD:DEFINITION``), and one version of it if any.

    ``DEFINITION/VERSION`` is one word everywhere; the version may stand behind a blank, too.
    """

    definition: str
    version: VersionNumber | None = None

    @property
    def version_text(self) -> str | None:
        """The version as requests hold it."""
        return None if self.version is None else str(self.version)

    def __str__(self) -> str:
        return self.definition if self.version is None else f"{self.definition}/{self.version}"


class VersionValue(Value):
    """A version of an image definition, such as ``43.20261101.0``."""

    name = "version"

    def read(self, text: str) -> VersionNumber:
        """Read a version number."""
        if len(text) > _LONGEST_VERSION:
            raise ValueError(f"{said_back(text)} is not a version; versions look like 43.20261101.0")
        return VersionNumber.parse(without_full_stop(text))


class ImageValue(Value):
    """An image: ``Fedora-Cloud-43-x64`` or ``Fedora-Cloud-43-x64/43.20261101.0``."""

    name = "image"
    placeholder = "IMAGE"

    def read(self, text: str) -> ImageName:
        """Read a definition, and what stands behind a slash as its version."""
        definition, slash, version = without_full_stop(text).partition(VERSION_SEPARATOR)
        if not definition:
            raise ValueError(f"{said_back(text)} names no definition; write it like DEFINITION/VERSION")
        return ImageName(definition, VERSION.read(version) if slash else None)


def version_behind(text: str) -> tuple[str, VersionNumber] | None:
    """What stands for a definition, where it is written like DEFINITION/VERSION; None where it is not."""
    definition, _, version = text.rpartition(VERSION_SEPARATOR)
    try:
        return (definition, VERSION.read(version)) if definition else None
    except ValueError:
        return None


VERSION = VersionValue()
IMAGE = ImageValue()


def with_version(image: ImageName, version: VersionNumber | None, command: Command[Any]) -> ImageName:
    """The image with the version that was typed behind a blank, if one was.

    Raises:
        MisuseError: it was given in both ways.
    """
    if version is None:
        return image
    if image.version is not None:
        raise MisuseError(f"The version is given twice, as {image.version} and as {version}.", command)
    return ImageName(image.definition, version)


def image_and_reason(image: ImageName, words: Sequence[str]) -> tuple[ImageName, str]:
    """An image and the free text behind it: its first word may be the version, in the form with a blank."""
    if image.version is None and words:
        try:
            return ImageName(image.definition, VERSION.read(words[0])), " ".join(words[1:])
        except ValueError:  # then it begins the text
            pass
    return image, " ".join(words)
