"""``[family.NAME]``: which images of a cloud without definitions are versions of what; and whether there are any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.image_family import ImageFamily
from slipway.bot.clouds.naming_overlap import common_name
from slipway.bot.clouds.ports.image_removal import KeepsDeletedVersions
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS, ImageVersions
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.probes import Finding
from slipway.bot.core.problems import Problem
from slipway.bot.core.settings_table import SettingsTable, TableShape
from slipway.bot.operations.declarations import Probe

WHAT = "families"
"""How the probe is called."""


def _check(family: ImageFamily, _secrets: bool) -> Iterator[Problem]:
    if problem := family.pattern.problem():
        yield Problem(*problem)
    if family.template_regions and family.template is None:
        yield Problem("template_regions", "there is no template; name one, or leave this out")
    elsewhere = [each for each in family.template_regions if family.regions and each not in family.regions]
    if elsewhere:
        yield Problem(
            "template_regions", f"{elsewhere[0]} is none of the family's regions; add it to regions"
        )


def _check_accounts(families: Mapping[str, ImageFamily], accounts: frozenset[str]) -> Iterator[Problem]:
    for name, family in families.items():
        if family.cloud not in accounts:
            yield Problem(
                f"family.{name}.cloud", f"there is no [{family.cloud}]; add it, or name another account"
            )
    names: dict[tuple[str, str], str] = {}
    for name, family in families.items():
        other = names.setdefault((family.cloud, name.casefold()), name)
        if other != name:
            yield Problem(
                f"family.{name}", f"differs from family.{other} in capitals alone; give it another name"
            )


def _overlaps(families: Mapping[str, ImageFamily]) -> Iterator[Problem]:
    """An image that is a version of two definitions is promoted, kept and removed by the one and by the other."""
    for (name, family), (other, second) in combinations(families.items(), 2):
        if (family.cloud, family.owner) != (second.cloud, second.owner):
            continue
        if family.regions and second.regions and set(family.regions).isdisjoint(second.regions):
            continue
        if (both := common_name(family.pattern, second.pattern)) is not None:
            yield Problem(
                f"family.{other}.name",
                f'an image called "{both}" would be a version of {name}, too: what is done to one is done to both; '
                "write more of the name",
            )


FAMILY = SettingsTable(
    name="family",
    model=ImageFamily,
    shape=TableShape.NAMED,
    summary="AMIs by their names as versions of a definition, and what is changed besides when one is promoted",
    check=_check,
    check_accounts=_check_accounts,
    warnings=_overlaps,
)


def family_summary(settings: SlipwaySettings) -> tuple[str, ...]:
    """The families in a line for `slipway check`."""
    found = settings.named(FAMILY)
    shown = "; ".join(
        f"{name} in {family.cloud}, versions like {family.pattern.shape()}" for name, family in found.items()
    )
    return (f"families of AMIs: {shown or 'none'}",)


async def _look(settings: SlipwaySettings, clouds: Clouds) -> Finding:
    """How many images the families have. One without any is told, since a pattern that fits nothing is a slip."""
    families = settings.named(FAMILY)
    galleries = clouds.all(IMAGE_VERSIONS)
    try:
        listed = await side_by_side(
            {
                name: galleries[family.cloud].versions(name)
                for name, family in families.items()
                if family.cloud in galleries
            }
        )
    except (CloudError, UserError) as error:
        words = error.words if isinstance(error, CloudError) else error.sentence
        return Finding(
            WHAT, "cannot be looked for", (words,), "mend that; then `slipway doctor`", connection=False
        )
    empty = tuple(
        f"No image fits [family.{name}]: none of {families[name].owner} is called like {families[name].name}."
        for name, versions in listed.items()
        if not versions
    )
    count = f"{len(listed)} famil{'y' if len(listed) == 1 else 'ies'}"
    detail = f"{count} with {sum(map(len, listed.values()))} versions"
    step = "compare name, owner and regions with the images' own" if empty else ""
    closed = [
        await _closed_bin(galleries[cloud], name) for cloud, name in _one_each(families, listed).items()
    ]
    return Finding(WHAT, detail, empty, step, warnings=tuple(filter(None, closed)), connection=False)


def _one_each(families: Mapping[str, ImageFamily], listed: Mapping[str, object]) -> dict[str, str]:
    """A family of each account."""
    return {family.cloud: name for name, family in families.items() if name in listed}


async def _closed_bin(gallery: ImageVersions, name: str) -> str:
    """Why what was deregistered cannot be brought back, where that is a right alone; empty where it can."""
    if not isinstance(gallery, KeepsDeletedVersions) or not gallery.deleted_takes_a_right:
        return ""
    try:
        await gallery.deleted_versions(name)
    except CloudError as error:
        if error.kind is CloudErrorKind.REFUSED:
            return f"What was deregistered cannot be restored, also where a rule keeps it: {error.words}"
    return ""


FAMILY_PROBE = Probe(WHAT, lambda settings: bool(settings.named(FAMILY)), _look)
