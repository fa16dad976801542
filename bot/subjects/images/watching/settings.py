"""``[watching]``: whether, and how often, galleries are looked at for what others changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from slipway.bot.core.problems import Problem
from slipway.bot.core.settings import Duration, Settings

_OFTEN, _SELDOM = timedelta(minutes=5), timedelta(hours=1)


class WatchingSettings(Settings):
    """How galleries are watched."""

    every: Duration = timedelta(
        minutes=30
    )  # lists every definition's versions: a call each, and one a further page


def check_watching(table: WatchingSettings, _secrets: bool) -> Iterator[Problem]:
    """Seldomer than once an hour, changes could not be told within it."""
    if not _OFTEN <= table.every <= _SELDOM:
        yield Problem("every", "from 5m to 1h")
