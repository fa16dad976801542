"""Reads galleries: which definitions there are, which of them somebody means, and their versions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import Definition, ImageVersion, VersionListing, VersionNumber
from slipway.bot.clouds.ports.image_publishing import PreviewsPublishing, PublishingPreview, joined
from slipway.bot.clouds.ports.image_removal import DisablesVersions
from slipway.bot.clouds.ports.image_versions import (
    IMAGE_VERSIONS,
    ImageVersions,
    ListsSeveral,
    ObservesOnce,
    RegionalReplication,
    UnconditionalWrites,
)
from slipway.bot.core.concurrency import side_by_side, side_by_side_as_found
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.patterns import fits
from slipway.bot.subjects.images.definitions import (
    DefinitionRef,
    is_pattern,
    none_fits,
    qualified_names,
    ref_of,
    same_name,
    split_cloud,
)
from slipway.bot.subjects.images.early_reading import EarlyReading, Locks
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.reading import CloudReader, GalleryReader, Observation
from slipway.bot.subjects.images.replication.looking import with_copies
from slipway.bot.subjects.images.versions import find_version, newest_first


def _nobody(_definition: DefinitionRef, _versions: VersionListing) -> None:
    """Is shown nothing."""


class Catalogue:
    """Reads every configured gallery. Each listing it gives is complete, or it raises CloudError.

    Args:
        clouds: the configured adapters.
        reader: asks them; None for whoever asks each time.
    """

    def __init__(self, clouds: Clouds, reader: GalleryReader | None = None) -> None:
        self._clouds = clouds
        self._reader = reader or CloudReader(clouds)

    @property
    def clouds(self) -> Clouds:
        """The adapters that it reads by."""
        return self._clouds

    def observing(self) -> tuple[Catalogue, Observation]:
        """The same for one plan, which looks at each thing once; and what it has seen."""
        galleries = {
            cloud: each.observing() if isinstance(each, ObservesOnce) else each
            for cloud, each in self._clouds.all(IMAGE_VERSIONS).items()
        }
        clouds = self._clouds.with_ports(IMAGE_VERSIONS, galleries)
        seen = Observation(self._reader.of(clouds))
        return Catalogue(clouds, seen), seen

    def by(self, reader: GalleryReader) -> Catalogue:
        """The same galleries as somebody else reads them."""
        return Catalogue(self._clouds, reader)

    async def definitions(self) -> tuple[DefinitionRef, ...]:
        """All definitions of all galleries, by name.

        Raises:
            UserError: no gallery is configured.
            CloudError: one cannot be read, or it lists none, which no working gallery does.
        """
        galleries = self._clouds.each(IMAGE_VERSIONS)
        listed = await side_by_side(
            {
                cloud: self._listing(cloud, gallery, alone=len(galleries) == 1)
                for cloud, gallery in galleries.items()
            }
        )
        found = [each for definitions in listed.values() for each in definitions]
        return tuple(qualified_names(dict.fromkeys(ref_of(each) for each in found)).values())

    async def matching(self, wanted: str | None) -> tuple[DefinitionRef, ...]:
        """The definition of this name in each cloud that has one, or those that a shell-style pattern matches; all of
        them for None.

        ``CLOUD:NAME`` looks in one cloud only: another one that cannot be read is no reason not to roll back in this
        one. Case does not count, as with Azure.

        Raises:
            UserError: no definition has this name, or none matches the pattern; with the nearest names.
            CloudError: as :meth:`definitions`.
        """
        if wanted is None:
            return await self.definitions()
        cloud, name = split_cloud(wanted, self._clouds.each(IMAGE_VERSIONS))
        folded = name.casefold()
        here = await (self.definitions() if cloud is None else self._definitions_in(cloud))
        exact = tuple(each for each in here if each.name.casefold() == folded)
        if exact:
            return exact
        matched = tuple(each for each in here if fits(each.name, name))
        if not matched:
            raise none_fits(wanted, name, here)
        return matched

    async def _definitions_in(self, cloud: str) -> tuple[DefinitionRef, ...]:
        """The definitions of one gallery, by name. Of the others only the names are of interest: where one of them
        cannot be read, these are told with their cloud.

        Raises:
            CloudError: as :meth:`definitions`, of this one gallery.
        """
        galleries = self._clouds.each(IMAGE_VERSIONS)
        listed = await side_by_side({each: self._tried(each) for each in galleries})
        own = listed.pop(cloud)
        if isinstance(own, CloudError):
            raise own
        if not own:
            raise _lists_nothing(cloud, galleries[cloud], alone=len(galleries) == 1)
        refs = dict.fromkeys(map(ref_of, own))
        if any(isinstance(found, CloudError) for found in listed.values()):
            qualified = [replace(each, qualified=True) for each in refs]
        else:
            others = (
                ref_of(each)
                for found in listed.values()
                if not isinstance(found, CloudError)
                for each in found
            )
            qualified = [
                each
                for each in qualified_names({**refs, **dict.fromkeys(others)}).values()
                if each.cloud == cloud
            ]
        return tuple(sorted(qualified, key=lambda each: each.name))

    async def _listing(self, cloud: str, gallery: ImageVersions, *, alone: bool) -> tuple[Definition, ...]:
        found = await self._reader.definitions(cloud)
        if not found:
            raise _lists_nothing(cloud, gallery, alone=alone)
        return found

    async def _tried(self, cloud: str) -> tuple[Definition, ...] | CloudError:
        """What a gallery lists; the error where it cannot be read."""
        try:
            return await self._reader.definitions(cloud)
        except CloudError as error:
            return error

    async def namesakes(self, wanted: str) -> tuple[DefinitionRef, ...]:
        """The one definition of this name, or the only one that the pattern matches, in each cloud that has it.

        Raises:
            UserError: none, or several names.
            CloudError: as :meth:`definitions`.
        """
        found = await self.matching(wanted)
        if not same_name(found):
            raise UserError(
                f"{wanted} matches {len(found)} definitions; this works on one at a time.",
                nearest=tuple(str(each) for each in found[:3]),
                given=wanted,
            )
        return found

    async def one(self, wanted: str) -> DefinitionRef:
        """As :meth:`namesakes`, for what can be meant in one cloud only.

        Raises:
            UserError: none, several names, or several clouds have it.
            CloudError: as :meth:`definitions`.
        """
        found = await self.namesakes(wanted)
        if len(found) > 1:
            clouds = join_names([each.cloud for each in found], shown=len(found))
            raise UserError(
                f"{wanted} is a definition in {clouds}; say which.",
                nearest=tuple(str(each) for each in found),
                given=wanted,
                hint="images",
            )
        return found[0]

    async def versions(self, definition: DefinitionRef) -> VersionListing:
        """All versions of one definition, newest first, and what cannot be read beside them.

        A definition with a problem has none.
        """
        return _sorted(await self._reader.versions(definition))

    async def versions_of(self, definitions: Iterable[DefinitionRef]) -> dict[DefinitionRef, VersionListing]:
        """All versions of several definitions, newest first.

        The adapters bound how many listings run at once. One listing that fails ends the others: a part of
        the truth is no ground for a plan.
        """
        found = await self._reader.versions_of(definitions)
        return {each: _sorted(versions) for each, versions in found.items()}

    async def listed(
        self, wanted: str | None, each: Callable[[DefinitionRef, VersionListing], None] = _nobody
    ) -> dict[DefinitionRef, VersionListing]:
        """All versions of what :meth:`matching` finds, newest first. Those of all definitions, or of a pattern's, are
        listed while definitions still arrive.

        Args:
            wanted: a name or a pattern; None for all.
            each: is shown what a definition has as soon as it is known, while others are still on their way; whether
                the definition is named with its cloud is not known then.

        Raises:
            UserError: no gallery is configured, or nothing matches.
            CloudError: as :meth:`definitions` and :meth:`versions_of`.
        """
        galleries = self._clouds.each(IMAGE_VERSIONS)
        if wanted is not None and (split_cloud(wanted, galleries)[0] is not None or not is_pattern(wanted)):
            found = await self.versions_of(await self.matching(wanted))
            for definition, versions in found.items():
                each(definition, versions)
            return found
        pattern = wanted or "*"
        arrived = await side_by_side({cloud: self._arriving(cloud, pattern, each) for cloud in galleries})
        for cloud, gallery in galleries.items():
            if not arrived[cloud][0]:
                raise _lists_nothing(cloud, gallery, alone=len(galleries) == 1)
        named = qualified_names(dict.fromkeys(ref for refs, _ in arrived.values() for ref in refs))
        listed = {ref: versions for _, found in arrived.values() for ref, versions in found.items()}
        if not listed:
            raise none_fits(pattern, pattern, named.values())
        return {ref: listed[plain] for plain, ref in named.items() if plain in listed}

    async def _arriving(
        self, cloud: str, pattern: str, each: Callable[[DefinitionRef, VersionListing], None]
    ) -> tuple[list[DefinitionRef], dict[DefinitionRef, VersionListing]]:
        """All definitions of a gallery, and the versions of those that fit."""
        refs: list[DefinitionRef] = []

        async def fitting() -> AsyncIterator[tuple[tuple[DefinitionRef, ...], ...]]:
            together = isinstance(self._clouds.each(IMAGE_VERSIONS)[cloud], ListsSeveral)
            async for page in self._reader.definition_pages(cloud):
                here = tuple(map(ref_of, page))
                refs.extend(here)
                wanted = tuple(ref for ref in here if fits(ref.name, pattern))
                yield (wanted,) if together else tuple((ref,) for ref in wanted)

        async def show(definitions: tuple[DefinitionRef, ...]) -> dict[DefinitionRef, VersionListing]:
            if len(definitions) == 1:
                found = {definitions[0]: await self.versions(definitions[0])}
            else:
                found = await self.versions_of(definitions)
            for definition, versions in found.items():
                each(definition, versions)
            return found

        parts = await side_by_side_as_found(fitting(), show)
        return refs, {ref: versions for part in parts.values() for ref, versions in part.items()}

    async def everything(self) -> dict[DefinitionRef, VersionListing]:
        """All versions of all definitions; see :meth:`listed`."""
        return await self.listed(None)

    async def with_copies(
        self,
        listed: Mapping[DefinitionRef, VersionListing],
        also: Iterable[tuple[DefinitionRef, ImageVersion]] = (),
    ) -> dict[DefinitionRef, VersionListing]:
        """The same listings, with how far the copies are of all versions that are latest somewhere, and of some more;
        see :func:`slipway.bot.subjects.images.replication.looking.with_copies`.

        Raises:
            CloudError: one of these versions cannot be read.
        """
        more: dict[DefinitionRef, list[VersionNumber]] = {}
        for definition, version in also:
            more.setdefault(definition, []).append(version.number)
        copying = {
            cloud
            for cloud, gallery in self._clouds.all(IMAGE_VERSIONS).items()
            if isinstance(gallery, RegionalReplication)
        }
        read = await side_by_side(
            {
                each: with_copies(partial(self._reader.version, each), versions, more.get(each, ()))
                for each, versions in listed.items()
                if each.cloud in copying
            }
        )
        return {**listed, **read}

    def unseen_changes(self, definitions: Iterable[DefinitionRef]) -> tuple[tuple[str, str], ...]:
        """What becomes of others' changes while versions of these are written: rows of evidence, none where a cloud
        takes care of that."""
        clouds = dict.fromkeys(each.cloud for each in definitions)
        galleries = (self._clouds.get(IMAGE_VERSIONS, cloud) for cloud in clouds)
        told = {each.unseen_changes for each in galleries if isinstance(each, UnconditionalWrites)}
        return tuple(("Others' changes", words) for words in sorted(told))

    async def previews(
        self, changed: Mapping[DefinitionRef, Sequence[ImageVersion]], *, promoted: bool
    ) -> dict[DefinitionRef, PublishingPreview]:
        """What it means beside these versions to let all of them be latest, or to take them back; for those
        definitions whose cloud says it."""
        by_cloud: dict[str, list[DefinitionRef]] = {}
        for definition, versions in changed.items():
            if versions:
                by_cloud.setdefault(definition.cloud, []).append(definition)
        galleries = {cloud: self._clouds.get(IMAGE_VERSIONS, cloud) for cloud in by_cloud}
        looked = await side_by_side(
            {
                cloud: gallery.previews(
                    [each for definition in by_cloud[cloud] for each in changed[definition]],
                    promoted=promoted,
                )
                for cloud, gallery in galleries.items()
                if isinstance(gallery, PreviewsPublishing)
            }
        )
        found: dict[DefinitionRef, PublishingPreview] = {}
        for cloud, previews in looked.items():
            left = iter(previews)
            for definition in by_cloud[cloud]:
                found[definition] = joined([next(left) for _ in changed[definition]])
        return found

    def disables(self, cloud: str) -> bool:
        """Whether versions of a cloud are disabled before they are deleted."""
        return isinstance(self._clouds.get(IMAGE_VERSIONS, cloud), DisablesVersions)

    async def locks(self, clouds: Iterable[str]) -> dict[str, Locks]:
        """The locks in each of these clouds."""
        async with self.lock_reading() as reading:
            return await reading.of(clouds)

    def lock_reading(self) -> EarlyReading[Locks]:
        """Reads locks before it is known of all clouds whether theirs are needed."""
        return EarlyReading(self._locks)

    async def _locks(self, cloud: str) -> Locks:
        try:
            return await self._clouds.get(IMAGE_VERSIONS, cloud).locks()
        except CloudError as error:
            return error

    def named_version(
        self,
        definition: DefinitionRef,
        versions: VersionListing,
        text: str,
        suits: Callable[[ImageVersion], bool],
    ) -> ImageVersion:
        """The version of this definition that somebody named.

        Args:
            definition: the definition.
            versions: what it has.
            text: what was typed.
            suits: tells which versions may be offered in place of one that it has not.

        Raises:
            UserError: not a version, none that its cloud could have, one that cannot be read, or the definition has
                no such one; with the nearest that it has.
        """
        gallery = self._clouds.get(IMAGE_VERSIONS, definition.cloud)
        return find_version(
            versions,
            str(definition),
            text,
            suits=suits,
            unreadable=versions.unreadable,
            why_impossible=gallery.why_impossible,
        )


def _sorted(listing: VersionListing) -> VersionListing:
    return VersionListing(newest_first(listing), listing.unreadable)


def _lists_nothing(cloud: str, gallery: ImageVersions, *, alone: bool) -> CloudError:
    return CloudError(
        CloudErrorKind.UNEXPECTED_ANSWER,
        cloud=cloud,
        sentence=f"The gallery{'' if alone else f' in {gallery.title}'} lists no image definitions at all; "
        "check the gallery's name and what the credentials may read.",
    )
