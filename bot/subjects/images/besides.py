"""What a change of what is latest changes besides, in clouds where it is more than a flag: on the card, and among the
facts that the plan rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from slipway.bot.clouds.model import ImageVersion, VersionState
from slipway.bot.clouds.ports.image_publishing import Besides, PublishingPreview
from slipway.bot.core.errors import UserError
from slipway.bot.core.model import Json
from slipway.bot.core.steps import Draft, Request
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.formatting import format_regions
from slipway.bot.subjects.images.versions import is_promoted_everywhere, newest_latest

_MOST_SHOWN = 3
"""So many different moves of one thing are shown one by one."""

RequestT = TypeVar("RequestT", bound=Request)


async def lagging(
    catalogue: Catalogue, held: Mapping[DefinitionRef, Sequence[ImageVersion]]
) -> dict[DefinitionRef, ImageVersion]:
    """The newest promoted one of each definition's, where not all that belongs to its promotion has come after it."""
    tops = {definition: newest_latest(versions) for definition, versions in held.items()}
    sound = {each: top for each, top in tops.items() if top and top.state is VersionState.SUCCEEDED}
    previews = await catalogue.previews({each: [top] for each, top in sound.items()}, promoted=True)
    return {
        definition: sound[definition]
        for definition, preview in previews.items()
        if any(each.lags for each in preview.besides) or not is_promoted_everywhere(sound[definition])
    }


def obstacles(
    previews: Mapping[DefinitionRef, PublishingPreview], *, alone: bool
) -> dict[DefinitionRef, str]:
    """What stands in the way of promotions, in sentences, by definition.

    Raises:
        UserError: something does, and what it stands in the way of is ``alone``.
    """
    found = {each: " ".join(preview.obstacles) for each, preview in previews.items() if preview.obstacles}
    for definition, sentences in found.items():
        if alone:
            raise UserError(sentences, hint=f"images {definition}")
    return found


def with_besides(
    draft: Draft[RequestT],
    previews: Mapping[DefinitionRef, PublishingPreview | None],
    *,
    rests_on: bool = True,
) -> Draft[RequestT]:
    """The draft with what else changes as rows and as facts, and with what is not known as warnings.

    Obstacles are told here, too, where something is done in spite of them, as when a version is taken back.

    Args:
        draft: the plan so far.
        previews: what else changes, by definition.
        rests_on: whether the plan rests on these facts, so that it is another one once they are others.
    """
    observed: dict[str, Json] = dict(draft.observed)
    rows: list[tuple[str, str]] = []
    warnings: list[str] = []
    several = len([preview for preview in previews.values() if preview and preview.besides]) > 1
    for definition, preview in previews.items():
        if preview is None:
            continue
        rows += _rows(preview.besides, f"{definition}: " if several else "")
        warnings += [*preview.obstacles, *preview.notes]
        if preview.besides and rests_on:
            facts: dict[str, Json] = {f"{each.what} in {each.region}": each.move for each in preview.besides}
            observed[f"besides {definition}"] = facts
    return replace(
        draft,
        observed=observed,
        evidence=(*draft.evidence, *rows),
        warnings=(*draft.warnings, *warnings),
    )


def _rows(besides: Sequence[Besides], before: str) -> list[tuple[str, str]]:
    """A row for each thing that changes, whatever the number of regions."""
    moves: dict[str, dict[str, list[str]]] = {}
    for each in besides:
        moves.setdefault(each.what, {}).setdefault(each.move, []).append(each.region)
    rows = []
    for what, by_move in moves.items():
        if len(by_move) <= _MOST_SHOWN:
            told = "; ".join(f"{move} in {format_regions(regions)}" for move, regions in by_move.items())
        else:
            everywhere = [region for regions in by_move.values() for region in regions]
            told = f"to what is latest in {format_regions(everywhere)}"
        rows.append((f"{before}{what}", told))
    return rows
