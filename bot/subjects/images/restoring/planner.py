"""Planning to bring a version back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from slipway.bot.clouds.model import ImageVersion, VersionListing, VersionNumber, VersionState
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.core.errors import UserError
from slipway.bot.core.model import Json
from slipway.bot.core.steps import Draft
from slipway.bot.operations.model import Operation
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.cleaning_up.retention import Rule, retention
from slipway.bot.subjects.images.cleaning_up.settings import RetentionSettings
from slipway.bot.subjects.images.contents.comparing import Contents
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.formatting import join_names, tell_unreadable
from slipway.bot.subjects.images.locked import tell_locked
from slipway.bot.subjects.images.observed import observe_latest
from slipway.bot.subjects.images.restoring.kept import Kept, KeptReader
from slipway.bot.subjects.images.restoring.past import MOST_READ, Before, before, is_under_way
from slipway.bot.subjects.images.restoring.requests import Away, KeptPin, Restore
from slipway.bot.subjects.images.restoring.steps import RestoreVersion
from slipway.bot.subjects.images.versions import latest_by_region, nearest_numbers, newest_latest


class AboutVersions(Protocol):
    """What is asked of :class:`slipway.bot.operations.persistence.repository.OperationRepository`."""

    async def about(self, target: str, limit: int) -> Sequence[Operation]:
        """The newest operations that change this, newest first."""
        ...


@dataclass(frozen=True)
class _Part:
    """The version in one cloud: how it was found, how it stands now, and what it was.

    ``version`` is as its cloud shows it, None where it shows none; ``ours`` says that a run that is under way began
    to bring it back.
    """

    pin: KeptPin
    versions: VersionListing
    version: ImageVersion | None
    kept: Kept
    was: Before
    ours: bool

    @property
    def standing(self) -> str:
        """How it is away; what a run of ours brought back counts as it was agreed on."""
        found = self.kept.find(self.pin.version)
        if self.ours:
            return self.pin.away.value
        return found.away.value if found is not None else "there" if self.version else "gone for good"

    @property
    def may_be_latest(self) -> bool:
        """Whether, coming back as it was, it may be what a launch resolves to until that is taken from it."""
        if self.pin.away is Away.DISABLED or self.was.promoted is False:
            return False
        number = VersionNumber.parse(self.pin.version)
        latest = latest_by_region(each for each in self.versions if each.number != number).values()
        return not latest or any(each.number < number for each in latest)


class RestorePlanner:
    """Plans :class:`.requests.Restore`.

    Args:
        catalogue: reads the galleries.
        kept: reads what can be brought back.
        operations: tell what took it away.
        contents: looks into versions.
        policy: what the next clean-up keeps.
        prefix: of command lines.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        kept: KeptReader,
        operations: AboutVersions,
        contents: Contents,
        policy: RetentionSettings,
        prefix: str = "",
    ) -> None:
        self._prefix = prefix
        self._catalogue = catalogue
        self._kept = kept
        self._operations = operations
        self._contents = contents
        self._policy = policy

    async def plan(self, request: Restore, now: datetime) -> Draft[Restore]:
        """Plan to bring the version back in each cloud that keeps it, as a candidate in each.

        Raises:
            UserError: no such definition, or nothing of that number can be brought back.
            CloudError: a gallery cannot be read.
        """
        pins, lacking = request.pins, list[str]()
        if pins is None:
            pins, lacking = await self._found(request)
        parts = await self._parts(pins)
        observed: dict[str, Json] = {}
        for part in parts:
            observed[f"{part.pin.version} of {part.pin.ref}"] = part.standing
            observed |= observe_latest(
                part.pin.ref, [each for each in part.versions if str(each.number) != part.pin.version]
            )
        where = join_names([str(pin.ref) for pin in pins], shown=len(pins))
        return Draft(
            request=request.model_copy(update={"pins": pins}),
            summary=f"{request.version} of {where} is a candidate again, and latest nowhere.",
            steps=tuple(RestoreVersion(**pin.model_dump()) for pin in pins),
            observed=observed,
            evidence=tuple([row for part in parts for row in await self._rows(part, alone=len(parts) == 1)]),
            warnings=(
                *await self._locked(parts),
                *lacking,
                *(warning for part in parts for warning in self._warnings(part, now)),
            ),
            independent=True,
            needs_approval=" ".join(_caution(part) for part in parts if part.may_be_latest),
        )

    async def _found(self, request: Restore) -> tuple[tuple[KeptPin, ...], list[str]]:
        """Where the version can be brought back, and a sentence for each other cloud that has the definition."""
        definitions = await self._catalogue.namesakes(request.definition)
        listed = await self._catalogue.versions_of(definitions)
        kept = await self._read_kept(listed)
        pins = tuple(found.pin for each in kept.values() if (found := each.find(request.version)) is not None)
        if not pins:
            raise _nothing_to_restore(request, listed, kept)
        there = {pin.ref for pin in pins}
        lacking = [
            _why_not(definition, listed[definition], kept[definition], request.version)
            for definition in definitions
            if definition not in there
        ]
        return pins, lacking

    async def _read_kept(self, listed: Mapping[DefinitionRef, VersionListing]) -> dict[DefinitionRef, Kept]:
        return await side_by_side({ref: self._kept.of(ref, versions) for ref, versions in listed.items()})

    async def _parts(self, pins: Sequence[KeptPin]) -> list[_Part]:
        listed = await self._catalogue.versions_of(pin.ref for pin in pins)
        kept = await self._read_kept(listed)
        parts = []
        for pin in pins:
            about = await self._operations.about(pin.target, MOST_READ)
            versions = listed[pin.ref]
            version = next((each for each in versions if str(each.number) == pin.version), None)
            under_way = is_under_way(pin, about)
            parts.append(_Part(pin, versions, version, kept[pin.ref], before(pin, about), under_way))
        return parts

    async def _rows(self, part: _Part, *, alone: bool) -> list[tuple[str, str]]:
        behind = "" if alone else f" ({part.pin.ref})"
        found = part.kept.find(part.pin.version)
        rows = [("Was", part.was.words)]
        if found is not None:
            rows.append(("Now", found.words))
        if self._contents.configured:
            rows.append(("Inside", await self._inside(part)))
        latest = newest_latest(each for each in part.versions if str(each.number) != part.pin.version)
        rows.append(("Latest", "none" if latest is None else f"stays {latest.number}"))
        return [(f"{label}{behind}", value) for label, value in rows]

    async def _inside(self, part: _Part) -> str:
        """What it holds otherwise than latest; a deleted version shows no tags, so nothing binds a manifest to it."""
        if part.version is None:
            return "unknown as long as it is deleted"
        inside = await self._contents.compare(part.pin.definition, part.version, newest_latest(part.versions))
        return inside.words or f"unknown: {inside.unknown}"

    async def _locked(self, parts: Sequence[_Part]) -> tuple[str, ...]:
        return await tell_locked(self._catalogue, {part.pin.ref: _as_restored(part) for part in parts})

    def _warnings(self, part: _Part, now: datetime) -> list[str]:
        warnings = list(tell_unreadable(part.pin.ref, part.versions))
        number = VersionNumber.parse(part.pin.version)
        back = _as_restored(part)
        others = [each for each in part.versions if each.number != number]
        decided = retention([back, *others], now, self._policy)
        again = next((each.rule for each in decided.deletions if each.version is back), None)
        if again is None and part.pin.away is Away.DELETED and part.was.rule is Rule.END_OF_LIFE:
            again = Rule.END_OF_LIFE
        if again is not None:
            line = f"{self._prefix}hold {part.pin.ref}/{part.pin.version}"
            warnings.append(
                f"The next clean-up takes it away again ({_AGAIN[again]}), unless `{line}` keeps it."
            )
        return warnings


