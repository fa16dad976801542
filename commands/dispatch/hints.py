"""Which command an answer may name as the next one: only what whoever reads it may say."""

from __future__ import annotations

import shlex
from typing import Any

from slipway.bot.core.commands import Access, Command
from slipway.bot.people import People, Person, PersonKind, have
from slipway.commands.grammar.arguments import Misuse, Parse, Parsed, parse
from slipway.commands.grammar.registry import Registry, Resolved


def is_guarded(command: Command[Any], parsed: Parse) -> bool:
    """Whether a line, once carried out, could change something or show what not everybody may see, and so needs more
    than ``read``.

    A dry run does not, and neither does what is only answered with the command's help or usage. It is told by what
    the handler is given, never by the words: ``--dry-run`` may be another option's value.
    """
    return command.guarded and isinstance(parsed, Parsed) and parsed.values.get("dry_run") is not True


def why_not(person: Person, line: str, registry: Registry[Any], people: People) -> str | None:
    """Why an answer may not name a command line, without its prefix, as the next one; None: it may.

    Returns:
        The sentence to say in its place, such as who may use the command; empty where there is none, as for a line
        that cannot be read, or for strangers, who are told no names.
    """
    try:
        name, *args = shlex.split(line)
    except ValueError:  # it holds what somebody typed, with a quote of its own
        return ""
    found = registry.resolve(name, args)
    if not isinstance(found, Resolved):
        return ""
    command = found.command
    parsed = parse(command, found.args, "")
    if isinstance(parsed, Misuse):
        return ""
    guarded = is_guarded(command, parsed)
    if command.access is Access.OPEN or people.may(person, command.right, changes=guarded):
        return None
    return not_for(person, command, people)


def may_use(person: Person, command: Command[Any], people: People) -> bool:
    """Whether somebody may use a command for what it is there for."""
    return command.access is Access.OPEN or people.may(person, command.right, changes=command.guarded)


def not_for(person: Person, command: Command[Any], people: People) -> str:
    """That somebody may not use a command, and who may, as a sentence; empty for strangers, who are told no names."""
    if person.kind is PersonKind.STRANGER:
        return ""
    holders = have(people.holders(command.right, changes=command.guarded))
    who_has = f"{holders} it" if holders else "nobody has it yet; whoever runs Slipway can give it"
    return f"`{command.name}` takes the right `{command.right}`, which you do not have: {who_has}."
