"""Whether what schedules are to say can be said: the grammar knows, the configuration does not."""

from __future__ import annotations

from slipway.bot.chat.model import Address
from slipway.bot.config.settings import SlipwaySettings
from slipway.commands.all import registry
from slipway.commands.grammar.declaration import HelpWanted, Misuse, parse, usage
from slipway.commands.grammar.reading import Line, read_line


def schedule_problems(settings: SlipwaySettings) -> tuple[str, ...]:
    """One line for each schedule whose command line does not parse, with its key and what would be right."""
    problems = []
    commands, prefix = registry(), settings.commands.prefix
    for entry in settings.schedule:
        key = f"schedule.{entry.name}.command"
        reading = read_line(entry.command, Address.DIRECT, prefix, commands.names)
        if not isinstance(reading, Line):
            problems.append(
                f"{key}: this is no command line; write it like cleanup or promote Fedora-Cloud-*"
            )
            continue
        spec = commands.by_name[reading.name]
        match parse(spec, reading.args, ""):
            case Misuse(message=message):
                problems.append(f"{key}: {message} Write it like {usage(spec, '')}")
            case HelpWanted():
                problems.append(f"{key}: this only asks for help. Write it like {usage(spec, '')}")
            case _:
                pass
    return tuple(problems)
