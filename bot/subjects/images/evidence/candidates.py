"""Which versions there are to be tested, for whoever tests them."""

from __future__ import annotations

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.machine_model import MachineImage
from slipway.bot.clouds.model import ImageVersion, VersionListing, VersionNumber
from slipway.bot.clouds.ports.image_candidates import VersionName
from slipway.bot.clouds.ports.image_evidence import EvidenceKind
from slipway.bot.clouds.ports.image_ids import NamesImages
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.core.errors import UserError
from slipway.bot.core.text import nearest
from slipway.bot.core.times import Clock
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.evidence.intake import version_of
from slipway.bot.subjects.images.evidence.standing import standing
from slipway.bot.subjects.images.evidence.store import EvidenceStore
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.versions import newest_candidate


class Candidates:
    """Fulfils :class:`slipway.bot.clouds.ports.image_candidates.ImageCandidates`.

    Args:
        clouds: they have the galleries.
        store: what is known of versions.
        clock: the present.
    """

    def __init__(self, clouds: Clouds, store: EvidenceStore, clock: Clock) -> None:
        self._clouds = clouds
        self._catalogue = Catalogue(clouds)
        self._store = store
        self._clock = clock

    async def version_of(self, image: MachineImage) -> VersionName | None:
        """The version that an image is; None where no gallery has it."""
        pin = await version_of(image, self._clouds)
        return None if pin is None else _name(pin)

    async def image_id(self, version: VersionName, region: str) -> str | None:
        """What a launch names there; None where the gallery does not tell."""
        gallery = self._clouds.get(IMAGE_VERSIONS, version.cloud)
        if not isinstance(gallery, NamesImages):
            return None
        found = await gallery.version(version.definition, VersionNumber.parse(version.version))
        known = (await gallery.image_ids(found)).get(region)
        return None if known is None else known.id

    async def named(self, text: str) -> tuple[VersionName, ...]:
        """The version that somebody means, or the newest candidate of a definition, in each cloud that has it."""
        if not self._clouds.all(IMAGE_VERSIONS):
            return ()
        definition, _, number = text.partition("/")
        try:
            found = await self._catalogue.matching(definition)
        except UserError:  # it may be the name of an image that is in no gallery
            return ()
        listed = await self._catalogue.versions_of(
            found if len(found) == 1 else await self._catalogue.namesakes(definition)
        )
        chosen: list[VersionName] = []
        lacking: list[UserError] = []
        for ref, versions in listed.items():
            try:
                version = (
                    self._catalogue.named_version(ref, versions, number, lambda _each: True)
                    if number
                    else self._candidate(ref, versions)
                )
            except UserError as error:
                lacking.append(error)
            else:
                chosen.append(_name(Pin.of(ref, version)))
        if not chosen:
            raise lacking[0]
        return tuple(chosen)

    async def nearest(self, text: str) -> tuple[str, ...]:
        """The names of definitions that are nearest, with the version that was typed, if any."""
        if not self._clouds.all(IMAGE_VERSIONS):
            return ()
        definition, slash, number = text.partition("/")
        names = [str(each) for each in await self._catalogue.definitions()]
        return tuple(f"{each}{slash}{number}" for each in nearest(definition, names))

    def _candidate(self, definition: DefinitionRef, versions: VersionListing) -> ImageVersion:
        found = newest_candidate(versions, self._clock())
        if found is None:
            raise UserError(
                f"{definition} has no candidate to test; name one of its versions as {definition}/VERSION.",
                hint=f"images {definition}",
            )
        return found

    async def untested(self) -> tuple[VersionName, ...]:
        """The newest candidate of each definition, where its boot test has no result yet."""
        if not self._clouds.all(IMAGE_VERSIONS):
            return ()
        now = self._clock()
        everything = await self._catalogue.everything()
        newest = {ref: newest_candidate(versions, now) for ref, versions in everything.items()}
        pins = [(Pin.of(ref, version), version) for ref, version in newest.items() if version is not None]
        known = await self._store.of([pin for pin, _ in pins])
        return tuple(
            _name(pin)
            for pin, version in pins
            if standing(known.get(pin.target, ())).since(version.published_at).outcome(EvidenceKind.BOOT)
            is None
        )


def _name(pin: Pin) -> VersionName:
    return VersionName(pin.cloud, pin.definition, pin.version)
