"""Planning to adopt foreign changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from slipway.bot.clouds.model import ImageVersion, VersionListing
from slipway.bot.clouds.ports.image_evidence import Evidence
from slipway.bot.core.errors import UserError
from slipway.bot.core.model import Json
from slipway.bot.core.steps import Draft
from slipway.bot.core.text import nearest
from slipway.bot.subjects.images.adopting.model import ForeignChange, Stage, images, meant
from slipway.bot.subjects.images.adopting.requests import Adopt, ChangeId
from slipway.bot.subjects.images.adopting.steps import AdoptChange
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.evidence.standing import standing
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.observed import observe_version
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.watching.change import Aspect, SeenVersion, holds, how_it_is, in_words, seen

MOST_NAMED = 3
"""So many changes a sentence names."""

_CHANGES_NOTHING = "It stays as it is: adopting changes nothing in a cloud."


class KeptChanges(Protocol):
    """What is asked of :class:`.store.ForeignChangeStore`."""

    async def every(self) -> tuple[ForeignChange, ...]:
        """All that are kept."""
        ...

    async def find(self, change: ChangeId) -> ForeignChange | None:
        """One of them."""
        ...


class KnownEvidence(Protocol):
    """What is asked of :class:`slipway.bot.subjects.images.evidence.store.EvidenceStore`."""

    async def of(self, versions: Collection[Pin]) -> Mapping[str, Sequence[Evidence]]:
        """What is known of versions, by target."""
        ...


class AdoptPlanner:
    """Plans :class:`.requests.Adopt`.

    Args:
        catalogue: reads the galleries.
        changes: what others changed.
        evidence: tells what is called bad.
        name: what to call a person by their id.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        changes: KeptChanges,
        evidence: KnownEvidence,
        name: Callable[[str], str],
    ) -> None:
        self._catalogue = catalogue
        self._changes = changes
        self._evidence = evidence
        self._name = name

    async def plan(self, request: Adopt, now: datetime) -> Draft[Adopt]:
        """Plan to note that each change that is meant is right.

        Raises:
            UserError: no such change is open, or a version is not as it left it any more.
            CloudError: the gallery cannot be read.
        """
        found = await self._found(request)
        wanted = tuple(each for each in found if each.open)
        ids = tuple(
            ChangeId(cloud=each.cloud, definition=each.definition, notice=each.notice, number=each.number)
            for each in wanted
        )
        pinned = request.model_copy(update={"changes": ids if request.changes is None else request.changes})
        if not wanted:
            return Draft(pinned, f"{self._ended(found[-1])}.", (), {})
        observed = await self._as_it_is(wanted)
        who = self._name(request.person)
        return Draft(
            request=pinned,
            summary=f"{_listed(wanted)}, outside of Slipway; that is right, by the word of {who} ({request.words}).",
            steps=tuple(
                AdoptChange(
                    **each.pin.model_dump(),
                    notice=each.notice,
                    number=each.number,
                    change=each.change,
                    seen_at=each.seen_at,
                    person=request.person,
                    words=request.words,
                )
                for each in wanted
            ),
            observed=observed,
            evidence=(
                *(("Changed", each.line) for each in wanted[:MOST_NAMED] if each.authorship.authors),
                ("Seen", f"{wanted[-1].seen_at:%Y-%m-%d %H:%M} UTC"),
                ("Why", request.words),
            ),
            warnings=(*await self._called_bad(wanted), _CHANGES_NOTHING),
            independent=True,
        )

    async def _found(self, request: Adopt) -> tuple[ForeignChange, ...]:
        """What is meant, of which something may be open.

        Raises:
            UserError: nothing that could be adopted is meant.
        """
        if request.changes is not None:
            pinned = [await self._changes.find(each) for each in request.changes]
            found = tuple(each for each in pinned if each is not None)
            if not found:
                raise UserError("What was to be adopted is not known any more.", hint="problems")
            return found
        kept = await self._changes.every()
        found = meant(kept, request.definition, request.version, request.notice)
        if any(each.open for each in found) or (found and found[-1].stage is Stage.ADOPTED):
            return found
        raise self._nothing(request, found, kept)

    def _nothing(
        self, request: Adopt, found: Sequence[ForeignChange], kept: Sequence[ForeignChange]
    ) -> UserError:
        """With what there is to adopt, nearest first."""
        image = request.definition if request.version is None else f"{request.definition}/{request.version}"
        why = f" {self._ended(found[-1])}." if found else ""
        there = tuple(each for each in kept if each.open)
        here = meant(there, request.definition, request.version, None)
        among = images(here or there)
        what = join_names([each.words for each in here or there], MOST_NAMED, of="change") if there else ""
        rest = (
            f" To adopt there is: {what}." if what else " No change made outside of Slipway waits for that."
        )
        return UserError(
            f"There is nothing to adopt of {image}.{why}{rest}",
            nearest=nearest(image, among) or among[:MOST_NAMED],
            given=image,
            hint="problems",
        )

    def _ended(self, change: ForeignChange) -> str:
        """What became of a change, as a sentence without its full stop."""
        when = "" if change.ended_at is None else f" on {change.ended_at:%Y-%m-%d %H:%M} UTC"
        if change.stage is Stage.ADOPTED:
            return f"That {change.words} was adopted by {self._name(change.person)}{when}: {change.reason}"
        return f"That {change.words} is not so any more: it was put right, or changed again, until{when[3:]}"

    async def _as_it_is(self, wanted: Sequence[ForeignChange]) -> dict[str, Json]:
        """How the versions are, as facts.

        Raises:
            UserError: one of them is not as the change left it.
        """
        listed = await self._catalogue.versions_of({each.ref for each in wanted})
        observed: dict[str, Json] = {}
        for each in wanted:
            version = _named(listed[each.ref], each.change.version)
            unreadable = any(odd.name == each.change.version for odd in listed[each.ref].unreadable)
            now = None if version is None else seen(version)
            if unreadable or not holds(each.change, now):
                raise _changed_again(each, now, unreadable=unreadable)
            named = f"{each.change.version} of {each.ref}"
            observed |= {named: "not there"} if version is None else observe_version(each.ref, version)
        return observed

    async def _called_bad(self, wanted: Sequence[ForeignChange]) -> list[str]:
        """A sentence for each version that was promoted though somebody calls it bad."""
        promoted = [each for each in wanted if each.change.aspect is Aspect.PROMOTED]
        recorded = await self._evidence.of([each.pin for each in promoted]) if promoted else {}
        warnings = []
        for each in promoted:
            bad = standing(recorded.get(each.pin.target, ())).bad
            if bad is not None:
                by = self._name(bad.source)
                warnings.append(
                    f"{each.change.version} of {each.ref} is bad by the word of {by} ({bad.summary}), and stays so: "
                    "`good` takes that back."
                )
        return warnings


def _named(versions: VersionListing, number: str) -> ImageVersion | None:
    return next((each for each in versions if str(each.number) == number), None)


def _changed_again(change: ForeignChange, now: SeenVersion | None, *, unreadable: bool) -> UserError:
    stands = "cannot be read" if unreadable else how_it_is(change.change.aspect, now)
    named = f"{change.change.version} of {change.ref}"
    return UserError(
        f"{named} {in_words(change.change)}, and changed again since: now it {stands}. Nothing is adopted.",
        hint=f"images {change.ref}",
    )


def _listed(wanted: Sequence[ForeignChange]) -> str:
    return join_names([each.words for each in wanted], MOST_NAMED, of="change")
