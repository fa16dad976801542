"""Planning a clean-up: retention decided definition by definition, one step a version that goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from slipway.bot.clouds.model import ImageVersion, Lock, VersionListing
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.model import Json
from slipway.bot.core.steps import Draft
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.formatting import join_names, tell_unreadable
from slipway.bot.subjects.images.lock_reading import LockReading
from slipway.bot.subjects.images.observed import observe_deletion
from slipway.bot.subjects.images.requests import Cleanup, Pin
from slipway.bot.subjects.images.retention import Deletion, KeepReason, Retention, Rule, retention
from slipway.bot.subjects.images.settings import RetentionSettings
from slipway.bot.subjects.images.steps import DeleteVersion
from slipway.bot.subjects.images.versions import in_unknown_state, is_promoted, latest_by_region, under_way

_RULE_LABELS = {
    Rule.END_OF_LIFE: "Past end of life",
    Rule.CANDIDATES: "Older candidates",
    Rule.ROLLING: "Older rolling versions",
}


@dataclass(frozen=True)
class _Chosen:
    """A version that goes, and its definition."""

    definition: DefinitionRef
    deletion: Deletion

    @property
    def version(self) -> ImageVersion:
        return self.deletion.version

    @property
    def pin(self) -> Pin:
        return Pin.of(self.definition, self.version)


class CleanupPlanner:
    """Plans :class:`slipway.bot.subjects.images.requests.Cleanup`."""

    def __init__(self, catalogue: Catalogue, policy: RetentionSettings) -> None:
        self._catalogue = catalogue
        self._policy = policy

    async def plan(self, request: Cleanup, now: datetime) -> Draft[Cleanup]:
        """Plan to delete what retention chooses; a pinned request only deletes what is still chosen of it.

        Costs one listing of the definitions, one of each definition's versions and, where anything would go, one of
        each cloud's locks. Where a listing of versions fails the whole plan fails: a part of the truth deletes
        nothing. A definition that lists no versions, or something that cannot be read, is told.

        Raises:
            UserError: no such definition.
            CloudError: the gallery cannot be read, or none of the definitions that had versions when this was
                agreed on lists any now (UNEXPECTED_ANSWER).
        """
        early: dict[DefinitionRef, Retention] = {}

        def decide_early(definition: DefinitionRef, versions: VersionListing) -> None:
            """While other listings are on their way there is time for it."""
            if versions:
                early[definition] = self._retention(definition, versions, now)
                if early[definition].deletions:
                    reading.begin(definition.cloud)

        async with self._catalogue.lock_reading() as reading:
            listed = await self._listed(request, decide_early)
            found = {definition: versions for definition, versions in listed.items() if versions}
            if not found:
                return _nothing_listed(request, listed)
            decided, notes = await self._decide(found, early, reading, now)
        pinned = None if request.pins is None else {pin.target for pin in request.pins}
        chosen = [
            _Chosen(definition, each)
            for definition, result in decided.items()
            for each in reversed(result.deletions)  # oldest first: what is missed least goes first
        ]
        going = [each for each in chosen if pinned is None or each.pin.target in pinned]
        left_alone = [sentence for each, versions in listed.items() for sentence in _odd(each, versions)]
        return self._draft(request, going, found, decided, (*left_alone, *_unsettled(listed), *notes))

    async def _decide(
        self,
        found: Mapping[DefinitionRef, VersionListing],
        early: Mapping[DefinitionRef, Retention],
        reading: LockReading,
        now: datetime,
    ) -> tuple[dict[DefinitionRef, Retention], list[str]]:
        """What retention says of each definition, with the locks of the clouds in which something would go; and a
        sentence for each cloud whose locks are not known. ``early`` has what was decided while listings arrived."""
        decided = {
            # The words may need the cloud's name, which was not known early.
            definition: early[definition]
            if definition in early and not definition.qualified
            else self._retention(definition, versions, now)
            for definition, versions in found.items()
        }
        going = [definition for definition, result in decided.items() if result.deletions]
        notes: list[str] = []
        for cloud, locks in (await reading.locks(each.cloud for each in going)).items():
            if isinstance(locks, CloudError):
                notes.append(f"Which locks forbid to delete something is not known: {locks.sentence}")
            elif locks:
                here = [each for each in going if each.cloud == cloud]
                decided.update({each: self._retention(each, found[each], now, locks) for each in here})
        return decided, notes

    def _retention(
        self, definition: DefinitionRef, listing: VersionListing, now: datetime, locks: Collection[Lock] = ()
    ) -> Retention:
        odd, title = bool(listing.unreadable), str(definition)
        return retention(listing.versions, now, self._policy, title=title, in_doubt=odd, locks=locks)

    async def _listed(
        self, request: Cleanup, each: Callable[[DefinitionRef, VersionListing], None]
    ) -> dict[DefinitionRef, VersionListing]:
        """The versions of every definition that the request is about; ``each`` is shown them as they come, where they
        are all."""
        if request.pins is not None:
            return await self._catalogue.versions_of(dict.fromkeys(pin.ref for pin in request.pins))
        if request.definition is None:
            return await self._catalogue.everything(each)
        return await self._catalogue.versions_of(await self._catalogue.matching(request.definition))

    def _draft(
        self,
        request: Cleanup,
        going: Sequence[_Chosen],
        found: Mapping[DefinitionRef, Sequence[ImageVersion]],
        decided: Mapping[DefinitionRef, Retention],
        notes: Sequence[str],
    ) -> Draft[Cleanup]:
        pins = tuple(each.pin for each in going)
        total = sum(len(versions) for versions in found.values())
        caution = request.caution or self._caution(going, found)
        request = request.model_copy(update={"pins": pins, "caution": caution})
        notes = (*notes, *_kept_though_due(decided))
        if not going:
            where = next(iter(found)) if len(found) == 1 else f"{len(found)} definitions"
            summary = f"Nothing to clean up: retention keeps all {total} versions of {where}."
            return Draft(request, " ".join((summary, *notes)), (), {})
        touched = list(dict.fromkeys(each.definition for each in going))
        observed: dict[str, Json] = {}
        latest = {
            id(version) for definition in touched for version in latest_by_region(found[definition]).values()
        }
        for each in going:
            observed |= observe_deletion(each.definition, each.version, latest=id(each.version) in latest)
        what = "1 version" if len(going) == 1 else f"{len(going)} versions"
        return Draft(
            request=request,
            summary=f"{what} of {join_names([str(each) for each in touched], of='definition')} deleted.",
            steps=tuple(self._step(each) for each in going),
            observed=observed,
            evidence=self._evidence(going, decided, total),
            warnings=(
                *notes,
                *(warning for definition in touched for warning in decided[definition].warnings),
            ),
            independent=True,
            needs_approval=caution,
        )

    def _step(self, chosen: _Chosen) -> DeleteVersion:
        deletion = chosen.deletion
        limits = {Rule.CANDIDATES: self._policy.keep_candidates, Rule.ROLLING: self._policy.keep_rolling}
        return DeleteVersion(
            definition=chosen.definition.name,
            version=str(chosen.version.number),
            cloud=chosen.definition.cloud,
            qualified=chosen.definition.qualified,
            rule=deletion.rule,
            promoted=is_promoted(deletion.version),
            end_of_life=deletion.version.end_of_life if deletion.rule is Rule.END_OF_LIFE else None,
            limit=limits.get(deletion.rule),
        )

    def _evidence(
        self, going: Sequence[_Chosen], decided: Mapping[DefinitionRef, Retention], total: int
    ) -> tuple[tuple[str, str], ...]:
        counts = {rule: sum(each.deletion.rule is rule for each in going) for rule in Rule}
        rows = [(_RULE_LABELS[rule], str(count)) for rule, count in counts.items() if count]
        due = sum(each.due_by is not None for result in decided.values() for each in result.kept)
        kept = f"{total - len(going)}, of which {due} though due" if due else str(total - len(going))
        return (*rows, ("Kept", kept))

    def _caution(
        self, going: Sequence[_Chosen], found: Mapping[DefinitionRef, Sequence[ImageVersion]]
    ) -> str:
        """A sentence where more than the configured share of any definition goes; empty elsewhere."""
        counts = Counter(each.definition for each in going)
        large = [
            f"{definition} ({count} of {len(found[definition])})"
            for definition, count in counts.items()
            if count > self._policy.approval_share * len(found[definition])
        ]
        if not large:
            return ""
        return f"More than {self._policy.approval_share:.0%} would go of {join_names(large)}."


def _nothing_listed(request: Cleanup, listed: Mapping[DefinitionRef, VersionListing]) -> Draft[Cleanup]:
    """Where not one version can be read: nothing to do, unless there were some when this was agreed on.

    Raises:
        CloudError: then; so many that vanished at once are no ground for calling it done.
    """
    empty = [each for each, versions in listed.items() if not versions.unreadable and not each.problem]
    sentence = f"{join_names([str(each) for each in empty])} lists no versions at all" if empty else ""
    if request.pins:
        raise CloudError(
            CloudErrorKind.UNEXPECTED_ANSWER,
            cloud=next(iter(listed)).cloud,
            sentence=f"{sentence or 'Nothing can be read'}, which is no ground for a clean-up; nothing is deleted.",
        )
    odd = [told for each, versions in listed.items() for told in _odd(each, versions) if each not in empty]
    told = " ".join((*([f"{sentence}."] if sentence else []), *odd))
    return Draft(request.model_copy(update={"pins": ()}), f"Nothing to clean up: {told}", (), {})


def _odd(definition: DefinitionRef, versions: VersionListing) -> tuple[str, ...]:
    """What people must know of a definition's listing, a sentence each."""
    if definition.problem:
        return (f"{definition} {definition.problem}; it is left alone.",)
    if not versions and not versions.unreadable:
        return (f"{definition} lists no versions, and is left alone.",)
    return tell_unreadable(definition, versions)


def _unsettled(listed: Mapping[DefinitionRef, VersionListing]) -> Iterator[str]:
    """A sentence where something is under way with any version, and one where any is in a state that is not known;
    none where neither is so."""
    for why, chosen in (
        ("Under way, and so left alone", under_way),
        ("In a state that Slipway does not know, and so left alone", in_unknown_state),
    ):
        named = [
            f"{each.number} of {definition} ({each.state_title})"
            for definition, versions in listed.items()
            for each in chosen(versions)
        ]
        if named:
            yield f"{why}: {join_names(named)}."


def _kept_though_due(decided: Mapping[DefinitionRef, Retention]) -> tuple[str, ...]:
    """What a rule would have removed, and something else keeps: a sentence for each rule and reason."""
    groups: dict[tuple[Rule, KeepReason], list[str]] = {}
    for definition, result in decided.items():
        for each in result.kept:
            if each.due_by is not None:
                named = f"{each.version.number} of {definition}"
                groups.setdefault((each.due_by, each.why), []).append(named)
    return tuple(
        f"Kept, though due ({_RULE_LABELS[rule].lower()}): {join_names(named)}: {why.value}."
        for (rule, why), named in groups.items()
    )
