"""An Azure Compute Gallery as the port wants it: whole listings, careful writes, bounded waits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from slipway.bot.clouds.azure.access import choose_access
from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.documents import is_azure_number, read_definition, read_version
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.azure.throttling import USUAL_PATIENCE, Patience
from slipway.bot.clouds.declaration import CloudContext
from slipway.bot.clouds.model import Definition, ImageVersion, VersionNumber, VersionState
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.times import format_duration

if TYPE_CHECKING:
    from slipway.bot.clouds.azure.arm import Arm, VersionDocument

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,78}[A-Za-z0-9])?", re.ASCII)
"""Source: Azure Compute Gallery, names of image definitions. Anything else could change the URL's path."""

_UNSURE = frozenset({CloudErrorKind.UNREACHABLE, CloudErrorKind.BROKEN, CloudErrorKind.TIMED_OUT})
"""After these, a write may or may not have been taken."""


@dataclass(frozen=True)
class RetryTiming:
    """How soon to ask again, where Azure does not say: after a failure (doubling), and while it works; and how long
    reads that it throttles are held up."""

    backoff: timedelta = timedelta(seconds=0.8)
    polling: timedelta = timedelta(seconds=5)
    patience: Patience = USUAL_PATIENCE


class AzureGallery:
    """Fulfils :class:`slipway.bot.clouds.ports.image_versions.ImageVersions` with the Azure SDK.

    A read takes at most ``timeout`` times ``max_attempts`` (a listing: each page), and the pauses of a throttle; a
    change, and a listing however often it is held up, at most ``operation_timeout``. Listings run
    ``parallel_listings`` at a time however many are asked for at once.

    Args:
        settings: ``[azure]`` or ``[azure.NAME]``.
        context: the adapter's name, and where credentials are looked for that the settings leave out.
        timing: waits between attempts and between looks at a long-running operation.

    Raises:
        ConfigError: the endpoint or the credentials cannot be used.
    """

    def __init__(
        self, settings: AzureSettings, context: CloudContext, *, timing: RetryTiming = RetryTiming()
    ) -> None:
        self._settings = settings
        self._account = AzureAccount(context.name)
        self._access = choose_access(settings, context.environ, context.name)
        self._timing = timing
        self._listings = asyncio.Semaphore(settings.parallel_listings)
        self._opening = asyncio.Lock()
        self._arm: Arm | None = None

    @property
    def title(self) -> str:
        """What people call it in a sentence: Azure, and which one where it has a name."""
        return self._account.title

    @property
    def parallel_listings(self) -> int:
        """So many listings run at a time; to ask for more at once is harmless."""
        return self._settings.parallel_listings

    async def definitions(self) -> tuple[Definition, ...]:
        """All image definitions, by name."""
        action = "list the image definitions"
        async with self._within(self._settings.operation_timeout, action), self._listings:
            entries = await self._all((await self._open()).definitions(), action)
        found = (read_definition(entry, self._account) for entry in entries)
        return tuple(sorted(found, key=lambda definition: definition.name))

    async def versions(self, definition: str) -> tuple[ImageVersion, ...]:
        """All versions of one definition; one that cannot be read fails the listing, and is named."""
        self._check_name(definition)
        action = f"list the versions of {definition}"
        async with self._within(self._settings.operation_timeout, action), self._listings:
            entries = await self._all((await self._open()).versions(definition), action)
        # A version may be on two pages where the listing shifted in between.
        found = (read_version(entry, definition, self._account) for entry in entries)
        return tuple({version.number: version for version in found}.values())

    async def version(self, definition: str, number: VersionNumber) -> ImageVersion:
        """One version as it is now; CloudError NOT_FOUND where there is none."""
        return (await self._read(definition, number)).version

    async def set_promoted(self, definition: str, number: VersionNumber, *, promoted: bool) -> None:
        """Clear (or set) a version's exclude-from-latest flag, and that of every region that has its own.

        Reads, modifies and writes the whole publishing profile, and waits until Azure has finished.

        Where things are so already, nothing is written; where an earlier write to the same end still runs
        (the process died meanwhile, the answer got lost), its end is awaited.

        Raises:
            CloudError: CONFLICT where somebody else changes the version at the same time.
        """
        verb = "let" if promoted else "keep"
        action = f"{verb} {number} of {definition} {'be' if promoted else 'out of'} latest"
        async with self._within(self._settings.operation_timeout, action):
            await self._set_excluded(definition, number, not promoted, action)

    async def delete_version(self, definition: str, number: VersionNumber) -> None:
        """Delete one version and wait until Azure says it has; one that is gone already is no error."""
        self._check(definition, number)
        action = f"delete {number} of {definition}"
        async with self._within(self._settings.operation_timeout, action):
            arm = await self._open()
            try:
                poller = await arm.begin_delete(definition, number, action=action)
            except CloudError as error:
                if error.kind is CloudErrorKind.CONFLICT and await self._is_being_deleted(definition, number):
                    return
                raise
            if poller is not None:
                await arm.finish(poller, action=action)

    async def close(self) -> None:
        """Let go of connections."""
        async with self._opening:
            if self._arm is not None:
                arm, self._arm = self._arm, None
                await arm.close()

    async def _set_excluded(
        self, definition: str, number: VersionNumber, excluded: bool, action: str
    ) -> None:
        lost: CloudError | None = None
        for attempt in range(self._settings.max_attempts):
            if attempt:
                await asyncio.sleep(self._timing.backoff.total_seconds() * 2 ** (attempt - 1))
            read = await self._until_idle(definition, number, excluded, action)
            # A failed version gets its write even if the flag looks right: the write before it ended halfway.
            if read is None:
                return
            try:
                arm = await self._open()
                poller = await arm.begin_write(read, excluded=excluded, action=action)
            except CloudError as error:
                if error.kind is CloudErrorKind.CONFLICT and await self._took_it(
                    definition, number, excluded
                ):
                    # aiohttp sends a write again, unasked, when a kept connection breaks: the first one was
                    # taken, and the second one refused because of it. Look whether it has come to its end.
                    lost = error
                elif error.kind in _UNSURE:
                    lost = error
                else:
                    raise
                continue
            await arm.finish(poller, action=action)
            return
        # The last write, too, may have been taken.
        if lost is not None and await self._until_idle(definition, number, excluded, action) is not None:
            raise lost

    async def _until_idle(
        self, definition: str, number: VersionNumber, excluded: bool, action: str
    ) -> VersionDocument | None:
        """The version once nothing changes it, or None where it has become as wanted.

        Raises:
            CloudError: CONFLICT where something else than such a write is under way.
        """
        while True:
            read = await self._read(definition, number)
            wanted = _is_flagged(read.version, excluded)
            match read.version.state:
                case VersionState.SUCCEEDED:
                    return None if wanted else read
                case VersionState.FAILED:
                    return read
                case VersionState.UPDATING if wanted:
                    await asyncio.sleep(self._timing.polling.total_seconds())
                case state:
                    raise self._account.error(
                        CloudErrorKind.CONFLICT,
                        f"{self.title} was not asked to {action}: the version is {state.lower()} right now.",
                    )

    async def _took_it(self, definition: str, number: VersionNumber, excluded: bool) -> bool:
        version = (await self._read(definition, number)).version
        return version.state is not VersionState.FAILED and _is_flagged(version, excluded)

    async def _is_being_deleted(self, definition: str, number: VersionNumber) -> bool:
        """Whether the version is being deleted already; if so, wait until it is gone."""
        while True:
            try:
                read = await self._read(definition, number)
            except CloudError as error:
                if error.kind is CloudErrorKind.NOT_FOUND:
                    return True
                raise
            if read.version.state is not VersionState.DELETING:
                return False
            await asyncio.sleep(self._timing.polling.total_seconds())

    async def _read(self, definition: str, number: VersionNumber) -> VersionDocument:
        self._check(definition, number)
        arm = await self._open()
        async with self._within(self._reading, f"show {number} of {definition}"):
            return await arm.read(definition, number)

    async def _all(self, pages: AsyncIterator[tuple[Any, ...]], action: str) -> list[Any]:
        """The entries of all pages; each page has the time of a read."""
        entries: list[Any] = []
        while True:
            async with self._within(self._reading, action):
                page = await anext(pages, None)
            if page is None:
                return entries
            entries.extend(page)

    @property
    def _reading(self) -> timedelta:
        """So long one read takes at most, pauses of a throttle included."""
        return self._settings.timeout * self._settings.max_attempts + self._timing.patience.budget

    @asynccontextmanager
    async def _within(self, limit: timedelta, action: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(limit.total_seconds()):
                yield
        except TimeoutError as error:
            raise self._account.error(
                CloudErrorKind.TIMED_OUT,
                f"{self.title} was asked to {action} and has not finished within {format_duration(limit)}.",
            ) from error

    async def _open(self) -> Arm:
        async with self._opening:
            if self._arm is None:
                self._arm = await asyncio.to_thread(self._build)
            return self._arm

    def _build(self) -> Arm:
        """Import the SDK, which takes long, and make the client."""
        from slipway.bot.clouds.azure.arm import Arm

        return Arm(
            self._settings,
            self._access,
            self._account,
            backoff=self._timing.backoff.total_seconds(),
            polling=self._timing.polling.total_seconds(),
            patience=self._timing.patience,
        )

    def _check_name(self, definition: str) -> None:
        """Refuse what cannot be a definition's name before it becomes part of a URL."""
        if _NAME.fullmatch(definition) is None:
            raise self._account.error(
                CloudErrorKind.NOT_FOUND,
                f"{self.title} cannot have an image definition of that name: it holds letters, digits, dots, "
                "dashes and underscores, at most 80.",
            )

    def _check(self, definition: str, number: VersionNumber) -> None:
        """Refuse what cannot be a version."""
        self._check_name(definition)
        if not is_azure_number(number):
            raise self._account.error(
                CloudErrorKind.NOT_FOUND,
                f"{self.title} cannot have a version {number} of {definition}: it holds three numbers below 2^31.",
            )


def _is_flagged(version: ImageVersion, excluded: bool) -> bool:
    """Whether the flag, and every region's own, is set so."""
    own = {region.excluded for region in version.regions} - {None}
    return version.excluded is excluded and own <= {excluded}
