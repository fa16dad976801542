"""``[testing]``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from pydantic import Field

from slipway.bot.core.problems import Problem
from slipway.bot.core.settings import Duration, Settings
from slipway.bot.core.settings_table import SettingsTable, TableShape
from slipway.bot.core.times import format_duration

LEAST = timedelta(minutes=2)
MOST = timedelta(hours=2)


class TestingSettings(Settings):
    """How images are boot-tested."""

    # Names of [profiles.NAME], each of which says in which cloud, where and with which machines; for an image, the
    # first one of its cloud that can run it.
    profiles: tuple[str, ...] = ()
    # How long a machine may take to come up, from its launch.
    limit: Duration = timedelta(minutes=20)
    # A private key, by which the bot logs in. None: the cloud's own checks have to do.
    ssh_key: Path | None = None
    # How many candidates `test --due` takes at a time.
    at_once: int = Field(3, ge=1, le=10)


def _check(table: TestingSettings, _secrets: bool) -> Iterator[Problem]:
    if not LEAST <= table.limit <= MOST:
        yield Problem(
            "limit",
            f"{format_duration(table.limit)} is not from {format_duration(LEAST)} to {format_duration(MOST)}; give a "
            "machine time to come up, and the test an end",
        )
    if table.ssh_key is not None and not table.ssh_key.is_absolute():
        yield Problem("ssh_key", "write the whole path of the file, like /run/secrets/boot-test-key")


TESTING = SettingsTable(
    name="testing",
    model=TestingSettings,
    shape=TableShape.SINGLE,
    summary="by which machines images are boot-tested, and for how long",
    check=_check,
)
