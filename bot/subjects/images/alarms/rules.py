"""What is wrong with the versions of a definition, by what a listing and the records say: pure.

A definition whose newest version has ended is over: nothing more is expected of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from slipway.bot.clouds.model import ImageVersion, VersionListing, VersionState
from slipway.bot.clouds.ports.image_evidence import EvidenceKind
from slipway.bot.core.times import format_date
from slipway.bot.problems.model import Found, Mend
from slipway.bot.subjects.images.alarms.settings import AlarmSettings
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.evidence.standing import NOTHING_KNOWN, Standing
from slipway.bot.subjects.images.versions import (
    has_ended,
    is_promoted,
    latest_by_region,
    newest_first,
    sort_key,
)

NEAR = 0.9
"""From this share of a limit on, it is near."""

SETTLES = timedelta(minutes=30)
"""How long a definition may be without a latest while one version takes over from another."""

_UNFINISHED = frozenset({VersionState.CREATING, VersionState.FAILED, VersionState.DELETING})
_BUSY = frozenset(
    {VersionState.CREATING, VersionState.UPDATING, VersionState.DELETING, VersionState.MIGRATING}
)


@dataclass(frozen=True)
class Facts:
    """What is known of a definition beside its listing.

    Attributes:
        known: what counts of the evidence about :func:`waiting_candidate`.
        evidence: the kinds that a promotion asks for; empty where it asks for none, and any kind will do.
        promoted_at: when something was promoted last; None where that is not known.
        held: whether somebody holds the candidate.
    """

    known: Standing = NOTHING_KNOWN
    evidence: tuple[EvidenceKind, ...] = ()
    promoted_at: datetime | None = None
    held: bool = False


NO_FACTS = Facts()


@dataclass(frozen=True)
class Listed:
    """A definition as it was listed, and what is asked of it."""

    ref: DefinitionRef
    versions: VersionListing
    wanted: AlarmSettings
    facts: Facts = field(default=NO_FACTS)

    @property
    def scope(self) -> str:
        """What has to be listed to see something of it."""
        return scope_of(self.ref)

    def found(self, alarm: str, what: str, **more: object) -> Found:
        """A problem of it; one of each alarm, and of each version where the alarm names one."""
        fields = {
            "key": f"{self.scope} {alarm}",
            "scope": self.scope,
            "what": what,
            "owner": self.wanted.owner,
        }
        return Found.model_validate(fields | more)


def scope_of(ref: DefinitionRef) -> str:
    """How a definition is named among what could not be looked at."""
    return f"{ref.cloud}/{ref.name.casefold()}"


def alarms(listed: Listed, now: datetime) -> Iterator[Found]:
    """All that is wrong with one definition."""
    yield from _stuck(listed)
    yield from _replicas(listed)
    if listed.versions.unreadable or is_over(listed.versions, now):
        return  # what cannot be read may be what seems to be missing
    yield from _no_latest(listed)
    yield from _no_new_version(listed, now)
    yield from _no_evidence(listed, now)
    yield from _nothing_promoted(listed, now)


def is_over(versions: Sequence[ImageVersion], now: datetime) -> bool:
    """Whether the newest version has come to its end of life, and so the definition to its own."""
    finished = _finished(versions)
    return bool(finished) and has_ended(finished[0], now)


def waiting_candidate(versions: Sequence[ImageVersion]) -> ImageVersion | None:
    """The newest version, if it is one that could be promoted and is not; None where there is none."""
    newest = next(iter(_finished(versions)), None)
    waits = newest is not None and newest.state is VersionState.SUCCEEDED and not is_promoted(newest)
    return newest if waits else None


def newest_promoted(versions: Sequence[ImageVersion]) -> ImageVersion | None:
    """The newest version that may be latest somewhere."""
    return max(filter(is_promoted, versions), key=sort_key, default=None)


def near_quota(
    pattern: str, cloud: str, listed: Collection[Listed], wanted: AlarmSettings
) -> Iterator[Found]:
    """Whether there are so many versions of all that one pattern means in one cloud that the limit is near."""
    if wanted.most_versions is None:
        return
    count = sum(len(each.versions) + len(each.versions.unreadable) for each in listed)
    if count >= NEAR * wanted.most_versions:
        yield Found(
            key=f"{cloud} {pattern} quota",
            scope=cloud,
            what=f"The versions of {pattern} in {cloud} come near {wanted.most_versions}, or exceed that.",
            owner=wanted.owner,
            move="At the cloud's limit no upload goes through: remove what is not needed, or have the limit raised.",
            mend=Mend(label="Clean up", command="cleanup"),
        )


def _finished(versions: Sequence[ImageVersion]) -> list[ImageVersion]:
    """Those whose upload is over and did not fail, newest first."""
    return newest_first(each for each in versions if each.state not in _UNFINISHED)


def _stuck(listed: Listed) -> Iterator[Found]:
    if listed.wanted.stuck is None:
        return
    for version in listed.versions:
        if version.state in _BUSY:
            yield listed.found(
                f"{version.number} stuck {version.state.value}",
                f"{listed.ref}/{version.number} does not come out of the state {version.state.value}.",
                patience=listed.wanted.stuck,
                move="Look in the cloud what keeps it; a failed upload is begun anew by whoever uploads.",
                mend=Mend(label="Look at it", command=f"images {listed.ref}/{version.number}"),
            )


def _replicas(listed: Listed) -> Iterator[Found]:
    most = listed.wanted.most_replicas
    for version in listed.versions if most is not None else ():
        count = sum(region.replicas or 1 for region in version.regions)
        if most is not None and count >= NEAR * most:
            yield listed.found(
                f"{version.number} replicas",
                f"{listed.ref}/{version.number} has {count} replicas in all its regions, of {most} at most.",
                move="Beyond that its cloud takes no further region: have fewer replicas of it in some.",
            )


def _no_latest(listed: Listed) -> Iterator[Found]:
    if not listed.wanted.latest or latest_by_region(listed.versions):
        return
    candidate = waiting_candidate(listed.versions)
    mend = Mend(label="Promote", command=f"promote {listed.ref}") if candidate is not None else None
    yield listed.found(
        "latest",
        f"{listed.ref} has no latest: a launch of it finds nothing.",
        patience=SETTLES,
        move="" if mend else "There is no candidate either: whoever uploads has to.",
        mend=mend,
    )


def _no_new_version(listed: Listed, now: datetime) -> Iterator[Found]:
    within = listed.wanted.new_version
    dates = [each.published_at for each in _finished(listed.versions) if each.published_at is not None]
    if within is None or (not dates and _finished(listed.versions)):
        return  # of none it is known when it came
    if dates and now - max(dates) < within:
        return
    since = f"since {format_date(max(dates))}" if dates else "at all"
    yield listed.found(
        "new-version",
        f"{listed.ref} has had no new version {since}.",
        since=max(dates) + within if dates else None,
        move="Look whether its composes and their upload went well.",
    )


def _no_evidence(listed: Listed, now: datetime) -> Iterator[Found]:
    within, candidate = listed.wanted.evidence, waiting_candidate(listed.versions)
    if within is None or candidate is None or candidate.published_at is None or listed.facts.held:
        return
    if now - candidate.published_at < within:
        return
    missing = [kind for kind in listed.facts.evidence if listed.facts.known.outcome(kind) is None]
    if not missing and (listed.facts.evidence or listed.facts.known.counting):
        return
    of = f"of {' and '.join(missing)} " if missing else ""
    image = f"{listed.ref}/{candidate.number}"
    yield listed.found(
        f"{candidate.number} evidence",
        f"{image} is a candidate, and no evidence {of}has come for it.",
        since=candidate.published_at + within,
        move="No result is not a passed one: look why its tests say nothing, or test it.",
        mend=Mend(label="Test it", command=f"test {image}"),
    )


def _nothing_promoted(listed: Listed, now: datetime) -> Iterator[Found]:
    within, last = listed.wanted.promoted, listed.facts.promoted_at
    if within is None or last is None or now - last < within:
        return
    candidate = waiting_candidate(listed.versions)
    yield listed.found(
        "promoted",
        f"Nothing of {listed.ref} has been promoted since {format_date(last)}.",
        since=last + within,
        move="" if candidate else "There is no candidate to promote: look whether uploads go well.",
        mend=Mend(label="Promote", command=f"promote {listed.ref}") if candidate else None,
    )
