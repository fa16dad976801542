"""The Recycle Bin of a simulated EC2, which moto lacks: what is deregistered or deleted comes back for a while.

Runs in moto's process, beside ``moto_images.py``. An account without a retention rule keeps nothing. What is in the
bin is listed with when it goes for good, is to be seen by nothing else, and comes back as it was. Sources: Amazon EC2
API Reference, ListImagesInRecycleBin, RestoreImageFromRecycleBin, ListSnapshotsInRecycleBin,
RestoreSnapshotFromRecycleBin; Amazon EBS User Guide, "Recover deleted AMIs from the Recycle Bin". That an image does
not come back without its snapshots is made up of the guide's words that one whose snapshots are gone is
unrecoverable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Clock = Callable[[], datetime]
Refuse = Callable[[str, str], Exception]
Done = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class _Kept:
    """Something in the bin: moto's own object, and when it came there."""

    what: Any
    entered: datetime


class RecycleBin:
    """What is kept of all regions.

    Args:
        clock: the simulated EC2's own.
        days: for how many, by the account's rule for images and snapshots; None where it has none.
        refuse: makes EC2's error.
        done: makes an answer.
    """

    def __init__(self, clock: Clock, days: int | None, refuse: Refuse, done: Done) -> None:
        self._clock = clock
        self._days = days
        self._refuse = refuse
        self._done = done
        self._images: dict[tuple[str, str], _Kept] = {}
        self._snapshots: dict[tuple[str, str], _Kept] = {}

    def keep_image(self, backend: Any, ami: Any) -> None:
        """An image was deregistered."""
        if self._days is not None:
            self._images[backend.region_name, ami.id] = _Kept(ami, self._clock())

    def keep_snapshot(self, backend: Any, snapshot: Any) -> None:
        """A snapshot was deleted."""
        if self._days is not None:
            self._snapshots[backend.region_name, snapshot.id] = _Kept(snapshot, self._clock())

    def list_images(self, response: Any) -> Any:
        """What images are in the region's bin."""
        response.error_on_dryrun()
        found = self._listed(response, self._images, response._get_param("ImageIds", []))
        shown = [
            {"ImageId": each.what.id, "Name": each.what.name, "Description": each.what.description}
            | self._times(each)
            for each in found
        ]
        return self._page(response, "Images", shown)

    def list_snapshots(self, response: Any) -> Any:
        """What snapshots are in the region's bin."""
        response.error_on_dryrun()
        found = self._listed(response, self._snapshots, response._get_param("SnapshotIds", []))
        shown = [
            {"SnapshotId": each.what.id, "Description": each.what.description, "VolumeId": "vol-ffffffff"}
            | self._times(each)
            for each in found
        ]
        return self._page(response, "Snapshots", shown)

    def restore_image(self, response: Any) -> Any:
        """An image is there again, as it was."""
        backend, wanted = response.ec2_backend, str(response._get_param("ImageId"))
        response.error_on_dryrun()
        kept = self._taken(self._images, (backend.region_name, wanted))
        if kept is None:
            raise self._refuse("InvalidAMIID.NotFound", f"The image id '[{wanted}]' does not exist")
        if kept.what.ebs_snapshot.id not in backend.snapshots:
            self._images[backend.region_name, wanted] = kept
            raise self._refuse(
                "InvalidSnapshot.NotFound", f"The snapshot '{kept.what.ebs_snapshot.id}' does not exist."
            )
        backend.deleted_amis.remove(wanted)
        backend.amis[wanted] = kept.what
        return self._done({"Return": True})

    def restore_snapshot(self, response: Any) -> Any:
        """A snapshot is there again."""
        backend, wanted = response.ec2_backend, str(response._get_param("SnapshotId"))
        response.error_on_dryrun()
        kept = self._taken(self._snapshots, (backend.region_name, wanted))
        if kept is None:
            raise self._refuse("InvalidSnapshot.NotFound", f"The snapshot '{wanted}' does not exist.")
        backend.snapshots[wanted] = kept.what
        return self._done({"SnapshotId": wanted, "State": "recovering"})

    def _listed(self, response: Any, held: dict[tuple[str, str], _Kept], wanted: list[str]) -> list[_Kept]:
        region = response.ec2_backend.region_name
        return [
            each
            for (where, name), each in held.items()
            if where == region and self._lasts(each) and (not wanted or name in wanted)
        ]

    def _page(self, response: Any, name: str, shown: list[dict[str, Any]]) -> Any:
        size, first = (
            int(response._get_param("MaxResults") or 1000),
            int(response._get_param("NextToken") or 0),
        )
        more = {"NextToken": str(first + size)} if first + size < len(shown) else {}
        return self._done({name: shown[first : first + size], **more})

    def _times(self, kept: _Kept) -> dict[str, datetime]:
        return {
            "RecycleBinEnterTime": kept.entered,
            "RecycleBinExitTime": kept.entered + timedelta(days=self._days or 0),
        }

    def _lasts(self, kept: _Kept) -> bool:
        return self._clock() < kept.entered + timedelta(days=self._days or 0)

    def _taken(self, held: dict[tuple[str, str], _Kept], key: tuple[str, str]) -> _Kept | None:
        kept = held.pop(key, None)
        return kept if kept is not None and self._lasts(kept) else None
