"""Planning to revoke a version.

What is agreed to today may be carried out in weeks. So the plan rests on little: that the version is there, and which
regions are left without a latest by it. What is latest by then, and whether somebody took the version back meanwhile,
is no reason not to do it: a step that is done already is told so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from slipway.bot.clouds.model import ImageVersion, VersionListing, VersionState
from slipway.bot.clouds.ports.image_evidence import Outcome
from slipway.bot.core.errors import UserError
from slipway.bot.core.model import Json
from slipway.bot.core.steps import Draft
from slipway.bot.subjects.images.besides import with_besides
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.evidence.steps import RecordVerdict
from slipway.bot.subjects.images.formatting import (
    format_regions,
    join_names,
    latest_changes,
    tell_unreadable,
)
from slipway.bot.subjects.images.locked import tell_locked
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.revoking.requests import Revoke
from slipway.bot.subjects.images.steps import FlagReason, SetExcluded
from slipway.bot.subjects.images.versions import (
    is_promoted,
    latest_by_region,
    promoted_by_region,
    unfit_again,
)


@dataclass(frozen=True)
class _Part:
    """The version in one cloud; ``version`` is None where it has gone since it was planned first.

    ``copied`` are the versions with their copies, as far as they matter for what is latest before and after. What the
    plan rests on goes by the flags: copies come and go.
    """

    definition: DefinitionRef
    versions: VersionListing
    version: ImageVersion | None
    copied: VersionListing

    @property
    def before(self) -> dict[str, ImageVersion]:
        return latest_by_region(self.copied)

    @property
    def after(self) -> dict[str, ImageVersion]:
        return latest_by_region(self._others(self.copied))

    @property
    def bare(self) -> list[str]:
        """The regions that are left without a latest by it."""
        return [region for region in self.before if region not in self.after]

    @property
    def bare_by_flags(self) -> list[str]:
        """Those that are whatever becomes of copies."""
        after = promoted_by_region(self._others(self.versions))
        return [region for region in promoted_by_region(self.versions) if region not in after]

    def _others(self, versions: VersionListing) -> Iterator[ImageVersion]:
        number = None if self.version is None else self.version.number
        return (each for each in versions if each.number != number)


class RevokePlanner:
    """Plans :class:`.requests.Revoke`.

    Args:
        catalogue: reads the galleries.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def plan(self, request: Revoke, now: datetime) -> Draft[Revoke]:
        """Plan to exclude the version in each cloud that has it, and then to call it bad there.

        Raises:
            UserError: no such definition or version, it is promoted nowhere, or something is under way with it.
            CloudError: the gallery cannot be read.
        """
        pins, lacking = request.pins, list[str]()
        if pins is None:
            pins, lacking = await self._found(request)
        parts = await self._parts(pins)
        bare: dict[str, Json] = {
            f"left without a latest in {part.definition}": _names(part.bare_by_flags)
            for part in parts
            if part.bare_by_flags
        }
        changed = {part.definition: part.version for part in parts if part.version is not None}
        besides = (
            await self._catalogue.previews(
                {each: [version] for each, version in changed.items()}, promoted=False
            )
            if request.pins is None
            else {}  # the plan rests on none of it, so that it is not read once more
        )
        draft = Draft(
            request=request.model_copy(update={"pins": pins}),
            summary=f"{request.version} of {join_names([str(pin.ref) for pin in pins], shown=len(pins))} is latest "
            "nowhere any more, and bad.",
            steps=(
                *(SetExcluded(**pin.model_dump(), excluded=True, why=FlagReason.REVOKED) for pin in pins),
                *(_verdict(pin, request) for pin in pins),
            ),
            observed=bare,
            evidence=(
                ("Why", request.words),
                *(row for part in parts for row in _moves(part, alone=len(parts) == 1)),
                *self._catalogue.unseen_changes(part.definition for part in parts),
            ),
            warnings=(
                *await tell_locked(self._catalogue, changed),
                *lacking,
                *(warning for part in parts for warning in _warnings(part, now)),
            ),
            independent=True,
            needs_approval=_caution(parts),
            not_before=request.at,
        )
        return with_besides(draft, besides, rests_on=False)

    async def _found(self, request: Revoke) -> tuple[tuple[Pin, ...], list[str]]:
        """The version in each cloud that has it, and a sentence for each that has the definition without it."""
        definitions = await self._catalogue.namesakes(request.definition)
        found: list[tuple[DefinitionRef, ImageVersion]] = []
        lacking: list[UserError] = []
        for definition, versions in (await self._catalogue.versions_of(definitions)).items():
            try:
                version = self._catalogue.named_version(definition, versions, request.version, is_promoted)
            except UserError as error:
                lacking.append(error)
            else:
                found.append((definition, version))
        if not found:
            raise lacking[0]
        promoted = [(definition, version) for definition, version in found if is_promoted(version)]
        if not promoted:
            where = join_names([str(definition) for definition, _ in found], shown=len(found))
            raise UserError(
                f"{request.version} of {where} is not promoted, so there is nothing to take out of latest; "
                "`bad` keeps it from being promoted.",
                hint=f"bad {request.definition}/{request.version} {request.words}",
            )
        for definition, version in promoted if request.at is None else ():
            _check_state(definition, version)
        pins = tuple(Pin.of(definition, version) for definition, version in found)
        return pins, [error.sentence for error in lacking]

    async def _parts(self, pins: Sequence[Pin]) -> list[_Part]:
        listed = await self._catalogue.versions_of(pin.ref for pin in pins)
        return [await self._part(pin, listed[pin.ref]) for pin in pins]

    async def _part(self, pin: Pin, versions: VersionListing) -> _Part:
        """The part with the copies of what is latest before it and after."""
        version = _one(versions, pin.version)
        now = (await self._catalogue.with_copies({pin.ref: versions}))[pin.ref]
        left = VersionListing(tuple(each for each in now if str(each.number) != pin.version), now.unreadable)
        then = (await self._catalogue.with_copies({pin.ref: left}))[pin.ref]
        taken = [each for each in now if str(each.number) == pin.version]
        return _Part(pin.ref, versions, version, VersionListing((*taken, *then), now.unreadable))


