"""What latest resolves to by region once a flag was set: looked at, and not concluded from what was written."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.bot.clouds.model import ImageVersion
from slipway.bot.clouds.ports.image_versions import ImageVersions
from slipway.bot.core.errors import CloudError
from slipway.bot.core.model import Json
from slipway.bot.subjects.images.formatting import format_regions, join_names
from slipway.bot.subjects.images.replication.looking import with_copies_in
from slipway.bot.subjects.images.replication.states import copy_in_words, missing_copies
from slipway.bot.subjects.images.versions import latest_by_region


async def tell_latest(gallery: ImageVersions, changed: ImageVersion) -> tuple[str, dict[str, Json]]:
    """What a definition resolves to in the regions of a version whose flag was just set, and where others of it are.

    Returns:
        A sentence, and the same as facts, by region; none where it cannot be looked at, which the sentence says: the
        change itself is seen already.
    """
    try:
        listed = await gallery.versions(changed.definition)
        versions = await with_copies_in(gallery, changed.definition, listed, [changed.number])
    except CloudError as error:
        return f"What latest is now could not be looked at: {error.words}", {}
    found = latest_by_region(versions)
    now = next((each for each in versions if each.number == changed.number), changed)
    regions = sorted({region.name for region in now.regions} | found.keys())
    by_region: dict[str, Json] = {
        region: str(found[region].number) if region in found else None for region in regions
    }
    sentence = latest_in_words(regions, found)
    away = missing_copies(now) if now.launch_regions else {}
    if away:
        copies = join_names([copy_in_words(*each) for each in away.items()], len(away))
        sentence = f"{sentence} Not there yet: {copies}."
    return sentence, {"latest": by_region}


def latest_in_words(regions: list[str], found: Mapping[str, ImageVersion]) -> str:
    """``Latest is 43.2.0 in all 3 regions.``, or what it is in which."""
    where: dict[str, list[str]] = {}
    for region in regions:
        where.setdefault(str(found[region].number) if region in found else "nothing", []).append(region)
    if len(where) == 1 and len(regions) > 2:
        return f"Latest is {next(iter(where))} in all {len(regions)} regions."
    parts = [f"{number} in {format_regions(names)}" for number, names in where.items()]
    return f"Latest is {join_names(parts, len(parts))}."
