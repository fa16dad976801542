"""Mistakes that only show when several settings are seen together."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

from slipway.bot.chat.declaration import ChatDeclaration
from slipway.bot.config.http_checks import http_problems
from slipway.bot.config.policies.checks import PolicyCheck
from slipway.bot.config.policies.defaults import with_defaults
from slipway.bot.config.schema import Schema, Understood
from slipway.bot.config.settings import (
    ROLE,
    ScheduleMode,
    ScheduleSettings,
    SlipwaySettings,
    rights_of,
    split_address,
)
from slipway.bot.config.spec import CommandRight, ConfigSpec, gives
from slipway.bot.config.step_up import shared_secrets, too_few_with_secrets
from slipway.bot.config.tables import Plain
from slipway.bot.core.cron import check_cron
from slipway.bot.core.problems import Problem, listing, one_of, shown, unknown
from slipway.bot.core.settings_table import AnyTable, TableShape
from slipway.bot.core.syslog_address import SyslogAddress

_ACCOUNT = re.compile(r"[a-z][a-z0-9_-]*", re.ASCII)
"""The name of a cloud's account. Small letters: case does not count where people type it before a definition."""


@dataclass(frozen=True)
class Written:
    """What a check looks at.

    Attributes:
        spec: what slipway.toml may speak of.
        settings: the part of the configuration that is right in itself.
        document: the document as it was written, for what exists there at all.
        unsure: how many persons had mistakes.
        unsure_roles: whether a role had mistakes.
        secretless: the tables that have a secret which could not be read, told already.
        accounts: the clouds' accounts that are configured, rightly or wrongly, by name.
    """

    spec: ConfigSpec
    settings: SlipwaySettings
    document: dict[str, Plain]
    unsure: int
    unsure_roles: bool
    secretless: frozenset[str]
    accounts: frozenset[str]

    def names(self, table: str) -> frozenset[str]:
        """The names under a table such as ``roles``, those with mistakes included."""
        here = self.document.get(table)
        return frozenset(here) if isinstance(here, dict) else frozenset()

    def all_of(self, table: str, key: str) -> list[str]:
        """The texts under one key of all ``[[table]]`` entries, those with mistakes included."""
        entries = self.document.get(table)
        values = [
            entry.get(key)
            for entry in (entries if isinstance(entries, list) else ())
            if isinstance(entry, dict)
        ]
        return [value for value in values if isinstance(value, str)]

    def chat(self, platform: str) -> ChatDeclaration[Any] | None:
        """The declaration of a platform, by its name in addresses."""
        return next((chat for chat in self.spec.chats if chat.platform == platform), None)

    def has(self, chat: ChatDeclaration[Any]) -> bool:
        """Whether the configuration speaks of a platform, rightly or wrongly."""
        table = getattr(self.settings, chat.platform)
        if table is None:  # not there, or wrong
            return chat.platform in self.document
        return chat.enabled(table)


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
                yield from check_owner(f"{whole}.{where}", name, written.names("roles"), persons)
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


def _named_accounts(written: Written) -> Iterator[Problem]:
    """An account that a platform's table names must be somebody's."""
    known = {identity for person in written.settings.person for identity in person.identities}
    for chat in written.spec.chats:
        table = getattr(written.settings, chat.platform)
        if table is None or not written.has(chat) or written.unsure:
            continue
        for key, account in chat.named_accounts(table).items():
            if (identity := f"{chat.platform}:{account}") not in known:
                said = f'nobody has the identity "{identity}"; add it to the identities of a [[person]]'
                yield Problem(f"{chat.platform}.{key}", said)


def _persons(written: Written) -> Iterator[Problem]:
    for name, count in Counter(written.all_of("person", "id")).items():
        if count > 1:
            yield Problem(f"person.{name}.id", f'{count} persons have the id "{name}"; give each their own')
    owners: dict[str, list[str]] = {}
    roles = written.names("roles")
    for person in written.settings.person:
        for role in sorted(set(person.roles) - roles):
            yield Problem(f"person.{person.id}.roles", unknown("role", role, roles, "Roles here"))
        for identity in person.identities:
            owners.setdefault(identity, []).append(person.id)
            yield from _identity(f"person.{person.id}.identities", identity, written)
    for identity, ids in owners.items():
        if len(ids) > 1:
            holders = " and ".join(dict.fromkeys(ids))
            yield Problem(
                f"person.{ids[-1]}.identities",
                f"{shown(identity)} is given {len(ids)} times (to {holders}); an account is one person's",
            )


