"""Planning a rollback: the newest promoted version is taken back, and the one before it is latest again.

Regions may have different latest versions. A rollback takes back one version: the newest that is latest in
any region. Where it was latest, the next older promoted one takes over; a region that never launched it
keeps what it has. Rolling back once more takes back the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from slipway.bot.clouds.model import ImageVersion, VersionListing, VersionState
from slipway.bot.core.errors import UserError
from slipway.bot.core.steps import Draft
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.formatting import (
    format_regions,
    join_names,
    latest_changes,
    tell_unreadable,
)
from slipway.bot.subjects.images.history import RollbackHistory
from slipway.bot.subjects.images.locked import tell_locked
from slipway.bot.subjects.images.observed import observe_latest, observe_unreadable, observe_version
from slipway.bot.subjects.images.requests import Pin, Rollback
from slipway.bot.subjects.images.steps import FlagReason, SetExcluded
from slipway.bot.subjects.images.versions import is_excluded_everywhere, latest_by_region, newest_first, unfit

_CAN_BE_TAKEN_BACK = (VersionState.SUCCEEDED, VersionState.FAILED)
"""A Failed one, too: that is when it must be."""


class RollbackPlanner:
    """Plans :class:`slipway.bot.subjects.images.requests.Rollback`.

    Args:
        catalogue: reads the galleries.
        history: what was rolled back; None where nothing is known of that.
    """

    def __init__(self, catalogue: Catalogue, history: RollbackHistory | None = None) -> None:
        self._catalogue = catalogue
        self._history = history

    async def plan(self, request: Rollback, now: datetime) -> Draft[Rollback]:
        """Plan to exclude the newest promoted version, if a sound one takes over wherever it is latest.

        Raises:
            UserError: no such definition, nothing to roll back to, something is under way with the version, what
                would take over is not Succeeded or has ended, or the pinned version is not latest any more.
            CloudError: the gallery cannot be read.
        """
        definition = await self._catalogue.one(request.definition)
        versions = await self._catalogue.versions(definition)
        before = latest_by_region(versions)
        unfinished = await self._unfinished(request, definition, versions, before)
        if unfinished is not None:
            return _waiting(request, definition, versions, unfinished)
        if not before:
            raise UserError(
                f"{definition} has no latest, so there is nothing to roll back.", hint=f"images {definition}"
            )
        taken = self._taken_back(request, definition, versions, before)
        if taken.state not in _CAN_BE_TAKEN_BACK:
            raise UserError(
                f"{taken.number} of {definition} is {taken.state_title} right now, and cannot be taken back until "
                "that has ended.",
                hint=f"images {definition}",
            )
        after = latest_by_region(each for each in versions if each.number != taken.number)
        successors = _successors(definition, taken, before, after, now)
        pin = Pin.of(definition, taken)
        observed = observe_latest(definition, versions) | observe_version(definition, taken)
        observed |= observe_unreadable(definition, versions)
        for each in successors:
            observed |= observe_version(definition, each)
        return Draft(
            request=request.model_copy(update={"definition": str(definition), "version": pin.version}),
            summary=_summary(definition, taken, before, after),
            steps=(SetExcluded(**pin.model_dump(), excluded=True, why=FlagReason.ROLLED_BACK),),
            observed=observed,
            evidence=(
                *(
                    (f"Latest in {where}" if where else "Latest", move)
                    for where, move in latest_changes(before, after)
                ),
                *self._catalogue.unseen_changes([definition]),
            ),
            warnings=(
                *await tell_locked(self._catalogue, {definition: taken}),
                *tell_unreadable(definition, versions),
                *_warnings(taken, before),
            ),
        )

    async def _unfinished(
        self,
        request: Rollback,
        definition: DefinitionRef,
        versions: VersionListing,
        before: Mapping[str, ImageVersion],
    ) -> ImageVersion | None:
        """The version whose own rollback is under way, to be waited for: taking the next one back, too, is not what
        somebody means whose rollback did not end in time."""
        top = max((each.number for each in before.values()), default=None)
        updating = [
            each
            for each in newest_first(versions)
            if each.state is VersionState.UPDATING
            and is_excluded_everywhere(each)
            and (top is None or each.number > top)
            and request.version in (None, str(each.number))
        ]
        if not updating or self._history is None:
            return None
        back = await self._history.rolled_back([Pin.of(definition, each) for each in updating])
        numbers = {pin.version for pin in back}
        return next((each for each in updating if str(each.number) in numbers), None)

    def _taken_back(
        self,
        request: Rollback,
        definition: DefinitionRef,
        versions: VersionListing,
        before: Mapping[str, ImageVersion],
    ) -> ImageVersion:
        top = newest_first(before.values())[0]
        if request.version is None:
            return top
        pinned = self._catalogue.named_version(
            definition, versions, request.version, lambda each: each.number == top.number
        )
        if is_excluded_everywhere(pinned):
            raise UserError(
                f"{request.version} of {definition} was taken back already.", hint=f"images {definition}"
            )
        if pinned.number != top.number:
            raise UserError(
                f"{request.version} is not the latest of {definition} any more; {top.number} is.",
                hint=f"images {definition}",
            )
        return pinned


def _waiting(
    request: Rollback, definition: DefinitionRef, versions: VersionListing, taken: ImageVersion
) -> Draft[Rollback]:
    """The plan to wait for a rollback that is under way."""
    pin = Pin.of(definition, taken)
    before = latest_by_region(versions)
    return Draft(
        request=request.model_copy(update={"definition": str(definition), "version": pin.version}),
        summary=f"{pin.version} of {definition} is taken back from latest.",
        steps=(SetExcluded(**pin.model_dump(), excluded=True, why=FlagReason.ROLLED_BACK),),
        observed=observe_latest(definition, versions)
        | observe_version(definition, taken)
        | observe_unreadable(definition, versions),
        evidence=tuple(
            (f"Latest in {where}" if where else "Latest", move)
            for where, move in latest_changes(before, before)
        ),
        warnings=(
            f"{pin.version} of {definition} is being taken back right now: this waits for the end of that.",
            *tell_unreadable(definition, versions),
        ),
    )


def _summary(
    definition: DefinitionRef,
    taken: ImageVersion,
    before: Mapping[str, ImageVersion],
    after: Mapping[str, ImageVersion],
) -> str:
    """What is latest again; where it is not the same in all regions, which in which."""
    regions: dict[str, list[str]] = {}
    losing = [region for region, version in before.items() if version.number == taken.number]
    for region in sorted(losing, key=lambda region: after[region].number, reverse=True):
        regions.setdefault(str(after[region].number), []).append(region)
    if len(regions) == 1:
        return f"{next(iter(regions))} is latest of {definition} again."
    each = join_names([f"{number} in {format_regions(where)}" for number, where in regions.items()])
    return f"Latest of {definition} are again {each}."


def _successors(
    definition: DefinitionRef,
    taken: ImageVersion,
    before: Mapping[str, ImageVersion],
    after: Mapping[str, ImageVersion],
    now: datetime,
) -> list[ImageVersion]:
    """The versions that take over, newest first; each must be fit to."""
    hint = f"images {definition}"
    losing = [region for region, version in before.items() if version.number == taken.number]
    bare = [region for region in losing if region not in after]
    if bare:
        where = "" if len(bare) == len(losing) else f" in {format_regions(bare)}"
        raise UserError(
            f"{definition} has no promoted version before {taken.number} to roll back to{where}.", hint=hint
        )
    successors = {after[region].number: after[region] for region in losing}
    for version in successors.values():
        problem = unfit(version, now)
        if problem:
            raise UserError(
                f"{version.number} would be latest of {definition} again, but it {problem}.", hint=hint
            )
    return newest_first(successors.values())


def _warnings(taken: ImageVersion, before: Mapping[str, ImageVersion]) -> tuple[str, ...]:
    warnings = [f"{taken.number} will be promoted again only when somebody names it."]
    spared = [region for region, version in before.items() if version.number != taken.number]
    if spared:
        warnings.append(f"Nothing changes in {format_regions(spared)}, where {taken.number} is not latest.")
    return tuple(warnings)
