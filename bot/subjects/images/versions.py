"""What the versions of a definition mean: their order, what is latest, what is a candidate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from itertools import zip_longest

from slipway.bot.clouds.model import ImageVersion, UnreadableVersion, VersionNumber, VersionState
from slipway.bot.core.errors import UserError
from slipway.bot.core.text import nearest
from slipway.bot.subjects.images.replication.states import replication_words

_NEVER_PUBLISHED = datetime.min.replace(tzinfo=UTC)


class Protection(StrEnum):
    """Why a version is left alone whatever the rules say."""

    DELETE_NEVER = "it is tagged delete=never"
    FOREIGN_OWNER = "it belongs to another owner"


class VersionStatus(StrEnum):
    """What a version is, in the words that people read."""

    LATEST = "latest"
    PROMOTED = "promoted"
    CANDIDATE = "candidate"
    ROLLED_BACK = "rolled back"
    BAD = "bad"
    FAILED = "failed"
    BUSY = "in progress"
    DISABLED = "disabled"
    ENDED = "ended"
    PROTECTED = "protected"
    HELD = "held"


def sort_key(version: ImageVersion) -> tuple[tuple[int, ...], datetime]:
    """Sorts versions oldest first: by integer number, then by published date."""
    return version.number.parts, version.published_at or _NEVER_PUBLISHED


def newest_first(versions: Iterable[ImageVersion]) -> list[ImageVersion]:
    """The versions, newest first, as :func:`sort_key` has it."""
    return sorted(versions, key=sort_key, reverse=True)


def is_promoted(version: ImageVersion) -> bool:
    """Whether it may be latest somewhere.

    Where a listing tells of no regions at all, the version's own flag decides, so that what nobody excluded
    is never taken for a candidate (and cleaned up as one).
    """
    return bool(version.launch_regions) or not (version.excluded or version.regions)


def is_candidate(version: ImageVersion) -> bool:
    """Whether it was uploaded and may be latest nowhere yet; what is disabled is none until it is restored."""
    return not is_promoted(version) and version.state is not VersionState.DISABLED


def is_promoted_everywhere(version: ImageVersion) -> bool:
    """Whether there is nothing left to promote: no region of it is excluded."""
    return not version.excluded and len(version.launch_regions) == len(version.regions)


def is_excluded_everywhere(version: ImageVersion) -> bool:
    """Whether it can be latest nowhere, and by its own flag."""
    return version.excluded and not version.launch_regions


def has_ended(version: ImageVersion, now: datetime) -> bool:
    """Whether its end of life is in the past; none set means that it has not ended."""
    return version.end_of_life is not None and version.end_of_life < now


def is_blocked(version: ImageVersion, now: datetime) -> bool:
    """Whether its cloud refuses to delete it now: it is kept until its end of life, which has not come (or is not
    set)."""
    return version.kept_until_end_of_life and not has_ended(version, now)


def protection(version: ImageVersion, owner: str) -> Protection | None:
    """What protects a version from deletion: ``delete=never``, or an ``owner`` tag that names another.

    Case does not count in tag names, as with Azure. With AWS it does, so that a version may have several tags of such
    a name: each of them protects. No ``owner`` tag, or an empty one, names nobody.
    """
    found = None
    for name, value in version.tags.items():
        folded = name.casefold()
        if folded == "delete" and _folded(value) == "never":
            return Protection.DELETE_NEVER
        if folded == "owner" and value != owner and _folded(value) not in ("", owner.casefold()):
            found = Protection.FOREIGN_OWNER
    return found


def _folded(text: str) -> str:
    return text.strip().casefold()


def latest(versions: Iterable[ImageVersion], region: str) -> ImageVersion | None:
    """What a launch of the definition resolves to in a region; None where there is nothing to launch.

    The highest integer number among versions that are present in the region and not excluded
    there. Neither its provisioning state nor its end of life plays a part. Where it is not known whether a copy is
    complete, since its cloud was not asked, it is taken for present.
    """
    return max((each for each in versions if region in each.latest_regions), key=sort_key, default=None)


def latest_by_region(versions: Iterable[ImageVersion]) -> dict[str, ImageVersion]:
    """The latest of every region that has one, by the rule of :func:`latest`, regions in order of name."""
    return _first_by_region(versions, lambda each: each.latest_regions)


def promoted_by_region(versions: Iterable[ImageVersion]) -> dict[str, ImageVersion]:
    """The newest promoted one of every region, whether its copy there is complete or not: what plans rest on, since
    a copy that comes to its end meanwhile makes none of them wrong."""
    return _first_by_region(versions, lambda each: each.launch_regions)


def _first_by_region(
    versions: Iterable[ImageVersion], regions: Callable[[ImageVersion], frozenset[str]]
) -> dict[str, ImageVersion]:
    found: dict[str, ImageVersion] = {}
    for version in newest_first(each for each in versions if each.launch_regions):
        for region in regions(version) - found.keys():
            found[region] = version
    return dict(sorted(found.items()))


def newest_latest(versions: Iterable[ImageVersion]) -> ImageVersion | None:
    """The newest version that is latest somewhere: the newest promoted one."""
    return max(filter(is_promoted, versions), key=sort_key, default=None)


def newer_candidates(versions: Iterable[ImageVersion]) -> list[ImageVersion]:
    """Candidates that are newer than every promoted version, newest first, fit or not."""
    held = list(versions)
    top = newest_latest(held)
    return newest_first(
        each for each in held if not is_promoted(each) and (top is None or each.number > top.number)
    )


def newest_candidate(versions: Iterable[ImageVersion], now: datetime) -> ImageVersion | None:
    """What promoting without naming a version chooses.

    The newest candidate that is newer than every promoted version, was uploaded well (Succeeded), and has
    not ended; None where there is none.
    """
    fit = (each for each in newer_candidates(versions) if unfit(each, now) is None)
    return next(fit, None)


def unfit(version: ImageVersion, now: datetime) -> str | None:
    """Why a version must not become latest, as the rest of a sentence about it; None where it may."""
    if version.state is not VersionState.SUCCEEDED:
        return f"is {version.state_title}, not Succeeded"
    if version.end_of_life is not None and has_ended(version, now):
        return f"reached its end of life on {version.end_of_life:%Y-%m-%d}"
    return None


def unfit_again(version: ImageVersion, now: datetime) -> str | None:
    """Why a version must not be latest again once a newer one is taken back, as the rest of a sentence; None where it
    may: an end of life that came with the newer one's promotion goes with it."""
    if version.superseded:
        version = replace(version, end_of_life=version.former_end_of_life)
    return unfit(version, now)


