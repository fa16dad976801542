"""What a rollback says: what takes over where, and what whoever agrees has to know. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.bot.subjects.images.formatting import (
    format_regions,
    join_names,
    latest_changes,
    tell_unreadable,
)
from slipway.bot.subjects.images.replication.states import copy_in_words, missing_copies
from slipway.bot.subjects.images.requests import Rollback
from slipway.bot.subjects.images.rolling_back.part import Part, losing_regions
from slipway.bot.subjects.images.versions import (
    newest_first,
)


def nothing_there(part: Part, bare: Sequence[str]) -> str:
    """That what takes over is not in these regions, and how far its copies are."""
    top = newest_first(part.successors)[0]
    now = next((each for each in part.seen if each.number == top.number), top)
    away = missing_copies(now, bare)
    copies = join_names([copy_in_words(*each) for each in away.items()], len(away)) if away else ""
    return (
        f"{top.number} would be latest of {part.definition} again, and is not in {format_regions(bare)}"
        f"{f' ({copies})' if copies else ''}{all_the_same(part)}"
    )


def all_the_same(part: Part) -> str:
    """What follows where nothing takes over, and what may be done in spite of it, as the rest of a sentence."""
    return f": nothing would launch there. `revoke` takes {part.taken[-1].number} back all the same."


def revoke_line(part: Part) -> str:
    """What takes it back all the same, as a line."""
    return f"revoke {part.definition}/{part.taken[-1].number} it has to go at once"


def nothing_to_do(request: Rollback, parts: Sequence[Part]) -> str:
    """Why nothing is taken back, as a sentence."""
    names = join_names([str(part.definition) for part in parts], shown=len(parts))
    if request.to is None:
        return f"What was to be taken back of {names} is so already."
    return f"Nothing to roll back: no version of {names} newer than {request.to} is promoted."


def moves_of(part: Part, *, alone: bool) -> list[tuple[str, str]]:
    """How latest moves, as rows of evidence."""
    changes = latest_changes(part.before, part.after)
    if alone:
        return [(f"Latest in {where}" if where else "Latest", move) for where, move in changes]
    return [
        (str(part.definition), "; ".join(f"{move} in {where}" if where else move for where, move in changes))
    ]


def summary_of(part: Part) -> str:
    """What is latest again; where it is not the same in all regions, which in which."""
    if part.taken == part.waiting:
        return f"{part.taken[0].number} of {part.definition} is taken back from latest."
    after, regions = part.after, dict[str, list[str]]()
    losing = losing_regions(part)
    if not losing:
        numbers = join_names([str(each.number) for each in part.taken], shown=len(part.taken))
        return f"{numbers} of {part.definition} may be latest nowhere any more."
    for region in sorted(losing, key=lambda region: after[region].number, reverse=True):
        regions.setdefault(str(after[region].number), []).append(region)
    if len(regions) == 1:
        return f"{next(iter(regions))} is latest of {part.definition} again."
    each = join_names([f"{number} in {format_regions(where)}" for number, where in regions.items()])
    return f"Latest of {part.definition} are again {each}."


def warnings_of(part: Part, *, marked: bool, alone: bool = True) -> list[str]:
    """What whoever agrees has to know.

    Args:
        part: what is taken back of one definition.
        marked: whether it is called bad.
        alone: whether no other definition is on the card, so that a number says which version.
    """
    warnings = [
        f"{each.number} of {part.definition} is being taken back right now: this waits for the end of that."
        for each in part.waiting
    ]
    warnings += tell_unreadable(part.definition, part.versions)
    taken = [each for each in part.taken if each not in part.waiting]
    again = "somebody says that it is good" if marked else "somebody names it"
    bad = "is called bad, and " if marked else ""
    of = "" if alone else f" of {part.definition}"
    warnings += [f"{each.number}{of} {bad}will be promoted again only when {again}." for each in taken]
    warnings += _elsewhere(part)
    losing = losing_regions(part)
    spared = [region for region in part.before if region not in losing]
    if spared and taken:
        named = join_names([str(each.number) for each in taken])
        warnings.append(f"Nothing changes in {format_regions(spared)}, where {named} is not latest.")
    return warnings


def _elsewhere(part: Part) -> list[str]:
    """A sentence for each version that takes over and is not in all regions where its flags let it be latest: what is
    older launches there."""
    warnings: list[str] = []
    for successor in part.successors:
        seen = next((each for each in part.seen if each.number == successor.number), successor)
        after = {
            region: part.after[region]
            for region in missing_copies(seen)
            if region in seen.launch_regions and region in part.after
        }
        if after:
            copies = [copy_in_words(*each) for each in missing_copies(seen, after).items()]
            older = join_names(sorted({str(each.number) for each in after.values()}))
            warnings.append(
                f"{seen.number} of {part.definition} is not in every region: {join_names(copies, len(copies))}. "
                f"There, {older} launches."
            )
    return warnings
