"""Planning a promotion: which version becomes latest, and whether it may."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from slipway.bot.clouds.model import ImageVersion, VersionListing
from slipway.bot.core.errors import UserError
from slipway.bot.core.steps import Draft
from slipway.bot.subjects.images.besides import lagging, obstacles, with_besides
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.definitions import DefinitionRef, same_name
from slipway.bot.subjects.images.history import RollbackHistory, Rollbacks
from slipway.bot.subjects.images.holds.choosing import refuse_held, without_held
from slipway.bot.subjects.images.holds.model import HoldReader, Holds, NothingHeld
from slipway.bot.subjects.images.locked import tell_locked
from slipway.bot.subjects.images.promoting.choosing import (
    choices,
    choosable,
    is_done,
    why_not,
)
from slipway.bot.subjects.images.promoting.drafting import Chosen, draft_of
from slipway.bot.subjects.images.promoting.passed_over import newer_passed_over, under_way, why_idle
from slipway.bot.subjects.images.requests import Pin, Promotion
from slipway.bot.subjects.images.rules.gathering import Candidate, Judgement, PromotionRules
from slipway.bot.subjects.images.rules.selecting import (
    Selection,
    not_needed,
    select,
    told,
)
from slipway.bot.subjects.images.versions import (
    is_promoted_everywhere,
    newer_candidates,
)

PromotionT = TypeVar("PromotionT", bound=Promotion)

Options = Mapping[DefinitionRef, Sequence[ImageVersion]]
"""What may be promoted of each definition, in the order of the wish."""


@dataclass(frozen=True)
class _Asked(Generic[PromotionT]):
    """What is asked of which definitions.

    Attributes:
        request: with what it is to avoid.
        found: the versions of the definitions that are meant.
        named: each of them with the number that is meant; None for whichever is to be chosen.
        seen: what those versions have been through that may be chosen; of pinned ones that was checked before.
    """

    request: PromotionT
    found: Mapping[DefinitionRef, VersionListing]
    named: Sequence[tuple[DefinitionRef, str | None]]
    seen: Rollbacks


def _target(definition: DefinitionRef, version: ImageVersion) -> str:
    return Pin.of(definition, version).target


class PromotePlanner:
    """Plans :class:`slipway.bot.subjects.images.requests.Promotion`.

    Args:
        catalogue: reads the galleries.
        history: what was rolled back; None where nothing is known of that.
        holds: what must not be promoted; None where nobody can hold anything.
        rules: what must hold of a version; None where nothing must.
        name: what to call a person by their id.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        history: RollbackHistory | None = None,
        holds: HoldReader | None = None,
        rules: PromotionRules | None = None,
        name: Callable[[str], str] = str,
    ) -> None:
        self._catalogue = catalogue
        self._history = history
        self._holds = holds or NothingHeld()
        self._rules = rules
        self._name = name

    async def plan(
        self,
        request: PromotionT,
        now: datetime,
        *,
        lasts: Callable[[DefinitionRef], bool] = lambda _each: False,
    ) -> Draft[PromotionT]:
        """Plan to promote the version that was named, or the newest candidate of each definition, if it meets its
        rules; or the newest that does.

        A named version may be older than the latest; it is promoted then, and a warning says that launches
        will not choose it. Definitions with nothing to promote give no step.

        Args:
            request: what is asked for.
            now: the present.
            lasts: whether promotions of a definition take long: what one of them promotes already is not planned
                again, since a second one would go on at once where the first waits for a wave to bake.

        Raises:
            UserError: no such definition or version, or the named version must not become latest.
            CloudError: the gallery cannot be read.
        """
        asked = await self._asked(request, lasts)
        holds = await self._holds.read()
        options = await self._all_options(asked, holds, now)
        selection, judged = await self._select(asked, options, holds, now)
        chosen = await self._with_copies(
            [
                Chosen(definition, version, asked.found[definition], judged.get(_target(definition, version)))
                for definition, version in selection.chosen.items()
            ]
        )
        besides = await self._catalogue.previews(
            {each.definition: [each.version] for each in chosen}, promoted=True
        )
        alone = len(asked.found) == 1 or asked.request.pins is not None
        hindered = obstacles(besides, alone=alone)
        chosen = [each for each in chosen if each.definition not in hindered]
        idle = [*self._idle(asked, options, holds, now), *hindered.values()]
        notes = await self._notes(asked, chosen, holds, now)
        # One name that several clouds have is one wish: where only some have something to promote, it says why.
        notes += idle if same_name(asked.found) else [*self._going_on(asked, options), *hindered.values()]
        refused = told(selection.refused)
        draft = draft_of(self._noted(asked, chosen), chosen, idle, refused, notes, self._name)
        unseen = self._catalogue.unseen_changes(each.definition for each in chosen)
        draft = replace(draft, evidence=(*draft.evidence, *unseen))
        return with_besides(draft, {each.definition: besides.get(each.definition) for each in chosen})

    async def _asked(self, request: PromotionT, lasts: Callable[[DefinitionRef], bool]) -> _Asked[PromotionT]:
        """What is asked of which definitions, and what their versions have been through.

        Raises:
            UserError: no such definition, or a pinned version was rolled back after it was chosen.
        """
        if request.pins is not None:
            found = await self._catalogue.versions_of({pin.ref: None for pin in request.pins})
            await self._check_not_taken_back(request, request.pins)
            return _Asked(request, found, tuple((pin.ref, pin.version) for pin in request.pins), Rollbacks())
        found = await self._catalogue.listed(request.definition)
        seen = await self._look_up(request, found)
        if seen.moving:
            slow = {_target(ref, each) for ref, versions in found.items() if lasts(ref) for each in versions}
            moving = {target: operation for target, operation in seen.moving.items() if target in slow}
            seen = replace(seen, moving=moving)
        if request.version is None:
            avoid = tuple(dict.fromkeys((*request.avoid, *seen.back)))
            request = request.model_copy(update={"avoid": avoid})
        named = tuple((definition, request.version) for definition in found)
        return _Asked(request, found, named, seen)

    async def _all_options(self, asked: _Asked[PromotionT], holds: Holds, now: datetime) -> Options:
        """What may be promoted of each definition, in the order of the wish; what is promoted already where not all
        that belongs to that has come after it."""
        options = {
            definition: self._options(asked.request, definition, asked.found[definition], text, (holds, now))
            for definition, text in asked.named
        }
        goes_on = {
            definition
            for definition, may in options.items()
            if under_way(definition, may[:1], None, asked.seen.moving)
        }
        options |= dict.fromkeys(goes_on, ())
        left = [each for each in asked.named if not (options[each[0]] or each[0] in goes_on)]
        return options | await self._behind(asked.found, left, holds, now)

    async def _select(
        self, asked: _Asked[PromotionT], options: Options, holds: Holds, now: datetime
    ) -> tuple[Selection, Mapping[str, Judgement]]:
        """What of the options is promoted, and what the rules say of each.

        Raises:
            UserError: somebody holds what was meant, it does not meet its rules, or a rule is overridden for nothing.
        """
        refuse_held(
            holds, [(definition, version) for definition, may in options.items() for version in may], now
        )
        judged = await self._judge(options, asked, holds, now)
        selection = select(options, judged, asked.request.overridden)
        self._check_refused(asked.request, selection, asked.found)
        if asked.request.pins is None:
            not_needed(judged.values(), asked.request.overridden)
        return selection, judged

    def _idle(
        self, asked: _Asked[PromotionT], options: Options, holds: Holds, now: datetime
    ) -> Sequence[str]:
        """Why nothing is promoted of those definitions that have no options, a sentence each."""
        return [
            under_way(definition, asked.found[definition], text, asked.seen.moving)
            or why_idle(definition, asked.found[definition], text, now, holds)
            for definition, text in asked.named
            if not options[definition]
        ]

    def _going_on(self, asked: _Asked[PromotionT], options: Options) -> list[str]:
        """What an operation promotes between two waves, a sentence for each definition that is asked for."""
        told = [
            under_way(definition, asked.found[definition], text, asked.seen.moving)
            for definition, text in asked.named
            if not options[definition]
        ]
        return [sentence for sentence in told if sentence]

    async def _notes(
        self, asked: _Asked[PromotionT], chosen: Sequence[Chosen], holds: Holds, now: datetime
    ) -> list[str]:
        """Locks that forbid the change, and what is newer and passed over."""
        locked = await tell_locked(self._catalogue, {each.definition: each.version for each in chosen})
        if asked.request.version is not None:
            return [*locked]
        newer = [(each.definition, each.version, each.versions) for each in chosen]
        return [*locked, *newer_passed_over(newer, now, holds)]

    def _noted(self, asked: _Asked[PromotionT], chosen: Sequence[Chosen]) -> PromotionT:
        """The request with how many rollbacks of each chosen version had ended, if it is planned first."""
        if asked.request.pins is not None or self._history is None:
            return asked.request
        noted = {each.pin.target: asked.seen.ended.get(each.pin.target, 0) for each in chosen}
        return asked.request.model_copy(update={"rollbacks": noted})

    def _options(
        self,
        request: Promotion,
        definition: DefinitionRef,
        versions: VersionListing,
        text: str | None,
        when: tuple[Holds, datetime],
    ) -> Sequence[ImageVersion]:
        """What may be promoted of a definition, in the order of the wish, whatever its rules say."""
        holds, now = when
        if text is not None:
            version = self._named(definition, versions, text, now)
            return () if version is None else (version,)
        may = choices(definition, without_held(holds, definition, versions, now), request.avoid, now)
        return may if request.by_rules else may[:1]

    async def _behind(
        self,
        found: Mapping[DefinitionRef, VersionListing],
        named: Sequence[tuple[DefinitionRef, str | None]],
        holds: Holds,
        now: datetime,
    ) -> dict[DefinitionRef, Sequence[ImageVersion]]:
        """What is promoted already where not all that belongs to that has come after it."""
        held = {
            definition: [
                each
                for each in found[definition]
                if text in (None, str(each.number)) and not holds.why_held(Pin.of(definition, each), now)
            ]
            for definition, text in named
        }
        return {each: (version,) for each, version in (await lagging(self._catalogue, held)).items()}

    def _named(
        self, definition: DefinitionRef, versions: VersionListing, text: str, now: datetime
    ) -> ImageVersion | None:
        """The version of this number if it can be promoted; None if it is promoted already."""
        version = self._catalogue.named_version(
            definition,
            versions,
            text,
            lambda each: not (is_done(each) or why_not(each, now)),
        )
        if is_done(version):
            return None
        if problem := why_not(version, now):
            raise UserError(
                f"{text} of {definition} {problem}; it cannot be promoted.", hint=f"images {definition}"
            )
        return version

    async def _with_copies(self, chosen: Sequence[Chosen]) -> list[Chosen]:
        """The same, with how far the copies of each are, and of what is latest now."""
        found = await self._catalogue.with_copies(
            {each.definition: each.versions for each in chosen},
            [(each.definition, each.version) for each in chosen],
        )
        return [
            replace(each, version=now, versions=found[each.definition])
            for each in chosen
            for now in found[each.definition]
            if now.number == each.version.number
        ]

    async def _judge(
        self,
        options: Options,
        asked: _Asked[PromotionT],
        holds: Holds,
        now: datetime,
    ) -> dict[str, Judgement]:
        """What the rules say of the first option of each definition, and of the next where that one breaks any; what
        comes behind one that meets them need not be known. What launches already, and is only updated again, has none
        to meet."""
        if self._rules is None:
            return {}
        left = {
            definition: [
                Candidate(definition, version, asked.found[definition])
                for version in versions
                if not is_promoted_everywhere(version)
            ]
            for definition, versions in options.items()
        }
        overridden = asked.request.overridden
        alone = sum(map(len, left.values())) == 1
        judged: dict[str, Judgement] = {}
        while first := {definition: each[0] for definition, each in left.items() if each}:
            said = await self._rules.judge(
                list(first.values()),
                now,
                overridden,
                holds=holds,
                look_inside=alone,
                sparing=asked.request.by_rules,
            )
            judged |= said
            left = {
                definition: left[definition][1:]
                for definition, candidate in first.items()
                if said[candidate.pin.target].left(overridden)
            }
        return judged

    def _check_refused(
        self,
        request: Promotion,
        selection: Selection,
        found: Mapping[DefinitionRef, VersionListing],
    ) -> None:
        """Refuse where what was meant, and nothing else, does not meet its rules; what is asked for by a pattern, or
        by its rules, is told beside what does.

        Raises:
            UserError: it does not.
        """
        if not selection.refused:
            return
        exact = request.pins is not None or request.version is not None or request.overridden
        alone = not request.by_rules and same_name(found) and not selection.chosen
        if exact or alone:
            first = selection.refused[0]
            raise first.error(chosen=not exact and len(newer_candidates(found[first.definition])) > 1)

    async def _look_up(
        self, request: Promotion, found: Mapping[DefinitionRef, Sequence[ImageVersion]]
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

    async def _check_not_taken_back(self, request: Promotion, pins: Sequence[Pin]) -> None:
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
