"""Image versions: definitions, the versions published under each, and which of them may be latest."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import NoReturn, Protocol, runtime_checkable

from slipway.bot.clouds.capabilities import Capability
from slipway.bot.clouds.model import Definition, ImageVersion, Lock, VersionListing, VersionNumber
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError

Guard = Callable[[ImageVersion], None]
"""Looks at a version right before each try to change it, and raises CloudError where it must not be changed now."""


class VersionAbsentError(CloudError):
    """There is no such version: the cloud said so of this very version, and a listing that works lacks it, too.

    Any other failure to find it (a lost subscription, a mistyped group, a vanished gallery) is another CloudError,
    and says nothing about the version.
    """

    def __init__(self, *, cloud: str, sentence: str, code: str = "") -> None:
        super().__init__(CloudErrorKind.NOT_FOUND, cloud=cloud, sentence=sentence, code=code)


class ImageVersions(Protocol):
    """Image definitions and their versions, such as a gallery holds them."""

    @property
    def title(self) -> str:
        """What people call it in a sentence, such as ``Azure``."""
        ...

    async def definitions(self) -> tuple[Definition, ...]:
        """All image definitions, by name; an entry that is no use is there with its problem."""
        ...

    async def versions(self, definition: str) -> VersionListing:
        """All versions of one definition, in any order; costs one call a page and none a version.

        An entry that cannot be understood is among the listing's ``unreadable``, and spoils no other.
        """
        ...

    async def version(self, definition: str, number: VersionNumber) -> ImageVersion:
        """One version as it is now.

        Raises:
            VersionAbsentError: it is certain that there is none.
            CloudError: anything else; where the cloud contradicts itself, UNVERIFIED.
        """
        ...

    async def set_promoted(
        self, definition: str, number: VersionNumber, *, promoted: bool, guard: Guard | None = None
    ) -> tuple[str, ...]:
        """Let a version be latest in every region of it, or in none, and wait until the cloud has finished.

        Nothing else of the version changes; what is seen to be other afterwards all the same is returned, a line
        each. Each try begins with a look at the version, which ``guard`` is shown.
        """
        ...

    async def delete_version(
        self, definition: str, number: VersionNumber, *, guard: Guard | None = None
    ) -> None:
        """Delete one version and wait until it is gone; one that is gone already is no error.

        With a ``guard``, each try begins with a look at the version, which it is shown.
        """
        ...

    async def locks(self) -> tuple[Lock, ...]:
        """The cloud's own locks that forbid to delete or to change versions, those on all of them included.

        Raises:
            CloudError: they cannot be read; REFUSED where the identity may not.
        """
        ...

    def why_impossible(self, number: VersionNumber) -> str:
        """Why the cloud cannot have a version of this number, as the rest of a sentence; empty where it could."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


@runtime_checkable
class PagedDefinitions(Protocol):
    """What a gallery may offer besides, that lists its definitions page by page."""

    def definition_pages(self) -> AsyncGenerator[tuple[Definition, ...], None]:
        """All image definitions in pages as they arrive, so that their versions can be asked for meanwhile."""
        ...


@runtime_checkable
class ListsSeveral(Protocol):
    """What a gallery may offer besides, whose cloud lists the versions of several definitions in one go."""

    async def versions_of_several(self, definitions: Sequence[str]) -> Mapping[str, VersionListing]:
        """All versions of each of these definitions, as :meth:`ImageVersions.versions` gives them, by its name; costs
        calls by the page of all together, and not by the definition."""
        ...


@runtime_checkable
class ObservesOnce(Protocol):
    """What a gallery may offer besides, several of whose answers come of one listing: what it has, its locks, how
    versions are protected, what a promotion changes besides, what is in use."""

    def observing(self) -> ImageVersions:
        """The same gallery for one plan: it lists each thing once, and answers all of that by it. It changes nothing,
        and is not closed: its connections are the gallery's."""
        ...


