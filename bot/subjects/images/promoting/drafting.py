"""The draft of a promotion: its steps, what they rest on, and what its card says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from slipway.bot.clouds.model import ImageVersion, VersionListing, VersionState
from slipway.bot.core.model import Json
from slipway.bot.core.steps import Draft
from slipway.bot.core.times import format_date
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.formatting import (
    format_regions,
    join_names,
    latest_changes,
    tell_unreadable,
)
from slipway.bot.subjects.images.observed import observe_latest, observe_unreadable, observe_version
from slipway.bot.subjects.images.promoting.choosing import avoided, why_half
from slipway.bot.subjects.images.promoting.passed_over import MOST_NAMED
from slipway.bot.subjects.images.replication.states import copies_in_words, tell_copies
from slipway.bot.subjects.images.requests import Pin, Promotion
from slipway.bot.subjects.images.rules.gathering import Judgement
from slipway.bot.subjects.images.rules.selecting import (
    evidence_in_short,
    evidence_rows,
    observe_against,
    warnings_of,
)
from slipway.bot.subjects.images.steps import FlagReason, SetExcluded
from slipway.bot.subjects.images.versions import is_promoted, latest_by_region, newer_candidates

PromotionT = TypeVar("PromotionT", bound=Promotion)

MOST_AVOIDED = 100
"""So many of them are stored with the plan, for being shown: what is promoted is decided by the pins."""


@dataclass(frozen=True)
class Chosen:
    """A version that is to be promoted, among its definition's versions."""

    definition: DefinitionRef
    version: ImageVersion
    versions: VersionListing
    judged: Judgement | None = None

    @cached_property
    def pin(self) -> Pin:
        """The version."""
        return Pin.of(self.definition, self.version)

    @cached_property
    def before(self) -> dict[str, ImageVersion]:
        """What is latest now, by region."""
        return latest_by_region(self.versions)

    @cached_property
    def after(self) -> dict[str, ImageVersion]:
        """What is latest then, by region."""
        open_regions = tuple(replace(region, excluded=None) for region in self.version.regions)
        promoted = replace(self.version, excluded=False, regions=open_regions)
        others = (held for held in self.versions if held.number != promoted.number)
        return latest_by_region((promoted, *others))


def _why(chosen: Chosen, request: Promotion) -> FlagReason:
    half = why_half(chosen.version)
    if half is not None:
        return half
    if request.version is not None:
        return FlagReason.NAMED
    if is_promoted(chosen.version):
        return FlagReason.LAGGING
    if request.by_rules:  # the same whatever comes newer meanwhile
        return FlagReason.DUE
    passed_over = _passed_over(chosen, request)
    return FlagReason.NEWEST_NOT_ROLLED_BACK if passed_over else FlagReason.NEWEST_CANDIDATE


def draft_of(
    request: PromotionT,
    chosen: Sequence[Chosen],
    idle: Sequence[str],
    refused: Sequence[str],
    notes: Sequence[str],
    name: Callable[[str], str],
) -> Draft[PromotionT]:
    """The draft of a promotion.

    Args:
        request: what was asked for; the draft's holds what was chosen of it.
        chosen: what is promoted, of each definition one.
        idle: why there is nothing to promote, a sentence for each definition.
        refused: what does not meet its rules, as warnings are told.
        notes: what is to be known beside what the versions themselves tell.
        name: what to call a person by their id.
    """
    passed_over = {each.definition: _passed_over(each, request) for each in chosen}
    pinned = request.model_copy(update={"pins": tuple(each.pin for each in chosen)})
    if request.pins is None:
        # What else is to be avoided can never be chosen with these pins, and can be thousands of versions.
        avoid = [Pin.of(definition, each) for definition, over in passed_over.items() for each in over]
        published = {each.pin.target: at for each in chosen if (at := each.version.published_at) is not None}
        against = {each.pin.target: each.judged.against for each in chosen if each.judged is not None}
        pinned = pinned.model_copy(
            update={"avoid": tuple(avoid[:MOST_AVOIDED]), "published": published, "against": against}
        )
    if not chosen:
        return Draft(pinned, _nothing(idle, refused), (), {}, warnings=tuple(refused))
    steps = tuple(
        SetExcluded(
            **each.pin.model_dump(),
            excluded=False,
            why=_why(each, request),
            rollbacks=None if request.rollbacks is None else request.rollbacks.get(each.pin.target),
            overridden=request.overridden,
            published=pinned.published.get(each.pin.target),
            against=pinned.against.get(each.pin.target),
        )
        for each in chosen
    )
    observed: dict[str, Json] = {}
    evidence: list[tuple[str, str]] = []
    warnings = [*notes, *refused]
    for each in chosen:
        observed |= (
            observe_version(each.definition, each.version)
            | observe_latest(each.definition, each.versions)
            | observe_unreadable(each.definition, each.versions)
        )
        evidence += _evidence(each, name, alone=len(chosen) == 1)
        warnings += _warnings(each)
        if each.judged is not None:
            observed |= observe_against(each.judged)
            warnings += warnings_of(each.judged, request.overridden)
        if request.version is None:
            warnings += _warnings_of(passed_over[each.definition], each.definition)
    return Draft(
        request=pinned,
        summary=f"{_summary(chosen)}{request.in_spite}",
        steps=steps,
        observed=observed,
        evidence=tuple(evidence),
        warnings=tuple(warnings),
        independent=len(chosen) > 1,
    )


