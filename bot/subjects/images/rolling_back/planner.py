"""Planning a rollback: promoted versions are taken back, and an older one is latest again.

Regions may have different latest versions. Without a target, a rollback takes back one version: the newest that is
latest in any region. Where it was latest, the next older promoted one takes over; a region that never launched it
keeps what it has. Rolling back once more takes back the next one. To a version, it takes back all that is newer, so
that this version is latest wherever it is.

A name that several clouds have is rolled back in each of them, or in none where one of them cannot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from slipway.bot.clouds.model import ImageVersion, VersionListing, VersionNumber, VersionState
from slipway.bot.core.errors import UserError
from slipway.bot.core.model import Json
from slipway.bot.core.steps import Draft
from slipway.bot.subjects.images.besides import with_besides
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.formatting import (
    format_regions,
)
from slipway.bot.subjects.images.history import RollbackHistory
from slipway.bot.subjects.images.locked import tell_locked
from slipway.bot.subjects.images.observed import observe_latest, observe_unreadable, observe_version
from slipway.bot.subjects.images.requests import Pin, Rollback
from slipway.bot.subjects.images.rolling_back.part import Part, losing_regions, without
from slipway.bot.subjects.images.rolling_back.telling import (
    all_the_same,
    moves_of,
    nothing_there,
    nothing_to_do,
    revoke_line,
    summary_of,
    warnings_of,
)
from slipway.bot.subjects.images.steps import FlagReason, SetExcluded
from slipway.bot.subjects.images.versions import (
    is_excluded_everywhere,
    is_promoted,
    is_promoted_everywhere,
    latest_by_region,
    newest_first,
    unfit_again,
)

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
        """Plan to exclude what is to be taken back, if a sound version takes over wherever it is latest.

        Raises:
            UserError: no such definition or version, nothing to roll back to, something is under way with a version,
                what would take over is not Succeeded or has ended, or the pinned version is not latest any more.
            CloudError: the gallery cannot be read.
        """
        definitions = (
            await self._catalogue.namesakes(request.definition)
            if request.pins is None
            else tuple(
                dict.fromkeys(pin.ref for pin in request.pins)
            )  # no other cloud has a say in it any more
        )
        listed = await self._catalogue.versions_of(definitions)
        parts = [await self._part(request, each, versions, now) for each, versions in listed.items()]
        return await self._draft(request, [await self._copied(part) for part in parts])

    async def _copied(self, part: Part) -> Part:
        """The part with the copies of what is latest before it and after.

        Raises:
            UserError: nothing would launch in a region where something does now, since what takes over is not there.
        """
        if not part.taken:
            return part
        definition = part.definition
        now = (await self._catalogue.with_copies({definition: part.versions}))[definition]
        left = VersionListing(tuple(without(now, part.taken)), now.unreadable)
        then = (await self._catalogue.with_copies({definition: left}))[definition]
        taken = [each for each in now if any(each.number == other.number for other in part.taken)]
        copied = VersionListing(tuple(newest_first([*taken, *then])), now.unreadable)
        found = replace(part, copied=copied)
        bare = [region for region in found.before if region not in found.after]
        if bare:
            raise UserError(nothing_there(found, bare), hint=revoke_line(part))
        return found

    async def _part(
        self, request: Rollback, definition: DefinitionRef, versions: VersionListing, now: datetime
    ) -> Part:
        waiting = await self._under_way(definition, versions)
        if request.to is not None:
            return _to_target(
                definition, versions, self._target(request.to, definition, versions), waiting, now
            )
        pinned = _pinned(request, definition)
        before = latest_by_region(versions)
        top = max((each.number for each in before.values()), default=None)
        unfinished = next(
            (
                each
                for each in waiting
                if (top is None or each.number > top) and pinned in (None, str(each.number))
            ),
            None,
        )
        if unfinished is not None:
            return Part(definition, versions, (unfinished,), (unfinished,))
        goes_on = len(request.pins or ()) > 1 or bool(request.protects)
        if pinned is not None and goes_on and _is_taken_back(versions, pinned):
            return Part(
                definition, versions, ()
            )  # another cloud's part is left, or to protect what is latest again
        if not before:
            raise UserError(
                f"{definition} has no latest, so there is nothing to roll back.", hint=f"images {definition}"
            )
        taken = self._taken_back(pinned, definition, versions, before)
        return _checked(Part(definition, versions, (taken,)), now)

    async def _under_way(
        self, definition: DefinitionRef, versions: VersionListing
    ) -> tuple[ImageVersion, ...]:
        """Those whose own rollback is under way, newest first, to be waited for: taking the next one back, too, is
        not what somebody means whose rollback did not end in time."""
        updating = [
            each
            for each in newest_first(versions)
            if each.state is VersionState.UPDATING and is_excluded_everywhere(each)
        ]
        if not updating or self._history is None:
            return ()
        back = await self._history.rolled_back([Pin.of(definition, each) for each in updating])
        numbers = {pin.version for pin in back}
        return tuple(each for each in updating if str(each.number) in numbers)

    def _taken_back(
        self,
        pinned: str | None,
        definition: DefinitionRef,
        versions: VersionListing,
        before: Mapping[str, ImageVersion],
    ) -> ImageVersion:
        top = newest_first(before.values())[0]
        if pinned is None:
            return top
        found = self._catalogue.named_version(
            definition, versions, pinned, lambda each: each.number == top.number
        )
        if is_excluded_everywhere(found):
            raise UserError(f"{pinned} of {definition} was taken back already.", hint=f"images {definition}")
        if found.number != top.number:
            raise UserError(
                f"{pinned} is not the latest of {definition} any more; {top.number} is.",
                hint=f"images {definition}",
            )
        return found

    def _target(self, to: str, definition: DefinitionRef, versions: VersionListing) -> ImageVersion:
        """The version that is to be latest again.

        Raises:
            UserError: there is none such, it is not promoted in all its regions, or something newer cannot be read.
        """
        target = self._catalogue.named_version(definition, versions, to, is_promoted_everywhere)
        if not is_promoted_everywhere(target):
            raise UserError(
                f"{to} of {definition} is not promoted{' everywhere' if is_promoted(target) else ''}, so taking back "
                "what is newer would not make it latest.",
                hint=f"promote {definition}/{to}",
            )
        odd = [each for each in versions.unreadable if _may_be_newer(each.name, target.number)]
        if odd:
            raise UserError(
                f"{odd[0]} in {definition}: whether {to} would be latest is not known, so nothing is taken back.",
                hint=f"images {definition}",
            )
        return target

    async def _draft(self, request: Rollback, parts: Sequence[Part]) -> Draft[Rollback]:
        definition = str(parts[0].definition) if len(parts) == 1 else request.definition
        pins = tuple(pin for part in parts for pin in part.pins)
        stored_before = request.version is not None
        pinned = request.model_copy(
            update={"definition": definition, "pins": None if stored_before else request.pins or pins}
        )
        active = [part for part in parts if part.taken]
        if not active:
            return Draft(pinned, nothing_to_do(request, parts), (), {})
        locked = [
            await tell_locked(self._catalogue, {part.definition: each})
            for part in active
            for each in part.taken
            if each not in part.waiting
        ]
        besides = await self._catalogue.previews(
            {part.definition: [each for each in part.taken if each not in part.waiting] for part in active},
            promoted=False,
        )
        draft = Draft(
            request=pinned,
            summary=" ".join(summary_of(part) for part in active),
            steps=tuple(_step(request, part, each) for part in active for each in part.taken),
            observed={name: fact for part in active for name, fact in _observed(part).items()},
            evidence=(
                *(row for part in active for row in moves_of(part, alone=len(active) == 1)),
                *self._catalogue.unseen_changes(
                    part.definition for part in active if part.taken != part.waiting
                ),
            ),
            warnings=(
                *dict.fromkeys(told for each in locked for told in each),
                *(
                    warning
                    for part in active
                    for warning in warnings_of(part, marked=bool(request.person), alone=len(active) == 1)
                ),
            ),
            # What is newer than the target goes oldest first, and one that stays is no reason to go on.
            independent=len(active) > 1 and all(len(part.taken) == 1 for part in active),
        )
        return with_besides(draft, besides)


def _pinned(request: Rollback, definition: DefinitionRef) -> str | None:
    """The version that was found when this was planned first; None where it is planned first."""
    if request.pins is None:
        return request.version
    return next((pin.version for pin in request.pins if pin.ref == definition), None)


def _is_taken_back(versions: Sequence[ImageVersion], number: str) -> bool:
    return any(str(each.number) == number and is_excluded_everywhere(each) for each in versions)


def _may_be_newer(name: str, number: VersionNumber) -> bool:
    try:
        return VersionNumber.parse(name) > number
    except ValueError:
        return False  # what has no number is latest nowhere


def _to_target(
    definition: DefinitionRef,
    versions: VersionListing,
    target: ImageVersion,
    under_way: Sequence[ImageVersion],
    now: datetime,
) -> Part:
    """All that is newer than a promoted version is taken back."""
    waiting = tuple(each for each in under_way if each.number > target.number)
    newer = [each for each in versions if each.number > target.number and is_promoted(each)]
    taken = tuple(reversed(newest_first([*newer, *waiting])))
    return _checked(Part(definition, versions, taken, waiting), now, target)


def _checked(part: Part, now: datetime, target: ImageVersion | None = None) -> Part:
    """The part with what takes over, each of which is fit to.

    Raises:
        UserError: something is under way with what is to be taken back, or nothing fit takes over somewhere.
    """
    hint = f"images {part.definition}"
    for each in part.taken:
        if each.state not in _CAN_BE_TAKEN_BACK and each not in part.waiting:
            raise UserError(
                f"{each.number} of {part.definition} is {each.state_title} right now, and cannot be taken back until "
                "that has ended.",
                hint=hint,
            )
    losing, after = losing_regions(part), part.after  # by the flags: nobody looked at copies yet
    bare = [region for region in losing if region not in after]
    if bare:
        where = "" if len(bare) == len(losing) else f" in {format_regions(bare)}"
        first = part.taken[-1].number if target is None else part.taken[0].number
        sentence = f"{part.definition} has no promoted version before {first} to roll back to{where}"
        if target is not None:
            raise UserError(f"{sentence}.", hint=hint)
        raise UserError(f"{sentence}{all_the_same(part)}", hint=revoke_line(part))
    successors = {after[region].number: after[region] for region in losing}
    if target is not None and part.taken:
        successors[target.number] = target
    for version in successors.values():
        problem = unfit_again(version, now)
        if problem:
            raise UserError(
                f"{version.number} would be latest of {part.definition} again, but it {problem}.", hint=hint
            )
    return Part(
        part.definition, part.versions, part.taken, part.waiting, tuple(newest_first(successors.values()))
    )


def _step(request: Rollback, part: Part, version: ImageVersion) -> SetExcluded:
    why = FlagReason.ROLLED_BACK if request.to is None else FlagReason.NEWER_THAN_TARGET
    return SetExcluded(
        **Pin.of(part.definition, version).model_dump(), excluded=True, why=why, person=request.person
    )


def _observed(part: Part) -> dict[str, Json]:
    """The facts that the part rests on. With several steps, latest is none of them: each of these may move it."""
    facts = observe_unreadable(part.definition, part.versions)
    if len(part.taken) == 1:
        facts |= observe_latest(part.definition, part.versions)
    for each in (*part.taken, *part.successors):
        facts |= observe_version(part.definition, each)
    return facts