@runtime_checkable
class UnconditionalWrites(Protocol):
    """What a gallery may say besides, whose cloud takes no condition with a write."""

    @property
    def unseen_changes(self) -> str:
        """What becomes of others' changes of a version while it is written, in a few words for whoever agrees."""
        ...


@dataclass(frozen=True)
class WantedRegion:
    """A region that a version is to be in, with at least so many replicas; None leaves their number as it is.

    ``excluded`` is whether, if it comes new, a flag of its own keeps the version from being latest there.
    """

    name: str
    replicas: int | None = None
    excluded: bool = False


@runtime_checkable
class RegionalReplication(Protocol):
    """What a gallery may offer besides, that copies versions to regions by itself: :meth:`ImageVersions.version`
    tells of each region how far the copy there is."""

    async def begin_replication(
        self,
        definition: str,
        number: VersionNumber,
        regions: Sequence[WantedRegion],
        *,
        guard: Guard | None = None,
    ) -> None:
        """Have a version copied to regions that it is not in, or not often enough, and have copies that failed made
        again; returns once that is begun. Regions that are not named keep their copies. In a region that comes new,
        the version's own flag decides whether it may be latest, unless the region is wanted excluded. Where copies
        are under way that were begun to the same end, nothing is written.

        Each try begins with a look at the version, which ``guard`` is shown.

        Raises:
            CloudError: CONFLICT where something else is under way with the version.
        """
        ...

    async def end_replication(
        self,
        definition: str,
        number: VersionNumber,
        regions: Sequence[str],
        *,
        guard: Guard | None = None,
    ) -> tuple[str, ...]:
        """Take a version off regions, such as those where its copy failed, and wait until the cloud has finished.

        What else of it is other afterwards is returned, as with :meth:`ImageVersions.set_promoted`. Its other regions
        keep their copies.
        """
        ...

    async def set_promoted_in(
        self,
        definition: str,
        number: VersionNumber,
        regions: Sequence[str],
        *,
        promoted: bool,
        guard: Guard | None = None,
    ) -> tuple[str, ...]:
        """As :meth:`ImageVersions.set_promoted`, in these regions alone, by flags of their own."""
        ...


async def definitions_as_they_arrive(gallery: ImageVersions) -> AsyncIterator[tuple[Definition, ...]]:
    """The definitions in pages where the gallery lists by pages, and elsewhere all at once."""
    if not isinstance(gallery, PagedDefinitions):
        yield await gallery.definitions()
        return
    async with aclosing(gallery.definition_pages()) as pages:
        async for page in pages:
            yield page


class NotConfiguredImageVersions:
    """Stands where no gallery is configured, or none of the name that was asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def title(self) -> str:
        """The name that was asked for."""
        return self._name

    async def definitions(self) -> tuple[Definition, ...]:
        """Raises UserError."""
        self._refuse()

    async def versions(self, definition: str) -> VersionListing:
        """Raises UserError."""
        self._refuse()

    async def version(self, definition: str, number: VersionNumber) -> ImageVersion:
        """Raises UserError."""
        self._refuse()

    async def set_promoted(
        self, definition: str, number: VersionNumber, *, promoted: bool, guard: Guard | None = None
    ) -> tuple[str, ...]:
        """Raises UserError."""
        self._refuse()

    async def delete_version(
        self, definition: str, number: VersionNumber, *, guard: Guard | None = None
    ) -> None:
        """Raises UserError."""
        self._refuse()

    async def locks(self) -> tuple[Lock, ...]:
        """Raises UserError."""
        self._refuse()

    def why_impossible(self, number: VersionNumber) -> str:
        """Raises UserError."""
        self._refuse()

    async def close(self) -> None:
        """Holds nothing to let go of."""

    def _refuse(self) -> NoReturn:
        if self._name:
            raise UserError(
                f"There is no image gallery {self._name}: slipway.toml has no [{self._name}] table for one."
            )
        raise UserError(
            "This Slipway has no image gallery: slipway.toml has no table of a cloud that holds one."
        )


IMAGE_VERSIONS: Capability[ImageVersions] = Capability("image versions", NotConfiguredImageVersions)
