"""What uses the AMIs of families: machines, whatever launches some by itself, parameters, and launches of late."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.images.launching import Launching
from slipway.bot.clouds.aws.images.listing import AmiListing
from slipway.bot.clouds.aws.images.pointers import PARAMETERS
from slipway.bot.clouds.aws.images.reading import Ami
from slipway.bot.clouds.aws.responses import Response, read_list, read_optional_text, read_text
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.clouds.ports.image_usage import ImageUse
from slipway.bot.core.concurrency import side_by_side

_MACHINE_PAGE = 1000  # the most that DescribeInstances gives
_ALIVE = ("pending", "running", "stopping", "stopped")
_RESOLVE = "resolve:ssm:"
_AWS_OWN = "/aws/"
"""Parameters of that path are AWS's own, of its own images. Source: Systems Manager User Guide, "Working with public
parameters"."""


class Usage:
    """Looks at what names the AMIs of an account's families."""

    def __init__(self, account: AwsAccount, listing: AmiListing) -> None:
        self._account = account
        self._listing = listing
        self._launching = Launching(account, listing)

    async def all(self, launched_since: datetime) -> tuple[ImageUse, ...]:
        """All uses; in each region a call a page of images and of machines, one for each ten parameters, and those of
        :meth:`Launching.images`.

        Raises:
            CloudError: a part of it could not be read.
        """
        names = self._listing.names
        families = await self._listing.families(names)
        # An image may be a version of several families, where their patterns let it: all of them are in use then.
        known: dict[tuple[str, str], list[tuple[str, VersionNumber]]] = {}
        found: list[ImageUse] = []
        for name, family in families.items():
            for number, version in family.versions.items():
                for ami in version.amis.values():
                    known.setdefault((ami.region, ami.id), []).append((name, number))
                    found += launched(name, number, ami, launched_since)
        regions = sorted({region for name in names for region in self._listing.regions(name)})
        seen = await side_by_side({region: self._in_region(region) for region in regions})
        found += [
            ImageUse(name, number, f"{by} in {region}")
            for region, uses in seen.items()
            for image, by in uses
            for name, number in known.get((region, image), ())
        ]
        return tuple(found)

    async def _in_region(self, region: str) -> list[tuple[str, str]]:
        """The images that something in a region names, and what does."""
        machines = await self._machines(region)
        launching = await self._launching.images(region)
        names = {
            each[1].parameter: None
            for each in map(self._listing.settings, self._listing.names)
            if each[1].parameter is not None and region in self._listing.regions(each[0])
        }
        followed = {
            image.removeprefix(_RESOLVE): None for image, _by in launching if image.startswith(_RESOLVE)
        }
        wanted = [each for each in (names | followed) if not each.startswith(_AWS_OWN)]
        values = await self._parameters(region, wanted)
        plain = [use for use in launching if not use[0].startswith(_RESOLVE)]
        following = [
            (values[parameter], by)
            for image, by in launching
            if (parameter := image.removeprefix(_RESOLVE)) != image and parameter in values
        ]
        told = [(values[each], f"parameter {each}") for each in names if each in values]
        return [*machines, *plain, *following, *told]

    async def _machines(self, region: str) -> list[tuple[str, str]]:
        def read(page: Response) -> list[tuple[str, str]]:
            return [
                (read_text(each, "ImageId"), f"machine {read_text(each, 'InstanceId')}")
                for reservation in read_list(page, "Reservations")
                for each in read_list(reservation, "Instances")
            ]

        return await self._account.calls(region).pages(
            self._listing.request(f"list the machines in {region}"),
            "describe_instances",
            read,
            page_size=_MACHINE_PAGE,
            Filters=[{"Name": "instance-state-name", "Values": list(_ALIVE)}],
        )

    async def _parameters(self, region: str, names: Sequence[str]) -> Mapping[str, str]:
        """The values of those parameters that are there, also by ``NAME:VERSION``, ``NAME:LABEL`` and ARN."""

        def read(answer: Response) -> list[tuple[str, str]]:
            return [
                (name + str(each.get("Selector") or ""), read_text(each, "Value"))
                for each in read_list(answer, "Parameters")
                for name in (read_text(each, "Name"), read_optional_text(each, "ARN"))
                if name is not None
            ]

        request = self._listing.request(f"show parameters in {region}")
        found: dict[str, str] = {}
        for first in range(0, len(names), PARAMETERS):
            some = list(names[first : first + PARAMETERS])
            found.update(
                await self._account.calls(region, "ssm").call(request, "get_parameters", read, Names=some)
            )
        return found


def launched(name: str, number: VersionNumber, ami: Ami, since: datetime) -> Iterator[ImageUse]:
    """The use that a launch of a version after some moment is."""
    when = ami.launched_at
    if when is not None and when > since:
        yield ImageUse(name, number, f"a launch of {when:%Y-%m-%d} in {ami.region}")
