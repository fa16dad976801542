"""What of a version can change, and what did between two looks: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from slipway.bot.clouds.model import ImageVersion, VersionState
from slipway.bot.core.model import Model
from slipway.bot.subjects.images.formatting import format_regions
from slipway.bot.subjects.images.versions import is_promoted


class Aspect(StrEnum):
    """What can change of a version."""

    PROMOTED = "promoted"
    HIDDEN = "hidden"
    DELETED = "deleted"
    REGIONS = "regions"
    END_OF_LIFE = "end-of-life"
    DISABLED = "disabled"
    ENABLED = "enabled"


class SeenVersion(Model):
    """A version as it was seen. Stored: names of fields stay."""

    promoted: bool
    promoted_in: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    end_of_life: datetime | None = None
    disabled: bool = False
    logged_as: tuple[str, ...] = ()


def seen(version: ImageVersion) -> SeenVersion:
    """What is remembered of a version. How far a cloud is with it is no change of it."""
    return SeenVersion(
        promoted=is_promoted(version),
        promoted_in=tuple(sorted(version.launch_regions)),
        regions=tuple(sorted(region.name for region in version.regions)),
        end_of_life=version.end_of_life,
        disabled=version.state is VersionState.DISABLED,
        logged_as=version.logged_as,
    )


class Change(Model):
    """What changed of one version. Stored with what is still to be told.

    ``gained`` and ``lost`` are the regions that it is about, where those are known. ``kept`` says of a version that
    was deleted or disabled whether its cloud keeps it, so that it can be brought back. ``logged_as`` is how its
    cloud's log calls what it consists of, or did.
    """

    version: str
    aspect: Aspect
    new: bool = False  # not seen before at all
    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    end_of_life: datetime | None = None
    kept: bool = False
    logged_as: tuple[str, ...] = ()


def changes(before: Mapping[str, SeenVersion], now: Mapping[str, SeenVersion]) -> tuple[Change, ...]:
    """What changed between two looks at one definition, by the numbers of versions.

    A version that comes new is no change unless it is promoted from the first: uploads are everybody's. Regions that
    one gains which is promoted nowhere are part of its upload, too.
    """
    found: list[Change] = []
    for number in sorted(before.keys() | now.keys()):
        old, new = before.get(number), now.get(number)
        if new is None:
            found.append(Change(version=number, aspect=Aspect.DELETED))
        elif old is None:
            if new.promoted and not new.disabled:
                found.append(Change(version=number, aspect=Aspect.PROMOTED, new=True, gained=new.promoted_in))
        elif old != new:
            found += _between(number, old, new)
    return tuple(_with_names(each, before.get(each.version), now.get(each.version)) for each in found)


def _with_names(change: Change, *versions: SeenVersion | None) -> Change:
    names = {name for each in versions if each is not None for name in each.logged_as}
    return change.model_copy(update={"logged_as": tuple(sorted(names))}) if names else change


def _between(number: str, old: SeenVersion, new: SeenVersion) -> Iterable[Change]:
    gained = tuple(sorted(set(new.promoted_in) - set(old.promoted_in)))
    lost = tuple(sorted((set(old.promoted_in) - set(new.promoted_in)) & set(new.regions)))
    if gained or (new.promoted and not old.promoted):
        yield Change(version=number, aspect=Aspect.PROMOTED, gained=gained)
    if lost or (old.promoted and not new.promoted):
        yield Change(version=number, aspect=Aspect.HIDDEN, lost=lost)
    more, fewer = set(new.regions) - set(old.regions), set(old.regions) - set(new.regions)
    if fewer or (more and old.promoted):
        yield Change(
            version=number, aspect=Aspect.REGIONS, gained=tuple(sorted(more)), lost=tuple(sorted(fewer))
        )
    if old.end_of_life != new.end_of_life:
        yield Change(version=number, aspect=Aspect.END_OF_LIFE, end_of_life=new.end_of_life)
    if old.disabled != new.disabled:
        yield Change(version=number, aspect=Aspect.DISABLED if new.disabled else Aspect.ENABLED)


def holds(change: Change, now: SeenVersion | None) -> bool:
    """Whether a version is still as a change left it; ``now`` is None where it is not there."""
    if now is None or change.aspect is Aspect.DELETED:
        return now is None and change.aspect is Aspect.DELETED
    match change.aspect:
        case Aspect.PROMOTED:
            return now.promoted and set(change.gained) <= set(now.promoted_in)
        case Aspect.HIDDEN:
            return not set(change.lost) & set(now.promoted_in) if change.lost else not now.promoted
        case Aspect.REGIONS:
            return set(change.gained) <= set(now.regions) and not set(change.lost) & set(now.regions)
        case Aspect.END_OF_LIFE:
            return now.end_of_life == change.end_of_life
        case Aspect.DISABLED | Aspect.ENABLED:
            return now.disabled is (change.aspect is Aspect.DISABLED)


def in_words(change: Change) -> str:
    """What changed, as the rest of a sentence about the version."""
    match change.aspect:
        case Aspect.PROMOTED:
            return f"{'came new, and is' if change.new else 'was'} promoted{_where(change.gained)}"
        case Aspect.HIDDEN:
            return f"was taken back from latest{_where(change.lost)}"
        case Aspect.DELETED:
            return "was deleted"
        case Aspect.REGIONS:
            more = f"added {format_regions(change.gained)}" if change.gained else ""
            fewer = f"removed {format_regions(change.lost)}" if change.lost else ""
            return f"has other regions: {', '.join(filter(None, (more, fewer)))}"
        case Aspect.END_OF_LIFE:
            if change.end_of_life is None:
                return "has no end of life now"
            return f"ends on {change.end_of_life:%Y-%m-%d} now"
        case Aspect.DISABLED:
            return "was disabled"
        case Aspect.ENABLED:
            return "was enabled again"


def how_it_is(aspect: Aspect, now: SeenVersion | None) -> str:
    """How a version is now, in what can change by such a change, as the rest of a sentence about it."""
    if now is None:
        return "is not there any more"
    if aspect is Aspect.REGIONS:
        return f"is in {format_regions(now.regions)}" if now.regions else "is in no region"
    if aspect is Aspect.END_OF_LIFE:
        return f"ends on {now.end_of_life:%Y-%m-%d}" if now.end_of_life else "has no end of life"
    if now.disabled:
        return "is disabled"
    return f"is promoted{_where(now.promoted_in)}" if now.promoted else "is there, and promoted nowhere"


def _where(regions: Sequence[str]) -> str:
    return f" in {format_regions(regions)}" if regions else ""
