"""Mistakes that only show when several settings are seen together."""

from __future__ import annotations

import ipaddress
import shlex
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.matrix.platform import MATRIX
from slipway.bot.chat.model import SCHEDULE, Platform
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.config.cron import check_cron
from slipway.bot.config.policies import CLOUD_OF, PolicyCheck, with_defaults
from slipway.bot.core.problems import Problem, listing, shown, unknown
from slipway.bot.config.schema import Understood
from slipway.bot.config.settings import (
    OperationKind,
    ScheduleSettings,
    SlipwaySettings,
    parse_address,
)
from slipway.bot.chat.slack.checks import ACCOUNT, CHANNEL, GROUP, slack_problems
from slipway.bot.config.tables import Plain
from slipway.bot.core.times import format_duration

ALL_COMMANDS = "*"
READING_COMMANDS = "read"
_KINDS = frozenset(kind.value for kind in OperationKind)


@dataclass(frozen=True)
class Written:
    """What a check looks at.

    Attributes:
        settings: the part of the configuration that is right in itself.
        document: the document as it was written, for what exists there at all.
        commands: the names of all commands.
        unsure: how many persons had mistakes.
        unsure_roles: whether a role had mistakes.
        secretless: the tables that have a secret which could not be read, told already.
    """

    settings: SlipwaySettings
    document: dict[str, Plain]
    commands: frozenset[str]
    unsure: int
    unsure_roles: bool
    secretless: frozenset[str]

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

    def has(self, platform: Platform) -> bool:
        """Whether the configuration speaks of a platform, rightly or wrongly."""
        if platform == CONSOLE:
            return self.settings.console.enabled
        return platform != SCHEDULE and platform in self.document


def cross_check(
    understood: Understood,
    document: dict[str, Plain],
    commands: frozenset[str],
    secretless: frozenset[str] = frozenset(),
) -> list[Problem]:
    """All mistakes between settings that are each right in themselves.

    Where the people or the roles cannot be read at all, everything would look wrong, so nothing more is said.
    """
    if not isinstance(document.get("roles", {}), dict) or not isinstance(document.get("person", []), list):
        return []
    written = Written(
        understood.settings,
        document,
        commands,
        understood.unsure_persons,
        understood.unsure_roles,
        secretless,
    )
    problems = [problem for check in _CHECKS for problem in check(written)]
    policies = PolicyCheck(
        with_defaults(written.settings, written.names("roles")),
        written.names("policy"),
        written.names("roles"),
        written.unsure,
        written.unsure_roles,
    )
    return [*problems, *policies.problems()]


def _somewhere_to_talk(written: Written) -> Iterator[Problem]:
    if not any(written.has(platform) for platform in (CONSOLE, MATRIX, SLACK)) and "console" not in written.document:
        yield Problem("matrix", "is missing: there is no room to talk in; add [matrix] or [slack]")
    elif not any(written.has(platform) for platform in (CONSOLE, MATRIX, SLACK)):
        yield Problem(
            "console.enabled", "there is no room to talk in; set it to true, or add [matrix] or [slack]"
        )
    if "aws" not in written.document and "azure" not in written.document:
        yield Problem(
            "aws", "is missing, and so is azure: there is no cloud to work in; add [aws] or [azure]"
        )
    if "person" not in written.document:
        yield Problem("person", "is missing: nobody may do anything; add a [[person]] for each of you")


def _console(written: Written) -> Iterator[Problem]:
    console = written.settings.console
    known = {text for person in written.settings.person for text in person.identities}
    if console.enabled and f"console:{console.speaker}" not in known and not written.unsure:
        yield Problem(
            "console.speaker",
            f'nobody has the identity "console:{console.speaker}"; add it to the identities of a [[person]]',
        )


