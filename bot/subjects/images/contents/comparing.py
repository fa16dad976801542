"""What changes inside between the latest and a version that may be promoted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slipway.bot.clouds.model import ImageVersion
from slipway.bot.subjects.images.contents.packages import changes
from slipway.bot.subjects.images.contents.settings import ContentsSettings

if TYPE_CHECKING:  # what asks for manifests is loaded when the first is asked for
    from slipway.bot.subjects.images.contents.fetching import Manifests


@dataclass(frozen=True)
class Inside:
    """What changes inside.

    Attributes:
        words: that, in a line; empty where it is not known.
        unknown: why it is not known, as a sentence without its full stop; empty where it is.
    """

    words: str = ""
    unknown: str = ""


class Contents:
    """Compares what versions hold.

    Args:
        settings: where manifests are.
    """

    def __init__(self, settings: ContentsSettings) -> None:
        self._settings = settings
        self._manifests: Manifests | None = None

    @property
    def configured(self) -> bool:
        """Whether anything can be known."""
        return bool(self._settings.manifests)

    async def compare(self, definition: str, version: ImageVersion, latest: ImageVersion | None) -> Inside:
        """What a version of a definition holds otherwise than its latest."""
        from slipway.bot.subjects.images.contents.fetching import Manifests, UnknownContentsError

        if self._manifests is None:
            self._manifests = Manifests(self._settings)
        try:
            after = await self._manifests.packages(definition, version)
            if latest is None:
                return Inside(words=f"{len(after)} packages, and no latest to compare them with")
            before = await self._manifests.packages(definition, latest)
        except UnknownContentsError as error:
            return Inside(unknown=str(error))
        return Inside(words=changes(before, after).words)
