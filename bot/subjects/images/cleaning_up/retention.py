"""What a clean-up removes from a definition and what it keeps: the uploader SOP as a pure function.

The rules, in order, from Fedora's cloud-image-uploader SOP:

1. a version whose end of life is in the past goes;
2. of the candidates, only the newest ``keep_candidates`` stay;
3. in rolling definitions (Rawhide), only the newest ``keep_rolling`` stay, promoted or not.

What the SOP leaves open is decided on the side of keeping:

- Protected versions (:func:`slipway.bot.subjects.images.versions.protection`) and versions that are not ``Succeeded``
  stay, and take nobody's place: neither counts towards the newest ones. A run of failed uploads or a
  handful of protected versions must not push good candidates out. What rule 1 removes does not count either.
- A version that is latest in any region stays, unless its life ended. "Latest" is decided among what is
  left after rule 1, so that the version which takes over from an ended one is kept too; and both with and
  without the versions that are not ``Succeeded``, because those may turn out not to launch. In a rolling
  definition such a version counts towards the newest if it is among them, and stays beyond them if not.
- No versions at all is no ground for a decision, and an error.
- Where something of the definition cannot be read, only rule 1 removes: it looks at nothing but the version itself,
  while the others count.
- What somebody holds is kept, and what the cloud would refuse to delete, with the rule that would have removed it; it
  takes the place that it would have taken. A version that failed is kept with rule 1 where its life ended, so that
  somebody comes to know.
- What Slipway itself protects from deletion goes with a step before that lifts it; what anybody else protects stays.
  Once it is lifted, a cloud may keep it for a time (EC2's cool-down): until that is over it is not deleted.
- What is in use stays, whatever rule is against it; and where it cannot be read what is, everything stays. That is
  asked last, so that what would go anyway takes nobody's place.
- Where a cloud can disable versions, what a rule removes is disabled first. What a clean-up disabled goes for good in
  one that comes ``keep_disabled`` later or more; what somebody else disabled stays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from slipway.bot.clouds.model import ImageVersion, Lock, VersionState
from slipway.bot.core.patterns import fits
from slipway.bot.subjects.images.cleaning_up.settings import RetentionSettings
from slipway.bot.subjects.images.formatting import format_regions
from slipway.bot.subjects.images.usage.model import NOTHING_USED, Usage
from slipway.bot.subjects.images.versions import (
    Protection,
    has_ended,
    is_blocked,
    is_promoted,
    latest_by_region,
    newest_first,
    newest_latest,
    protection,
)


class Rule(StrEnum):
    """The rule that removes a version: one of the SOP, or that a clean-up has disabled it before."""

    END_OF_LIFE = "end-of-life"
    CANDIDATES = "candidates"
    ROLLING = "rolling"
    DISABLED = "disabled"


class KeepReason(StrEnum):
    """Why a version stays."""

    DELETE_NEVER = "tagged delete=never"
    FOREIGN_OWNER = "belongs to another owner"
    NOT_SUCCEEDED = "not in state Succeeded"
    DISABLED = "disabled not long ago, and can be brought back"
    DISABLED_BY_OTHERS = "disabled by somebody else"
    LATEST = "latest"
    PROMOTED = "promoted"
    NEWEST_CANDIDATES = "among the newest candidates"
    NEWEST_ROLLING = "among the newest of a rolling definition"
    BLOCKED = "its cloud refuses to delete it before its end of life"
    LOCKED = "a lock in its cloud forbids to delete it"
    COOLING = "its protection is lifted, and its cloud keeps it until"
    HELD = "somebody holds it"
    IN_USE = "in use by"
    USE_UNKNOWN = "what is in use cannot be read"
    IN_DOUBT = "something in its definition cannot be read, so nothing is deleted by counting"


@dataclass(frozen=True, slots=True)
class Deletion:
    """A version that a clean-up removes, and the rule that chose it.

    ``protected`` says that Slipway itself protects it, which is lifted first, and ``cooldown`` how long its cloud
    keeps it after that.
    """

    version: ImageVersion
    rule: Rule
    protected: bool = False
    cooldown: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Kept:
    """A version that a clean-up keeps, and why.

    ``due_by`` is the rule that would have removed it, had ``why`` not been so; ``rest`` is the end of that reason:
    what uses it, or until when it is kept.
    """

    version: ImageVersion
    why: KeepReason
    due_by: Rule | None = None
    rest: str = ""

    @property
    def words(self) -> str:
        """Why it stays, for people."""
        return f"{self.why} {self.rest}" if self.rest else self.why.value


Decision = Deletion | Kept


@dataclass(frozen=True, slots=True)
class Retention:
    """The decisions over one definition, each newest first, and what people must know about them."""

    deletions: tuple[Deletion, ...]
    kept: tuple[Kept, ...]
    warnings: tuple[str, ...] = ()


_BY_COUNTING = (Rule.CANDIDATES, Rule.ROLLING)
"""What looks at other versions, too."""

_KEEP_REASONS = {
    Protection.DELETE_NEVER: KeepReason.DELETE_NEVER,
    Protection.FOREIGN_OWNER: KeepReason.FOREIGN_OWNER,
}


def retention(
    versions: Collection[ImageVersion],
    now: datetime,
    policy: RetentionSettings,
    *,
    title: str = "",
    in_doubt: bool = False,
    locks: Collection[Lock] = (),
    held: Callable[[ImageVersion], bool] = lambda _version: False,
    usage: Usage = NOTHING_USED,
) -> Retention:
    """Decide on every version of one definition; the module's text has the rules.

    Args:
        versions: all versions of the definition, in any order.
        now: the present, in UTC.
        policy: how many to keep, what is rolling, and whose versions these are.
        title: what warnings call the definition; empty for its name.
        in_doubt: whether the definition has something that cannot be read.
        locks: of its cloud.
        held: whether somebody holds a version, which then stays whatever rule is against it.
        usage: what uses versions; what is in use stays, and where that is not known everything does.

    Raises:
        ValueError: no versions, or those of several definitions.
    """
    names = {(version.cloud, version.definition) for version in versions}
    if len(names) != 1:
        raise ValueError(f"retention takes one definition with its versions, not {sorted(names)}")
    ((_, definition),) = names
    ordered = newest_first(versions)
    certain = [_apart(version, policy, now) or _ended(version, now) for version in ordered]
    left = [
        each for each, decision in zip(ordered, certain, strict=True) if not isinstance(decision, Deletion)
    ]
    counter = _NewestCounter(policy, rolling=_is_rolling(definition, policy), latest=_latest(left))
    places = {id(version): place for place, version in enumerate(ordered)}
    deletions: list[Deletion] = []
    kept: list[Kept] = []
    for version, decision in zip(ordered, certain, strict=True):
        decided = _unless_forbidden(decision or counter(version), now, in_doubt, locks, held)
        if isinstance(decided, Deletion):
            deletions.append(decided)
        else:
            kept.append(decided)
    if deletions:
        deletions, spared = _spare_used(deletions, ordered, usage)
        kept = sorted((*kept, *spared), key=lambda each: places[id(each.version)])
    warnings = _warnings(title or definition, ordered, deletions, kept)
    return Retention(tuple(deletions), tuple(kept), warnings)


def _unless_forbidden(
    decision: Decision,
    now: datetime,
    in_doubt: bool,
    locks: Collection[Lock],
    held: Callable[[ImageVersion], bool],
) -> Decision:
    """The decision, or to keep what must not or cannot be deleted."""
    if isinstance(decision, Kept):
        return decision
    version, rule = decision.version, decision.rule
    blocked = is_blocked(version, now)
    holding = [lock for lock in locks if lock.holds(version.definition, version.number)]
    on = [lock for lock in holding if lock.until is None]
    if held(version):
        return Kept(version, KeepReason.HELD, rule)
    if in_doubt and rule in _BY_COUNTING:
        return Kept(version, KeepReason.IN_DOUBT, rule)
    if blocked and not version.kept_by_us:
        return Kept(version, KeepReason.BLOCKED, rule)
    if not all(lock.ours for lock in on):
        return Kept(version, KeepReason.LOCKED, rule)
    # What is only disabled is not deleted yet: that no time after a protection forbids.
    until = max((lock.until for lock in holding if lock.until is not None), default=None)
    if until is not None and until > now and rule is Rule.DISABLED:
        return Kept(version, KeepReason.COOLING, rule, f"{until:%Y-%m-%d %H:%M} UTC")
    cooldown = max((lock.cooldown for lock in on), default=timedelta(0))
    return replace(decision, protected=True, cooldown=cooldown) if blocked or on else decision


def _spare_used(
    deletions: Sequence[Deletion], versions: Collection[ImageVersion], usage: Usage
) -> tuple[list[Deletion], list[Kept]]:
    """What goes all the same, and what stays since it is in use, or may be."""
    if usage.problem:
        return [], [Kept(each.version, KeepReason.USE_UNKNOWN, each.rule) for each in deletions]
    in_use = usage.among(versions)
    users = [(each, in_use(each.version)) for each in deletions]
    going = [each for each, by in users if not by]
    return going, [Kept(each.version, KeepReason.IN_USE, each.rule, by) for each, by in users if by]


def _is_rolling(definition: str, policy: RetentionSettings) -> bool:
    return fits(definition, policy.rolling_pattern)


class _NewestCounter:
    """Applies rules 2 and 3 to versions that are handed to it newest first, and counts them."""

    def __init__(self, policy: RetentionSettings, *, rolling: bool, latest: frozenset[int]) -> None:
        self._policy = policy
        self._rolling = rolling
        self._latest = latest
        self._candidates = 0
        self._seen = 0  # versions that rule 2 left

    def __call__(self, version: ImageVersion) -> Decision:
        promoted = is_promoted(version)
        self._candidates += not promoted
        if not promoted and self._candidates > self._policy.keep_candidates:
            return Deletion(version, Rule.CANDIDATES)
        self._seen += 1
        if id(version) in self._latest:
            return Kept(version, KeepReason.LATEST)
        if not self._rolling:
            return Kept(version, KeepReason.PROMOTED if promoted else KeepReason.NEWEST_CANDIDATES)
        if self._seen > self._policy.keep_rolling:
            return Deletion(version, Rule.ROLLING)
        return Kept(version, KeepReason.NEWEST_ROLLING)


def _apart(version: ImageVersion, policy: RetentionSettings, now: datetime) -> Decision | None:
    """What is decided on a version whatever others there are, before rule 1 is asked; it takes nobody's place."""
    protected = protection(version, policy.owner)
    if protected is not None:
        return Kept(version, _KEEP_REASONS[protected])
    if version.state is VersionState.DISABLED:
        return _disabled(version, policy, now)
    if version.state is not VersionState.SUCCEEDED:
        # That passes by itself for what is under way, and never for what failed, such as a cancelled deletion.
        due = version.state is VersionState.FAILED and has_ended(version, now)
        return Kept(version, KeepReason.NOT_SUCCEEDED, Rule.END_OF_LIFE if due else None)
    return None


