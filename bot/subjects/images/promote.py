"""Planning a promotion: which version becomes latest, and whether it may."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from slipway.bot.clouds.model import ImageVersion, VersionListing, VersionState
from slipway.bot.core.errors import UserError
from slipway.bot.core.model import Json
from slipway.bot.core.steps import Draft
from slipway.bot.core.times import format_date
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.formatting import (
    format_regions,
    join_names,
    latest_changes,
    tell_unreadable,
)
from slipway.bot.subjects.images.history import RollbackHistory, Rollbacks
from slipway.bot.subjects.images.locked import tell_locked
from slipway.bot.subjects.images.observed import observe_latest, observe_unreadable, observe_version
from slipway.bot.subjects.images.requests import Pin, Promote
from slipway.bot.subjects.images.steps import FlagReason, SetExcluded
from slipway.bot.subjects.images.versions import (
    has_ended,
    is_half_promoted,
    is_promoted,
    is_promoted_everywhere,
    latest_by_region,
    newer_candidates,
    newest_candidate,
    newest_first,
    newest_latest,
    unfit,
)

MOST_NAMED = 3
"""So many versions of a definition that are passed over are named; more are counted."""

MOST_AVOIDED = 100
"""So many of them are stored with the plan, for being shown: what is promoted is decided by the pins."""


@dataclass(frozen=True)
class _Chosen:
    """A version that is to be promoted, among its definition's versions."""

    definition: DefinitionRef
    version: ImageVersion
    versions: VersionListing

    @property
    def pin(self) -> Pin:
        return Pin.of(self.definition, self.version)


class PromotePlanner:
    """Plans :class:`slipway.bot.subjects.images.requests.Promote`.

    Args:
        catalogue: reads the galleries.
        history: what was rolled back; None where nothing is known of that.
    """

    def __init__(self, catalogue: Catalogue, history: RollbackHistory | None = None) -> None:
        self._catalogue = catalogue
        self._history = history

    async def plan(self, request: Promote, now: datetime) -> Draft[Promote]:
        """Plan to promote the version that was named, or the newest candidate of each definition.

        A named version may be older than the latest; it is promoted then, and a warning says that launches
        will not choose it. Definitions with nothing to promote give no step.

        Raises:
            UserError: no such definition or version, or the named version must not become latest.
            CloudError: the gallery cannot be read.
        """
        seen = Rollbacks()
        if request.pins is not None:
            found = await self._catalogue.versions_of({pin.ref: None for pin in request.pins})
            named: list[tuple[DefinitionRef, str | None]] = [(pin.ref, pin.version) for pin in request.pins]
            await self._check_not_taken_back(request, request.pins)
        else:
            found = await self._catalogue.versions_of(await self._catalogue.matching(request.definition))
            named = [(definition, request.version) for definition in found]
            seen = await self._look_up(request, found)
            if request.version is None:
                avoid = tuple(dict.fromkeys((*request.avoid, *seen.back)))
                request = request.model_copy(update={"avoid": avoid})
        chosen: list[_Chosen] = []
        idle: list[str] = []
        for definition, text in named:
            versions = found[definition]
            version = (
                choose(definition, versions, request.avoid, now)
                if text is None
                else self._named(definition, versions, text, now)
            )
            if version is None:
                idle.append(_why_idle(definition, versions, text, now))
            else:
                chosen.append(_Chosen(definition, version, versions))
        if request.pins is None and self._history is not None:
            noted = {each.pin.target: seen.ended.get(each.pin.target, 0) for each in chosen}
            request = request.model_copy(update={"rollbacks": noted})
        locked = await tell_locked(self._catalogue, {each.definition: each.version for each in chosen})
        unfinished = _newer_and_unfit(chosen, now) if request.version is None else []
        draft = _draft(request, chosen, idle, [*locked, *unfinished])
        unseen = self._catalogue.unseen_changes(each.definition for each in chosen)
        return replace(draft, evidence=(*draft.evidence, *unseen))

    def _named(
        self, definition: DefinitionRef, versions: VersionListing, text: str, now: datetime
    ) -> ImageVersion | None:
        """The version of this number if it can be promoted; None if it is promoted already."""
        version = self._catalogue.named_version(
            definition,
            versions,
            text,
            lambda each: not (_is_done(each) or _why_not(each, now)),
        )
        if _is_done(version):
            return None
        if problem := _why_not(version, now):
            raise UserError(
                f"{text} of {definition} {problem}; it cannot be promoted.", hint=f"images {definition}"
            )
        return version

    async def _look_up(
        self, request: Promote, found: Mapping[DefinitionRef, Sequence[ImageVersion]]
    ) -> Rollbacks:
        """What those versions have been through that the request may choose."""
        if self._history is None:
            return Rollbacks()
        pins: list[Pin] = []
        for definition, versions in found.items():
            if request.version is None:
                may = choosable(versions)
            else:
                may = [each for each in versions if str(each.number) == request.version]
            pins += [Pin.of(definition, each) for each in may]
        return await self._history.look_up(pins)

    async def _check_not_taken_back(self, request: Promote, pins: Sequence[Pin]) -> None:
        """Refuse what was rolled back after it was chosen.

        Raises:
            UserError: one of the versions was.
        """
        if self._history is None:
            return
        for pin in pins:
            noted = None if request.rollbacks is None else request.rollbacks.get(pin.target)
            if await self._history.taken_back_since(pin, noted, named=request.version is not None):
                raise UserError(
                    f"{pin.version} of {pin.ref} was rolled back after this was planned; it is promoted again only "
                    "when somebody names it.",
                    hint=f"images {pin.ref}",
                )