def _person_keys(written: Written) -> Iterator[Problem]:
    """What subjects add to persons."""
    for key in written.spec.person_keys:
        yield from key.check({person.id: person.texts(key) for person in written.settings.person})


def _identity(key: str, identity: str, written: Written) -> Iterator[Problem]:
    try:
        platform, account = split_address(identity)
        chat = written.chat(platform)
    except ValueError:
        chat = None
    if chat is None:
        example = next((chat.account_example for chat in written.spec.chats if chat.account_example), "")
        yield Problem(key, f"“{identity}” is not platform:id; write it like {example}")
    elif (problem := chat.account_problem(account)) is not None:
        yield Problem(key, f"{shown(identity)} {problem}")


def _roles(written: Written) -> Iterator[Problem]:
    options = written.spec.rights
    for name, role in written.settings.roles.items():
        for right in sorted(set(role.may) - set(options)):
            yield Problem(f"roles.{name}.may", unknown("command", right, options, "Commands"))
        for chat in written.spec.chats:
            yield from _groups(f"roles.{name}.{chat.group_key}", role.groups(chat.group_key), chat, written)


def _groups(
    key: str, groups: tuple[str, ...], chat: ChatDeclaration[Any], written: Written
) -> Iterator[Problem]:
    for group in groups:
        problem = chat.group_problem(group)
        if problem is not None:
            yield Problem(key, f"{shown(group)} {problem}")
    if groups and chat.platform not in written.document:
        name = chat.platform.capitalize()
        yield Problem(key, f"user groups are {name}'s, and there is no [{chat.platform}]; add it")


def _schedules(written: Written) -> Iterator[Problem]:
    for name, count in Counter(written.all_of("schedule", "name")).items():
        if count > 1:
            yield Problem(
                f"schedule.{name}.name", f'{count} schedules have the name "{name}"; give each its own'
            )
    for entry in written.settings.schedule:
        key = f"schedule.{entry.name}"
        try:
            check_cron(entry.cron)
        except ValueError as error:
            yield Problem(f"{key}.cron", str(error))
        for role in sorted(set(entry.roles) - written.names("roles")):
            yield Problem(f"{key}.roles", unknown("role", role, written.names("roles"), "Roles here"))
        yield from _scheduled_command(entry, written)
        yield from _room(f"schedule.{entry.name}.room", entry.room, written)


def _freezes(written: Written) -> Iterator[Problem]:
    for name, count in Counter(written.all_of("freeze", "name")).items():
        if count > 1:
            yield Problem(f"freeze.{name}.name", f'{count} freezes have the name "{name}"; give each its own')
    kinds = [kind.name for kind in written.spec.kinds]
    persons, roles = written.all_of("person", "id"), written.names("roles")
    for window in written.settings.freeze:
        key = f"freeze.{window.name}"
        if window.cron:
            try:
                check_cron(window.cron)
            except ValueError as error:
                yield Problem(f"{key}.cron", str(error))
        yield from _kinds(f"{key}.kinds", window.kinds, kinds)
        for cloud in sorted(set(window.clouds) - written.accounts):
            yield Problem(f"{key}.clouds", unknown("account", cloud, written.accounts, "Accounts here"))
        for each in sorted(set(window.may_pass) - {*persons, *roles}):
            yield Problem(
                f"{key}.may_pass",
                unknown("person or role", each, [*persons, *roles], "Persons and roles here"),
            )
    yield from _kinds("freezes.go_on", written.settings.freezes.go_on, kinds)
    for room in written.settings.freezes.rooms:
        yield from _room("freezes.rooms", room, written)


def _kinds(key: str, named: Collection[str], kinds: Collection[str]) -> Iterator[Problem]:
    for kind in sorted(set(named) - set(kinds)):
        yield Problem(key, unknown("kind of operation", kind, kinds, "Kinds"))


def _commands(written: Written) -> Iterator[Problem]:
    if written.settings.commands.room:
        yield from _room("commands.room", written.settings.commands.room, written)


