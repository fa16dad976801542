"""Taking a version away in steps that can be undone: deprecated, disabled, and in a later run deregistered.

A disabled AMI is still there, and nobody can launch it; its note says since when, so that a later run knows. Its
snapshots go with the deregistration, in the same request: afterwards nobody could say which they were.
"""

from __future__ import annotations

from datetime import timedelta

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.images.listing import AmiListing
from slipway.bot.clouds.aws.images.pointers import Pointers
from slipway.bot.clouds.aws.images.reading import Ami, AmiState
from slipway.bot.clouds.aws.images.tags import (
    DISABLED_TAG,
    deprecated_for_removal,
    disabled_since,
    disabled_value,
)
from slipway.bot.clouds.aws.images.writing import Writes
from slipway.bot.clouds.aws.responses import Response, read_list, read_text
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.clouds.ports.image_versions import Guard, VersionAbsentError
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Polling

_SOON = timedelta(minutes=2)
"""A time of deprecation lies in the future, and is rounded to a minute."""

_GONE_WELL = ("success", "skipped")
"""Of a snapshot: it was deleted, or another image has it (EC2 API reference, DeleteSnapshotReturnCode)."""


class Removal:
    """Disables, restores and deregisters versions.

    Args:
        account: the account.
        listing: looks at AMIs.
        pointers: looks at what follows what is latest.
        clock: the present.
        polling: how long a change may take to show.
    """

    def __init__(
        self, account: AwsAccount, listing: AmiListing, pointers: Pointers, clock: Clock, polling: Polling
    ) -> None:
        self._account = account
        self._listing = listing
        self._pointers = pointers
        self._clock = clock
        self._polling = polling

    async def disable(self, definition: str, number: VersionNumber, guard: Guard | None) -> None:
        """Note since when, deprecate what is not deprecated, and disable, in each region."""
        name, _ = self._listing.settings(definition)
        writes = self._writes(name, number, guard)
        amis = (await self._listing.version(name, number)).amis.values()
        for ami in amis:
            await self._check_unnamed(writes, ami)
        for ami in amis:
            now = self._clock()
            if disabled_since(ami.tags) is None:
                await writes.tag(ami, DISABLED_TAG, disabled_value(now, deprecated=ami.deprecated_at is None))
            if ami.state is AmiState.DISABLED:
                continue
            if ami.deprecated_at is None:
                await writes.change(
                    f"deprecate {ami.id} in {ami.region}",
                    ami,
                    "enable_image_deprecation",
                    lambda seen: seen.deprecated_at is not None,
                    DeprecateAt=now + _SOON,
                )
            await writes.change(
                f"disable {ami.id} in {ami.region}",
                ami,
                "disable_image",
                lambda seen: seen.state is AmiState.DISABLED,
            )

    async def restore(self, definition: str, number: VersionNumber, guard: Guard | None) -> None:
        """Enable in each region, and take back what was done for the removal."""
        name, _ = self._listing.settings(definition)
        writes = self._writes(name, number, guard)
        for ami in (await self._listing.version(name, number)).amis.values():
            if ami.state is AmiState.DISABLED:
                await writes.change(
                    f"enable {ami.id} in {ami.region}",
                    ami,
                    "enable_image",
                    lambda seen: seen.state is AmiState.AVAILABLE,
                )
            if deprecated_for_removal(ami.tags) and ami.deprecated_at is not None:
                await writes.change(
                    f"let {ami.id} in {ami.region} not be deprecated",
                    ami,
                    "disable_image_deprecation",
                    lambda seen: seen.deprecated_at is None,
                )
            if DISABLED_TAG in ami.tags:
                await writes.untag(ami, DISABLED_TAG)

    async def delete(self, definition: str, number: VersionNumber, guard: Guard | None) -> None:
        """Deregister in each region, with the snapshots; one that is gone already is no error.

        Raises:
            CloudError: something was not done; UNVERIFIED where an image is gone and a snapshot of it is not.
        """
        name, _ = self._listing.settings(definition)
        writes = self._writes(name, number, guard)
        try:
            amis = tuple((await self._listing.version(name, number)).amis.values())
        except VersionAbsentError:
            return
        for ami in amis:
            await self._check_unnamed(writes, ami)
        kept: list[str] = []
        for ami in amis:
            kept += await self._deregister(writes, ami)
        if kept:
            raise CloudError(
                CloudErrorKind.UNVERIFIED,
                cloud=self._account.name,
                sentence=f"{number} of {name} is deregistered, but AWS did not delete its snapshots "
                f"{', '.join(kept)}; delete them by hand.",
            )

    async def _check_unnamed(self, writes: Writes, ami: Ami) -> None:
        """Refuse what the family's own parameter or template names: launches by it would fail.

        Raises:
            CloudError: CONFLICT where one does.
        """
        parameter, template = await self._pointers.seen(writes.definition, ami.region)
        named = [
            what
            for what, image in (
                (f"the parameter {parameter.name}", parameter.value) if parameter else ("", None),
                (f"the launch template {template.name}", template.image) if template else ("", None),
            )
            if image == ami.id
        ]
        if named:
            raise writes.request(f"take {ami.id} in {ami.region} away").failed(
                CloudErrorKind.CONFLICT, f"{' and '.join(named)} there still names it"
            )

    async def _deregister(self, writes: Writes, ami: Ami) -> list[str]:
        """Deregister one AMI; gives the snapshots that AWS could not delete."""
        try:
            await writes.look()
        except VersionAbsentError:  # the last of it went meanwhile
            return []
        request = writes.request(f"deregister {ami.id} in {ami.region}")
        try:
            return await self._account.calls(ami.region).call(
                request,
                "deregister_image",
                lambda answer: _kept(answer, ami.region),
                ImageId=ami.id,
                DeleteAssociatedSnapshots=True,
            )
        except CloudError as error:
            if not error.doubtful and error.kind not in (CloudErrorKind.NOT_FOUND, CloudErrorKind.CONFLICT):
                raise
            seen = await self._polling.until(
                lambda: self._listing.ami(writes.definition, ami), lambda seen: seen is None
            )
            if seen is not None:
                raise
            return []

    def _writes(self, name: str, number: VersionNumber, guard: Guard | None) -> Writes:
        return Writes(self._account, self._listing, self._polling, name, number, guard)


def _kept(answer: Response, region: str) -> list[str]:
    """Of a deregistration's answer: the snapshots that are still there, though no other image has them."""
    results = read_list(answer, "DeleteSnapshotResults") if answer.get("DeleteSnapshotResults") else []
    return [
        f"{read_text(each, 'SnapshotId')} in {region}"
        for each in results
        if str(each.get("ReturnCode")) not in _GONE_WELL
    ]