def version_statuses(
    version: ImageVersion,
    latest_of: Mapping[str, ImageVersion],
    now: datetime,
    owner: str,
    *,
    rolled_back: bool = False,
    bad: bool = False,
    held: bool = False,
) -> tuple[str, ...]:
    """What to call a version, weightiest first: its part in launches, then what else is to be known; a state that is
    not known by its cloud's own word.

    Args:
        version: the version.
        latest_of: its definition's latest by region, from :func:`latest_by_region`.
        now: the present.
        owner: whose versions are not protected by their ``owner`` tag.
        rolled_back: whether it was rolled back, and not promoted since.
        bad: whether a verdict says that it is bad, as one does of each that was rolled back.
        held: whether somebody holds it.
    """
    part = _part(version, latest_of)
    words: list[str] = [part]
    if rolled_back and part in (VersionStatus.CANDIDATE, VersionStatus.DISABLED):
        words.append(VersionStatus.ROLLED_BACK)
    elif bad:
        words.append(VersionStatus.BAD)
    if version.state is VersionState.UNKNOWN:
        words.append(f"“{version.state_title}”")
    elif version.state is not VersionState.SUCCEEDED:
        words.append(_STATUSES.get(version.state, VersionStatus.BUSY))
    if has_ended(version, now):
        words.append(VersionStatus.ENDED)
    if protection(version, owner) or is_blocked(version, now):
        words.append(VersionStatus.PROTECTED)
    if held:
        words.append(VersionStatus.HELD)
    return (*dict.fromkeys(words), *replication_words(version))


