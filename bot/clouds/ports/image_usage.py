"""What a gallery may offer besides: to tell what uses its versions, so that nothing in use is removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from slipway.bot.clouds.model import VersionNumber


@dataclass(frozen=True, slots=True)
class ImageUse:
    """Something that would miss a version.

    Attributes:
        definition: whose version it is. Case does not count.
        number: which; None for the one that is latest, whichever that is.
        by: what uses it, as the end of "in use by", such as ``scale set web of web-servers``.
    """

    definition: str
    number: VersionNumber | None
    by: str


@runtime_checkable
class TellsUsage(Protocol):
    """A gallery that can tell what uses its versions."""

    async def usage(self, launched_since: datetime) -> Sequence[ImageUse]:
        """All that uses any version of the gallery, as far as the account can see it: by listings that are as many
        whether one version is asked about or thousands.

        Args:
            launched_since: what was launched after this counts as used, where the cloud tells when that was.

        Raises:
            CloudError: a part of it could not be read; a part of the truth is none.
        """
        ...
