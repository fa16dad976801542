"""Which images are launched in a region without anybody asking: by launch templates and whatever launches them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.errors import UnexpectedResponseError
from slipway.bot.clouds.aws.images.launchers import (
    DEFAULT,
    LATEST,
    Group,
    Launcher,
    TemplateVersion,
    read_configurations,
    read_fleets,
    read_groups,
    read_refreshes,
    read_spot_fleets,
    read_spot_requests,
)
from slipway.bot.clouds.aws.images.listing import AmiListing
from slipway.bot.clouds.aws.responses import Response, read_list, read_optional_text, read_text
from slipway.bot.clouds.aws.templates import template_data
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.core.errors import CloudError, CloudErrorKind

T = TypeVar("T")

_TEMPLATE_PAGE = 200  # the most that DescribeLaunchTemplateVersions gives
_SCALING_PAGE = 100  # the most that Auto Scaling gives
_EC2_PAGE = (
    1000  # the most that DescribeFleets, DescribeSpotFleetRequests and DescribeSpotInstanceRequests give
)
_AT_ONCE = 4
"""So many groups or templates are asked about at a time: Auto Scaling's throttle is one for the account in a region,
and others need it, too."""

_PAGES = 50
"""So many pages of one group's instance refreshes are read: 5,000 of six weeks. More than that is no answer."""

_GONE = re.compile(r"InvalidLaunchTemplate(Id|Name)\.(Version)?NotFound(Exception)?")
"""EC2's codes for a launch template, or a version of one, that does not exist. Source: Amazon EC2 API Reference,
"Error codes"."""


@dataclass(frozen=True, slots=True)
class _Listed:
    """A version of a launch template as EC2 shows it; ``image`` is None where it names none."""

    id: str
    name: str
    number: str
    image: str | None

    @property
    def names(self) -> tuple[tuple[bool, str], ...]:
        """Its template's id and name, and whether it is the id."""
        return (True, self.id), (False, self.name)


