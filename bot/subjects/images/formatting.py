"""Facts about images as text for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slipway.bot.clouds.model import ImageVersion, VersionListing

_SHOWN = 3


def join_names(names: Sequence[str], shown: int = _SHOWN, *, of: str = "") -> str:
    """Names in a row, ``a, b and c``; where there are more than ``shown``, how many more, and ``of`` what kind."""
    if len(names) > shown:
        more = len(names) - shown
        kind = f" {of}{'s' if more > 1 else ''}" if of else ""
        return f"{', '.join(names[:shown])} and {more} more{kind}"
    *front, last = names
    return f"{', '.join(front)} and {last}" if front else last


def format_regions(regions: Sequence[str]) -> str:
    """Regions in a row; from four on, the first three and how many more."""
    return join_names(sorted(regions))


def all_regions(regions: Sequence[str]) -> str:
    """Regions in a row, each of them."""
    return join_names(sorted(regions), len(regions))


def latest_changes(
    before: Mapping[str, ImageVersion], after: Mapping[str, ImageVersion]
) -> tuple[tuple[str, str], ...]:
    """How latest changes: (regions, ``old → new``) pairs, the regions left empty where all change alike.

    Regions in which nothing changes are left out; where nothing changes at all, the pair says what stays.
    """
    moves: dict[tuple[str, str], list[str]] = {}
    for region in sorted(before.keys() | after.keys()):
        move = tuple(str(side[region].number) if region in side else "none" for side in (before, after))
        moves.setdefault((move[0], move[1]), []).append(region)
    changing = {move: regions for move, regions in moves.items() if move[0] != move[1]}
    if not changing:
        return tuple(
            ("" if len(moves) == 1 else format_regions(regions), f"stays {old}")
            for (old, _), regions in moves.items()
        ) or (("", "none"),)
    return tuple(
        ("" if len(moves) == 1 else format_regions(regions), f"{old} → {new}")
        for (old, new), regions in changing.items()
    )


def tell_unreadable(definition: object, versions: VersionListing) -> tuple[str, ...]:
    """A sentence where something in a definition cannot be read; none where all can."""
    if not versions.unreadable:
        return ()
    odd = join_names([str(each) for each in versions.unreadable])
    return (f"Held back from every change in {definition}: {odd}. What it is, is not known.",)