_STATUSES = {VersionState.FAILED: VersionStatus.FAILED, VersionState.DISABLED: VersionStatus.DISABLED}
"""What a state is called; all others pass by themselves."""


def _part(version: ImageVersion, latest_of: Mapping[str, ImageVersion]) -> VersionStatus:
    """A version's part in launches; what is disabled is no candidate until it is restored."""
    if any(each.number == version.number for each in latest_of.values()):
        return VersionStatus.LATEST
    if is_promoted(version):
        return VersionStatus.PROMOTED
    return VersionStatus.CANDIDATE if is_candidate(version) else VersionStatus.DISABLED


def is_half_promoted(version: ImageVersion) -> bool:
    """Whether every flag is as a promotion wants it, and the update that set it is under way, or failed.

    Such a version is what launches already. Its end is waited for, or the update is made again.
    """
    return version.state in (VersionState.UPDATING, VersionState.FAILED) and is_promoted_everywhere(version)


def under_way(versions: Iterable[ImageVersion]) -> list[ImageVersion]:
    """Those with which something is under way in their cloud, newest first."""
    other = (VersionState.SUCCEEDED, VersionState.FAILED, VersionState.DISABLED, VersionState.UNKNOWN)
    return newest_first(each for each in versions if each.state not in other)


def in_unknown_state(versions: Iterable[ImageVersion]) -> list[ImageVersion]:
    """Those in a state that is not known here, newest first: nothing is done with them."""
    return newest_first(each for each in versions if each.state is VersionState.UNKNOWN)


def find_version(
    versions: Iterable[ImageVersion],
    definition: str,
    text: str,
    *,
    suits: Callable[[ImageVersion], bool] = lambda _version: True,
    unreadable: Iterable[UnreadableVersion] = (),
    why_impossible: Callable[[VersionNumber], str] = lambda _number: "",
) -> ImageVersion:
    """The version that somebody named.

    Args:
        versions: of the definition.
        definition: what to call it.
        text: what was typed.
        suits: tells which versions may be offered in place of one that there is not.
        unreadable: what of the definition cannot be read.
        why_impossible: why its cloud cannot have such a number, as the rest of a sentence; empty where it could.

    Raises:
        UserError: not a version, one that cannot be read, or the definition has no such one; with the nearest by
            number that it has.
    """
    held = {str(each.number): each for each in newest_first(versions)}
    found = held.get(text)
    if found is not None:
        return found
    hint = f"images {definition}"
    odd = next((each for each in unreadable if each.name == text), None)
    if odd is not None:
        raise UserError(f"{odd} in {definition}: it is held back from every change.", hint=hint)
    try:
        number = VersionNumber.parse(text)
    except ValueError as error:
        offered = [name for name, each in held.items() if suits(each)]
        near = nearest(text, offered) or tuple(offered)[:3]
        raise UserError(f"{error}.", nearest=near, given=text, hint=hint) from None
    near = nearest_numbers(number, (each.number for each in held.values() if suits(each)))
    problem = why_impossible(number)
    raise UserError(
        f"{text} {problem}." if problem else f"{definition} has no version {text}.",
        nearest=near,
        given=text,
        hint=hint,
    )


def nearest_numbers(wanted: VersionNumber, held: Iterable[VersionNumber], limit: int = 3) -> tuple[str, ...]:
    """The numbers that are nearest to a wanted one, nearest first: by the first part that differs, then the next."""

    def distance(number: VersionNumber) -> tuple[int, ...]:
        pairs = zip_longest(number.parts, wanted.parts, fillvalue=0)
        return tuple(abs(one - other) for one, other in pairs)

    newest = sorted(held, reverse=True)
    return tuple(str(each) for each in sorted(newest, key=distance)[:limit])