def _matrix(written: Written) -> Iterator[Problem]:
    matrix = written.settings.matrix
    table = written.document.get("matrix")
    if matrix is not None:
        yield from _address("matrix.homeserver", matrix.homeserver)
        for room in matrix.rooms:
            if not room.startswith(("!", "#")):
                yield Problem(
                    "matrix.rooms", f"{shown(room)} is not a room; write its id (!…) or its alias (#…)"
                )
    if not isinstance(table, dict) or "matrix" in written.secretless:
        return
    given = {key for key in ("password", "access_token") if key in table}
    if len(given) > 1:  # none is needed: `slipway matrix login` keeps a login of its own
        yield Problem("matrix", "a password and an access token are both given; give one of them")


def _slack(written: Written) -> Iterator[Problem]:
    slack = written.settings.slack
    if slack is not None:
        if slack.endpoint is not None:
            yield from _address("slack.endpoint", slack.endpoint)
        yield from slack_problems(slack, secrets="slack" not in written.secretless)


def _clouds(written: Written) -> Iterator[Problem]:
    aws, azure = written.settings.aws, written.settings.azure
    if aws is not None:
        if aws.endpoint is not None:
            yield from _address("aws.endpoint", aws.endpoint)
        if not aws.owners:
            yield Problem("aws.owners", 'is empty; write whose images to use, like ["125523088429"]')
        one_key = (aws.access_key_id is None) != (aws.secret_access_key is None)
        if one_key and "aws" not in written.secretless:
            yield Problem(
                "aws",
                "of access_key_id and secret_access_key only one is given; give both, or neither to use "
                "the credentials that boto3 finds by itself",
            )
    if azure is not None:
        if azure.endpoint is not None:
            yield from _address("azure.endpoint", azure.endpoint)
        if azure.client_secret is not None and not (azure.tenant_id and azure.client_id):
            yield Problem("azure", "a client secret needs tenant_id and client_id beside it; add them")


