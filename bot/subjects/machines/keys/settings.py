"""``[keys]``, and the accounts that ``[[person]]`` gives people, from which their public keys come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from pydantic import Field

from slipway.bot.core.addresses import check_address
from slipway.bot.core.problems import Problem, shown
from slipway.bot.core.settings import Duration, Settings
from slipway.bot.core.settings_table import PersonKey, SettingsTable, TableShape
from slipway.bot.subjects.machines.keys.model import SERVICES, read_account


class KeySettings(Settings):
    """``[keys]``."""

    github: str = "https://api.github.com"
    gitlab: str = "https://gitlab.com/api/v4"
    timeout: Duration = timedelta(seconds=10)
    most: int = Field(10, ge=1, le=50)


def _check(table: KeySettings, _secrets: bool) -> Iterator[Problem]:
    for service in SERVICES:
        yield from check_address(service, getattr(table, service))


KEYS = SettingsTable(
    name="keys",
    model=KeySettings,
    shape=TableShape.SINGLE,
    summary="where people's public keys are fetched, and how many one may have",
    check=_check,
)


def _check_accounts(given: Mapping[str, tuple[str, ...]]) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for person, accounts in given.items():
        for text in accounts:
            key = f"person.{person}.keys"
            try:
                account = str(read_account(text)).casefold()
            except ValueError as error:
                yield Problem(key, f"{shown(text)} is none: {error}")
                continue
            if owners.setdefault(account, person) != person:
                yield Problem(
                    key, f"{shown(text)} is given to {owners[account]}, too; an account is one person's"
                )


ACCOUNTS = PersonKey(
    name="keys",
    description='the person\'s accounts that publish their SSH keys as a list, like ["github:alice"]',
    check=_check_accounts,
)
