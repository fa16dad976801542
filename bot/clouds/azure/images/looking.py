"""Looks at a gallery: whole listings and single versions, so many at a time, each within its time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.documents import is_definition_name, why_no_azure_number
from slipway.bot.clouds.model import VersionListing, VersionNumber
from slipway.bot.clouds.ports.image_versions import VersionAbsentError
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.times import format_duration

if TYPE_CHECKING:
    from slipway.bot.clouds.azure.images.arm import Arm, VersionDocument
    from slipway.bot.clouds.azure.reading import Listing

T = TypeVar("T")

_ABSENT_CODES = frozenset({"ResourceNotFound", "NotFound"})
"""The codes of a 404 about the resource itself: ARM's, and compute's own. Every other one is about what should hold
it (``SubscriptionNotFound``, ``ResourceGroupNotFound``, ``ParentResourceNotFound``), so it tells of no version."""


@dataclass
class GalleryReads:
    """Reads of one gallery.

    Attributes:
        account: for errors.
        open: gives the client.
        turns: bounds how many listings and single versions are read at a time, however many are asked for at once: a
            plan asks for thousands, and Azure counts them.
        limit: so long one read takes at most, pauses of a throttle included; of a listing, each page.
        whole: so long a listing takes at most, the wait for its turn included.
    """

    account: AzureAccount
    open: Callable[[], Awaitable[Arm]]
    turns: asyncio.Semaphore
    limit: timedelta
    whole: timedelta

    async def version(self, definition: str, number: VersionNumber) -> VersionDocument:
        """One version as it is now.

        Raises:
            VersionAbsentError: it is certain that there is none.
            CloudError: anything else; where Azure contradicts itself, UNVERIFIED.
        """
        self.check(definition, number)
        arm = await self.open()
        try:
            # Its time begins with its turn. That is over when the listing that may follow waits for one of its own.
            async with self.turns, self.within(self.limit, f"show {number} of {definition}"):
                return await arm.read(definition, number)
        except CloudError as error:
            if error.kind is CloudErrorKind.NOT_FOUND and error.code in _ABSENT_CODES:
                await self._confirm_absence(definition, number, error)
            raise

    async def versions(self, definition: str) -> VersionListing:
        """All versions of one definition; what cannot be read is named beside them."""
        self.check_name(definition)
        arm = await self.open()
        pages = await self.all(arm.versions(definition), f"list the versions of {definition}")
        return pages[0] if len(pages) == 1 else VersionListing.of_pages(pages)

    async def entries(
        self, path: str, query: Mapping[str, str], what: str, *, verb: str = "list"
    ) -> Sequence[object]:
        """All entries of any listing below the endpoint."""
        listing = (await self.open()).listing(path, query, f"the {what}")
        pages = await self.all(listing, f"{verb} the {what}")
        return tuple(chain.from_iterable(pages))

    async def all(self, listing: Listing[T], action: str) -> list[T]:
        """All pages. Each has the time of a read, and all together, the wait for their turn included, that of a
        whole listing; one timer serves both, since there are thousands of listings."""
        now = asyncio.get_running_loop().time
        end = now() + self.whole.total_seconds()
        found: list[T] = []
        try:
            async with asyncio.timeout_at(end) as timer, self.turns:
                while not listing.ended:
                    timer.reschedule(min(end, now() + self.limit.total_seconds()))
                    found.append(await listing.next_page())
                return found
        except TimeoutError as error:
            raise self._timed_out(action, self.whole if now() >= end else self.limit) from error

    async def each(self, listing: Listing[T], action: str) -> AsyncGenerator[T, None]:
        """Every page as it comes, in one turn; each has the time of a read."""
        async with self.turns:
            while not listing.ended:
                async with self.within(self.limit, action):
                    page = await listing.next_page()
                yield page

    @asynccontextmanager
    async def within(self, limit: timedelta, action: str) -> AsyncIterator[None]:
        """Bound what is done in the block; CloudError TIMED_OUT where it takes longer."""
        try:
            async with asyncio.timeout(limit.total_seconds()):
                yield
        except TimeoutError as error:
            raise self._timed_out(action, limit) from error

    def check_name(self, definition: str) -> None:
        """Refuse what cannot be a definition's name before it becomes part of a URL."""
        if not is_definition_name(definition):
            raise self.account.error(
                CloudErrorKind.NOT_FOUND,
                f"{self.account.title} cannot have an image definition of that name: it holds letters, digits, dots, "
                "dashes and underscores, at most 80.",
            )

    def check(self, definition: str, number: VersionNumber) -> None:
        """Refuse what cannot be a version."""
        self.check_name(definition)
        problem = why_no_azure_number(number)
        if problem:
            raise self.account.error(CloudErrorKind.NOT_FOUND, f"{number} of {definition} {problem}.")

    async def _confirm_absence(self, definition: str, number: VersionNumber, error: CloudError) -> None:
        """Raise VersionAbsentError where a listing of the definition lacks the version, too.

        Raises:
            CloudError: UNVERIFIED where it is listed, and whatever keeps the listing from being made.
        """
        listed = await self.versions(definition)
        names = {str(each.number) for each in listed} | {each.name for each in listed.unreadable}
        if str(number) in names:
            raise self.account.error(
                CloudErrorKind.UNVERIFIED,
                f"{self.account.title} says that there is no {number} of {definition}, and lists it all the same.",
                error.code,
            ) from error
        raise VersionAbsentError(cloud=self.account.name, sentence=error.sentence, code=error.code) from error

    def _timed_out(self, action: str, limit: timedelta) -> CloudError:
        return self.account.error(
            CloudErrorKind.TIMED_OUT,
            f"{self.account.title} was asked to {action} and has not finished within {format_duration(limit)}.",
        )
