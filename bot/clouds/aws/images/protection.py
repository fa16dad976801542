"""Protecting versions from deregistration, by whomever, and lifting that again where it is this Slipway's own.

The note of whose protection it is comes on an AMI before the protection, and off after it: what bears the note of
this Slipway and is protected was protected by it. A protection without the note is somebody else's, and stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.images.listing import AmiListing
from slipway.bot.clouds.aws.images.reading import COOLDOWN, Ami, Family
from slipway.bot.clouds.aws.images.tags import PROTECTED_TAG
from slipway.bot.clouds.aws.images.writing import Writes
from slipway.bot.clouds.model import ImageVersion, VersionNumber
from slipway.bot.clouds.ports.image_protection import ProtectionSeen
from slipway.bot.clouds.ports.image_versions import Guard
from slipway.bot.core.waiting import Polling


class AmiProtection:
    """Protects versions, and lifts that.

    Args:
        account: the account.
        listing: looks at AMIs.
        polling: how long a change may take to show.
        cooldown: whether EC2 keeps an image for 24 hours after its protection is lifted.
    """

    def __init__(self, account: AwsAccount, listing: AmiListing, polling: Polling, *, cooldown: bool) -> None:
        self._account = account
        self._listing = listing
        self._polling = polling
        self._with_cooldown = cooldown

    @property
    def cooldown(self) -> timedelta:
        """So long an image is kept after its protection is lifted."""
        return COOLDOWN if self._with_cooldown else timedelta()

    async def seen(self, versions: Sequence[ImageVersion]) -> tuple[ProtectionSeen, ...]:
        """How each is protected; one that is not there is not protected."""
        families = await self._listing.families(dict.fromkeys(each.definition for each in versions))
        return tuple(self._one(families[each.definition], each.number) for each in versions)

    async def protect(self, definition: str, number: VersionNumber, guard: Guard | None) -> tuple[str, ...]:
        """Protect what is not protected, in each region."""
        writes = self._writes(definition, number, guard)
        for ami in (await self._listing.version(writes.definition, number)).amis.values():
            if _is_on(ami):
                continue
            if not self._is_ours(ami):
                await writes.tag(ami, PROTECTED_TAG, self._account.deployment)
            await writes.change(
                f"protect {ami.id} in {ami.region} from deregistration",
                ami,
                "enable_image_deregistration_protection",
                _is_on,
                WithCooldown=self._with_cooldown,
            )
        return ()

    async def lift(self, definition: str, number: VersionNumber, guard: Guard | None) -> tuple[str, ...]:
        """Lift what bears this Slipway's note, in each region, and take the note off."""
        writes = self._writes(definition, number, guard)
        for ami in (await self._listing.version(writes.definition, number)).amis.values():
            if not self._is_ours(ami):
                continue
            if _is_on(ami):
                await writes.change(
                    f"lift the protection of {ami.id} in {ami.region} from deregistration",
                    ami,
                    "disable_image_deregistration_protection",
                    lambda seen: not _is_on(seen),
                )
            await writes.untag(ami, PROTECTED_TAG)
        return ()

    def _one(self, family: Family, number: VersionNumber) -> ProtectionSeen:
        found = family.versions.get(number)
        amis = tuple(found.amis.values()) if found is not None else ()
        return ProtectionSeen(
            on=bool(amis) and all(map(_is_on, amis)),
            ours=any(map(self._is_ours, amis)),
            others=any(_is_on(ami) and not self._is_ours(ami) for ami in amis),
        )

    def _is_ours(self, ami: Ami) -> bool:
        return ami.protected_by(self._account.deployment)

    def _writes(self, definition: str, number: VersionNumber, guard: Guard | None) -> Writes:
        name, _ = self._listing.settings(definition)
        return Writes(self._account, self._listing, self._polling, name, number, guard)


def _is_on(ami: Ami) -> bool:
    return ami.protected and not ami.cooling