def _address(key: str, address: str) -> Iterator[Problem]:
    """An http(s) address without a password in it; unencrypted only on this machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        port_fits = parts.port != 0
    except ValueError:
        host, port_fits = "", False
    if "@" in address:
        yield Problem(key, "there is a name or password in the address; take it out")
    elif not host or not port_fits or parts.scheme not in ("http", "https"):
        yield Problem(key, f"{shown(address)} is not an address; write it like https://example.org")
    elif parts.scheme == "http" and not _is_loopback(host):
        yield Problem(
            key, f"{shown(address)} is not encrypted; write https:// (http:// is for this machine only)"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


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
            yield from _identity(f"person.{person.id}.identities", identity)
    for identity, ids in owners.items():
        if len(ids) > 1:
            holders = " and ".join(dict.fromkeys(ids))
            yield Problem(
                f"person.{ids[-1]}.identities",
                f"{shown(identity)} is given {len(ids)} times (to {holders}); an account is one person's",
            )


def _identity(key: str, identity: str) -> Iterator[Problem]:
    try:
        platform, account = parse_address(identity)
    except ValueError as error:
        yield Problem(key, str(error))
        return
    if platform == MATRIX and not (account.startswith("@") and ":" in account):
        yield Problem(
            key, f"{shown(identity)} is not a Matrix account; write it like matrix:@alice:example.org"
        )
    if platform == SLACK and not ACCOUNT.fullmatch(account):
        yield Problem(key, f"{shown(identity)} is not a Slack account; write it like slack:U0123456789")


def _roles(written: Written) -> Iterator[Problem]:
    options = written.commands | {ALL_COMMANDS, READING_COMMANDS}
    for name, role in written.settings.roles.items():
        for right in sorted(set(role.may) - options):
            yield Problem(f"roles.{name}.may", unknown("command", right, options, "Commands"))
        key = f"roles.{name}.slack_groups"
        for group in role.slack_groups:
            if not GROUP.fullmatch(group):
                yield Problem(key, f"{shown(group)} is not a user group's id, like S0123456789")
        if role.slack_groups and "slack" not in written.document:
            yield Problem(key, "user groups are Slack's, and there is no [slack]; add it")


def _profiles(written: Written) -> Iterator[Problem]:
    for name, profile in written.settings.profiles.items():
        if not name or any(sign.isspace() for sign in name) or name.startswith("-"):
            yield Problem(f"profiles.{name}", "people must be able to type the name; write it without spaces")
        if profile.default_for > profile.max_for:
            yield Problem(
                f"profiles.{name}.default_for",
                f"{format_duration(profile.default_for)} is longer than max_for, which is "
                f"{format_duration(profile.max_for)}; shorten the one or lengthen the other",
            )
    if written.settings.profiles and "aws" not in written.document:
        yield Problem("profiles", "profiles launch machines on AWS, and there is no [aws]; add it")


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
        yield from _scheduled_room(entry, written)


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
    command = words[0]
    if command.startswith(prefix):
        yield Problem(key, f"leave the prefix out: {entry.command.strip().removeprefix(prefix)}")
    elif command not in written.commands:
        yield Problem(key, unknown("command", command, written.commands, "Commands"))
    else:
        yield from _scheduled_right(entry, command, written)
        if command in _KINDS and CLOUD_OF[OperationKind(command)] not in written.document:
            cloud = CLOUD_OF[OperationKind(command)]
            yield Problem(key, f"{command} works in {cloud}, and there is no [{cloud}]; add it")


def _scheduled_right(entry: ScheduleSettings, command: str, written: Written) -> Iterator[Problem]:
    roles = written.settings.roles
    if written.unsure_roles or not set(entry.roles) <= roles.keys():
        return  # told elsewhere
    rights = {right for role in entry.roles for right in roles[role].may}
    # Which commands only read is known above; those named like a kind of operation change something.
    enough = {command, ALL_COMMANDS} | (set() if command in _KINDS else {READING_COMMANDS})
    if not rights & enough:
        able = [name for name, role in roles.items() if set(role.may) & enough]
        yield Problem(
            f"schedule.{entry.name}.roles",
            f"no role here has the right to {command}; roles that have it: {listing(able)}",
        )


def _scheduled_room(entry: ScheduleSettings, written: Written) -> Iterator[Problem]:
    key = f"schedule.{entry.name}.room"
    try:
        platform, room = parse_address(entry.room)
    except ValueError:
        yield Problem(
            key,
            f"{shown(entry.room)} is not a room; write it like matrix:!abc:example.org or console:console",
        )
        return
    if not written.has(platform):
        right = "set console.enabled" if platform == CONSOLE else f"add [{platform}]"
        yield Problem(
            key, f"the room is on {platform}, which is not configured; {right} or name another room"
        )
        return
    if platform == MATRIX and not room.startswith("!"):
        yield Problem(key, f"{shown(entry.room)} is not a room's id; write it like matrix:!abc:example.org")
        return
    if platform == SLACK and not CHANNEL.fullmatch(room):
        yield Problem(key, f"{shown(entry.room)} is not a channel's id; write it like slack:C0123456789")
        return
    known = _rooms_of(platform, written.settings)
    if known and room not in known:
        yield Problem(key, unknown("room", room, known, f"Rooms on {platform}"))


def _rooms_of(platform: Platform, settings: SlipwaySettings) -> tuple[str, ...]:
    """The rooms the bot works in, or none where that cannot be told from names alone."""
    if platform == CONSOLE:
        return (settings.console.room,)
    if platform == MATRIX and settings.matrix is not None:
        # Behind an alias may stand any id, so a list with aliases proves nothing about an id.
        rooms = settings.matrix.rooms
        return rooms if all(room.startswith("!") for room in rooms) else ()
    return ()


_CHECKS: tuple[Callable[[Written], Iterator[Problem]], ...] = (
    _somewhere_to_talk,
    _console,
    _matrix,
    _slack,
    _clouds,
    _persons,
    _roles,
    _profiles,
    _schedules,
)
