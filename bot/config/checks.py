"""Mistakes that only show when several settings are seen together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from slipway.bot.config.http_checks import http_problems
from slipway.bot.config.person_checks import (
    named_account_problems,
    person_key_problems,
    person_problems,
    role_problems,
)
from slipway.bot.config.place_checks import owner_problems, room_problems
from slipway.bot.config.policies.checks import PolicyCheck
from slipway.bot.config.policies.defaults import with_defaults
from slipway.bot.config.schema import Schema, Understood
from slipway.bot.config.step_up import shared_secrets, too_few_with_secrets
from slipway.bot.config.tables import Plain
from slipway.bot.config.time_checks import freeze_problems, schedule_problems
from slipway.bot.config.written import Written
from slipway.bot.core.cron import check_cron
from slipway.bot.core.problems import Problem, one_of, shown, unknown
from slipway.bot.core.settings_table import AnyTable, TableShape
from slipway.bot.core.syslog_address import SyslogAddress

_ACCOUNT = re.compile(r"[a-z][a-z0-9_-]*", re.ASCII)
"""The name of a cloud's account. Small letters: case does not count where people type it before a definition."""


def cross_check(
    schema: Schema,
    understood: Understood,
    document: dict[str, Plain],
    secretless: frozenset[str] = frozenset(),
) -> list[Problem]:
    """All mistakes between settings that are each right in themselves.

    Where the people or the roles cannot be read at all, everything would look wrong, so nothing more is said.
    """
    if not isinstance(document.get("roles", {}), dict) or not isinstance(document.get("person", []), list):
        return []
    spec = schema.spec
    written = Written(
        spec,
        understood.settings,
        document,
        understood.unsure_persons,
        understood.unsure_roles,
        secretless,
        schema.accounts_in(document),
    )
    problems = [problem for check in _CHECKS for problem in check(written)]
    settings = with_defaults(spec, written.settings, written.names("roles"))
    if not written.unsure and not any(table.startswith("person") for table in secretless):
        problems += too_few_with_secrets(spec, settings, written.names("policy"))
    policies = PolicyCheck(
        spec,
        settings,
        written.names("policy"),
        written.names("roles"),
        written.unsure,
        written.unsure_roles,
        written.accounts,
        written.names("environment"),
    )
    return [*problems, *policies.problems()]


def _emergency(written: Written) -> Iterator[Problem]:
    """Who may pass approvals, and of what: both or neither, and only what there is."""
    allowed = written.settings.emergency
    if bool(allowed.people) != bool(allowed.kinds):
        key, said = ("kinds", "of what") if allowed.people else ("people", "who")
        yield Problem(
            f"emergency.{key}", f"is missing: nothing says {said} may pass approvals; write it, too"
        )
    persons = written.all_of("person", "id")
    for name in () if written.unsure else allowed.people:
        if name not in persons:
            yield Problem("emergency.people", unknown("person", name, persons, "Persons here"))
    kinds = [kind.name for kind in written.spec.kinds]
    for name in allowed.kinds:
        if name not in kinds:
            yield Problem("emergency.kinds", unknown("kind of operation", name, kinds, "Kinds"))
    policies = [written.settings.policy[kind] for kind in allowed.kinds if kind in written.settings.policy]
    code = allowed.step_up or any(each.step_up for policy in policies for _, each in policy.everywhere())
    for person in written.settings.person if code else ():
        unread = f"person.{person.id}" in written.secretless  # which is told already
        if person.id in allowed.people and person.totp_secret is None and not unread:
            who = f"takes a code of {person.id}, who has no totp_secret_file"
            yield Problem("emergency.people", f"{who}; `slipway totp new {person.id}` makes one")


def _codes(written: Written) -> Iterator[Problem]:
    yield from shared_secrets(written.settings)


def _somewhere_to_talk(written: Written) -> Iterator[Problem]:
    chats = [chat for chat in written.spec.chats if not chat.switch]
    switched = next((chat for chat in written.spec.chats if chat.switch), None)
    tables = one_of(f"[{chat.platform}]" for chat in chats)
    if not any(written.has(chat) for chat in written.spec.chats):
        if switched is not None and switched.platform in written.document:
            key = f"{switched.platform}.{switched.switch}"
            yield Problem(key, f"there is no room to talk in; set it to true, or add {tables}")
        elif chats:
            yield Problem(chats[0].platform, f"is missing: there is no room to talk in; add {tables}")


