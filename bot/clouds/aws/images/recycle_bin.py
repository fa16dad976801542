"""What a rule of the account's keeps of AMIs after their deregistration, in EC2's Recycle Bin, and how it comes back.

Which rules there are is the account's matter: they are not read, only what is in the bin. The right to look into it
is one that the rest of the work does not need.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.images.listing import AmiListing
from slipway.bot.clouds.aws.images.reading import Ami
from slipway.bot.clouds.aws.images.removal import Removal
from slipway.bot.clouds.aws.responses import (
    Response,
    read_list,
    read_optional_text,
    read_text,
    read_timestamp,
)
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.clouds.ports.image_removal import DeletedVersion
from slipway.bot.clouds.ports.image_versions import VersionAbsentError
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.waiting import Polling

_PAGE = 1000


@dataclass(frozen=True)
class _Binned:
    """An image in the bin of a region."""

    id: str
    name: str
    region: str
    entered: datetime
    leaves: datetime


class RecycleBin:
    """Reads the bins of a family's regions, and brings versions back.

    Args:
        account: the account.
        listing: looks at AMIs.
        removal: enables what was disabled before it was deregistered.
        polling: how long a change may take to show.
    """

    def __init__(self, account: AwsAccount, listing: AmiListing, removal: Removal, polling: Polling) -> None:
        self._account = account
        self._listing = listing
        self._removal = removal
        self._polling = polling

    async def of(self, definition: str) -> tuple[DeletedVersion, ...]:
        """The versions that a bin has; each until the first of its AMIs leaves its own.

        Raises:
            CloudError: a bin cannot be read.
        """
        name, family = self._listing.settings(definition)
        found: dict[VersionNumber, list[_Binned]] = {}
        for binned in (await self._bins(name)).values():
            for each in binned:
                number = family.pattern.number(each.name)
                if number is not None:
                    found.setdefault(number, []).append(each)
        return tuple(
            DeletedVersion(
                name,
                number,
                max(each.entered for each in amis),
                min(each.leaves for each in amis),
                self._account.name,
                frozenset(each.region for each in amis),
            )
            for number, amis in found.items()
        )

    async def bring_back(self, definition: str, number: VersionNumber) -> None:
        """Restore the AMIs of a version and their snapshots wherever a bin has them, and enable what is disabled.

        Raises:
            VersionAbsentError: no bin has it, and no region.
            CloudError: something was not done; what was done before it stays.
        """
        name, family = self._listing.settings(definition)
        wanted = family.pattern.name_of(number)
        try:
            there = set((await self._listing.version(name, number)).amis)
        except VersionAbsentError:
            there = set()
        for region, binned in (await self._bins(name)).items():
            ours = [each for each in binned if each.name == wanted]
            if not ours or region in there:
                continue
            await self._restore(name, region, max(ours, key=lambda each: each.entered))
        await self._removal.restore(name, number, None)

    async def _bins(self, name: str) -> dict[str, list[_Binned]]:
        request = self._listing.request(f"list what the Recycle Bin has of {name}", name)

        return await side_by_side(
            {
                region: self._account.calls(region).pages(
                    request,
                    "list_images_in_recycle_bin",
                    _reader(region),
                    page_size=_PAGE,
                )
                for region in self._listing.regions(name)
            }
        )

    async def _restore(self, name: str, region: str, binned: _Binned) -> None:
        """Bring an AMI back, behind those of its snapshots that are known before it is there, and then the others.

        Copies and images of machines name their AMI in the description of their snapshots. Of others EC2 tells only
        once the AMI is there, and whether it comes back without them is not documented.
        """
        snapshots = await self._snapshots(name, region)
        for snapshot, description in snapshots.items():
            if binned.id in description:
                await self._restore_snapshot(name, region, snapshot)
        ami = await self._restore_image(name, region, binned)
        left = await self._snapshots(name, region) if snapshots else {}
        for snapshot in ami.snapshots:
            if snapshot in left:
                await self._restore_snapshot(name, region, snapshot)

    async def _snapshots(self, name: str, region: str) -> dict[str, str]:
        """The descriptions of all snapshots in a region's bin, by their ids."""

        def read(page: Response) -> list[tuple[str, str]]:
            return [
                (read_text(each, "SnapshotId"), read_optional_text(each, "Description") or "")
                for each in read_list(page, "Snapshots")
            ]

        request = self._listing.request(f"list the snapshots in the Recycle Bin in {region}", name)
        return dict(
            await self._account.calls(region).pages(
                request, "list_snapshots_in_recycle_bin", read, page_size=_PAGE
            )
        )

    async def _restore_snapshot(self, name: str, region: str, snapshot: str) -> None:
        request = self._listing.request(
            f"restore the snapshot {snapshot} in {region} from the Recycle Bin", name, changes=True
        )
        try:
            await self._account.calls(region).call(
                request, "restore_snapshot_from_recycle_bin", lambda _: None, SnapshotId=snapshot
            )
        except CloudError as error:
            if not error.doubtful and error.kind is not CloudErrorKind.NOT_FOUND:
                raise
            if snapshot in await self._snapshots(name, region):
                raise

    async def _restore_image(self, name: str, region: str, binned: _Binned) -> Ami:
        request = self._listing.request(
            f"restore {binned.id} in {region} from the Recycle Bin", name, changes=True
        )
        lost: CloudError | None = None
        try:
            await self._account.calls(region).call(
                request, "restore_image_from_recycle_bin", lambda _: None, ImageId=binned.id
            )
        except CloudError as error:
            if not error.doubtful:
                raise
            lost = error
        seen = await self._polling.until(
            lambda: self._listing.restored(name, region, binned.id, binned.name),
            lambda found: found is not None,
        )
        if seen is not None:
            return seen
        raise lost or CloudError(
            CloudErrorKind.UNVERIFIED,
            cloud=self._account.name,
            sentence=f"AWS took the order to {request.action}, and it does not show.",
            remedy=request.look,
        )


def _reader(region: str) -> Callable[[Response], list[_Binned]]:
    """Reads a page of a region's bin."""
    return lambda page: [
        _Binned(
            read_text(each, "ImageId"),
            read_optional_text(each, "Name") or "",
            region,
            read_timestamp(each.get("RecycleBinEnterTime"), "RecycleBinEnterTime"),
            read_timestamp(each.get("RecycleBinExitTime"), "RecycleBinExitTime"),
        )
        for each in read_list(page, "Images")
    ]