def _audit(written: Written) -> Iterator[Problem]:
    entry = written.settings.audit
    try:
        check_cron(entry.cron)
    except ValueError as error:
        yield Problem("audit.cron", str(error))
    if entry.room:
        yield from _room("audit.room", entry.room, written)
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
        yield from _room("problems.room", entry.room, written)
    yield from check_owner(
        "problems.owner", entry.owner, written.names("roles"), written.all_of("person", "id")
    )


def check_owner(key: str, owner: str, roles: Collection[str], persons: Collection[str]) -> Iterator[Problem]:
    """What is wrong with whom something is for: a person's id, a role, ``role:NAME`` for one that has the name of a
    person, or nothing."""
    role = owner.removeprefix(ROLE)
    if role != owner and role not in roles:
        yield Problem(key, unknown("role", role, roles, "Roles here"))
    elif role == owner and owner and owner not in {*persons, *roles}:
        yield Problem(key, unknown("person or role", owner, {*persons, *roles}, "Persons and roles here"))


def _scheduled_command(entry: ScheduleSettings, written: Written) -> Iterator[Problem]:
    key = f"schedule.{entry.name}.command"
    prefix = written.settings.commands.prefix
    try:
        words = shlex.split(entry.command)
    except ValueError:
        words = []
    if not words:
        yield Problem(key, f"{shown(entry.command)} is not a command; write what to type, like cleanup")
        return
    command = written.spec.find_command(words)
    if words[0].startswith(prefix):
        yield Problem(key, f"leave the prefix out: {entry.command.strip().removeprefix(prefix)}")
    elif command is None:
        names = [command.name for command in written.spec.commands]
        yield Problem(key, unknown("command", words[0], names, "Commands"))
    else:
        yield from _scheduled_right(entry, command, written)
        tables = next((kind.tables for kind in written.spec.kinds if kind.right == command.right), ())
        if tables and not any(table in written.document for table in tables):
            missing = one_of(f"[{table}]" for table in tables)
            it = "it" if len(tables) == 1 else "one"
            said = f"{command.name} works in {one_of(tables)}, and there is no {missing}; add {it}"
            yield Problem(key, said)


def _scheduled_right(entry: ScheduleSettings, command: CommandRight, written: Written) -> Iterator[Problem]:
    roles = written.settings.roles
    if written.unsure_roles or not set(entry.roles) <= roles.keys():
        return  # told elsewhere
    if entry.mode is ScheduleMode.REPORT:  # a change that is only told takes what reading takes
        command = replace(command, guarded=False)
    if not gives(rights_of(entry.roles, written.settings), command):
        able = [name for name, role in roles.items() if gives(role.may, command)]
        yield Problem(
            f"schedule.{entry.name}.roles",
            f"no role here has the right to {command.right}; roles that have it: {listing(able)}",
        )


def _room(key: str, address: str, written: Written) -> Iterator[Problem]:
    """What is wrong with a room to post in."""
    try:
        platform, room = split_address(address)
        chat = written.chat(platform)
    except ValueError:
        chat = None
    if chat is None:
        examples = one_of(chat.room_example for chat in written.spec.chats if chat.room_example)
        yield Problem(key, f"{shown(address)} is not a room; write it like {examples}")
        return
    if not written.has(chat):
        right = f"set {platform}.{chat.switch}" if chat.switch else f"add [{platform}]"
        yield Problem(
            key, f"the room is on {platform}, which is not configured; {right} or name another room"
        )
        return
    problem = chat.room_problem(room)
    if problem is not None:
        yield Problem(key, f"{shown(address)} {problem}")
        return
    table = getattr(written.settings, chat.platform)
    known = chat.rooms(table) if table is not None else ()
    if known and room not in known:
        yield Problem(key, unknown("room", room, known, f"Rooms on {platform}"))


_CHECKS: tuple[Callable[[Written], Iterator[Problem]], ...] = (
    _codes,
    _emergency,
    _somewhere_to_talk,
    _somewhere_to_work,
    _declared_tables,
    _account_names,
    _named_accounts,
    _persons,
    _person_keys,
    _roles,
    _schedules,
    _freezes,
    _commands,
    lambda each: http_problems(each.settings, each.spec, secrets="http.ops" not in each.secretless),
    _audit,
    _problems,
)
