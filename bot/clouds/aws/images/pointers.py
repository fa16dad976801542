"""Reads what points to the latest image of a family in a region: a parameter, and a launch template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.errors import UnexpectedResponseError
from slipway.bot.clouds.aws.images.listing import AmiListing
from slipway.bot.clouds.aws.responses import Response, read_list, read_optional_text, read_text
from slipway.bot.clouds.aws.templates import template_data
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.core.errors import CloudError, CloudErrorKind

_TEMPLATE_PAGE = 200  # the most that DescribeLaunchTemplateVersions gives
PARAMETERS = 10  # the most that GetParameters takes
_TEXT = "String"


@dataclass(frozen=True)
class ParameterSeen:
    """A parameter of the Systems Manager in a region.

    Attributes:
        value: what it holds; None where there is none yet.
        data_type: ``text``, or ``aws:ec2:image``, of which AWS itself looks whether there is such an image.
        problem: why it cannot hold an image's id, as the rest of a sentence; empty where it can.
    """

    name: str
    value: str | None = None
    data_type: str = "aws:ec2:image"
    problem: str = ""


@dataclass(frozen=True)
class TemplateSeen:
    """A launch template in a region, with its default version.

    Attributes:
        image: what the default version launches; None where it names no image.
        problem: why its default version cannot be moved, as the rest of a sentence; empty where it can.
    """

    name: str
    id: str = ""
    default: int = 0
    image: str | None = None
    problem: str = ""


class Pointers:
    """Looks at parameters and templates."""

    def __init__(self, account: AwsAccount, listing: AmiListing) -> None:
        self._account = account
        self._listing = listing

    async def seen(self, definition: str, region: str) -> tuple[ParameterSeen | None, TemplateSeen | None]:
        """The family's parameter and template in a region; None for what it has not there."""
        return (await self.of([(definition, region)]))[definition, region]

    async def of(
        self, wanted: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[ParameterSeen | None, TemplateSeen | None]]:
        """The same of several families, each in a region: a call for ten parameters of a region, and one for each
        template."""
        pairs = tuple(dict.fromkeys(wanted))
        names: dict[str, dict[str, str]] = {}
        for definition, region in pairs:
            name = self._listing.settings(definition)[1].parameter
            if name is not None:
                names.setdefault(region, {})[name] = definition
        read = await side_by_side({region: self._parameters(region, here) for region, here in names.items()})
        templates = await side_by_side({each: self._template(*each) for each in pairs})
        return {
            each: (read.get(each[1], {}).get(self._listing.settings(each[0])[1].parameter or ""), template)
            for each, template in templates.items()
        }

    async def _parameters(self, region: str, names: Mapping[str, str]) -> dict[str, ParameterSeen]:
        """Parameters as they are now, by their names, of which each has its definition."""
        every = tuple(names)
        found: dict[str, ParameterSeen] = {}
        for first in range(0, len(every), PARAMETERS):
            some = every[first : first + PARAMETERS]
            what = f"the parameter {some[0]}" if len(some) == 1 else f"{len(some)} parameters"
            request = self._listing.request(
                f"show {what} in {region}", names[some[0]] if len(some) == 1 else ""
            )
            seen = await self._account.calls(region, "ssm").call(
                request, "get_parameters", _read_parameters, Names=list(some)
            )
            found |= {name: ParameterSeen(name) for name in some} | {each.name: each for each in seen}
        return found

    async def parameter(self, definition: str, region: str, name: str) -> ParameterSeen:
        """A parameter as it is now."""
        return (await self._parameters(region, {name: definition}))[name]

    async def _template(self, definition: str, region: str) -> TemplateSeen | None:
        _, family = self._listing.settings(definition)
        regions = family.template_regions or self._listing.regions(definition)
        if family.template is None or region not in regions:
            return None
        return await self.template(definition, region, family.template)

    async def template(self, definition: str, region: str, name: str) -> TemplateSeen:
        """A template with its default version as it is now."""

        def read(answer: Response) -> TemplateSeen:
            (version,) = read_list(answer, "LaunchTemplateVersions") or ({},)
            number = version.get("VersionNumber")
            if not isinstance(number, int):
                raise UnexpectedResponseError("VersionNumber")
            image = read_optional_text(template_data(version), "ImageId")
            follows = image is not None and image.startswith("resolve:")
            problem = (
                "takes its image from a parameter, so its default version need not move" if follows else ""
            )
            return TemplateSeen(name, read_text(version, "LaunchTemplateId"), number, image, problem)

        request = self._listing.request(f"show the launch template {name} in {region}", definition)
        try:
            return await self._account.calls(region).call(
                request, "describe_launch_template_versions", read, **_named(name), Versions=["$Default"]
            )
        except CloudError as error:
            if error.kind is CloudErrorKind.CONFIGURATION:
                return TemplateSeen(name, problem="does not exist there")
            raise

    async def version_made(
        self, definition: str, region: str, template: TemplateSeen, note: str
    ) -> int | None:
        """The newest version of a template with this description; None where there is none."""

        def read(page: Response) -> list[int]:
            return [
                int(each["VersionNumber"])
                for each in read_list(page, "LaunchTemplateVersions")
                if each.get("VersionDescription") == note
            ]

        request = self._listing.request(f"list the versions of {template.name} in {region}", definition)
        found = await self._account.calls(region).pages(
            request,
            "describe_launch_template_versions",
            read,
            page_size=_TEMPLATE_PAGE,
            LaunchTemplateId=template.id,
        )
        return max(found, default=None)


def _named(name: str) -> Mapping[str, str]:
    return {"LaunchTemplateId" if name.startswith("lt-") else "LaunchTemplateName": name}


def _read_parameters(answer: Response) -> list[ParameterSeen]:
    """Those of the parameters that are there."""
    found = []
    for each in read_list(answer, "Parameters"):
        kind = read_text(each, "Type")
        problem = "" if kind == _TEXT else f"is a {kind}, and no String"
        value = read_text(each, "Value") if not problem else "hidden"
        kept_as = read_optional_text(each, "DataType") or "text"
        found.append(ParameterSeen(read_text(each, "Name"), value, kept_as, problem))
    return found
