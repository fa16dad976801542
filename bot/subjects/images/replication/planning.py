"""Planning a promotion that reaches its regions first: copies, waves, and then the flag.

It stands around the planner of promotions, which is shown each candidate as it will be once it is copied; so that
what is chosen, what the card says and what the plan rests on are the same before, while and after copies are made.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import TypeVar

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import Definition, ImageVersion, VersionListing, VersionNumber, VersionState
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS, RegionalReplication
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.core.errors import UserError
from slipway.bot.core.steps import Draft, Step
from slipway.bot.core.text import nearest
from slipway.bot.core.times import format_duration
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.formatting import format_regions, join_names, latest_changes
from slipway.bot.subjects.images.promoting.planner import PromotePlanner
from slipway.bot.subjects.images.reading import Observation
from slipway.bot.subjects.images.replication.owed import in_words, owed_regions, steps_of
from slipway.bot.subjects.images.replication.reach import (
    Debt,
    Reach,
    as_planned,
    failed_copies,
    reach_of,
)
from slipway.bot.subjects.images.replication.settings import ReplicationSettings, settings_for
from slipway.bot.subjects.images.replication.states import copies_in_words
from slipway.bot.subjects.images.replication.steps import (
    AwaitCopies,
    Bake,
    LeaveRegions,
    ReplicateVersion,
)
from slipway.bot.subjects.images.requests import Pin, Promotion
from slipway.bot.subjects.images.steps import FlagReason, SetExcluded
from slipway.bot.subjects.images.versions import latest_by_region, newer_candidates, newest_first

_HALF = (FlagReason.UNDER_WAY, FlagReason.FAILED_HALFWAY)
"""What is promoted already, and whose update is waited for or made again."""

MOST_FAILED = 3
"""So many failed candidates of a definition are asked about, the newest: a request each."""

PromotionT = TypeVar("PromotionT", bound=Promotion)

MakePlanner = Callable[[Catalogue], PromotePlanner]


@dataclass
class PlannedReader:
    """Reads galleries, and shows candidates as they will be once they are where they are wanted.

    Attributes:
        observation: reads them as they are, each thing once.
        wanted: what is configured for a definition; None where nothing is.
        settled: the versions whose copies a plan under way makes, by target.
        waived: regions that are left out.
        left: the regions that versions are to be taken off, by target: waived ones because of which their cloud calls
            them failed.
    """

    observation: Observation
    wanted: Callable[[DefinitionRef], ReplicationSettings | None]
    settled: Mapping[str, Reach]
    waived: Collection[str] = ()
    left: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def of(self, clouds: Clouds) -> PlannedReader:
        """The same: what is seen stays."""
        return self

    async def definitions(self, cloud: str) -> tuple[Definition, ...]:
        """All definitions of one gallery."""
        return await self.observation.definitions(cloud)

    def definition_pages(self, cloud: str) -> AsyncIterator[tuple[Definition, ...]]:
        """The same in pages."""
        return self.observation.definition_pages(cloud)

    async def versions(self, definition: DefinitionRef) -> VersionListing:
        """All versions of one definition, candidates as planned."""
        return (await self.versions_of((definition,)))[definition]

    async def versions_of(self, definitions: Iterable[DefinitionRef]) -> dict[DefinitionRef, VersionListing]:
        """All versions of several definitions, candidates as planned."""
        found = await self.observation.versions_of(definitions)
        if self.waived and not self.settled:
            await side_by_side(
                {each: self._look_at_failed(each, held) for each, held in found.items() if self.wanted(each)}
            )
        return {each: self._planned(each, versions) for each, versions in found.items()}

    async def version(self, definition: DefinitionRef, number: VersionNumber) -> ImageVersion | None:
        """One version with its copies; a candidate as planned."""
        found = await self.observation.version(definition, number)
        return None if found is None else self.as_planned(definition, found)

    def as_planned(self, definition: DefinitionRef, version: ImageVersion) -> ImageVersion:
        """A version as the planner is shown it."""
        return self._as_planned(definition, version, self.wanted(definition))

    def is_begun(self, pin: Pin) -> bool:
        """Whether a version that is planned as if it were promoted nowhere is promoted somewhere."""
        found = self.observation.known(pin.ref, pin.version)
        return found is not None and bool(found.launch_regions) and self.as_planned(pin.ref, found) != found

    def _planned(self, definition: DefinitionRef, versions: VersionListing) -> VersionListing:
        wanted = self.wanted(definition)
        if wanted is None and not self.settled:
            return versions
        shown = tuple(self._as_planned(definition, each, wanted) for each in versions)
        return VersionListing(shown, versions.unreadable)

    async def _look_at_failed(self, definition: DefinitionRef, versions: VersionListing) -> None:
        """Look at the copies of the newest candidates that failed, and note those which may be promoted all the same:
        what failed of them is waived."""
        failed = [each for each in newer_candidates(newest_first(versions)) if _may_leave(each, self.waived)]
        read = await side_by_side(
            {each.number: self.observation.version(definition, each.number) for each in failed[:MOST_FAILED]}
        )
        for version in read.values():
            copies = failed_copies(version) if version is not None else ()
            if version is not None and copies and set(copies) <= set(self.waived):
                self.left[Pin.of(definition, version).target] = copies

    def _as_planned(
        self, definition: DefinitionRef, version: ImageVersion, wanted: ReplicationSettings | None
    ) -> ImageVersion:
        if not version.excluded:
            return version
        target = Pin.of(definition, version).target if self.settled or self.left else ""
        reach, left = self.settled.get(target), self.left.get(target, ())
        if reach is not None:
            return as_planned(version, reach.regions, settled=True, left=reach.left)
        if wanted is None:
            return version
        return as_planned(version, wanted.regions, settled=bool(left), left=left)


class ReachPlanner:
    """Plans promotions of definitions for which ``[replication]`` names regions; all others as they were.

    Args:
        make: makes the planner of promotions for a catalogue.
        catalogue: reads the galleries.
        tables: ``[replication."PATTERN"]``, in the order of slipway.toml.
    """

    def __init__(
        self,
        make: MakePlanner,
        catalogue: Catalogue,
        tables: Mapping[str, ReplicationSettings],
    ) -> None:
        self._make = make
        self._catalogue = catalogue
        self._tables = tables

    async def plan(self, request: PromotionT, now: datetime) -> Draft[PromotionT]:
        """Plan to copy, to promote by waves, and to promote; see the planner of promotions for what else it raises.

        Raises:
            UserError: a region is to be left out that nobody configured.
        """
        self._check_left_out(request)
        if not (self._tables or request.reach or request.debts):
            return await self._make(self._catalogue).plan(request, now)
        actual, observation = self._catalogue.observing()
        reader = PlannedReader(
            observation,
            cache(lambda ref: self._wanted(ref, request.without)),
            settled=request.reach,
            waived=request.without,
        )
        draft = await self._make(actual.by(reader)).plan(
            request, now, lasts=lambda ref: reader.wanted(ref) is not None
        )
        promoted = {
            step.target: step
            for step in draft.steps
            if isinstance(step, SetExcluded) and not step.excluded and step.why not in _HALF
        }
        reach, debts = request.reach, request.debts
        if request.pins is None:
            reach = self._reach(promoted, reader, request.without)
            moving = {step.pin.ref for step in draft.steps if isinstance(step, SetExcluded)}
            debts = await self._debts(request, actual, moving)
        pinned = draft.request.model_copy(update={"reach": reach, "debts": debts})
        # These were listed before, so nobody is asked again.
        listed = await actual.versions_of(step.pin.ref for step in promoted.values())
        return _with_regions(replace(draft, request=pinned), promoted, reader, listed)

    def _check_left_out(self, request: Promotion) -> None:
        known = sorted({region for table in self._tables.values() for region in table.regions})
        for region in request.without if request.pins is None else ():
            if region not in known:
                raise UserError(
                    f"{region} is no region of [replication], so it cannot be left out.",
                    nearest=nearest(region, known),
                    given=region,
                    hint="regions",
                )

    def _wanted(self, definition: DefinitionRef, without: Sequence[str] = ()) -> ReplicationSettings | None:
        """What is configured, less some regions; None where its cloud copies nothing by itself."""
        found = settings_for(definition, self._tables)
        gallery = self._catalogue.clouds.get(IMAGE_VERSIONS, definition.cloud)
        if found is None or not isinstance(gallery, RegionalReplication):
            return None
        left = tuple(region for region in found.regions if region not in without)
        return found.model_copy(update={"regions": left})

    def _reach(
        self, promoted: Mapping[str, SetExcluded], reader: PlannedReader, without: Sequence[str]
    ) -> dict[str, Reach]:
        found: dict[str, Reach] = {}
        for target, step in promoted.items():
            wanted, version = self._wanted(step.pin.ref, without), _find(reader, step.pin)
            left = reader.left.get(target, ())
            reach = None if wanted is None or version is None else reach_of(version, wanted, left)
            if reach is not None:
                found[target] = reach
        return found

    async def _debts(
        self, request: Promotion, actual: Catalogue, moving: Collection[DefinitionRef]
    ) -> tuple[Debt, ...]:
        """What is owed of definitions that were asked for, and of which nothing else is promoted now."""
        about = await actual.listed(request.definition)
        listed = {ref: versions for ref, versions in about.items() if ref not in moving}
        found = []
        for owed in await owed_regions(actual, listed, self._tables):
            regions = [region for region in owed.payable if region not in request.without]
            if regions and request.version in (None, str(owed.version.number)):
                found.append(owed.debt(regions))
        return tuple(found)


def _with_regions(
    draft: Draft[PromotionT],
    promoted: Mapping[str, SetExcluded],
    reader: PlannedReader,
    listed: Mapping[DefinitionRef, VersionListing],
) -> Draft[PromotionT]:
    """The draft with the steps by which its versions get into their regions, and those that are owed."""
    request = draft.request
    ways = [(step, request.reach[target]) for target, step in promoted.items() if target in request.reach]
    begun = [each for each in promoted.values() if reader.is_begun(each.pin)]
    if not (ways or begun or request.debts or request.without):
        return draft
    flat = [
        step for step in draft.steps if not (isinstance(step, SetExcluded) and step.target in request.reach)
    ]
    alone = len(promoted) == 1 and not request.debts
    one = len([each for each in draft.steps if isinstance(each, SetExcluded)]) == 1
    seen = _seen(draft.evidence, begun[0].pin, reader, listed) if one and begun else draft.evidence
    owed = [in_words(debt) for debt in request.debts]
    out = _left_out(request)
    return replace(
        draft,
        summary=" ".join(owed) if owed and not draft.steps else draft.summary,
        steps=(*flat, *_phases(ways, request.debts)),
        evidence=(*seen, *_rows(promoted.values(), request.reach, reader, alone=alone)),
        warnings=(*draft.warnings, *out, *(owed if draft.steps else ())),
        independent=len(draft.steps) + len(request.debts) > 1,
    )


def _left_out(request: Promotion) -> list[str]:
    """What whoever agrees has to know of each region that is left out: that covers its coming later, too."""
    why = f", since {request.why_without}" if request.why_without else ""
    return [
        f"{region} is left out{why}. `regions` lists it then: Slipway goes on trying to copy it there, and it is "
        "latest there once that is complete; nobody is asked again."
        for region in request.without
    ]


def _may_leave(version: ImageVersion, waived: Collection[str]) -> bool:
    """Whether its cloud may call a version failed because of a region that is waived."""
    return version.state is VersionState.FAILED and any(region.name in waived for region in version.regions)


def _find(reader: PlannedReader, pin: Pin) -> ImageVersion | None:
    return reader.observation.known(pin.ref, pin.version)


def _phases(ways: Sequence[tuple[SetExcluded, Reach]], debts: Sequence[Debt]) -> Iterable[Step]:
    """The steps in their order: all copies are begun, then waited for; each wave of all; and then the rest.

    Several definitions go on side by side: one does not wait for the copies of another before its own are begun, and
    a wave of all bakes once.
    """
    for step, here in ways:
        if here.left:
            yield LeaveRegions(**step.pin.model_dump(), regions=here.left)
    copied = [(step.pin.model_dump(), here) for step, here in ways if here.copies]
    owed = [*steps_of(debts)]
    for pin, here in copied:
        yield ReplicateVersion(**pin, regions=here.regions, replicas=here.replicas)
    yield from (step for step in owed if isinstance(step, ReplicateVersion))
    for pin, here in copied:
        yield AwaitCopies(**pin, regions=here.regions, replicas=here.replicas, within=here.within)
    yield from (step for step in owed if isinstance(step, AwaitCopies))
    for place in range(max((len(here.waves) for _, here in ways), default=0)):
        yield from _wave([each for each in ways if place < len(each[1].waves)], place)
    for step, here in ways:
        before = tuple(region for wave in here.waves for region in wave.regions)
        yield step.model_copy(update={"needs": here.regions, "after": before})
    yield from (step for step in owed if isinstance(step, SetExcluded))


def _wave(ways: Sequence[tuple[SetExcluded, Reach]], place: int) -> Iterable[Step]:
    """One wave of all that have so many, and how long it bakes."""
    bakes: dict[str, int] = {}
    for step, here in ways:
        wave = here.waves[place]
        before = tuple(region for each in here.waves[:place] for region in each.regions)
        yield step.model_copy(
            update={"regions": wave.regions, "wave": wave.name, "needs": wave.regions, "after": before}
        )
        bakes[wave.name] = max(wave.bake, bakes.get(wave.name, 0))
    for name, seconds in bakes.items():
        if seconds:
            yield Bake(wave=name, seconds=seconds)


def _seen(
    evidence: Sequence[tuple[str, str]],
    pin: Pin,
    reader: PlannedReader,
    listed: Mapping[DefinitionRef, VersionListing],
) -> Sequence[tuple[str, str]]:
    """What the card says of one version, with what is latest now as it is: it went through some of its waves before,
    and was planned as if it were promoted nowhere."""
    known = reader.observation.known
    actual = [known(pin.ref, str(each.number)) or each for each in listed.get(pin.ref, ())]
    after = [
        replace(reader.as_planned(pin.ref, each), excluded=False) if str(each.number) == pin.version else each
        for each in actual
    ]
    changes = latest_changes(latest_by_region(actual), latest_by_region(after))
    rows = [(f"Latest in {where}" if where else "Latest", move) for where, move in changes]
    return [*rows, *(row for row in evidence if not row[0].startswith("Latest"))]


def _rows(
    promoted: Iterable[SetExcluded], reaches: Mapping[str, Reach], reader: PlannedReader, *, alone: bool
) -> Iterable[tuple[str, str]]:
    """What the card says of copies and waves, and of those that a version went through before."""
    for step in promoted:
        of = "" if alone else f" of {step.pin.ref}"
        reach, version = reaches.get(step.target), _find(reader, step.pin)
        if reach is not None:
            yield from _copies(of, version, reach)
        if version is not None and reader.is_begun(step.pin):
            yield f"Promoted already{of}", format_regions(sorted(version.launch_regions))
        if reach is not None and reach.waves:
            waves = [_wave_in_words(wave.name, wave.regions, wave.bake) for wave in reach.waves]
            yield f"Waves{of}", "; ".join([*waves, "then all others"])


def _copies(of: str, version: ImageVersion | None, reach: Reach) -> Iterable[tuple[str, str]]:
    copies = "" if version is None else copies_in_words(version)
    if reach.copies:
        here = format_regions(sorted(region.name for region in version.regions)) if version else ""
        there = version is not None and all(region.present for region in version.regions)
        now = f", now in {here}" if there else f", now {copies}" if copies else ""
        yield f"Copies{of}", f"to {join_names(reach.regions, len(reach.regions))}{now}"
    elif copies:
        yield f"Copies{of}", copies


def _wave_in_words(name: str, regions: Sequence[str], bake: int) -> str:
    then = f", then {format_duration(timedelta(seconds=bake))}" if bake else ""
    return f"{name}: {format_regions(regions)}{then}"