_AGAIN = {
    Rule.END_OF_LIFE: "its life has ended",
    Rule.CANDIDATES: "it is not among the newest candidates",
    Rule.ROLLING: "it is not among the newest of a rolling definition",
    Rule.DISABLED: "it was disabled before",
}


def _as_restored(part: _Part) -> ImageVersion:
    """The version as it will be, as far as that is known: of a deleted one, no dates and no tags are."""
    number = VersionNumber.parse(part.pin.version)
    if part.version is None:
        return ImageVersion(
            part.pin.definition, number, excluded=True, state=VersionState.SUCCEEDED, cloud=part.pin.cloud
        )
    since, ends = part.version.disabled_since, part.version.end_of_life
    return replace(
        part.version,
        excluded=True,
        state=VersionState.SUCCEEDED,
        regions=tuple(replace(region, excluded=None) for region in part.version.regions),
        # What a clean-up disabled it had deprecated right before, and that is taken back with it.
        end_of_life=None if since is not None and ends is not None and ends >= since else ends,
        disabled_since=None,
    )


def _caution(part: _Part) -> str:
    named = f"{part.pin.version} of {part.pin.ref}"
    was = "It was promoted" if part.was.promoted else "Nobody knows here whether it was promoted"
    if_so = "" if part.was.promoted else " if so,"
    return (
        f"{was}, and its cloud brings it back as it was:{if_so} {named} may be latest for some minutes, until it is "
        "taken out of latest again."
    )


def _why_not(definition: DefinitionRef, versions: VersionListing, kept: Kept, number: str) -> str:
    """Why a version of this number cannot be brought back there, as a sentence."""
    found = next((each for each in versions if str(each.number) == number), None)
    if found is not None:
        return (
            f"{number} of {definition} is there, in state {found.state_title}: there is nothing to restore."
        )
    if kept.problem:
        return f"Whether {number} of {definition} can be restored is not known: {kept.problem}"
    return f"{definition} has no version {number} that is disabled, or deleted and still kept by its cloud."


def _nothing_to_restore(
    request: Restore, listed: Mapping[DefinitionRef, VersionListing], kept: Mapping[DefinitionRef, Kept]
) -> UserError:
    """With the numbers that could be brought back, nearest first."""
    sentences = [_why_not(each, listed[each], kept[each], request.version) for each in listed]
    held = {found.number for each in kept.values() for found in each.versions}
    near = nearest_numbers(VersionNumber.parse(request.version), held)
    return UserError(
        " ".join(sentences), nearest=near, given=request.version, hint=f"images {request.definition}"
    )