def _disabled(version: ImageVersion, policy: RetentionSettings, now: datetime) -> Decision:
    if version.disabled_since is None:
        return Kept(version, KeepReason.DISABLED_BY_OTHERS)
    if version.disabled_since + policy.keep_disabled > now:
        return Kept(version, KeepReason.DISABLED)
    return Deletion(version, Rule.DISABLED)


def _ended(version: ImageVersion, now: datetime) -> Deletion | None:
    return Deletion(version, Rule.END_OF_LIFE) if has_ended(version, now) else None


def _latest(left: Iterable[ImageVersion]) -> frozenset[int]:
    """The identities of the versions that are latest somewhere, with and without those not Succeeded."""
    held = [version for version in left if is_promoted(version)]
    ready = [version for version in held if version.state is VersionState.SUCCEEDED]
    found: set[int] = set()
    for pool in (held, ready) if len(ready) < len(held) else (held,):
        found.update(id(version) for version in latest_by_region(pool).values())
        newest = newest_latest(pool)
        found.update(() if newest is None else (id(newest),))
    return frozenset(found)


def _warnings(
    definition: str, before: Sequence[ImageVersion], deletions: Iterable[Deletion], kept: Iterable[Kept]
) -> tuple[str, ...]:
    """Say where launches of the definition will find no latest any more."""
    if not any(is_promoted(each.version) for each in deletions):
        return ()
    after = latest_by_region(each.version for each in kept)
    lost = [region for region in latest_by_region(before) if region not in after]
    if not lost:
        return ()
    where = f" in {format_regions(lost)}" if after else ""
    return (f"{definition} is left without a latest{where}: launching it by default will fail.",)
