"""Mistakes in schedules and freezes, which only show beside other settings."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace

from slipway.bot.config.place_checks import room_problems
from slipway.bot.config.settings import ScheduleMode, ScheduleSettings, rights_of
from slipway.bot.config.spec import CommandRight, gives
from slipway.bot.config.written import Written
from slipway.bot.core.cron import check_cron
from slipway.bot.core.problems import Problem, listing, one_of, shown, unknown


def schedule_problems(written: Written) -> Iterator[Problem]:
    """Each name is one schedule's; times, roles, rooms and lines are there, and its roles may say the line."""
    yield from _name_problems(written, "schedule")
    for entry in written.settings.schedule:
        key = f"schedule.{entry.name}"
        try:
            check_cron(entry.cron)
        except ValueError as error:
            yield Problem(f"{key}.cron", str(error))
        for role in sorted(set(entry.roles) - written.names("roles")):
            yield Problem(f"{key}.roles", unknown("role", role, written.names("roles"), "Roles here"))
        yield from _scheduled_command(entry, written)
        yield from room_problems(f"schedule.{entry.name}.room", entry.room, written)


def _name_problems(written: Written, table: str) -> Iterator[Problem]:
    """Each name is one entry's of ``[[table]]``."""
    for name, count in Counter(written.all_of(table, "name")).items():
        if count > 1:
            yield Problem(
                f"{table}.{name}.name", f'{count} {table}s have the name "{name}"; give each its own'
            )


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


def freeze_problems(written: Written) -> Iterator[Problem]:
    """Names are one window's each; times, and what and whom they are about, are there."""
    yield from _name_problems(written, "freeze")
    kinds = [kind.name for kind in written.spec.kinds]
    persons, roles = written.all_of("person", "id"), written.names("roles")
    for window in written.settings.freeze:
        key = f"freeze.{window.name}"
        if window.cron:
            try:
                check_cron(window.cron)
            except ValueError as error:
                yield Problem(f"{key}.cron", str(error))
        yield from kind_problems(f"{key}.kinds", window.kinds, kinds)
        for cloud in sorted(set(window.clouds) - written.accounts):
            yield Problem(f"{key}.clouds", unknown("account", cloud, written.accounts, "Accounts here"))
        for each in sorted(set(window.may_pass) - {*persons, *roles}):
            yield Problem(
                f"{key}.may_pass",
                unknown("person or role", each, [*persons, *roles], "Persons and roles here"),
            )
    yield from kind_problems("freezes.go_on", written.settings.freezes.go_on, kinds)
    for room in written.settings.freezes.rooms:
        yield from room_problems("freezes.rooms", room, written)


def kind_problems(key: str, named: Collection[str], kinds: Collection[str]) -> Iterator[Problem]:
    """Kinds of operation are there."""
    for kind in sorted(set(named) - set(kinds)):
        yield Problem(key, unknown("kind of operation", kind, kinds, "Kinds"))
