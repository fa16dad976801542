"""``[alarms."PATTERN"]``: what is to happen to the versions of definitions, and what must not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from pydantic import Field

from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.patterns import never_counting
from slipway.bot.core.problems import Problem
from slipway.bot.core.settings import Duration, Settings
from slipway.bot.core.settings_table import SettingsTable, TableShape
from slipway.bot.core.times import format_duration
from slipway.bot.subjects.images.definitions import DefinitionRef
from slipway.bot.subjects.images.rules.settings import fits

_NOTHING = timedelta(0)


class AlarmSettings(Settings):
    """One ``[alarms."PATTERN"]``; what is left out is not looked for."""

    new_version: Duration | None = Field(
        None, gt=_NOTHING, description='how long there may be no new version, like "8d"'
    )
    evidence: Duration | None = Field(
        None, gt=_NOTHING, description='how long a candidate may be without evidence, like "24h"'
    )
    promoted: Duration | None = Field(
        None, gt=_NOTHING, description='how long nothing may be promoted, like "14d"'
    )
    latest: bool = False  # whether it has to have one
    stuck: Duration | None = Field(
        None, gt=_NOTHING, description='how long a version may be in the making, or be changed, like "6h"'
    )
    most_versions: int | None = Field(
        None, ge=1, description="how many versions there may be of all that fits in one cloud, like 10000"
    )
    most_replicas: int | None = Field(
        None, ge=1, description="how many replicas a version may have in all its regions, like 100"
    )
    owner: str = Field("", description='a person\'s id, like "alice", or a role, like "releng"')


def settings_for(
    definition: DefinitionRef, tables: Mapping[str, AlarmSettings]
) -> tuple[str, AlarmSettings] | None:
    """The first pattern that fits, with its table, as with promotion rules; None where none does."""
    return next(((each, tables[each]) for each in tables if fits(each, definition)), None)


def _check(table: AlarmSettings, _secrets: bool) -> Iterator[Problem]:
    if not table.model_fields_set - {"owner"}:
        yield Problem("new_version", "nothing is looked for; write what is, or leave the table out")


ALARMS = SettingsTable(
    name="alarms",
    model=AlarmSettings,
    shape=TableShape.NAMED,
    summary="by a pattern of definitions: for how long nothing may happen to them until that is a problem",
    check=_check,
    check_accounts=never_counting("alarms"),
    named_people=lambda table: (("owner", table.owner),),
)


def alarm_summary(settings: SlipwaySettings) -> Iterator[str]:
    """A line of `slipway check` for each table."""
    for pattern, table in settings.named(ALARMS).items():
        yield f"alarms for {pattern}: {', '.join(_wanted(table))}"


def _wanted(table: AlarmSettings) -> Iterator[str]:
    words = {
        "no new version for": table.new_version,
        "no evidence for": table.evidence,
        "nothing promoted for": table.promoted,
        "in the making for": table.stuck,
    }
    yield from (f"{said} {format_duration(length)}" for said, length in words.items() if length is not None)
    if table.latest:
        yield "no latest"
    if table.most_versions is not None:
        yield f"near {table.most_versions} versions"
    if table.most_replicas is not None:
        yield f"near {table.most_replicas} replicas"
