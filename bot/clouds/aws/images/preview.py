"""What a promotion would be refused for, and what it changes besides: looked at before anybody is asked to agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slipway.bot.clouds.aws.account import AwsAccount
from slipway.bot.clouds.aws.images.besides import Change, MoveParameter, MoveTemplate, changes_in, public_in
from slipway.bot.clouds.aws.images.listing import AmiListing
from slipway.bot.clouds.aws.images.pointers import ParameterSeen, Pointers, TemplateSeen
from slipway.bot.clouds.aws.images.reading import Ami, AmiState, Family
from slipway.bot.clouds.aws.responses import read_text
from slipway.bot.clouds.model import ImageVersion, VersionNumber
from slipway.bot.clouds.ports.image_publishing import PublishingPreview
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.times import Clock

_OPEN = "unblocked"


@dataclass(frozen=True)
class Blocks:
    """Which regions block public images, account-wide; and of which that is not known, with the reason."""

    blocked: frozenset[str]
    unknown: Mapping[str, str]


class Previews:
    """Looks ahead.

    Args:
        account: the account.
        listing: looks at AMIs.
        pointers: looks at what follows what is latest.
        clock: the present.
    """

    def __init__(self, account: AwsAccount, listing: AmiListing, pointers: Pointers, clock: Clock) -> None:
        self._account = account
        self._listing = listing
        self._pointers = pointers
        self._clock = clock

    async def of(self, versions: Sequence[ImageVersion], promoted: bool) -> tuple[PublishingPreview, ...]:
        """What promoting each, or taking it back, means. Costs in each region a listing of all their families, a look
        at the account's block, one at each ten parameters of families, and one at each template."""
        families = await self._listing.families(each.definition for each in versions)
        seen = await self._pointers.of(
            (each.definition, region.name) for each in versions for region in each.regions
        )
        closed = {
            ami.region
            for each in versions
            for ami in _amis(families[each.definition], each.number)
            if promoted and not ami.public
        }
        blocks = await self._blocks(sorted(closed))
        assumed = {
            ami.id: promoted for each in versions for ami in _amis(families[each.definition], each.number)
        }
        return tuple(
            self._one(families[each.definition], each, promoted, assumed, seen, blocks) for each in versions
        )

    def _one(
        self,
        family: Family,
        version: ImageVersion,
        promoted: bool,
        assumed: Mapping[str, bool],
        seen: Mapping[tuple[str, str], tuple[ParameterSeen | None, TemplateSeen | None]],
        blocks: Blocks,
    ) -> PublishingPreview:
        amis = _amis(family, version.number)
        name, settings = self._listing.settings(version.definition)
        now = self._clock()
        changes: list[Change] = []
        for ami in amis:
            there = seen.get((version.definition, ami.region), (None, None))
            public = public_in(family, ami.region, assumed)
            changes += changes_in(settings, ami.region, public, there, now, promoted=promoted)
        named = f"{version.number} of {version.definition}"
        here = {ami.region for ami in amis}
        bare = [
            region
            for region in self._listing.regions(name)
            if region not in here and not public_in(family, region, assumed)
        ]
        notes = [blocks.unknown[ami.region] for ami in amis if ami.region in blocks.unknown]
        if promoted and bare:
            where = " and ".join(sorted(bare))
            notes.append(
                f"{named} has no image in {where}, where the family is wanted: nothing launches there."
            )
        return PublishingPreview(
            obstacles=(*(_obstacles(named, amis, blocks) if promoted else ()), *_problems(changes)),
            besides=tuple(change.shown for change in changes),
            notes=tuple(notes),
        )

    async def _blocks(self, regions: Sequence[str]) -> Blocks:
        states = await side_by_side({region: self._block(region) for region in regions})
        return Blocks(
            frozenset(
                region for region, state in states.items() if isinstance(state, str) and state != _OPEN
            ),
            {
                region: f"Whether the account blocks public images in {region} is not known: {state.sentence}"
                for region, state in states.items()
                if isinstance(state, CloudError)
            },
        )

    async def _block(self, region: str) -> str | CloudError:
        """Whether the account blocks public images in a region; where Slipway may not ask, the refusal."""
        request = self._listing.request(f"tell whether public images are blocked in {region}")
        try:
            return await self._account.calls(region).call(
                request,
                "get_image_block_public_access_state",
                lambda answer: read_text(answer, "ImageBlockPublicAccessState"),
            )
        except CloudError as error:
            if error.kind is CloudErrorKind.REFUSED:
                return error
            raise


def _amis(family: Family, number: VersionNumber) -> tuple[Ami, ...]:
    found = family.versions.get(number)
    return tuple(found.amis.values()) if found is not None else ()


def _obstacles(named: str, amis: Sequence[Ami], blocks: Blocks) -> list[str]:
    """Why EC2 would refuse to make these public."""
    closed = [ami for ami in amis if not ami.public]
    blocked = sorted(ami.region for ami in closed if ami.region in blocks.blocked)
    found = [f"{ami.id} of {named} in {ami.region} {ami.unsharable}." for ami in closed if ami.unsharable]
    found += [
        f"{ami.id} of {named} in {ami.region} is disabled: it has to be enabled first."
        for ami in closed
        if ami.state is AmiState.DISABLED
    ]
    if blocked:
        found.append(
            f"The AWS account blocks public images in {' and '.join(blocked)} (block public access for AMIs), so "
            f"{named} cannot be promoted there."
        )
    return found


def _problems(changes: Sequence[Change]) -> list[str]:
    """Why a parameter or a template cannot follow."""
    found = []
    for change in changes:
        if isinstance(change, MoveParameter) and change.seen.problem:
            found.append(f"The parameter {change.seen.name} in {change.region} {change.seen.problem}.")
        if isinstance(change, MoveTemplate) and change.seen.problem:
            found.append(f"The launch template {change.seen.name} in {change.region} {change.seen.problem}.")
    return found