def _one(versions: VersionListing, number: str) -> ImageVersion | None:
    return next((each for each in versions if str(each.number) == number), None)


def _check_state(definition: DefinitionRef, version: ImageVersion) -> None:
    if version.state not in (VersionState.SUCCEEDED, VersionState.FAILED):
        raise UserError(
            f"{version.number} of {definition} is {version.state_title} right now, and cannot be taken out of latest "
            "until that has ended.",
            hint=f"images {definition}",
        )


def _verdict(pin: Pin, request: Revoke) -> RecordVerdict:
    words = f"revoked: {request.words}"
    return RecordVerdict(**pin.model_dump(), outcome=Outcome.FAILED, person=request.person, words=words)


def _names(regions: Sequence[str]) -> list[Json]:
    return [*regions]


def _moves(part: _Part, *, alone: bool) -> list[tuple[str, str]]:
    changes = latest_changes(part.before, part.after)
    if alone:
        return [(f"Latest in {where}" if where else "Latest", move) for where, move in changes]
    return [
        (str(part.definition), "; ".join(f"{move} in {where}" if where else move for where, move in changes))
    ]


def _warnings(part: _Part, now: datetime) -> list[str]:
    warnings = list(tell_unreadable(part.definition, part.versions))
    before, after = part.before, part.after
    taking_over = {
        after[region].number: after[region]
        for region, version in before.items()
        if part.version is not None and version.number == part.version.number and region in after
    }
    warnings += [
        f"{number} takes over in {part.definition}, though it {problem}."
        for number, version in taking_over.items()
        if (problem := unfit_again(version, now))
    ]
    return warnings


def _caution(parts: Sequence[_Part]) -> str:
    bare = [
        f"{part.definition}{f' in {format_regions(part.bare)}' if part.after else ''}"
        for part in parts
        if part.bare
    ]
    if not bare:
        return ""
    return f"{join_names(bare, shown=len(bare))} is left without a latest: launching it by default will fail."
