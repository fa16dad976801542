"""Whether what schedules are to say can be said: the grammar knows, the configuration does not."""

from __future__ import annotations

from typing import Any

from slipway.bot.chat.model import Address
from slipway.bot.config.settings import ScheduleMode, ScheduleSettings, SlipwaySettings
from slipway.bot.core.commands import Access
from slipway.bot.core.problems import Problem
from slipway.commands.grammar.arguments import HelpWanted, Misuse, parse
from slipway.commands.grammar.reading import Line
from slipway.commands.grammar.registry import Registry, Resolved
from slipway.commands.grammar.usage import usage


def schedule_problems(settings: SlipwaySettings, commands: Registry[Any]) -> tuple[Problem, ...]:
    """One problem for each schedule whose command line does not parse, with its key and what would be right."""
    problems = []
    prefix = settings.commands.prefix
    for entry in settings.schedule:
        key = f"schedule.{entry.name}.command"
        reading = commands.read(entry.command, Address.DIRECT, prefix)
        found = commands.resolve(reading.name, reading.args) if isinstance(reading, Line) else None
        if not isinstance(found, Resolved):
            problems.append(
                Problem(key, "this is no command line; write it like cleanup or promote Fedora-Cloud-*")
            )
            continue
        problem = _problem(entry, found)
        problems += [problem] if problem is not None else []
    return tuple(problems)


def _problem(entry: ScheduleSettings, found: Resolved[Any]) -> Problem | None:
    """What is wrong with a schedule whose line names a command."""
    key, command = f"schedule.{entry.name}.command", found.command
    match parse(command, found.args, ""):
        case Misuse(message=message):
            return Problem(key, f"{message} Write it like {usage(command, '')}")
        case HelpWanted():
            return Problem(key, f"this only asks for help. Write it like {usage(command, '')}")
        case _ if command.people_only:
            return Problem(key, f"no schedule can say {command.name}. {command.people_only}")
        case _ if command.access is Access.DECIDE:
            return Problem(key, f"no schedule can say {command.name}. That is said by people who see a card.")
        case _ if entry.mode is not ScheduleMode.POLICY and not command.changes:
            said = f"{command.name} changes nothing that could be agreed to; leave mode out"
            return Problem(f"schedule.{entry.name}.mode", said)
        case _:
            return None