class Launching:
    """Looks at launch templates and at what launches machines by itself, in one region at a time."""

    def __init__(self, account: AwsAccount, listing: AmiListing) -> None:
        self._account = account
        self._listing = listing

    async def images(self, region: str) -> list[tuple[str, str]]:
        """The images, or ``resolve:ssm:`` and a parameter, that a launch by itself would take, and by what.

        In calls: the pages of six listings, one for each group that has machines, and one for each template of
        which a version counts that is neither its default nor its latest.

        Raises:
            CloudError: a part of it could not be read.
        """
        usual = await self._templates(region)
        launchers = await self._launchers(region)
        wanted = {named for each in launchers for named in each.templates}
        named = await self._named(region, wanted, usual)
        return [
            *((each.image, f"launch template {each.name}") for each in usual if each.image is not None),
            *((image, each.by) for each in launchers for image in each.images),
            *(
                (found.image, f"{each.by} (version {found.number} of launch template {found.name})")
                for each in launchers
                for version in each.templates
                if (found := named.get(version)) is not None and found.image is not None
            ),
        ]

    async def _launchers(self, region: str) -> list[Launcher]:
        scaling = f"list the Auto Scaling groups in {region}"
        groups: list[Group] = await self._pages(region, scaling, "describe_auto_scaling_groups", read_groups)
        configurations = await self._pages(
            region,
            f"list the launch configurations in {region}",
            "describe_launch_configurations",
            read_configurations,
        )
        fleets = await self._pages(region, f"list the fleets in {region}", "describe_fleets", read_fleets)
        spot = await self._pages(
            region, f"list the spot fleets in {region}", "describe_spot_fleet_requests", read_spot_fleets
        )
        requests = await self._pages(
            region,
            f"list the spot requests in {region}",
            "describe_spot_instance_requests",
            read_spot_requests,
        )
        some = asyncio.Semaphore(_AT_ONCE)
        refreshes = await side_by_side(
            {each.name: self._refreshes(region, each.name, some) for each in groups if each.populated}
        )
        changing = [launcher for found in refreshes.values() for launcher in found]
        return [*(each.launches for each in groups), *changing, *configurations, *fleets, *spot, *requests]

    async def _pages(
        self, region: str, action: str, operation: str, read: Callable[[Response], Sequence[T]]
    ) -> list[T]:
        scaling = operation in ("describe_auto_scaling_groups", "describe_launch_configurations")
        service, size = ("autoscaling", _SCALING_PAGE) if scaling else ("ec2", _EC2_PAGE)
        request = self._listing.request(action)
        return await self._account.calls(region, service).pages(request, operation, read, page_size=size)

    async def _refreshes(self, region: str, group: str, some: asyncio.Semaphore) -> list[Launcher]:
        """What the instance refreshes under way make of a group; botocore has no paginator for them."""
        request = self._listing.request(f"list the instance refreshes of {group} in {region}")
        calls = self._account.calls(region, "autoscaling")
        found: list[Launcher] = []
        more: dict[str, str] = {}

        def read(page: Response) -> tuple[list[Launcher], str | None]:
            return read_refreshes(page), read_optional_text(page, "NextToken")

        async with some:
            for _ in range(_PAGES):
                here, token = await calls.call(
                    request,
                    "describe_instance_refreshes",
                    read,
                    AutoScalingGroupName=group,
                    MaxRecords=_SCALING_PAGE,
                    **more,
                )
                found += here
                if token is None:
                    return found
                more = {"NextToken": token}
        raise request.failed(CloudErrorKind.UNEXPECTED_ANSWER, "its answer has no end")

    async def _templates(self, region: str) -> list[_Listed]:
        """The default and the latest version of every template."""
        return await self._account.calls(region).pages(
            self._listing.request(f"list the launch templates in {region}"),
            "describe_launch_template_versions",
            _read_versions,
            page_size=_TEMPLATE_PAGE,
            Versions=[DEFAULT, LATEST],
        )

    async def _named(
        self, region: str, wanted: Iterable[TemplateVersion], usual: Sequence[_Listed]
    ) -> dict[TemplateVersion, _Listed]:
        """Those that have to be named: the default and the latest version of a template that is listed count as the
        template itself, wherever else they are named."""
        listed = {(by_id, name) for each in usual for by_id, name in each.names}
        numbered = {(*name, each.number): each for each in usual for name in each.names}
        found: dict[TemplateVersion, _Listed] = {}
        asked: dict[tuple[bool, str], list[TemplateVersion]] = {}
        for each in sorted(wanted):
            template = each.by_id, each.template
            if each.version in (DEFAULT, LATEST) and template in listed:
                continue
            if (known := numbered.get((*template, each.version))) is not None:
                found[each] = known
            else:
                asked.setdefault(template, []).append(each)
        some = asyncio.Semaphore(_AT_ONCE)
        read = await side_by_side(
            {template: self._versions(region, several, some) for template, several in asked.items()}
        )
        return found | {version: each for several in read.values() for version, each in several.items()}

    async def _versions(
        self, region: str, several: Sequence[TemplateVersion], some: asyncio.Semaphore
    ) -> dict[TemplateVersion, _Listed]:
        """Versions of one template, each asked for alone: one that is gone fails the call, and launches nothing."""
        found: dict[TemplateVersion, _Listed] = {}
        async with some:
            for each in several:
                if (version := await self._version(region, each)) is not None:
                    found[each] = version
        return found

    async def _version(self, region: str, named: TemplateVersion) -> _Listed | None:
        request = self._listing.request(f"show version {named.version} of {named.template} in {region}")
        key = "LaunchTemplateId" if named.by_id else "LaunchTemplateName"
        try:
            return await self._account.calls(region).call(
                request,
                "describe_launch_template_versions",
                _read_first,
                Versions=[named.version],
                **{key: named.template},
            )
        except CloudError as error:
            if _GONE.fullmatch(error.code):
                return None
            raise


def _read_versions(page: Response) -> list[_Listed]:
    return [_read_version(each) for each in read_list(page, "LaunchTemplateVersions")]


def _read_first(page: Response) -> _Listed:
    found = _read_versions(page)
    if not found:
        raise UnexpectedResponseError("LaunchTemplateVersions")
    return found[0]


def _read_version(response: Response) -> _Listed:
    number = response.get("VersionNumber")
    if not isinstance(number, int):
        raise UnexpectedResponseError("VersionNumber")
    return _Listed(
        id=read_text(response, "LaunchTemplateId"),
        name=read_text(response, "LaunchTemplateName"),
        number=str(number),
        image=read_optional_text(template_data(response), "ImageId"),
    )
