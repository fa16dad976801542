"""``[database]``: PostgreSQL in place of the files in the state folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field

from slipway.bot.core.problems import Problem
from slipway.bot.core.secret_text import Password
from slipway.bot.core.settings import Settings
from slipway.bot.core.settings_table import SettingsTable, TableShape

if TYPE_CHECKING:
    from slipway.bot.store.postgres import PostgresAccess


class DatabaseSettings(Settings):
    """``[database]``."""

    url: str = Field(description="where PostgreSQL is, like postgresql://slipway@db.example.org/slipway")
    password: Password | None = None  # None: as libpq finds one, if one is needed

    @property
    def access(self) -> PostgresAccess:
        """How connections are made."""
        from slipway.bot.store.postgres import PostgresAccess  # `slipway check` needs no SQLAlchemy

        return PostgresAccess(self.url, self.password)


def _check(table: DatabaseSettings, _secrets: bool) -> Iterator[Problem]:
    from slipway.bot.store.postgres import holds_secret, url_problem

    if problem := url_problem(table.url):
        yield Problem("url", problem)
    elif holds_secret(table.url):
        yield Problem(
            "url",
            "a secret does not belong into this file; put the password into a file of its own and name that with "
            "password_file, or into the environment variable SLIPWAY_DATABASE_PASSWORD",
        )


DATABASE_TABLE = SettingsTable(
    name="database",
    model=DatabaseSettings,
    shape=TableShape.OPTIONAL,
    summary="PostgreSQL in place of files in the state folder",
    check=_check,
)
