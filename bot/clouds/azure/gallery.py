"""An Azure Compute Gallery as the port wants it: whole listings, careful writes, waits with an end."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from slipway.bot.clouds.azure.access import Access, decide
from slipway.bot.clouds.azure.documents import read_definition, read_version
from slipway.bot.clouds.model import Definition, ImageVersion, ProvisioningState, VersionNumber
from slipway.bot.config.settings import AzureSettings
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.times import format_duration

if TYPE_CHECKING:
    from slipway.bot.clouds.azure.arm import Arm, Read

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,78}[A-Za-z0-9])?", re.ASCII)
"""Source: Azure Compute Gallery, names of image definitions. Anything else could change the URL's path."""

_UNSURE = frozenset({CloudErrorKind.UNREACHABLE, CloudErrorKind.BROKEN, CloudErrorKind.TIMED_OUT})
"""After these, a write may or may not have been taken."""


@dataclass(frozen=True)
class Pace:
    """How fast to ask again, where Azure does not say: after a failure (doubling), and while it works."""

    backoff: timedelta = timedelta(seconds=0.8)
    polling: timedelta = timedelta(seconds=5)


class AzureGallery:
    """Fulfils :class:`slipway.bot.clouds.ports.Gallery` with the Azure SDK.

    A read takes at most ``timeout`` times ``max_attempts`` (a listing: each page), a change at most
    ``operation_timeout``. Listings run ``parallel_listings`` at a time however many are asked for at once.

    Args:
        settings: ``[azure]``.
        environ: where credentials are looked for that the settings leave out.
        pace: waits between attempts and between looks at a long-running operation.

    Raises:
        ConfigError: the endpoint or the credentials cannot be used.
    """

    def __init__(
        self, settings: AzureSettings, *, environ: Mapping[str, str] = os.environ, pace: Pace = Pace()
    ) -> None:
        self._settings = settings
        self._access = decide(settings, environ)
        self._pace = pace
        self._listings = asyncio.Semaphore(settings.parallel_listings)
        self._opening = asyncio.Lock()
        self._arm: Arm | None = None

    @property
    def parallel_listings(self) -> int:
        """So many listings run at a time; to ask for more at once is harmless."""
        return self._settings.parallel_listings

    async def definitions(self) -> tuple[Definition, ...]:
        """All image definitions, by name."""
        doing = "list the image definitions"
        async with self._listings:
            entries = await self._all((await self._open()).definitions(), doing)
        return tuple(sorted(map(read_definition, entries), key=lambda found: found.name))

    async def versions(self, definition: str) -> tuple[ImageVersion, ...]:
        """All versions of one definition; one that cannot be read fails the listing, and is named."""
        _check_name(definition)
        async with self._listings:
            pages = (await self._open()).versions(definition)
            entries = await self._all(pages, f"list the versions of {definition}")
        # A version may be on two pages where the listing shifted in between.
        found = (read_version(entry, definition) for entry in entries)
        return tuple({version.number: version for version in found}.values())

    async def version(self, definition: str, number: VersionNumber) -> ImageVersion:
        """One version as it is now; CloudError NOT_FOUND where there is none."""
        return (await self._read(definition, number)).version

    async def set_excluded(self, definition: str, number: VersionNumber, *, excluded: bool) -> None:
        """Set the flag of a version, and of every region that has its own, and wait until Azure has finished.

        Where things are so already, nothing is written; where an earlier write to the same end still runs
        (the process died meanwhile, the answer got lost), its end is awaited.

        Raises:
            CloudError: CONFLICT where somebody else changes the version at the same time.
        """
        verb = "keep" if excluded else "let"
        doing = f"{verb} {number} of {definition} {'out of' if excluded else 'be'} latest"
        async with self._within(self._settings.operation_timeout, doing):
            await self._set_excluded(definition, number, excluded, doing)

    async def delete_version(self, definition: str, number: VersionNumber) -> None:
        """Delete one version and wait until Azure says it has; one that is gone already is no error."""
        _check_name(definition)
        doing = f"delete {number} of {definition}"
        async with self._within(self._settings.operation_timeout, doing):
            arm = await self._open()
            try:
                running = await arm.begin_delete(definition, number, doing=doing)
            except CloudError as error:
                if error.kind is CloudErrorKind.CONFLICT and await self._goes(definition, number):
                    return
                raise
            if running is not None:
                await arm.finish(running, doing=doing)

    async def close(self) -> None:
        """Let go of connections."""
        async with self._opening:
            if self._arm is not None:
                arm, self._arm = self._arm, None
                await arm.close()

    async def _set_excluded(self, definition: str, number: VersionNumber, excluded: bool, doing: str) -> None:
        lost: CloudError | None = None
        for attempt in range(self._settings.max_attempts):
            if attempt:
                await asyncio.sleep(self._pace.backoff.total_seconds() * 2 ** (attempt - 1))
            read = await self._settled(definition, number, excluded, doing)
            # A failed version gets its write even if the flag looks right: the write before it ended halfway.
            if read is None:
                return
            try:
                arm = await self._open()
                running = await arm.begin_write(read, excluded=excluded, doing=doing)
            except CloudError as error:
                if error.kind is CloudErrorKind.CONFLICT and await self._stands(definition, number, excluded):
                    # aiohttp sends a write again, unasked, when a kept connection breaks: the first one was
                    # taken, and the second one refused because of it. Look whether it has come to its end.
                    lost = error
                elif error.kind in _UNSURE:
                    lost = error
                else:
                    raise
                continue
            await arm.finish(running, doing=doing)
            return
        # The last write, too, may have been taken.
        if lost is not None and await self._settled(definition, number, excluded, doing) is not None:
            raise lost

    async def _settled(
        self, definition: str, number: VersionNumber, excluded: bool, doing: str
    ) -> Read | None:
        """The version once nothing changes it, or None where it has become as wanted.

        Raises:
            CloudError: CONFLICT where something else than such a write is under way.
        """
        while True:
            read = await self._read(definition, number)
            wanted = _stands(read.version, excluded)
            match read.version.state:
                case ProvisioningState.SUCCEEDED:
                    return None if wanted else read
                case ProvisioningState.FAILED:
                    return read
                case ProvisioningState.UPDATING if wanted:
                    await asyncio.sleep(self._pace.polling.total_seconds())
                case state:
                    raise CloudError(
                        CloudErrorKind.CONFLICT,
                        cloud="azure",
                        sentence=f"Azure was not asked to {doing}: the version is {state.lower()} right now.",
                    )

    async def _stands(self, definition: str, number: VersionNumber, excluded: bool) -> bool:
        version = (await self._read(definition, number)).version
        return version.state is not ProvisioningState.FAILED and _stands(version, excluded)

    async def _goes(self, definition: str, number: VersionNumber) -> bool:
        """Whether the version is being deleted already; if so, wait until it is gone."""
        while True:
            try:
                read = await self._read(definition, number)
            except CloudError as error:
                if error.kind is CloudErrorKind.NOT_FOUND:
                    return True
                raise
            if read.version.state is not ProvisioningState.DELETING:
                return False
            await asyncio.sleep(self._pace.polling.total_seconds())

    async def _read(self, definition: str, number: VersionNumber) -> Read:
        _check_name(definition)
        arm = await self._open()
        async with self._within(self._reading, f"show {number} of {definition}"):
            return await arm.read(definition, number)

    async def _all(self, pages: AsyncIterator[tuple[Any, ...]], doing: str) -> list[Any]:
        """The entries of all pages; each page has the time of a read."""
        entries: list[Any] = []
        while True:
            async with self._within(self._reading, doing):
                page = await anext(pages, None)
            if page is None:
                return entries
            entries.extend(page)

    @property
    def _reading(self) -> timedelta:
        return self._settings.timeout * self._settings.max_attempts

    @asynccontextmanager
    async def _within(self, limit: timedelta, doing: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(limit.total_seconds()):
                yield
        except TimeoutError as error:
            raise CloudError(
                CloudErrorKind.TIMED_OUT,
                cloud="azure",
                sentence=f"Azure was asked to {doing} and has not finished within {format_duration(limit)}.",
            ) from error

    async def _open(self) -> Arm:
        async with self._opening:
            if self._arm is None:
                self._arm = await asyncio.to_thread(_build, self._settings, self._access, self._pace)
            return self._arm


def _build(settings: AzureSettings, access: Access, pace: Pace) -> Arm:
    """Import the SDK, which takes long, and make the client."""
    from slipway.bot.clouds.azure.arm import Arm

    return Arm(
        settings,
        access,
        backoff=pace.backoff.total_seconds(),
        polling=pace.polling.total_seconds(),
    )


def _stands(version: ImageVersion, excluded: bool) -> bool:
    """Whether the flag, and every region's own, is set so."""
    own = {region.excluded for region in version.regions} - {None}
    return version.excluded is excluded and own <= {excluded}


def _check_name(definition: str) -> None:
    """Refuse what cannot be a definition's name before it becomes part of a URL."""
    if _NAME.fullmatch(definition) is None:
        raise CloudError(
            CloudErrorKind.NOT_FOUND,
            cloud="azure",
            sentence="Azure cannot have an image definition of that name: it holds letters, digits, dots, "
            "dashes and underscores, at most 80.",
        )
