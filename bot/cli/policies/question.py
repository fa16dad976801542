"""What a line would ask approval for, as far as that can be told without a look at any cloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slipway.bot.chat.model import Address
from slipway.bot.config.settings import ScheduleMode, SlipwaySettings
from slipway.bot.core.errors import UserError
from slipway.bot.core.steps import Target
from slipway.bot.core.text import nearest
from slipway.bot.declared import Declarations
from slipway.bot.operations.declarations import ANYTHING, WHOEVER_ASKS, OperationKind
from slipway.bot.operations.policies import Asker
from slipway.bot.people import People, Person, is_automatic, schedule_of
from slipway.commands.dispatch.context import MisuseError
from slipway.commands.dispatch.emergencies import split_emergency
from slipway.commands.grammar.arguments import HelpWanted, Misuse, parse
from slipway.commands.grammar.reading import Line
from slipway.commands.grammar.registry import Resolved

_EVERYTHING = "*"


@dataclass(frozen=True)
class Question:
    """A line, the kinds of operation that it may make, and what it names.

    Attributes:
        line: as it was typed.
        kinds: that of the command's own name first.
        values: the command's arguments and options, by their names.
        first: the name of its first argument; empty where it has none.
        emergency: why it cannot wait for approvals, as it says; empty where it does not.
    """

    line: str
    kinds: tuple[OperationKind[Any, Any], ...]
    values: Mapping[str, Any]
    first: str
    emergency: str = ""

    def kind(self, name: str) -> OperationKind[Any, Any]:
        """One of its kinds; the first by the empty name.

        Raises:
            UserError: it makes no such operation.
        """
        found = next((kind for kind in self.kinds if not name or kind.name == name), None)
        if found is None:
            made = ", ".join(kind.name for kind in self.kinds)
            raise UserError(f"“{self.line}” makes no operation of the kind {name}; it makes: {made}.")
        return found

    def targets(
        self, kind: OperationKind[Any, Any], asker: str, settings: SlipwaySettings, accounts: tuple[str, ...]
    ) -> tuple[Target, ...]:
        """What it names, each in the account that stands before it or that slipway.toml says, or else in none.

        Args:
            kind: one of its kinds.
            asker: the id of whoever asks.
            settings: the configuration.
            accounts: the clouds' accounts.
        """
        places = {target.name: target.cloud for target in kind.names(settings) or ()}
        return tuple(
            Target(each.name, each.cloud or places.get(each.name, ""))
            for each in self._named(kind, asker, accounts)
        )

    def _named(
        self, kind: OperationKind[Any, Any], asker: str, accounts: tuple[str, ...]
    ) -> tuple[Target, ...]:
        if kind.named_by == WHOEVER_ASKS:
            return (Target(asker or _EVERYTHING),)
        value = None if kind.named_by == ANYTHING else self.values.get(kind.named_by or self.first)
        words = value if isinstance(value, tuple) else (value,)
        names = [str(word).partition("/")[0] for word in words if word is not None] or [_EVERYTHING]
        return tuple(dict.fromkeys(_target(name, accounts) for name in names))


def _target(name: str, accounts: tuple[str, ...]) -> Target:
    cloud, colon, rest = name.partition(":")
    found = next((each for each in accounts if each.casefold() == cloud.casefold()), None)
    return Target(rest, found) if colon and found is not None else Target(name)


def read_question(line: str, declarations: Declarations, prefix: str) -> Question:
    """Read a line as the bot would.

    Raises:
        UserError: it is no command, does not fit one, or changes nothing.
    """
    commands = declarations.commands
    reading = commands.read(line, Address.DIRECT, prefix)
    found = commands.resolve(reading.name, reading.args) if isinstance(reading, Line) else None
    if not isinstance(found, Resolved):
        raise UserError(f"“{line}” is no command line; write it like promote Fedora-Cloud-*")
    command = found.command
    try:
        args, emergency = split_emergency(found.args, command)
    except MisuseError as error:
        raise UserError(error.sentence.replace("`", "")) from None
    parsed = parse(command, args, "")
    if isinstance(parsed, (Misuse, HelpWanted)):
        why = parsed.message if isinstance(parsed, Misuse) else "It only asks for help."
        raise UserError(f"“{line}” does not fit {command.name}. {why}".replace("`", ""))
    kinds = [kind for kind in declarations.registry.kinds.values() if kind.typed == command.name]
    if not kinds:
        raise UserError(f"{command.name} makes no operation, so that nobody has to agree to it.")
    kinds.sort(key=lambda kind: kind.name != command.name)
    first = command.arguments[0].name if command.arguments else None
    return Question(line, tuple(kinds), parsed.values, first or "", emergency)


def accounts_of(
    kind: OperationKind[Any, Any], settings: SlipwaySettings, declarations: Declarations
) -> tuple[str, ...]:
    """The accounts in which operations of a kind may work; the empty word where they work in no cloud."""
    if kind.needs is None or kind.named_by == WHOEVER_ASKS:
        return ("",)
    found = [
        name
        for cloud in declarations.clouds
        for name in settings.named(cloud.table)
        if kind.needs in cloud.by_itself or kind.needs in cloud.described
    ]
    return tuple(dict.fromkeys(found)) or ("",)


def who_asks(name: str, settings: SlipwaySettings, people: People) -> tuple[Person, Asker]:
    """A person or a schedule by its id.

    Raises:
        UserError: there is neither.
    """
    person = people.by_id(name)
    if person is None:
        ids = [each.id for each in (*people.persons, *people.schedules)]
        raise UserError(f"There is no person {name}.", nearest=nearest(name, ids))
    modes = {entry.name: entry.mode for entry in settings.schedule}
    schedule = schedule_of(name)
    mode = modes.get(schedule, ScheduleMode.POLICY)
    return person, Asker(scheduled=is_automatic(name), mode=mode, name=schedule)
