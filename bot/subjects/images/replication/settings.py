"""``[replication."PATTERN"]``: in which regions versions are to be once they are promoted, and how they get there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

from pydantic import Field

from slipway.bot.core.problems import Problem
from slipway.bot.core.settings import Duration, Settings
from slipway.bot.core.settings_table import SettingsTable, TableShape
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.rules.settings import fits

_REGION = re.compile(r"[a-z][a-z0-9-]*", re.ASCII)

MOST_REPLICAS = 100
"""Of a version in a region. Source: Azure Compute Gallery, limits."""


class WaveSettings(Settings):
    """One wave: regions that are promoted together, and how long is waited before the next ones are."""

    name: str = Field(min_length=1, description='a name, like "first"')
    regions: tuple[str, ...] = Field(min_length=1, description='its regions as a list, like ["eastus"]')
    bake: Duration = Field(timedelta(0), ge=timedelta(0), description='how long it bakes, like "1d"')


class ReplicationSettings(Settings):
    """One ``[replication."PATTERN"]``. All regions that no wave names are promoted with the last step."""

    regions: tuple[str, ...] = Field(
        min_length=1, description='the regions as a list, like ["eastus", "westeurope"]'
    )
    replicas: int | None = Field(
        None, ge=1, le=MOST_REPLICAS, description="how many replicas a region has at least, like 2"
    )
    within: Duration = Field(
        timedelta(hours=12), gt=timedelta(0), description='how long copies may take, like "12h"'
    )
    waves: tuple[WaveSettings, ...] = Field(
        (), description='waves as a list, like [{ name = "first", regions = ["eastus"], bake = "1d" }]'
    )


def settings_for(
    definition: DefinitionRef, tables: Mapping[str, ReplicationSettings]
) -> ReplicationSettings | None:
    """What is asked of a definition: the first table whose pattern fits, as with promotion rules; None where none
    does."""
    return next((tables[each] for each in tables if fits(each, definition)), None)


def _check(table: ReplicationSettings, _secrets: bool) -> Iterator[Problem]:
    yield from _odd_regions("regions", table.regions)
    named: set[str] = set()
    for wave in table.waves:
        yield from _odd_regions("waves", wave.regions)
        for region in sorted(set(wave.regions) - set(table.regions)):
            yield Problem(
                "waves", f"{wave.name} names {region}, which is not among the regions; add it there"
            )
        for region in sorted(named & set(wave.regions)):
            yield Problem("waves", f"{wave.name} names {region}, which an earlier wave has; name each once")
        named |= set(wave.regions)
    names = [wave.name for wave in table.waves]
    for name in sorted({each for each in names if names.count(each) > 1}):
        yield Problem("waves", f"has two that are called {name}; give each its own name")


def _odd_regions(key: str, regions: tuple[str, ...]) -> Iterator[Problem]:
    for region in regions:
        if _REGION.fullmatch(region) is None:
            yield Problem(
                key, f"names “{region}”; write regions as their cloud's ids have them, like westeurope"
            )
    for region in sorted({each for each in regions if regions.count(each) > 1}):
        yield Problem(key, f"names {region} twice; name each once")


REPLICATION = SettingsTable(
    name="replication",
    model=ReplicationSettings,
    shape=TableShape.NAMED,
    summary="by a pattern of definitions: the regions that a promotion copies versions to, and in which waves",
    check=_check,
)
