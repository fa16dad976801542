"""``[promotion."PATTERN"]``: what must hold of a version before it is promoted, and whether it is protected then, by
definition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import Field

from slipway.bot.clouds.ports.image_evidence import EvidenceKind
from slipway.bot.core import patterns
from slipway.bot.core.patterns import never_counting
from slipway.bot.core.problems import Problem
from slipway.bot.core.settings import Duration, Settings
from slipway.bot.core.settings_table import SettingsTable, TableShape
from slipway.bot.subjects.images.definitions import SEPARATOR, DefinitionRef


class PromotionSettings(Settings):
    """One ``[promotion."PATTERN"]``; what is left out is not asked for."""

    minimum_age: Duration | None = Field(None, description='how old it has to be, like "12h"')
    evidence: tuple[EvidenceKind, ...] = Field(
        (), description='what has to have passed as a list, of "boot", "tests" and "verdict"'
    )
    replicated: bool = False  # to all regions that the latest is in, and its copies complete
    architectures: tuple[str, ...] = Field(
        (), description='the ends of the definitions that belong together as a list, like ["x64", "Arm64"]'
    )
    not_older: bool = False  # than the latest
    contents: bool = False  # what changes inside has to be known
    protect: bool = False  # no rule: what becomes latest is protected from deletion in its cloud


NOTHING_WANTED = PromotionSettings()


def settings_for(definition: DefinitionRef, tables: Mapping[str, PromotionSettings]) -> PromotionSettings:
    """What is asked of a definition's versions: the first table whose pattern fits counts, alone. Case does not
    count; a pattern with a colon names the cloud, too."""
    return next((tables[each] for each in tables if fits(each, definition)), NOTHING_WANTED)


def fits(pattern: str, definition: DefinitionRef) -> bool:
    """Whether a pattern means a definition."""
    name = f"{definition.cloud}{SEPARATOR}{definition.name}" if SEPARATOR in pattern else definition.name
    return patterns.fits(name, pattern)


def _check(table: PromotionSettings, _secrets: bool) -> Iterator[Problem]:
    if len({each.casefold() for each in table.architectures}) != len(table.architectures):
        yield Problem("architectures", "names one twice; name each once")
    if len(table.architectures) == 1:
        yield Problem(
            "architectures", "names one alone, and that is always there; name those that belong together"
        )
    if any(not each for each in table.architectures):
        yield Problem("architectures", 'names an empty one; write the ends of the definitions, like "x64"')


PROMOTION = SettingsTable(
    name="promotion",
    model=PromotionSettings,
    shape=TableShape.NAMED,
    summary="by a pattern of definitions: what must hold of a version before it is promoted",
    check=_check,
    check_accounts=never_counting("promotion"),
)
