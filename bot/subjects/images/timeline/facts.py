"""What a timeline of a definition's versions shows: pure rules."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from slipway.bot.clouds.model import ImageVersion, VersionState
from slipway.bot.subjects.images.versions import has_ended, is_promoted, latest_by_region, newest_first

MOST_SHOWN = 30
"""Versions in a picture: more rows are too many to be read on a phone."""


class Mark(StrEnum):
    """What a version is, in the words of a legend. Being held, being called bad, and having ended come beside it."""

    LATEST = "latest"
    PROMOTED = "promoted"
    CANDIDATE = "candidate"
    ROLLED_BACK = "rolled back"
    UNFIT = "failed or in progress"


@dataclass(frozen=True)
class Entry:
    """One version.

    Attributes:
        version: its number.
        published: when it was published; None where its cloud does not say.
        ends: its end of life; None where it has none.
        mark: what it is.
        held: whether a hold keeps it from being promoted and removed.
        bad: whether what is known of it calls it bad.
        ended: whether its end of life is over.
        regions: in how many regions it is: those whose copy is not complete do not count, where that is known.
        latest_in: in how many of them it is latest.
    """

    version: str
    published: datetime | None
    ends: datetime | None
    mark: Mark
    held: bool
    bad: bool
    ended: bool
    regions: int
    latest_in: int


@dataclass(frozen=True)
class Timeline:
    """The versions of a definition, newest first.

    Attributes:
        definition: what people call it.
        now: the moment that it shows.
        entries: those that are shown.
        regions: to how many regions any of them is, or is to be, replicated.
        left_out: how many older ones are not shown.
    """

    definition: str
    now: datetime
    entries: tuple[Entry, ...]
    regions: int
    left_out: int = 0


def timeline_of(
    definition: str,
    versions: Sequence[ImageVersion],
    now: datetime,
    *,
    rolled_back: Collection[str] = (),
    held: Collection[str] = (),
    bad: Collection[str] = (),
    most: int = MOST_SHOWN,
) -> Timeline:
    """The timeline of a definition: the newest versions, and whichever else is latest somewhere.

    Args:
        definition: what people call it.
        versions: all that it has, in any order.
        now: the present.
        rolled_back: the numbers of those that were rolled back, and not promoted since.
        held: the numbers of those that a hold keeps.
        bad: the numbers of those that are called bad.
        most: how many are shown, beside those that are latest.
    """
    latest = [str(each.number) for each in latest_by_region(versions).values()]
    ordered = newest_first(versions)
    shown = [each for place, each in enumerate(ordered) if place < most or str(each.number) in latest]
    entries = tuple(
        Entry(
            version=str(each.number),
            published=each.published_at,
            ends=each.end_of_life,
            mark=_mark(each, str(each.number) in latest, str(each.number) in rolled_back),
            held=str(each.number) in held,
            bad=str(each.number) in bad,
            ended=has_ended(each, now),
            regions=sum(region.present for region in each.regions),
            latest_in=latest.count(str(each.number)),
        )
        for each in shown
    )
    regions = {region.name for each in shown for region in each.regions}
    return Timeline(definition, now, entries, len(regions), len(ordered) - len(shown))


def _mark(version: ImageVersion, latest: bool, rolled_back: bool) -> Mark:
    if latest:
        return Mark.LATEST
    if is_promoted(version):
        return Mark.PROMOTED
    if version.state is not VersionState.SUCCEEDED:
        return Mark.UNFIT
    return Mark.ROLLED_BACK if rolled_back else Mark.CANDIDATE