def _somewhere_to_work(written: Written) -> Iterator[Problem]:
    first, *others = written.spec.clouds or ("",)
    if first and not any(cloud in written.document for cloud in written.spec.clouds):
        too = f", and so {'are' if len(others) > 1 else 'is'} {' and '.join(others)}" if others else ""
        tables = one_of(f"[{cloud}]" for cloud in written.spec.clouds)
        yield Problem(first, f"is missing{too}: there is no cloud to work in; add {tables}")
    if "person" not in written.document:
        yield Problem("person", "is missing: nobody may do anything; add a [[person]] for each of you")


def _declared_tables(written: Written) -> Iterator[Problem]:
    """What each declared table's own checks find."""
    for table in written.spec.tables:
        value = getattr(written.settings, table.name)
        for key, entry in _entries(table, value):
            if table.shape is TableShape.NAMED and not _typable(key):
                yield Problem(
                    f"{table.name}.{key}", "people must be able to type the name; write it without spaces"
                )
            whole = f"{table.name}.{key}" if table.shape is TableShape.NAMED else key
            for problem in table.check(entry, whole not in written.secretless):
                yield Problem(f"{whole}.{problem.key}" if problem.key else whole, problem.said)
            for where, role in table.named_roles(entry):
                if role not in written.names("roles"):
                    roles = written.names("roles")
                    yield Problem(f"{whole}.{where}", unknown("role", role, roles, "Roles here"))
            persons = written.all_of("person", "id")
            for where, name in table.named_people(entry):
                yield from owner_problems(f"{whole}.{where}", name, written.names("roles"), persons)
        if value:
            yield from table.check_accounts(value, written.accounts)


def _account_names(written: Written) -> Iterator[Problem]:
    """People type the accounts' names, and variables for secrets are called after them, in capitals."""
    for cloud in written.spec.clouds:
        prefix = f"{cloud}."
        variables: dict[str, str] = {}
        for account in sorted(each for each in written.accounts if each.startswith(prefix)):
            name = account.removeprefix(prefix)
            if _ACCOUNT.fullmatch(name) is None:
                said = "an account's name begins with one of a-z, and holds only a-z, 0-9, _ and -"
                yield Problem(account, f"{said}; write it like [{cloud}.staging]")
                continue
            other = variables.setdefault(name.replace("-", "_"), account)
            if other != account:
                said = f"[{account}] and [{other}] would take their secrets from the same variables"
                yield Problem(account, f"{said}; give one of them another name")


def _entries(table: AnyTable, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif value is not None:
        yield table.name, value


def _typable(name: str) -> bool:
    return bool(name) and not any(sign.isspace() for sign in name) and not name.startswith("-")


def _commands(written: Written) -> Iterator[Problem]:
    if written.settings.commands.room:
        yield from room_problems("commands.room", written.settings.commands.room, written)


def _audit(written: Written) -> Iterator[Problem]:
    entry = written.settings.audit
    try:
        check_cron(entry.cron)
    except ValueError as error:
        yield Problem("audit.cron", str(error))
    if entry.room:
        yield from room_problems("audit.room", entry.room, written)
    if entry.syslog:
        try:
            SyslogAddress.parse(entry.syslog)
        except ValueError as error:
            yield Problem("audit.syslog", f"{shown(entry.syslog)} is no syslog: {error}")
    elif entry.syslog_ca is not None:
        yield Problem("audit.syslog_ca", "there is no syslog beside it; write where it is, or leave this out")


def _problems(written: Written) -> Iterator[Problem]:
    entry = written.settings.problems
    if entry.room:
        yield from room_problems("problems.room", entry.room, written)
    yield from owner_problems(
        "problems.owner", entry.owner, written.names("roles"), written.all_of("person", "id")
    )


_CHECKS: tuple[Callable[[Written], Iterator[Problem]], ...] = (
    _codes,
    _emergency,
    _somewhere_to_talk,
    _somewhere_to_work,
    _declared_tables,
    _account_names,
    named_account_problems,
    person_problems,
    person_key_problems,
    role_problems,
    schedule_problems,
    freeze_problems,
    _commands,
    lambda each: http_problems(each.settings, each.spec, secrets="http.ops" not in each.secretless),
    _audit,
    _problems,
)
