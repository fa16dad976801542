"""What a promotion passes over, told in sentences: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from slipway.bot.clouds.model import ImageVersion, VersionListing, VersionState
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.formatting import join_names, tell_unreadable
from slipway.bot.subjects.images.holds.choosing import why_all_held
from slipway.bot.subjects.images.holds.model import Holds
from slipway.bot.subjects.images.requests import Pin
from slipway.bot.subjects.images.versions import newer_candidates, newest_latest, unfit

MOST_NAMED = 3
"""So many versions of a definition that are passed over are named; more are counted."""


def why_idle(
    definition: DefinitionRef, versions: VersionListing, text: str | None, now: datetime, holds: Holds
) -> str:
    """Why nothing of a definition is promoted, as a sentence.

    Args:
        definition: which.
        versions: what it has.
        text: the number of the version that was named; None where none was.
        now: the present.
        holds: what must not be promoted.
    """
    if text is not None:
        return f"{text} of {definition} is promoted already."
    if definition.problem:
        return f"{definition} {definition.problem}."
    odd = "".join(f" {sentence}" for sentence in tell_unreadable(definition, versions))
    if not versions:
        return f"{definition} has no versions {'that can be read' if odd else 'yet'}.{odd}"
    top = newest_latest(versions)
    than = f"newer than its latest, {top.number}" if top else "at all"
    if top and top.state is not VersionState.SUCCEEDED:
        than += f", which is {top.state_title}"
    passed = [
        f"{each.number} {_not_now(definition, each, now, holds) or 'was rolled back (name it to promote it again)'}"
        for each in newer_candidates(versions)[:3]
    ]
    if passed and (held := why_all_held(holds, definition, now)):
        return f"{definition} {held}.{odd}"
    if passed:
        return f"{definition} has no candidate fit to be promoted: {join_names(passed)}.{odd}"
    return f"{definition} has no candidate {than}.{odd}"


def under_way(
    definition: DefinitionRef, versions: Sequence[ImageVersion], text: str | None, moving: Mapping[str, str]
) -> str:
    """Which operation promotes a version already, as a sentence; empty where none does.

    Args:
        definition: which.
        versions: those that are meant, the first choice first.
        text: the number of the version that was named; None where none was.
        moving: the operations that promote versions, by target.
    """
    for each in versions:
        operation = moving.get(Pin.of(definition, each).target)
        if operation and text in (None, str(each.number)):
            return f"{operation} is promoting {each.number} of {definition} already."
    return ""


def newer_passed_over(
    chosen: Iterable[tuple[DefinitionRef, ImageVersion, Sequence[ImageVersion]]], now: datetime, holds: Holds
) -> list[str]:
    """What is newer than what was chosen, and was passed over for its state, its end of life or a hold: a sentence
    for each definition, so that nobody takes a version for the newest while a newer one is under way.

    Args:
        chosen: definitions, with what was chosen and all that they have.
        now: the present.
        holds: what must not be promoted.
    """
    sentences = []
    for definition, version, versions in chosen:
        passed = [
            f"{newer.number} {why}"
            for newer in newer_candidates(versions)
            if newer.number > version.number and (why := _not_now(definition, newer, now, holds))
        ]
        if passed:
            sentences.append(f"Newer in {definition}, and passed over: {join_names(passed, MOST_NAMED)}.")
    return sentences


def _not_now(definition: DefinitionRef, version: ImageVersion, now: datetime, holds: Holds) -> str:
    """Why a candidate is passed over, as the rest of a sentence; empty where nothing of its own speaks against it."""
    return unfit(version, now) or holds.why_held(Pin.of(definition, version), now)
