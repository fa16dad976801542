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
- What the cloud would refuse to delete is kept, with the rule that would have removed it; it takes the place that it
  would have taken. A version that failed is kept with rule 1 where its life ended, so that somebody comes to know.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase

from slipway.bot.clouds.model import ImageVersion, Lock, VersionState
from slipway.bot.subjects.images.formatting import format_regions
from slipway.bot.subjects.images.settings import RetentionSettings
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
    """The rule of the SOP that removes a version."""

    END_OF_LIFE = "end-of-life"
    CANDIDATES = "candidates"
    ROLLING = "rolling"


class KeepReason(StrEnum):
    """Why a version stays."""

    DELETE_NEVER = "tagged delete=never"
    FOREIGN_OWNER = "belongs to another owner"
    NOT_SUCCEEDED = "not in state Succeeded"
    LATEST = "latest"
    PROMOTED = "promoted"
    NEWEST_CANDIDATES = "among the newest candidates"
    NEWEST_ROLLING = "among the newest of a rolling definition"
    BLOCKED = "its cloud refuses to delete it before its end of life"
    LOCKED = "a lock in its cloud forbids to delete it"
    IN_DOUBT = "something in its definition cannot be read, so nothing is deleted by counting"


@dataclass(frozen=True, slots=True)
class Deletion:
    """A version that a clean-up removes, and the rule that chose it."""

    version: ImageVersion
    rule: Rule


@dataclass(frozen=True, slots=True)
class Kept:
    """A version that a clean-up keeps, and why.

    ``due_by`` is the rule that would have removed it, had ``why`` not been so.
    """

    version: ImageVersion
    why: KeepReason
    due_by: Rule | None = None


Decision = Deletion | Kept


@dataclass(frozen=True, slots=True)
class Retention:
    """The decisions over one definition, each newest first, and what people must know about them."""

    deletions: tuple[Deletion, ...]
    kept: tuple[Kept, ...]
    warnings: tuple[str, ...] = ()


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
) -> Retention:
    """Decide on every version of one definition; the module's text has the rules.

    Args:
        versions: all versions of the definition, in any order.
        now: the present, in UTC.
        policy: how many to keep, what is rolling, and whose versions these are.
        title: what warnings call the definition; empty for its name.
        in_doubt: whether the definition has something that cannot be read.
        locks: of its cloud.

    Raises:
        ValueError: no versions, or those of several definitions.
    """
    names = {(version.cloud, version.definition) for version in versions}
    if len(names) != 1:
        raise ValueError(f"retention takes one definition with its versions, not {sorted(names)}")
    ((_, definition),) = names
    ordered = newest_first(versions)
    certain = [_kept_anyway(version, policy, now) or _ended(version, now) for version in ordered]
    left = [
        each for each, decision in zip(ordered, certain, strict=True) if not isinstance(decision, Deletion)
    ]
    counter = _NewestCounter(policy, rolling=_is_rolling(definition, policy), latest=_latest(left))
    deletions: list[Deletion] = []
    kept: list[Kept] = []
    for version, decision in zip(ordered, certain, strict=True):
        decided = _unless_forbidden(decision or counter(version), now, in_doubt, locks)
        if isinstance(decided, Deletion):
            deletions.append(decided)
        else:
            kept.append(decided)
    warnings = _warnings(title or definition, ordered, deletions, kept)
    return Retention(tuple(deletions), tuple(kept), warnings)


def _unless_forbidden(decision: Decision, now: datetime, in_doubt: bool, locks: Collection[Lock]) -> Decision:
    """The decision, or to keep what must not or cannot be deleted."""
    if isinstance(decision, Kept):
        return decision
    version = decision.version
    why = None
    if in_doubt and decision.rule is not Rule.END_OF_LIFE:
        why = KeepReason.IN_DOUBT
    elif is_blocked(version, now):
        why = KeepReason.BLOCKED
    elif any(lock.holds(version.definition, version.number) for lock in locks):
        why = KeepReason.LOCKED
    return decision if why is None else Kept(version, why, decision.rule)


def _is_rolling(definition: str, policy: RetentionSettings) -> bool:
    return fnmatchcase(definition.casefold(), policy.rolling_pattern.casefold())


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


def _kept_anyway(version: ImageVersion, policy: RetentionSettings, now: datetime) -> Kept | None:
    protected = protection(version, policy.owner)
    if protected is not None:
        return Kept(version, _KEEP_REASONS[protected])
    if version.state is not VersionState.SUCCEEDED:
        # That passes by itself for what is under way, and never for what failed, such as a cancelled deletion.
        due = version.state is VersionState.FAILED and has_ended(version, now)
        return Kept(version, KeepReason.NOT_SUCCEEDED, Rule.END_OF_LIFE if due else None)
    return None


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
