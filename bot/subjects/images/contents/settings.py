"""``[contents]``: where the manifests of versions are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from pydantic import Field

from slipway.bot.core.addresses import check_address
from slipway.bot.core.problems import Problem
from slipway.bot.core.settings import Duration, Settings
from slipway.bot.core.settings_table import SettingsTable, TableShape

PLACES = ("{definition}", "{version}")
"""What stands in the address for the version that is meant."""


class ContentsSettings(Settings):
    """``[contents]``."""

    manifests: str = Field("", description="an address like https://example.org/{definition}/{version}.json")
    digest_tag: str = Field("manifest-sha256", min_length=1)
    timeout: Duration = timedelta(seconds=10)
    most_bytes: int = Field(32 * 1024 * 1024, ge=1024)


def _check(table: ContentsSettings, _secrets: bool) -> Iterator[Problem]:
    if not table.manifests:
        return
    plain = table.manifests
    for place in PLACES:
        plain = plain.replace(place, "x")
    if "{" in plain or "}" in plain:
        yield Problem(
            "manifests", "has braces around something else; only {definition} and {version} are known"
        )
        return
    yield from check_address("manifests", plain)
    if "{version}" not in table.manifests:
        yield Problem("manifests", "does not name the version; write {version} where it stands")


CONTENTS = SettingsTable(
    name="contents",
    model=ContentsSettings,
    shape=TableShape.SINGLE,
    summary="where the manifests are that say which packages a version holds",
    check=_check,
)