def _is_done(version: ImageVersion) -> bool:
    """Whether there is nothing left to promote."""
    return version.state is VersionState.SUCCEEDED and is_promoted_everywhere(version)


def _why_not(version: ImageVersion, now: datetime) -> str | None:
    """Why a version that somebody names must not be promoted, as the rest of a sentence; None where it may."""
    half = is_half_promoted(version) and not has_ended(version, now)
    return None if half else unfit(version, now)


def _avoided(back: Collection[Pin]) -> Callable[[DefinitionRef, ImageVersion], bool]:
    """Tells whether a version was rolled back, and so is not chosen by itself."""
    targets = {pin.target for pin in back}
    return lambda definition, version: (
        bool(targets) and Pin.of(definition, version).target in targets and not is_promoted(version)
    )


def choose(
    definition: DefinitionRef, versions: Sequence[ImageVersion], back: Collection[Pin], now: datetime
) -> ImageVersion | None:
    """What promoting without naming a version chooses; None where there is nothing to promote.

    The newest candidate that was not rolled back; where there is none, the latest whose own promotion has not ended,
    or not well.

    Args:
        definition: of which it is to be one.
        versions: what the definition has.
        back: what was rolled back, and not promoted since: at least of :func:`choosable`.
        now: the present.
    """
    avoided = _avoided(back)
    versions = [each for each in versions if not avoided(definition, each)]
    candidate = newest_candidate(versions, now)
    top = newest_latest(versions)
    if candidate is None and top is not None and is_half_promoted(top) and not has_ended(top, now):
        return top
    return candidate


def choosable(versions: Sequence[ImageVersion]) -> list[ImageVersion]:
    """Those that :func:`choose` may choose, had none been rolled back."""
    return [*newer_candidates(versions), *filter(is_half_promoted, versions)]


def _why_half(version: ImageVersion) -> FlagReason | None:
    """What is to be done for a version that is promoted, and whose update has not ended, or not well."""
    if not is_half_promoted(version):
        return None
    return FlagReason.UNDER_WAY if version.state is VersionState.UPDATING else FlagReason.FAILED_HALFWAY


def _why(chosen: _Chosen, request: Promote) -> FlagReason:
    half = _why_half(chosen.version)
    if half is not None:
        return half
    if request.version is not None:
        return FlagReason.NAMED
    passed_over = _passed_over(chosen, request)
    return FlagReason.NEWEST_NOT_ROLLED_BACK if passed_over else FlagReason.NEWEST_CANDIDATE


def _why_idle(definition: DefinitionRef, versions: VersionListing, text: str | None, now: datetime) -> str:
    if text is not None:
        return f"{text} of {definition} is promoted already."
    if definition.problem:
        return f"{definition} {definition.problem}."
    odd = "".join(f" {sentence}" for sentence in tell_unreadable(definition, versions))
    if not versions:
        return f"{definition} has no versions {'that can be read' if odd else 'yet'}.{odd}"
    top = newest_latest(versions)
    than = f"newer than its latest, {top.number}" if top else "at all"
    if top and top.state is not VersionState.SUCCEEDED:
        than += f", which is {top.state_title}"
    passed = [
        f"{each.number} {unfit(each, now) or 'was rolled back (name it to promote it again)'}"
        for each in newer_candidates(versions)[:3]
    ]
    if passed:
        return f"{definition} has no candidate fit to be promoted: {join_names(passed)}.{odd}"
    return f"{definition} has no candidate {than}.{odd}"


