"""Reads galleries: which definitions there are, which of them somebody means, and their versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from fnmatch import fnmatchcase

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import Definition, ImageVersion, VersionListing, VersionNumber
from slipway.bot.clouds.ports.image_publishing import PreviewsPublishing, PublishingPreview, joined
from slipway.bot.clouds.ports.image_removal import DisablesVersions, KeepsDeletedVersions
from slipway.bot.clouds.ports.image_versions import (
    IMAGE_VERSIONS,
    ImageVersions,
    UnconditionalWrites,
    definitions_as_they_arrive,
)
from slipway.bot.core.concurrency import side_by_side, side_by_side_as_found
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.text import nearest
from slipway.bot.subjects.images.definitions import DefinitionRef, split_cloud
from slipway.bot.subjects.images.early_reading import EarlyReading, Locks
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.replication.looking import with_copies
from slipway.bot.subjects.images.versions import find_version, newest_first


class Catalogue:
    """Reads every configured gallery. Each listing it gives is complete, or it raises CloudError."""

    def __init__(self, clouds: Clouds) -> None:
        self._clouds = clouds

    @property
    def clouds(self) -> Clouds:
        """The adapters that it reads by."""
        return self._clouds

    async def definitions(self) -> tuple[DefinitionRef, ...]:
        """All definitions of all galleries, by name.

        Raises:
            UserError: no gallery is configured.
            CloudError: one cannot be read, or it lists none, which no working gallery does.
        """
        galleries = self._clouds.each(IMAGE_VERSIONS)
        listed = await side_by_side(
            {
                cloud: _listing(cloud, gallery, alone=len(galleries) == 1)
                for cloud, gallery in galleries.items()
            }
        )
        found = [each for definitions in listed.values() for each in definitions]
        return tuple(_qualified(dict.fromkeys(_ref(each) for each in found)).values())

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
        names = [str(each) for each in here]
        if not is_pattern(name):
            raise UserError(
                f"There is no image definition {wanted}.",
                nearest=nearest(wanted, names),
                given=wanted,
                hint="images",
            )
        matched = tuple(each for each in here if fnmatchcase(each.name.casefold(), folded))
        if not matched:
            plain = wanted.translate(str.maketrans("", "", "*?[]"))
            raise UserError(
                f"No image definition matches {wanted}.",
                nearest=nearest(plain, names),
                given=wanted,
                hint="images",
            )
        return matched

    async def _definitions_in(self, cloud: str) -> tuple[DefinitionRef, ...]:
        """The definitions of one gallery, by name. Of the others only the names are of interest: where one of them
        cannot be read, these are told with their cloud.

        Raises:
            CloudError: as :meth:`definitions`, of this one gallery.
        """
        galleries = self._clouds.each(IMAGE_VERSIONS)
        listed = await side_by_side({each: _tried(gallery) for each, gallery in galleries.items()})
        own = listed.pop(cloud)
        if isinstance(own, CloudError):
            raise own
        if not own:
            raise _lists_nothing(cloud, galleries[cloud], alone=len(galleries) == 1)
        refs = dict.fromkeys(map(_ref, own))
        if any(isinstance(found, CloudError) for found in listed.values()):
            qualified = [replace(each, qualified=True) for each in refs]
        else:
            others = (
                _ref(each) for found in listed.values() if not isinstance(found, CloudError) for each in found
            )
            qualified = [
                each for each in _qualified({**refs, **dict.fromkeys(others)}).values() if each.cloud == cloud
            ]
        return tuple(sorted(qualified, key=lambda each: each.name))

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
        if definition.problem:
            return VersionListing()
        gallery = self._clouds.get(IMAGE_VERSIONS, definition.cloud)
        listing = await gallery.versions(definition.name)
        return VersionListing(newest_first(listing), listing.unreadable)

    async def versions_of(self, definitions: Iterable[DefinitionRef]) -> dict[DefinitionRef, VersionListing]:
        """All versions of several definitions, newest first, listed side by side.

        The adapters bound how many listings run at once. One listing that fails ends the others: a part of
        the truth is no ground for a plan.
        """
        return await side_by_side({each: self.versions(each) for each in definitions})

    async def everything(
        self, each: Callable[[DefinitionRef, VersionListing], None] = lambda _definition, _versions: None
    ) -> dict[DefinitionRef, VersionListing]:
        """All versions of all definitions, newest first. Versions are listed while definitions still arrive.

        Args:
            each: is shown what a definition has as soon as it is known, while others are still on their way; whether
                the definition is named with its cloud is not known then.

        Raises:
            UserError: no gallery is configured.
            CloudError: as :meth:`definitions` and :meth:`versions_of`.
        """

        async def show(definition: DefinitionRef) -> VersionListing:
            versions = await self.versions(definition)
            each(definition, versions)
            return versions

        galleries = self._clouds.each(IMAGE_VERSIONS)
        listed = await side_by_side(
            {
                cloud: side_by_side_as_found(_refs_as_they_arrive(gallery), show)
                for cloud, gallery in galleries.items()
            }
        )
        for cloud, gallery in galleries.items():
            if not listed[cloud]:
                raise _lists_nothing(cloud, gallery, alone=len(galleries) == 1)
        found = {ref: versions for definitions in listed.values() for ref, versions in definitions.items()}
        return {ref: found[plain] for plain, ref in _qualified(found).items()}

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
        more: dict[DefinitionRef, list[VersionNumber]] = {each: [] for each in listed}
        for definition, version in also:
            more[definition].append(version.number)
        return await side_by_side(
            {
                each: with_copies(
                    self._clouds.get(IMAGE_VERSIONS, each.cloud), each.name, versions, more[each]
                )
                for each, versions in listed.items()
            }
        )

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

    async def deleted_kept_for(self, clouds: Iterable[str]) -> timedelta | None:
        """How long each of these clouds keeps what is deleted, at least; None where one keeps nothing, or it cannot
        be read: then nothing is promised."""
        found: list[timedelta] = []
        for cloud in clouds:
            gallery = self._clouds.get(IMAGE_VERSIONS, cloud)
            if not isinstance(gallery, KeepsDeletedVersions):
                return None
            try:
                kept_for = await gallery.deleted_kept_for()
            except CloudError:
                return None
            if kept_for is None:
                return None
            found.append(kept_for)
        return min(found, default=None)

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


def same_name(found: Collection[DefinitionRef]) -> bool:
    """Whether these are one definition, as people name it, in one cloud or several."""
    return len({each.name.casefold() for each in found}) == 1


def is_pattern(text: str) -> bool:
    """Whether a name is meant as a shell-style pattern."""
    return any(mark in text for mark in "*?[")


def _ref(definition: Definition) -> DefinitionRef:
    return DefinitionRef(definition.cloud, definition.name, problem=definition.problem)


async def _refs_as_they_arrive(gallery: ImageVersions) -> AsyncIterator[tuple[DefinitionRef, ...]]:
    async for page in definitions_as_they_arrive(gallery):
        yield tuple(_ref(each) for each in page)


def _qualified(found: Collection[DefinitionRef]) -> dict[DefinitionRef, DefinitionRef]:
    """Each by name, as people are told of it: with its cloud where another one has a definition of that name."""
    galleries_with = Counter(each.name.casefold() for each in found)
    refs = {each: replace(each, qualified=galleries_with[each.name.casefold()] > 1) for each in found}
    return dict(sorted(refs.items(), key=lambda pair: (pair[1].name, pair[1].cloud)))


async def _listing(cloud: str, gallery: ImageVersions, *, alone: bool) -> tuple[Definition, ...]:
    found = await gallery.definitions()
    if not found:
        raise _lists_nothing(cloud, gallery, alone=alone)
    return found


async def _tried(gallery: ImageVersions) -> tuple[Definition, ...] | CloudError:
    """What a gallery lists; the error where it cannot be read."""
    try:
        return await gallery.definitions()
    except CloudError as error:
        return error


def _lists_nothing(cloud: str, gallery: ImageVersions, *, alone: bool) -> CloudError:
    return CloudError(
        CloudErrorKind.UNEXPECTED_ANSWER,
        cloud=cloud,
        sentence=f"The gallery{'' if alone else f' in {gallery.title}'} lists no image definitions at all; "
        "check the gallery's name and what the credentials may read.",
    )
