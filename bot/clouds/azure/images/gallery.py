"""An Azure Compute Gallery as the port wants it: whole listings, careful changes, bounded waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING

from slipway.bot.clouds.azure.access import choose_access
from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.documents import list_definitions, why_no_azure_number
from slipway.bot.clouds.azure.images.activity import LATE, LOG, WHAT, query_of, read_authors
from slipway.bot.clouds.azure.images.changes import VersionChanges
from slipway.bot.clouds.azure.images.edits import CopyTo, FlagEverywhere, FlagIn, LeaveRegions
from slipway.bot.clouds.azure.images.locks import read_locks
from slipway.bot.clouds.azure.images.looking import GalleryReads
from slipway.bot.clouds.azure.images.protection import VersionProtection
from slipway.bot.clouds.azure.images.restoring import DeletedVersions
from slipway.bot.clouds.azure.images.usage import API_VERSION, MACHINES, SCALE_SETS, read_uses
from slipway.bot.clouds.azure.opening import LazyClient
from slipway.bot.clouds.azure.pacing import DELETIONS, Pacer
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.azure.timing import RetryTiming
from slipway.bot.clouds.declaration import CloudContext
from slipway.bot.clouds.model import (
    Definition,
    ImageVersion,
    Lock,
    VersionListing,
    VersionNumber,
)
from slipway.bot.clouds.ports.image_activity import Author, VersionEvent
from slipway.bot.clouds.ports.image_ids import ImageId
from slipway.bot.clouds.ports.image_protection import ProtectionSeen
from slipway.bot.clouds.ports.image_removal import DeletedVersion
from slipway.bot.clouds.ports.image_usage import ImageUse
from slipway.bot.clouds.ports.image_versions import Guard, WantedRegion
from slipway.bot.clouds.throttling import ThrottleGate

if TYPE_CHECKING:
    from slipway.bot.clouds.azure.images.arm import Arm


class AzureGallery:
    """Fulfils :class:`slipway.bot.clouds.ports.image_versions.ImageVersions` with the Azure SDK.

    A read takes at most ``timeout`` times ``max_attempts`` (a listing: each page), and the pauses of a throttle; a
    change, its pauses included, and a listing however often it is held up, at most ``operation_timeout``. Listings
    run ``parallel_listings`` at a time however many are asked for at once.

    Args:
        settings: ``[azure]`` or ``[azure.NAME]``.
        context: the adapter's name, and where credentials are looked for that the settings leave out.
        timing: waits between attempts and between looks at a long-running operation; None for the usual one, with
            the pauses of the context.

    Raises:
        ConfigError: the endpoint or the credentials cannot be used.
    """

    def __init__(
        self, settings: AzureSettings, context: CloudContext, *, timing: RetryTiming | None = None
    ) -> None:
        self._settings = settings
        self._clock = context.clock
        self._account = AzureAccount(context.name, context.contact, context.deployment, context.fence)
        self._access = choose_access(settings, context.environ, context.name, context.secret_files)
        self._timing = timing = timing or RetryTiming.by(context.sleep)
        self._client = LazyClient(self._build)
        self._open = self._client.get
        self._reads = GalleryReads(
            account=self._account,
            open=self._open,
            turns=asyncio.Semaphore(settings.parallel_listings),
            limit=settings.timeout * settings.max_attempts + timing.patience.budget,
            whole=settings.operation_timeout,
        )
        self._changes = VersionChanges(
            account=self._account,
            settings=settings,
            gate=ThrottleGate(timing.patience, self._account.title, self._account.contact.throttled),
            open=self._open,
            read=self._reads.version,
            backoff=timing.backoff.total_seconds(),
            polling=timing.polling.total_seconds(),
            sleep=timing.sleep,
        )
        self._protection = VersionProtection(
            account=self._account,
            by=settings.protection,
            gallery=self._path,
            changes=self._changes,
            locks=self.locks,
            open=self._open,
            read=self._reads.version,
            clock=context.clock,
        )
        self._deletions = Pacer(DELETIONS, timing.patience.sleep, timing.clock, self._account.title)
        self._deleted = DeletedVersions(
            account=self._account,
            gallery=self._path,
            open=self._open,
            changes=self._changes,
            polling=timing.polling.total_seconds(),
            clock=context.clock,
        )

    @property
    def title(self) -> str:
        """What people call it in a sentence: Azure, and which one where it has a name."""
        return self._account.title

    @property
    def unseen_changes(self) -> str:
        """Azure's versions have no entity tags, so a write cannot be bound to what was looked at right before it."""
        return "kept, but for one that is made in the moment of the write"

    @property
    def parallel_listings(self) -> int:
        """So many listings run at a time; to ask for more at once is harmless."""
        return self._settings.parallel_listings

    @property
    def credential_link(self) -> str:
        """Which link of azure-identity's chain gave a token, by the name of its class; empty where none did."""
        arm = self._client.known
        return arm.credential_link if arm is not None else ""

    @property
    def _path(self) -> str:
        held = self._settings
        group = f"/subscriptions/{held.subscription_id}/resourceGroups/{held.resource_group}"
        return f"{group}/providers/Microsoft.Compute/galleries/{held.gallery}"

    async def image_ids(self, version: ImageVersion) -> Mapping[str, ImageId]:
        """The version's resource id, which is the same in every region."""
        image = ImageId(f"{self._path}/images/{version.definition}/versions/{version.number}")
        return {region.name: image for region in version.regions}

    def public_ids(self, version: ImageVersion) -> tuple[str, ...]:
        """What everybody may name as a machine's ``communityGalleryImageId``, one for each public name."""
        below = f"Images/{version.definition}/Versions/{version.number}"
        return tuple(f"/CommunityGalleries/{name}/{below}" for name in self._settings.public_names)

    async def definitions(self) -> tuple[Definition, ...]:
        """All image definitions, by name."""
        arm = await self._open()
        pages = await self._reads.all(arm.definitions(), "list the image definitions")
        return list_definitions(chain.from_iterable(pages), self._account)

    async def definition_pages(self) -> AsyncGenerator[tuple[Definition, ...], None]:
        """The pages of :meth:`definitions` as they arrive, each by name."""
        pages = (await self._open()).definitions()
        async with aclosing(self._reads.each(pages, "list the image definitions")) as listed:
            async for page in listed:
                yield list_definitions(page, self._account)

    async def versions(self, definition: str) -> VersionListing:
        """All versions of one definition; what cannot be read is named beside them."""
        return await self._reads.versions(definition)

    async def version(self, definition: str, number: VersionNumber) -> ImageVersion:
        """One version as it is now; see the port for what it raises where there is none."""
        return (await self._reads.version(definition, number)).version

    async def set_promoted(
        self, definition: str, number: VersionNumber, *, promoted: bool, guard: Guard | None = None
    ) -> tuple[str, ...]:
        """Clear (or set) a version's exclude-from-latest flag, and that of every region that has its own.

        Each try reads, modifies and writes, and waits until Azure has finished; then what else of the version is
        other than it was read is returned. Without an ETag, which Azure does not send, a change that somebody makes
        between that read and the write is lost; the time between them is as short as it can be.

        Where things are so already, nothing is written; where an earlier write to the same end still runs
        (the process died meanwhile, the answer got lost), its end is awaited.

        Raises:
            CloudError: CONFLICT where somebody else changes the version at the same time.
        """
        verb = "let" if promoted else "keep"
        action = f"{verb} {number} of {definition} {'be' if promoted else 'out of'} latest"
        async with self._changing(action):
            return await self._changes.update(definition, number, FlagEverywhere(not promoted), action, guard)

    async def set_promoted_in(
        self,
        definition: str,
        number: VersionNumber,
        regions: Sequence[str],
        *,
        promoted: bool,
        guard: Guard | None = None,
    ) -> tuple[str, ...]:
        """As :meth:`set_promoted`, by the flags of these regions alone."""
        verb = "let" if promoted else "keep"
        where = ", ".join(sorted(regions))
        action = f"{verb} {number} of {definition} {'be' if promoted else 'out of'} latest in {where}"
        edit = FlagIn(frozenset(regions), not promoted)
        async with self._changing(action):
            return await self._changes.update(definition, number, edit, action, guard)

    async def begin_replication(
        self,
        definition: str,
        number: VersionNumber,
        regions: Sequence[WantedRegion],
        *,
        guard: Guard | None = None,
    ) -> None:
        """Add target regions, and replicas where there are too few; see the port. The copies take hours."""
        self._reads.check(definition, number)
        where = ", ".join(sorted(region.name for region in regions))
        action = f"replicate {number} of {definition} to {where}"
        async with self._changing(action):
            await self._changes.begin(definition, number, CopyTo(tuple(regions)), action, guard)

    async def end_replication(
        self,
        definition: str,
        number: VersionNumber,
        regions: Sequence[str],
        *,
        guard: Guard | None = None,
    ) -> tuple[str, ...]:
        """Take target regions off; see the port. Azure refuses that for the version's own location."""
        self._reads.check(definition, number)
        action = f"take {number} of {definition} off {', '.join(sorted(regions))}"
        edit = LeaveRegions(frozenset(regions))
        async with self._changing(action):
            return await self._changes.update(definition, number, edit, action, guard)

    async def delete_version(
        self, definition: str, number: VersionNumber, *, guard: Guard | None = None
    ) -> None:
        """Delete one version and wait until Azure says it has; one that is gone already is no error."""
        self._reads.check(definition, number)
        action = f"delete {number} of {definition}"
        # Before anything is looked at, and before its time begins: a turn may be minutes away.
        await self._deletions.turn()
        async with self._changing(action):
            await self._changes.delete(definition, number, action, guard)

    @property
    def deleted_takes_a_right(self) -> bool:
        """Who may list versions may list deleted ones."""
        return False

    async def deleted_kept_for(self) -> timedelta | None:
        """Seven days where the gallery has soft delete on; None where it has not."""
        async with self._reads.within(self._reads.limit, "show the gallery"):
            return await self._deleted.kept_for()

    async def deleted_versions(self, definition: str) -> tuple[DeletedVersion, ...]:
        """The versions that the gallery keeps after their deletion: a listing, and now and then the gallery."""
        self._reads.check_name(definition)
        async with self._reads.within(self._reads.limit, f"list the deleted versions of {definition}"):
            return await self._deleted.of(definition)

    async def undelete_version(self, definition: str, number: VersionNumber) -> None:
        """Bring a deleted version back, and exclude it from latest where it was not; see the port."""
        self._reads.check(definition, number)
        action = f"bring {number} of {definition} back"
        async with self._changing(action):
            await self._deleted.bring_back(definition, number, action)

    async def locks(self) -> tuple[Lock, ...]:
        """The locks on the gallery, on what it holds, and on its resource group."""
        pages = await self._reads.all((await self._open()).locks(), "list the locks on the gallery")
        return read_locks(chain.from_iterable(pages), self._settings.gallery, self._account)

    @property
    def protection_title(self) -> str:
        """By what versions are protected."""
        return self._protection.title

    @property
    def protection_cooldown(self) -> timedelta:
        """There is none: a version can be deleted as soon as nothing protects it."""
        return timedelta()

    async def protections(self, versions: Sequence[ImageVersion]) -> tuple[ProtectionSeen, ...]:
        """How each is protected; one listing of locks, for all."""
        return await self._protection.seen(versions)

    async def protect_version(
        self, definition: str, number: VersionNumber, *, guard: Guard | None = None
    ) -> tuple[str, ...]:
        """Have Azure refuse to delete a version before its end of life, or put a lock on it, as it is configured."""
        action = f"protect {number} of {definition} from deletion"
        async with self._changing(action):
            return await self._protection.protect(definition, number, action, guard)

    async def lift_protection(
        self, definition: str, number: VersionNumber, *, guard: Guard | None = None
    ) -> tuple[str, ...]:
        """Take off this Slipway's own block and lock, whichever is configured now."""
        action = f"lift the protection of {number} of {definition} from deletion"
        async with self._changing(action):
            return await self._protection.lift(definition, number, action, guard)

    async def usage(self, launched_since: datetime) -> tuple[ImageUse, ...]:
        """The machines and scale sets of the subscription that name versions of the gallery: two listings.

        Azure does not tell when a version was launched last. What the credentials may not see is not told of: they
        need to read both in the whole subscription.
        """
        subscription = f"/subscriptions/{self._settings.subscription_id}"
        found: list[ImageUse] = []
        for kind, what in (
            (MACHINES, "machines of the subscription"),
            (SCALE_SETS, "scale sets of the subscription"),
        ):
            path = f"{subscription}/providers/Microsoft.Compute/{kind}"
            entries = await self._reads.entries(path, {"api-version": API_VERSION}, what)
            found += read_uses(entries, kind, self._path, self._account)
        return tuple(found)

    @property
    def log_title(self) -> str:
        """What keeps who wrote and deleted versions."""
        return (
            "Azure's activity log" if self.title == "Azure" else f"The activity log of {self._account.name}"
        )

    @property
    def logged_within(self) -> timedelta:
        """How late it may be."""
        return LATE

    async def authors(
        self,
        definition: str,
        number: VersionNumber,
        event: VersionEvent,
        ids: Sequence[str],
        during: tuple[datetime, datetime],
    ) -> tuple[Author, ...]:
        """Who wrote a version, or deleted it: a listing, by the version's resource id."""
        self._reads.check(definition, number)
        resource = f"{self._path}/images/{definition}/versions/{number}"
        return read_authors(await self._logged(resource, during), event, self._account)

    async def try_log(self) -> None:
        """Read what happened to the gallery itself in the last minutes."""
        now = self._clock()
        await self._logged(self._path, (now - timedelta(minutes=5), now))

    async def _logged(self, resource: str, during: tuple[datetime, datetime]) -> Sequence[object]:
        path = f"/subscriptions/{self._settings.subscription_id}{LOG}"
        return await self._reads.entries(path, query_of(resource, during), WHAT, verb="show")

    def why_impossible(self, number: VersionNumber) -> str:
        """Versions have three numbers of 32 bits."""
        return why_no_azure_number(number)

    @property
    def timing(self) -> RetryTiming:
        """How soon it asks again."""
        return self._timing

    async def connect(self) -> Arm:
        """The account's client, for what else is done with it; it is closed with the gallery."""
        return await self._open()

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()

    def _changing(self, action: str) -> AbstractAsyncContextManager[None]:
        """Bounds a change."""
        return self._reads.within(self._settings.operation_timeout, action)

    def _build(self) -> Arm:
        """Import the SDK, and make the client."""
        from slipway.bot.clouds.azure.images.arm import Arm

        return Arm(
            self._settings,
            self._access,
            self._account,
            backoff=self._timing.backoff.total_seconds(),
            polling=self._timing.polling.total_seconds(),
            patience=self._timing.patience,
            sleep=self._timing.sleep,
            deletions=self._deletions,
        )