def _nothing(idle: Sequence[str], refused: Sequence[str]) -> str:
    """That nothing is promoted, and why: in a sentence, and in short for versions that do not meet their rules."""
    if len(idle) == 1 and not refused:
        return f"Nothing to promote: {idle[0]}"
    if refused:
        in_short = (each.partition("\n")[0] for each in refused)
        return "\n".join(("Nothing to promote: no candidate meets its rules.", *in_short))
    return f"Nothing to promote: None of {len(idle)} definitions has a candidate to promote."


def _passed_over(chosen: Chosen, request: Promotion) -> list[ImageVersion]:
    """Newer versions that would have been chosen, had they not been rolled back; newest first."""
    is_avoided = avoided(request.avoid)
    return [
        each
        for each in newer_candidates(chosen.versions)
        if each.number > chosen.version.number and is_avoided(chosen.definition, each)
    ]


def _warnings_of(passed_over: Sequence[ImageVersion], definition: DefinitionRef) -> list[str]:
    named = [
        f"{each.number} of {definition} is newer, and is passed over because it was rolled back."
        for each in passed_over[:MOST_NAMED]
    ]
    more = len(passed_over) - len(named)
    return [*named, f"So are {more} more of {definition}."] if more > 0 else named


def _summary(chosen: Sequence[Chosen]) -> str:
    if len(chosen) > 1:
        return f"{len(chosen)} definitions have a newly promoted version."
    (each,) = chosen
    if _becomes_latest(each):
        return f"{each.version.number} is latest of {each.definition}."
    return f"{each.version.number} of {each.definition} is promoted, and its latest stays as it is."


def _becomes_latest(each: Chosen) -> bool:
    return any(version.number == each.version.number for version in each.after.values())


def _evidence(each: Chosen, name: Callable[[str], str], *, alone: bool) -> list[tuple[str, str]]:
    changes = latest_changes(each.before, each.after)
    if not alone:
        moves = "; ".join(f"{move} in {where}" if where else move for where, move in changes)
        known = evidence_in_short(each.judged.facts.evidence.counting) if each.judged is not None else ""
        return [(str(each.definition), f"{moves}; {known}" if known else moves)]
    rows = [(f"Latest in {where}" if where else "Latest", move) for where, move in changes]
    if copies := copies_in_words(each.version):
        rows.append(("Replicated", copies))
    rows.append(("Published", format_date(each.version.published_at)))
    rows.append(("End of life", format_date(each.version.end_of_life)))
    return [*rows, *(evidence_rows(each.judged, name) if each.judged is not None else ())]


def _warnings(each: Chosen) -> list[str]:
    before, after = each.before, each.after
    here = {region.name for region in each.version.regions}
    number, definition = each.version.number, each.definition
    warnings = [*tell_unreadable(definition, each.versions)]
    warnings += tell_copies(f"{number} of {definition}", each.version)
    match why_half(each.version):
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
    newer = [region for region in here & before.keys() if after[region].number > number]
    if newer:
        where = "" if len(newer) == len(here) else f" in {format_regions(newer)}"
        top = join_names(sorted({str(after[region].number) for region in newer}))
        warnings.append(f"{number} is older than the latest of {definition}{where}, which stays {top}.")
    missing = sorted(before.keys() - here)
    if missing:
        warnings.append(f"{number} of {definition} is not in {format_regions(missing)}; latest stays there.")
    return warnings
