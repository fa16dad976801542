"""The one way in for what is found out about versions, whoever found it out, and what other subjects are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.machine_model import MachineImage
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.clouds.ports.image_evidence import Evidence, NamesVersions
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.subjects.images.evidence.standing import standing
from slipway.bot.subjects.images.evidence.store import EvidenceStore
from slipway.bot.subjects.images.evidence.words import in_words
from slipway.bot.subjects.images.requests import Pin


class EvidenceIntake:
    """Fulfils :class:`slipway.bot.clouds.ports.image_evidence.ImageEvidence`.

    Args:
        store: where evidence is kept.
        clouds: say which version an image is.
        name: what to call a source by its id.
    """

    def __init__(self, store: EvidenceStore, clouds: Clouds, name: Callable[[str], str]) -> None:
        self._store = store
        self._clouds = clouds
        self._name = name

    async def of(self, image: MachineImage) -> tuple[str, ...]:
        """What counts of what is known of an image, a few words each, the newest first; not what spoke for another
        one that had its number.

        Raises:
            CloudError: it is not known which version it is, or when that was published.
        """
        pin = await version_of(image, self._clouds)
        if pin is None:
            return ()
        found = standing((await self._store.of([pin])).get(pin.target, ()))
        if not found.counting:
            return ()
        # The image may be the copy in one region, made long after the version: what is older has to be looked at.
        if image.created_at is None or found.since(image.created_at) != found:
            found = found.since(await self._published(pin))
        return tuple(in_words(each, self._name) for each in found.counting)

    async def _published(self, pin: Pin) -> datetime | None:
        gallery = self._clouds.get(IMAGE_VERSIONS, pin.cloud)
        return (await gallery.version(pin.definition, VersionNumber.parse(pin.version))).published_at

    async def record(self, found: Evidence) -> bool:
        """Keep what was found out; false where that is recorded already, by its key."""
        return await self._store.record(found)

    async def recorded(self, key: str) -> Evidence | None:
        """What was recorded under a key; None where nothing was."""
        return await self._store.by_key(key)


async def version_of(image: MachineImage, clouds: Clouds) -> Pin | None:
    """The version that an image is; None where no gallery has it."""
    gallery = clouds.all(IMAGE_VERSIONS).get(image.cloud)
    if gallery is None:
        return None
    if isinstance(gallery, NamesVersions):
        named = await gallery.version_of_image(image)
        return None if named is None else _pin(image.cloud, *named)
    definition, separator, number = image.id.rpartition("/")
    try:
        return _pin(image.cloud, definition, VersionNumber.parse(number)) if separator else None
    except ValueError:
        return None


def _pin(cloud: str, definition: str, number: VersionNumber) -> Pin:
    return Pin(cloud=cloud, definition=definition, version=str(number))
