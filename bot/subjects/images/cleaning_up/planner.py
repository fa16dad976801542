"""Planning a clean-up: retention decided definition by definition, one step a version that goes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from slipway.bot.clouds.model import ImageVersion, Lock, VersionListing
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.model import Json
from slipway.bot.core.steps import Draft
from slipway.bot.core.times import system_clock
from slipway.bot.subjects.images.announcing.model import (
    NO_ANNOUNCEMENTS,
    AnnouncementReader,
    NothingAnnounced,
)
from slipway.bot.subjects.images.announcing.planning import (
    Chosen,
    Staged,
    sort,
    tell_waiting,
    versions_by_definition,
    waiting_evidence,
)
from slipway.bot.subjects.images.announcing.planning import summary as announced_summary
from slipway.bot.subjects.images.announcing.steps import AnnounceRemoval, ForgetAnnouncement
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.cleaning_up.caution import caution, last_promoted
from slipway.bot.subjects.images.cleaning_up.retention import Retention, Rule, retention
from slipway.bot.subjects.images.cleaning_up.settings import RetentionSettings
from slipway.bot.subjects.images.cleaning_up.way_back import way_back
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.early_reading import EarlyReading, Locks
from slipway.bot.subjects.images.formatting import join_names, tell_unreadable
from slipway.bot.subjects.images.holds.model import HoldReader, NothingHeld
from slipway.bot.subjects.images.observed import observe_deletion
from slipway.bot.subjects.images.requests import Cleanup, Pin
from slipway.bot.subjects.images.steps import DeleteVersion, DisableVersion, LiftProtection, RemovalStep
from slipway.bot.subjects.images.usage.model import NOTHING_USED, Usage
from slipway.bot.subjects.images.usage.reading import UsageReader
from slipway.bot.subjects.images.versions import in_unknown_state, is_promoted, latest_by_region, under_way

_RULE_LABELS = {
    Rule.END_OF_LIFE: "Past end of life",
    Rule.CANDIDATES: "Older candidates",
    Rule.ROLLING: "Older rolling versions",
    Rule.DISABLED: "Disabled before",
}


class CleanupPlanner:
    """Plans :class:`slipway.bot.subjects.images.requests.Cleanup`."""

    def __init__(
        self,
        catalogue: Catalogue,
        policy: RetentionSettings,
        holds: HoldReader | None = None,
        usage: UsageReader | None = None,
        announcements: AnnouncementReader | None = None,
        prefix: str = "",
    ) -> None:
        self._prefix = prefix
        self._announcements = announcements or NothingAnnounced()
        self._catalogue = catalogue
        self._policy = policy
        self._holds = holds or NothingHeld()
        self._usage = usage or UsageReader(catalogue.clouds, policy.spare_launched_within, system_clock)

    async def plan(self, request: Cleanup, now: datetime) -> Draft[Cleanup]:
        """Plan to delete what retention chooses; a pinned request only deletes what is still chosen of it.

        Where what goes is announced first, plan to announce what is not yet, and to delete what was announced so long
        ago; announcing alone changes nothing in a cloud, and so nobody has to agree to it.

        Costs one listing of the definitions, one of each definition's versions and, where anything would go, those of
        each cloud's locks and of what uses its versions. Where a listing of versions fails the whole plan fails: a
        part of the truth deletes nothing. A definition that lists no versions, or something that cannot be read, is
        told.

        Raises:
            UserError: no such definition.
            CloudError: the gallery cannot be read, or none of the definitions that had versions when this was
                agreed on lists any now (UNEXPECTED_ANSWER).
        """
        catalogue, _ = self._catalogue.observing()
        usage = self._usage.by(catalogue.clouds)
        once = CleanupPlanner(catalogue, self._policy, self._holds, usage, self._announcements, self._prefix)
        return await once._plan(request, now)

    async def _plan(self, request: Cleanup, now: datetime) -> Draft[Cleanup]:
        """By a catalogue that looks at each thing once."""
        early: dict[DefinitionRef, Retention] = {}
        await self._holds.read()

        def decide_early(definition: DefinitionRef, versions: VersionListing) -> None:
            """While other listings are on their way there is time for it."""
            if versions:
                early[definition] = self._retention(definition, versions, now)
                if early[definition].deletions:
                    locks.begin(definition.cloud)
                    usage.begin(definition.cloud)

        async with self._catalogue.lock_reading() as locks, EarlyReading(self._usage.read) as usage:
            listed = await self._listed(request, decide_early)
            found = {definition: versions for definition, versions in listed.items() if versions}
            if not found:
                return _nothing_listed(request, listed)
            found = await self._with_copies(found, early, now)
            decided, notes = await self._decide(found, early, locks, usage, now)
        announce = self._policy.announce
        announcements = NO_ANNOUNCEMENTS if announce is None else await self._announcements.read()
        staged = sort(decided, announcements, announce, now).of(request)
        left_alone = [sentence for each, versions in listed.items() for sentence in _odd(each, versions)]
        draft = self._draft(request, staged, found, decided, (*left_alone, *_unsettled(listed), *notes))
        back = await way_back(self._catalogue, self._policy, draft.steps, self._prefix)
        return replace(draft, summary=f"{draft.summary}{back}")

    async def _with_copies(
        self,
        found: Mapping[DefinitionRef, VersionListing],
        early: dict[DefinitionRef, Retention],
        now: datetime,
    ) -> dict[DefinitionRef, VersionListing]:
        """The same, with the copies of what is latest where something promoted would go: where the newest one is not
        there yet, or failed, an older one launches, and stays."""
        asked = {
            definition: versions
            for definition, versions in found.items()
            if any(
                is_promoted(each.version)
                for each in (early.get(definition) or self._retention(definition, versions, now)).deletions
            )
        }
        for definition in asked:
            early.pop(definition, None)
        return {**found, **await self._catalogue.with_copies(asked)}

    async def _decide(
        self,
        found: Mapping[DefinitionRef, VersionListing],
        early: Mapping[DefinitionRef, Retention],
        reading_locks: EarlyReading[Locks],
        reading_usage: EarlyReading[Usage],
        now: datetime,
    ) -> tuple[dict[DefinitionRef, Retention], list[str]]:
        """What retention says of each definition, with the locks and the uses in the clouds in which something would
        go; and a sentence for each cloud where these are not known. ``early`` has what was decided while listings
        arrived."""
        decided = {
            # The words may need the cloud's name, which was not known early.
            definition: early[definition]
            if definition in early and not definition.qualified
            else self._retention(definition, versions, now)
            for definition, versions in found.items()
        }
        going = [definition for definition, result in decided.items() if result.deletions]
        clouds = tuple(dict.fromkeys(each.cloud for each in going))
        locked, used = await reading_locks.of(clouds), await reading_usage.of(clouds)
        notes: list[str] = []
        for cloud in clouds:
            locks, usage = locked[cloud], used[cloud]
            if isinstance(locks, CloudError):
                notes.append(f"Which locks forbid to delete something is not known: {locks.sentence}")
                locks = ()
            if usage.problem:
                notes.append(f"What is in use is not known, so everything is kept: {usage.problem}")
            if locks or usage != NOTHING_USED:
                here = [each for each in going if each.cloud == cloud]
                decided.update({each: self._retention(each, found[each], now, locks, usage) for each in here})
        return decided, notes

    def _retention(
        self,
        definition: DefinitionRef,
        listing: VersionListing,
        now: datetime,
        locks: Collection[Lock] = (),
        usage: Usage = NOTHING_USED,
    ) -> Retention:
        holds = self._holds.known

        def held(version: ImageVersion) -> bool:
            return bool(holds.on(Pin.of(definition, version), now))

        return retention(
            listing.versions,
            now,
            self._policy,
            title=str(definition),
            in_doubt=bool(listing.unreadable),
            locks=locks,
            held=held,
            usage=usage,
        )

    async def _listed(
        self, request: Cleanup, each: Callable[[DefinitionRef, VersionListing], None]
    ) -> dict[DefinitionRef, VersionListing]:
        """The versions of every definition that the request is about; ``each`` is shown them as they come."""
        if request.found is not None:
            return await self._catalogue.versions_of(dict.fromkeys(pin.ref for pin in request.found))
        return await self._catalogue.listed(request.definition, each)

    def _draft(
        self,
        request: Cleanup,
        staged: Staged,
        found: Mapping[DefinitionRef, Sequence[ImageVersion]],
        decided: Mapping[DefinitionRef, Retention],
        notes: Sequence[str],
    ) -> Draft[Cleanup]:
        announce, going = self._policy.announce, staged.going
        total = sum(len(versions) for versions in found.values())
        by_definition = versions_by_definition(going)
        cautious = request.caution or caution(by_definition, found, self._policy.max_share)
        request = request.model_copy(
            update={
                "pins": tuple(each.pin for each in going),
                "announced": tuple(each.pin for each in staged.announcing),
                "forgotten": tuple(each.pin for each in staged.forgotten),
                "caution": cautious,
                "published": _published(going) if request.pins is None else request.published,
            }
        )
        notes = (*notes, *_kept_though_due(decided))
        if not (going or staged.announcing or staged.forgotten):
            where = next(iter(found)) if len(found) == 1 else f"{len(found)} definitions"
            keeps = f"retention keeps all {total} versions of {where}"
            summary = f"Nothing to clean up{' now' if staged.waiting else f': {keeps}'}."
            return Draft(
                request, " ".join((summary, *tell_waiting(staged.waiting, announce), *notes)), (), {}
            )
        touched = list(by_definition)
        observed: dict[str, Json] = {}
        latest = {
            id(version) for definition in touched for version in latest_by_region(found[definition]).values()
        }
        for each in going:
            version = each.deletion.version
            observed |= observe_deletion(each.definition, version, latest=id(version) in latest)
        steps = tuple(step for each in going for step in self._steps(each, request))
        due = versions_by_definition((*going, *staged.announcing))
        last = [each for each in last_promoted(due, found) if each not in last_promoted(by_definition, found)]
        parts = (
            *_removed(steps, [str(each) for each in touched]),
            *announced_summary(staged, announce, last),
        )
        return Draft(
            request=request,
            summary=f"{'; '.join(parts)}.",
            steps=(*self._announcing_steps(staged), *steps),  # what removes nothing comes first: it is quick
            observed=observed,
            evidence=(
                *self._evidence(going, decided, total),
                *waiting_evidence(staged.waiting, announce),
            ),
            warnings=(
                *notes,
                *(warning for definition in touched for warning in decided[definition].warnings),
            ),
            independent=True,
            needs_approval=cautious,
            harmless=not going,
        )

    def _announcing_steps(self, staged: Staged) -> Iterator[AnnounceRemoval | ForgetAnnouncement]:
        seconds = int((self._policy.announce or timedelta()).total_seconds())
        for each in staged.announcing:
            yield AnnounceRemoval(
                **self._why(each), seconds=seconds, published=each.deletion.version.published_at
            )
        for excused in staged.forgotten:
            yield ForgetAnnouncement(**excused.pin.model_dump(), words=excused.kept.why.value)

    def _steps(self, chosen: Chosen, request: Cleanup) -> Iterator[RemovalStep]:
        """What removes a version, or begins to: where its cloud keeps it for a time once its protection is lifted, a
        later clean-up deletes it."""
        deletion = chosen.deletion
        first = deletion.rule is not Rule.DISABLED and self._catalogue.disables(chosen.definition.cloud)
        kinds: list[type[LiftProtection | DisableVersion | DeleteVersion]] = (
            [LiftProtection] if deletion.protected else []
        )
        if first:
            kinds.append(DisableVersion)
        elif not deletion.cooldown:
            kinds.append(DeleteVersion)
        for kind in kinds:
            yield kind(**self._why(chosen), published=request.published.get(chosen.pin.target))

    def _why(self, chosen: Chosen) -> dict[str, Any]:
        """The version that a step is about, and the rule that chose it."""
        deletion = chosen.deletion
        limits = {Rule.CANDIDATES: self._policy.keep_candidates, Rule.ROLLING: self._policy.keep_rolling}
        return {
            **chosen.pin.model_dump(),
            "rule": deletion.rule,
            "promoted": is_promoted(deletion.version),
            "end_of_life": deletion.version.end_of_life if deletion.rule is Rule.END_OF_LIFE else None,
            "limit": limits.get(deletion.rule),
            "announced": None if chosen.announced is None else chosen.announced.at,
        }

    def _evidence(
        self, going: Sequence[Chosen], decided: Mapping[DefinitionRef, Retention], total: int
    ) -> tuple[tuple[str, str], ...]:
        counts = {rule: sum(each.deletion.rule is rule for each in going) for rule in Rule}
        rows = [(_RULE_LABELS[rule], str(count)) for rule, count in counts.items() if count]
        if lifted := sum(each.deletion.protected for each in going):
            rows.append(("Protection lifted", str(lifted)))
        due = sum(each.due_by is not None for result in decided.values() for each in result.kept)
        kept = f"{total - len(going)}, of which {due} though due" if due else str(total - len(going))
        return (*rows, ("Kept", kept))


def _published(going: Iterable[Chosen]) -> dict[str, datetime]:
    """When each was published, by target, where that is known."""
    return {each.pin.target: at for each in going if (at := each.deletion.version.published_at) is not None}


def _removed(steps: Sequence[RemovalStep], definitions: Sequence[str]) -> tuple[str, ...]:
    """What will have been removed, as parts of a sentence."""
    if not steps:
        return ()
    removed = {step.target for step in steps if not isinstance(step, LiftProtection)}
    lifted = [step for step in steps if isinstance(step, LiftProtection) and step.target not in removed]
    of = f" of {join_names(definitions, of='definition')}"
    parts: list[str] = []
    for count, done in (
        (sum(isinstance(step, DeleteVersion) for step in steps), "deleted"),
        (sum(isinstance(step, DisableVersion) for step in steps), "disabled"),
        (len(lifted), "not protected any more, for a later clean-up to delete"),
    ):
        if count:
            parts.append(f"{count} version{'' if count == 1 else 's'}{'' if parts else of} {done}")
    return tuple(parts)


def _nothing_listed(request: Cleanup, listed: Mapping[DefinitionRef, VersionListing]) -> Draft[Cleanup]:
    """Where not one version can be read: nothing to do, unless there were some when this was agreed on.

    Raises:
        CloudError: then; so many that vanished at once are no ground for calling it done.
    """
    empty = [each for each, versions in listed.items() if not versions.unreadable and not each.problem]
    sentence = f"{join_names([str(each) for each in empty])} lists no versions at all" if empty else ""
    if request.found:
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
    groups: dict[tuple[Rule, str], list[str]] = {}
    for definition, result in decided.items():
        for each in result.kept:
            if each.due_by is not None:
                named = f"{each.version.number} of {definition}"
                groups.setdefault((each.due_by, each.words), []).append(named)
    return tuple(
        f"Kept, though due ({_RULE_LABELS[rule].lower()}): {join_names(named)}: {why}."
        for (rule, why), named in groups.items()
    )
