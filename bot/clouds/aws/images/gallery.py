"""AMI families as the port wants them: whole listings, careful changes, bounded waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.images.activity import LATE, TrailReader
from slipway.bot.clouds.aws.images.listing import PAGE, AmiListing
from slipway.bot.clouds.aws.images.pointers import Pointers
from slipway.bot.clouds.aws.images.preview import Previews
from slipway.bot.clouds.aws.images.promotion import Promotion
from slipway.bot.clouds.aws.images.protection import AmiProtection
from slipway.bot.clouds.aws.images.reading import COOLDOWN
from slipway.bot.clouds.aws.images.recycle_bin import RecycleBin
from slipway.bot.clouds.aws.images.removal import Removal
from slipway.bot.clouds.aws.images.usage import Usage
from slipway.bot.clouds.aws.settings import AwsSettings
from slipway.bot.clouds.declaration import CloudContext
from slipway.bot.clouds.machine_model import MachineImage
from slipway.bot.clouds.model import Definition, ImageVersion, Lock, VersionListing, VersionNumber
from slipway.bot.clouds.ports.image_activity import Author, VersionEvent
from slipway.bot.clouds.ports.image_ids import ImageId
from slipway.bot.clouds.ports.image_protection import ProtectionSeen
from slipway.bot.clouds.ports.image_publishing import PublishingPreview
from slipway.bot.clouds.ports.image_removal import DeletedVersion
from slipway.bot.clouds.ports.image_usage import ImageUse
from slipway.bot.clouds.ports.image_versions import Guard, VersionAbsentError
from slipway.bot.core.times import format_duration
from slipway.bot.core.waiting import Polling

_LOOKS, _PAUSE = 12, 2.5
"""How often, and how many seconds apart, a change is looked for: EC2 is consistent only eventually, as its developer
guide says."""


class AwsImages:
    """Fulfils :class:`slipway.bot.clouds.ports.image_versions.ImageVersions` with the AMIs of families.

    Args:
        settings: of the account.
        context: the account's name, and the families.
        account: the account's clients, where others work with them, too.
        page_size: AMIs in one answer, 5 to 1000.
        polling: how long a change may take to show; None for the usual, with the pauses of the context.
        listing: looks at AMIs; None for whoever asks each time.
    """

    def __init__(
        self,
        settings: AwsSettings,
        context: CloudContext,
        *,
        account: AwsAccount | None = None,
        page_size: int = PAGE,
        polling: Polling | None = None,
        listing: AmiListing | None = None,
    ) -> None:
        self._account = account or AwsAccount(settings, context)
        self._made_of = settings, context, polling
        polling = polling or Polling(_LOOKS, _PAUSE, context.sleep)
        self._listing = listing or AmiListing(self._account, context.families, page_size=page_size)
        pointers = Pointers(self._account, self._listing)
        self._clock = clock = context.clock
        self._promotion = Promotion(self._account, self._listing, pointers, clock, polling)
        self._previews = Previews(self._account, self._listing, pointers, clock)
        self._trail = TrailReader(self._account)
        self._usage = Usage(self._account, self._listing)
        self._removal = Removal(self._account, self._listing, pointers, clock, polling)
        self._bin = RecycleBin(self._account, self._listing, self._removal, polling)
        self._protection = AmiProtection(
            self._account, self._listing, polling, cooldown=settings.protection_cooldown
        )

    @property
    def title(self) -> str:
        """What people call it in a sentence: EC2, and of which account where it has a name."""
        return self._account.title

    def observing(self) -> AwsImages:
        """The same for one plan: the families are listed once, by the page, whatever asks for what they have."""
        settings, context, polling = self._made_of
        listing = self._listing.observing()
        return AwsImages(settings, context, account=self._account, polling=polling, listing=listing)

    async def definitions(self) -> tuple[Definition, ...]:
        """The families, by name. Asks nobody: what there is of them is configured."""
        return tuple(Definition(name, cloud=self._account.name) for name in self._listing.names)

    async def versions(self, definition: str) -> VersionListing:
        """All versions of a family; in each region a call a page."""
        return (await self._listing.family(definition)).listing

    async def versions_of_several(self, definitions: Sequence[str]) -> Mapping[str, VersionListing]:
        """All versions of several families; in each region a call a page for all those of one owner together."""
        names = {each: self._listing.settings(each)[0] for each in definitions}
        found = await self._listing.families(names.values())
        return {each: found[name].listing for each, name in names.items()}

    async def version(self, definition: str, number: VersionNumber) -> ImageVersion:
        """One version as it is now; in each region one call."""
        return (await self._listing.version(definition, number)).version

    async def image_ids(self, version: ImageVersion) -> Mapping[str, ImageId]:
        """The AMI in each region; in each one call."""
        found = await self._listing.version(version.definition, version.number)
        return {region: ImageId(ami.id, ami.architecture) for region, ami in found.amis.items()}

    async def version_of_image(self, image: MachineImage) -> tuple[str, VersionNumber] | None:
        """The family and the number of an AMI: its name has to be one of the family's, and the AMI itself one of that
        version, since anybody may give an image any name. Asks EC2 only where a name fits."""
        for name in self._listing.names:
            number = self._listing.settings(name)[1].pattern.number(image.name)
            if number is None:
                continue
            try:
                found = await self._listing.version(name, number)
            except VersionAbsentError:
                continue
            if any(ami.id == image.id for ami in found.amis.values()):
                return name, number
        return None

    async def set_promoted(
        self, definition: str, number: VersionNumber, *, promoted: bool, guard: Guard | None = None
    ) -> tuple[str, ...]:
        """Make a version public in every region where it is, or in none; then bring the family's parameter, template
        and times of deprecation after what is latest there."""
        return await self._promotion.set(definition, number, promoted, guard)

    async def previews(
        self, versions: Sequence[ImageVersion], *, promoted: bool
    ) -> tuple[PublishingPreview, ...]:
        """What promoting each, or taking it back, would be refused for, and what it changes besides."""
        return await self._previews.of(versions, promoted)

    async def disable_version(
        self, definition: str, number: VersionNumber, *, guard: Guard | None = None
    ) -> None:
        """Deprecate and disable a version in every region, and note since when."""
        await self._removal.disable(definition, number, guard)

    async def restore_version(
        self, definition: str, number: VersionNumber, *, guard: Guard | None = None
    ) -> None:
        """Enable a disabled version in every region; it is private then, and so a candidate."""
        await self._removal.restore(definition, number, guard)

    async def delete_version(
        self, definition: str, number: VersionNumber, *, guard: Guard | None = None
    ) -> None:
        """Deregister a version in every region, with its snapshots; one that is gone already is no error."""
        await self._removal.delete(definition, number, guard)

    @property
    def deleted_takes_a_right(self) -> bool:
        """The Recycle Bin's own rights, which nothing else needs."""
        return True

    async def deleted_kept_for(self) -> timedelta | None:
        """Which rules the account has is not read: what is deregistered is not promised to come back."""
        return None

    async def deleted_versions(self, definition: str) -> tuple[DeletedVersion, ...]:
        """What the Recycle Bin has of a family; in each region a call a page of all that is in it."""
        return await self._bin.of(definition)

    async def undelete_version(self, definition: str, number: VersionNumber) -> None:
        """Restore a version from the Recycle Bin with its snapshots, as a candidate: private, and not disabled."""
        await self._bin.bring_back(definition, number)
        found = await self.version(definition, number)
        if found.launch_regions:
            await self._promotion.set(definition, number, False, None)

    async def locks(self) -> tuple[Lock, ...]:
        """The AMIs that are protected from deregistration, as locks of versions; in each region a call a page."""
        families = await self._listing.families(self._listing.names)
        return tuple(
            Lock(
                f"deregistration protection of {ami.id} in {ami.region}",
                name,
                str(number),
                ours=ami.protected_by(self._account.deployment),
                cooldown=ami.cooldown,
                until=(ami.kept_until or self._clock() + COOLDOWN) if ami.cooling else None,
            )
            for name, family in families.items()
            for number, each in family.versions.items()
            for ami in each.amis.values()
            if ami.protected
        )

    @property
    def protection_title(self) -> str:
        """By what versions are protected."""
        after = f", with {format_duration(COOLDOWN)} of cool-down" if self.protection_cooldown else ""
        return f"EC2's deregistration protection{after}"

    @property
    def protection_cooldown(self) -> timedelta:
        """So long EC2 refuses to deregister after that."""
        return self._protection.cooldown

    async def protections(self, versions: Sequence[ImageVersion]) -> tuple[ProtectionSeen, ...]:
        """How each is protected from deregistration; in each region a call a page for all their families."""
        return await self._protection.seen(versions)

    async def protect_version(
        self, definition: str, number: VersionNumber, *, guard: Guard | None = None
    ) -> tuple[str, ...]:
        """Protect a version from deregistration in each region, and note whose protection that is."""
        return await self._protection.protect(definition, number, guard)

    async def lift_protection(
        self, definition: str, number: VersionNumber, *, guard: Guard | None = None
    ) -> tuple[str, ...]:
        """Lift the protection in each region where it bears this Slipway's note."""
        return await self._protection.lift(definition, number, guard)

    async def usage(self, launched_since: datetime) -> tuple[ImageUse, ...]:
        """The account's machines, the default and latest versions of its launch templates, the families' parameters,
        and launches of late, in the families' regions."""
        return await self._usage.all(launched_since)

    @property
    def log_title(self) -> str:
        """What keeps who changed images."""
        return "CloudTrail" if self._account.title == "EC2" else f"CloudTrail ({self._account.name})"

    @property
    def logged_within(self) -> timedelta:
        """How late CloudTrail may be."""
        return LATE

    async def authors(
        self,
        definition: str,
        number: VersionNumber,
        event: VersionEvent,
        ids: Sequence[str],
        during: tuple[datetime, datetime],
    ) -> tuple[Author, ...]:
        """Who did that to one of these AMIs; in each region a question or some."""
        return await self._trail.authors(event, ids, during)

    async def try_log(self) -> None:
        """Look something up in each region that a family is in."""
        for region in sorted(
            {region for name in self._listing.names for region in self._listing.regions(name)}
        ):
            await self._trail.try_log(region)

    def why_impossible(self, number: VersionNumber) -> str:
        """A name holds any number that can be written here; which a family can have is its pattern's to say."""
        return ""

    async def close(self) -> None:
        """Let go of connections and threads; a request under way ends by itself and starts no other."""
        self._account.close()
