"""What everything about keys works with, made of a subject's context."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.subjects.machines.keys.checker import KeyChecker
from slipway.bot.subjects.machines.keys.model import read_account
from slipway.bot.subjects.machines.keys.planners import AddPlanner, KeyRules, RemovePlanner
from slipway.bot.subjects.machines.keys.settings import ACCOUNTS, KEYS

if TYPE_CHECKING:  # the database behind these takes most of a second, and `slipway check` needs none
    from slipway.bot.operations.declarations import SubjectContext
    from slipway.bot.subjects.machines.keys.repository import Keys


@dataclass(frozen=True)
class KeyServices:
    """People's public keys.

    Attributes:
        stored: those that people have.
        checker: which of them may be used now.
        rules: what the configuration says of them.
        adding: plans that keys are added.
        removing: plans that keys are removed.
    """

    stored: Keys
    checker: KeyChecker
    rules: KeyRules
    adding: AddPlanner
    removing: RemovePlanner


def key_services(context: SubjectContext) -> KeyServices:
    """Put it together. Asks nobody."""
    from slipway.bot.subjects.machines.keys.hosts import key_hosts
    from slipway.bot.subjects.machines.keys.repository import Keys

    table = context.settings.table(KEYS)
    stored = Keys(context.database)
    hosts = key_hosts(table, context.clock)
    accounts = {
        person.id: tuple(map(read_account, person.texts(ACCOUNTS))) for person in context.settings.person
    }
    rules = KeyRules(accounts, table.most)
    return KeyServices(
        stored=stored,
        checker=KeyChecker(stored, hosts, context.clock),
        rules=rules,
        adding=AddPlanner(stored, hosts, rules),
        removing=RemovePlanner(stored),
    )


def key_summary(settings: SlipwaySettings) -> str:
    """The line about keys in `slipway check`."""
    table = settings.table(KEYS)
    given = sum(bool(person.texts(ACCOUNTS)) for person in settings.person)
    hosts = " and ".join(urlsplit(each).netloc for each in (table.github, table.gitlab))
    return f"keys: at most {table.most} a person, from {hosts}; accounts are given to {given} of them"
