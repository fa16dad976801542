"""Looks at AMIs: all of a family, those of one version, and one in one region."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.errors import Ec2Request
from slipway.bot.clouds.aws.images.error_codes import image_meaning
from slipway.bot.clouds.aws.images.reading import Ami, AmiVersion, Family, family_of, read_ami
from slipway.bot.clouds.aws.responses import Response, read_list
from slipway.bot.clouds.image_family import ImageFamily
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.clouds.ports.image_versions import VersionAbsentError
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.core.errors import CloudErrorKind, Remedy

PAGE = 1000  # the most that EC2 gives of images in one answer
_FILTER_VALUES = 200  # the most that a filter takes


class AmiListing:
    """What families have, in all their regions.

    Args:
        account: the account.
        families: by their names.
        page_size: AMIs in one answer, 5 to 1000.
    """

    def __init__(
        self, account: AwsAccount, families: Mapping[str, ImageFamily], *, page_size: int = PAGE
    ) -> None:
        self._account = account
        self._families = families
        self._page_size = page_size

    @property
    def names(self) -> tuple[str, ...]:
        """The families' names, in order."""
        return tuple(sorted(self._families))

    def regions(self, definition: str) -> tuple[str, ...]:
        """Where a family is."""
        return tuple(dict.fromkeys(self._families[definition].regions or self._account.regions))

    def request(self, action: str, definition: str = "", *, changes: bool = False) -> Ec2Request:
        """A request about images as errors speak of it."""
        look = Remedy(f"images {definition}".strip(), "to see what is there")
        return Ec2Request(action, changes, self._account.name, image_meaning, look)

    def settings(self, definition: str) -> tuple[str, ImageFamily]:
        """A family by its name, and how the name is written. Case does not count.

        Raises:
            CloudError: NOT_FOUND, there is none.
        """
        for name, family in self._families.items():
            if name.casefold() == definition.casefold():
                return name, family
        request = self.request(f"list the versions of {definition}")
        raise request.failed(
            CloudErrorKind.NOT_FOUND, "slipway.toml has no family of that name for this account"
        )

    async def family(self, definition: str) -> Family:
        """All that a family has; in each region a call a page."""
        name, _ = self.settings(definition)
        return (await self.families([name]))[name]

    async def families(self, definitions: Iterable[str]) -> dict[str, Family]:
        """All that several families have; in each region a call a page for all those of one owner together.

        Raises:
            CloudError: a page could not be had: a part of the truth is none.
        """
        wanted = {name: self._families[name] for name in dict.fromkeys(definitions)}
        asked: dict[tuple[str, str], dict[str, None]] = {}
        for name, family in wanted.items():
            for region in self.regions(name):
                asked.setdefault((region, family.owner), {})[family.pattern.glob] = None
        what = next(iter(wanted)) if len(wanted) == 1 else f"{len(wanted)} families"
        request = self.request(f"list the versions of {what}")
        found = await side_by_side(
            {key: self._in_region(request, *key, tuple(globs)) for key, globs in asked.items()}
        )
        return {
            name: family_of(
                name,
                family.pattern,
                (ami for region in self.regions(name) for ami in found[region, family.owner]),
                self._account.name,
            )
            for name, family in wanted.items()
        }

    def observing(self) -> AmiListing:
        """The same for one plan: each family is listed once."""
        return ObservedListing(self._account, self._families, page_size=self._page_size)

    async def version(self, definition: str, number: VersionNumber) -> AmiVersion:
        """The AMIs of one version as they are now; in each region one call.

        Raises:
            VersionAbsentError: no region has one, and a listing of the family lacks it, too.
            CloudError: UNVERIFIED where the listing has it, or it cannot be told apart; or a region cannot be asked.
        """
        name, family = self.settings(definition)
        request = self.request(f"show {number} of {name}", name)
        image = family.pattern.name_of(number)
        if image is None:
            why = f"its versions are like {family.pattern.shape()}"
            raise VersionAbsentError(
                cloud=self._account.name,
                sentence=request.failed(CloudErrorKind.NOT_FOUND, why).sentence,
            )
        found = await side_by_side(
            {
                region: self._in_region(request, region, family.owner, (image,))
                for region in self.regions(name)
            }
        )
        seen = family_of(
            name, family.pattern, (ami for each in found.values() for ami in each), self._account.name
        )
        if number in seen.versions:
            return seen.versions[number]
        listed = seen if seen.unreadable else await self.family(name)
        odd = next((each for each in listed.unreadable if each.name == str(number)), None)
        if odd is not None:
            raise request.failed(CloudErrorKind.UNVERIFIED, f"{odd}")
        if number in listed.versions:
            raise request.failed(
                CloudErrorKind.UNVERIFIED, "it finds no such image, and lists it all the same"
            )
        sentence = request.failed(CloudErrorKind.NOT_FOUND, "no region has an image of that name").sentence
        raise VersionAbsentError(cloud=self._account.name, sentence=sentence, code="NotFound")

    async def ami(self, definition: str, ami: Ami) -> Ami | None:
        """One AMI as it is now; None where it is gone. A filter rather than an id: one that is gone is no error."""
        return await self.restored(definition, ami.region, ami.id, ami.name)

    async def restored(self, definition: str, region: str, image: str, name: str) -> Ami | None:
        """One AMI as it is now, of which only this is known."""
        _, family = self.settings(definition)
        request = self.request(f"show {image} in {region}", definition)
        found = await self._in_region(request, region, family.owner, (name,))
        return next((each for each in found if each.id == image and each.state != "deregistered"), None)

    async def _in_region(
        self, request: Ec2Request, region: str, owner: str, names: Sequence[str]
    ) -> list[Ami]:
        def read(page: Response) -> list[Ami]:
            return [read_ami(each, region) for each in read_list(page, "Images")]

        found: list[Ami] = []
        for first in range(0, len(names), _FILTER_VALUES):
            found += await self._account.calls(region).pages(
                request,
                "describe_images",
                read,
                page_size=self._page_size,
                Owners=[owner],
                IncludeDeprecated=True,
                IncludeDisabled=True,
                Filters=[{"Name": "name", "Values": list(names[first : first + _FILTER_VALUES])}],
            )
        return found


class ObservedListing(AmiListing):
    """Lists each family once. Single versions are looked at anew."""

    def __init__(
        self, account: AwsAccount, families: Mapping[str, ImageFamily], *, page_size: int = PAGE
    ) -> None:
        super().__init__(account, families, page_size=page_size)
        self._turn = asyncio.Lock()  # what several ask for at once is listed by the first
        self._seen: dict[str, Family] = {}

    def observing(self) -> AmiListing:
        """It does so already."""
        return self

    async def families(self, definitions: Iterable[str]) -> dict[str, Family]:
        """All that several families have, as they were listed first."""
        wanted = tuple(dict.fromkeys(definitions))
        async with self._turn:
            missing = [each for each in wanted if each not in self._seen]
            if missing:
                self._seen |= await super().families(missing)
        return {each: self._seen[each] for each in wanted}