def _draft(
    request: Promote, chosen: Sequence[_Chosen], idle: Sequence[str], notes: Sequence[str]
) -> Draft[Promote]:
    passed_over = {each.definition: _passed_over(each, request) for each in chosen}
    pinned = request.model_copy(update={"pins": tuple(each.pin for each in chosen)})
    if request.pins is None:
        # What else is to be avoided can never be chosen with these pins, and can be thousands of versions.
        avoid = [Pin.of(definition, each) for definition, over in passed_over.items() for each in over]
        pinned = pinned.model_copy(update={"avoid": tuple(avoid[:MOST_AVOIDED])})
    if not chosen:
        summary = (
            idle[0] if len(idle) == 1 else f"None of {len(idle)} definitions has a candidate to promote."
        )
        return Draft(pinned, f"Nothing to promote: {summary}", (), {})
    steps = tuple(
        SetExcluded(
            **each.pin.model_dump(),
            excluded=False,
            why=_why(each, request),
            rollbacks=None if request.rollbacks is None else request.rollbacks.get(each.pin.target),
        )
        for each in chosen
    )
    observed: dict[str, Json] = {}
    evidence: list[tuple[str, str]] = []
    warnings = list(notes)
    for each in chosen:
        observed |= (
            observe_version(each.definition, each.version)
            | observe_latest(each.definition, each.versions)
            | observe_unreadable(each.definition, each.versions)
        )
        evidence += _evidence(each, alone=len(chosen) == 1)
        warnings += _warnings(each)
        if request.version is None:
            warnings += _warnings_of(passed_over[each.definition], each.definition)
    return Draft(
        request=pinned,
        summary=_summary(chosen),
        steps=steps,
        observed=observed,
        evidence=tuple(evidence),
        warnings=tuple(warnings),
        independent=len(chosen) > 1,
    )


def _passed_over(chosen: _Chosen, request: Promote) -> list[ImageVersion]:
    """Newer versions that would have been chosen, had they not been rolled back; newest first."""
    avoided = _avoided(request.avoid)
    return [
        each
        for each in newer_candidates(chosen.versions)
        if each.number > chosen.version.number and avoided(chosen.definition, each)
    ]


def _warnings_of(passed_over: Sequence[ImageVersion], definition: DefinitionRef) -> list[str]:
    named = [
        f"{each.number} of {definition} is newer, and is passed over because it was rolled back."
        for each in passed_over[:MOST_NAMED]
    ]
    more = len(passed_over) - len(named)
    return [*named, f"So are {more} more of {definition}."] if more > 0 else named


def _newer_and_unfit(chosen: Sequence[_Chosen], now: datetime) -> list[str]:
    """What is newer than what was chosen, and was passed over for its state or its end of life: a sentence for each
    definition, so that nobody takes a version for the newest while a newer one is under way."""
    sentences = []
    for each in chosen:
        passed = [
            f"{newer.number} {why}"
            for newer in newer_candidates(each.versions)
            if newer.number > each.version.number and (why := unfit(newer, now))
        ]
        if passed:
            sentences.append(
                f"Newer in {each.definition}, and passed over: {join_names(passed, MOST_NAMED)}."
            )
    return sentences


def _summary(chosen: Sequence[_Chosen]) -> str:
    if len(chosen) > 1:
        return f"{len(chosen)} definitions have a newly promoted version."
    (each,) = chosen
    if _becomes_latest(each):
        return f"{each.version.number} is latest of {each.definition}."
    return f"{each.version.number} of {each.definition} is promoted, and its latest stays as it is."


def _after(each: _Chosen) -> list[ImageVersion]:
    """The definition's versions as they will be."""
    open_regions = tuple(replace(region, excluded=None) for region in each.version.regions)
    promoted = replace(each.version, excluded=False, regions=open_regions)
    return newest_first([promoted, *(held for held in each.versions if held.number != promoted.number)])


def _becomes_latest(each: _Chosen) -> bool:
    after = latest_by_region(_after(each))
    return any(version.number == each.version.number for version in after.values())


def _evidence(each: _Chosen, *, alone: bool) -> list[tuple[str, str]]:
    changes = latest_changes(latest_by_region(each.versions), latest_by_region(_after(each)))
    if not alone:
        moves = "; ".join(f"{move} in {where}" if where else move for where, move in changes)
        return [(str(each.definition), moves)]
    rows = [(f"Latest in {where}" if where else "Latest", move) for where, move in changes]
    rows.append(("Published", format_date(each.version.published_at)))
    rows.append(("End of life", format_date(each.version.end_of_life)))
    return rows


def _warnings(each: _Chosen) -> list[str]:
    before, after = latest_by_region(each.versions), latest_by_region(_after(each))
    here = {region.name for region in each.version.regions}
    number, definition = each.version.number, each.definition
    warnings = [*tell_unreadable(definition, each.versions)]
    match _why_half(each.version):
        case FlagReason.UNDER_WAY:
            warnings.append(
                f"{number} of {definition} is being updated right now: this waits for the end of that."
            )
        case FlagReason.FAILED_HALFWAY:
            warnings.append(f"{number} of {definition} is Failed: its update is made again.")
    others = {held.number: held for held in before.values() if held.number != number}
    warnings += [
        f"{held.number}, a latest of {definition}, is {held.state_title} right now."
        for held in others.values()
        if held.state is not VersionState.SUCCEEDED
    ]
    newer = [region for region in here & before.keys() if after[region].number != number]
    if newer:
        where = "" if len(newer) == len(here) else f" in {format_regions(newer)}"
        top = join_names(sorted({str(after[region].number) for region in newer}))
        warnings.append(f"{number} is older than the latest of {definition}{where}, which stays {top}.")
    missing = sorted(before.keys() - here)
    if missing:
        warnings.append(f"{number} of {definition} is not in {format_regions(missing)}; latest stays there.")
    return warnings
