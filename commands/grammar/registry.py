"""All commands of a bot: which names there are, and which command a line means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from slipway.bot.chat.model import Address
from slipway.bot.core.commands import Command
from slipway.bot.core.errors import DeclarationError
from slipway.bot.core.text import nearest
from slipway.commands.grammar.arguments import HELP_OPTIONS, HelpWanted, Misuse, Parsed, parse, takes_text
from slipway.commands.grammar.reading import Line, Reading, Unknown, near_misses, read_line

ResultT = TypeVar("ResultT")
ResultT_co = TypeVar("ResultT_co", covariant=True)

_HELP = "--help"

_LOOKS = frozenset({"show", "list", "get", "view", "describe", "info", "status"})
"""Verbs that nearly every other program has for what the bare noun does here."""

_MORE_VERBS = frozenset(
    {"close", "create", "delete", "disable", "enable", "open", "resolve", "start", "stop", "update"}
)
"""Verbs that people look for behind any noun, beside those that some noun has."""


@dataclass(frozen=True, slots=True)
class CommandGroup(Generic[ResultT_co]):
    """The commands under one heading of help."""

    title: str
    commands: tuple[Command[ResultT_co], ...]


@dataclass(frozen=True, slots=True)
class Resolved(Generic[ResultT_co]):
    """The command that a line means, and what is left of the line for it."""

    command: Command[ResultT_co]
    args: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnknownVerb:
    """A noun with a verb that it does not have.

    ``verbs`` are those that may have been meant, best first; all of them where none is near.
    """

    noun: str
    verb: str
    verbs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Registry(Generic[ResultT_co]):
    """All commands of a bot, in the order of help. Made by :func:`build_registry`."""

    groups: tuple[CommandGroup[ResultT_co], ...]
    by_name: Mapping[str, Command[ResultT_co]]  # of one word; aliases included
    verbs: Mapping[str, Mapping[str, Command[ResultT_co]]]  # by noun, singular and plural; then by verb

    @property
    def commands(self) -> tuple[Command[ResultT_co], ...]:
        """Every command, in the order of help."""
        return tuple(command for group in self.groups for command in group.commands)

    @property
    def names(self) -> tuple[str, ...]:
        """Every first word of a command that can be typed, aliases included."""
        return tuple(self.by_name)

    @property
    def phrases(self) -> tuple[str, ...]:
        """The commands of two words."""
        return tuple(command.name for command in self.commands if command.noun)

    @property
    def verbatim(self) -> tuple[str, ...]:
        """Those of :attr:`names` behind which people write prose, and nouns with a verb behind which they do."""
        nouns = (
            f"{noun} {verb}"
            for noun, verbs in self.verbs.items()
            for verb, command in verbs.items()
            if takes_text(command)
        )
        return (*(name for name, command in self.by_name.items() if takes_text(command)), *nouns)

    def read(self, text: str, address: Address, prefix: str) -> Reading:
        """What a message turns out to be, by these commands' names; see :func:`.reading.read_line`."""
        return read_line(text, address, prefix, self.names, self.verbatim, self.phrases)

    def resolve(self, name: str, args: Sequence[str]) -> Resolved[ResultT_co] | UnknownVerb | Unknown:
        """Which command a line means. Unknown if its first word is no name, as in a line stored by another Slipway.

        A noun's verb counts before the arguments of the bare noun, which lists; a slip in a verb is told. What
        asks for help after a noun asks for that of the bare noun, or of the verb that follows.
        """
        bare, verbs = self.by_name.get(name), self.verbs.get(name, {})
        if bare is None:
            return Unknown(name, near_misses(name, self.names))
        if not args or not verbs:
            return Resolved(bare, tuple(args))
        typed = args[0].lower()
        if (found := verbs.get(typed)) is not None:
            return Resolved(found, tuple(args[1:]))
        if typed == "help" or typed in HELP_OPTIONS:
            return Resolved(verbs.get(args[1].lower(), bare) if len(args) > 1 else bare, (_HELP,))
        if typed in _LOOKS and (bare.arguments or len(args) == 1) and len(args) <= len(bare.arguments) + 1:
            return Resolved(bare, tuple(args[1:]))
        near = near_misses(typed, verbs)
        foreign = len(args) > len(bare.arguments) and (
            typed in _MORE_VERBS or any(typed in each for each in self.verbs.values())
        )
        if not near and not foreign and (typed.startswith("-") or bare.arguments):
            return Resolved(bare, tuple(args))
        return UnknownVerb(name, args[0], near or tuple(verbs))

    def find(self, words: Sequence[str]) -> Command[ResultT_co] | None:
        """The command that these words name; case does not count. None if they name none."""
        if not words:
            return None
        name = words[0].lower()
        found = self.verbs.get(name, {}).get(words[1].lower()) if len(words) > 1 else None
        return found or self.by_name.get(name)

    def verbs_of(self, command: Command[Any]) -> tuple[Command[ResultT_co], ...]:
        """The commands whose noun this is a name of, in the order of help; none for a command without verbs."""
        return () if command.noun else tuple(self.verbs.get(command.name, {}).values())

    def nearest(self, words: str, limit: int = 3) -> tuple[str, ...]:
        """Names that may have been meant by words that are none, best first."""
        return nearest(words, (*self.by_name, *(command.name for command in self.commands)), limit)


def build_registry(groups: Iterable[CommandGroup[ResultT]]) -> Registry[ResultT]:
    """Gather commands; groups and commands keep their order.

    Raises:
        DeclarationError: two commands share a name, two groups a noun, or a noun has no command that lists.
    """
    kept = tuple(group for group in groups if group.commands)
    _check_nouns(kept)
    by_name: dict[str, Command[ResultT]] = {}
    verbs: dict[str, dict[str, Command[ResultT]]] = {}
    commands = [command for group in kept for command in group.commands]
    for command in commands:
        names = (command.verb,) if command.noun else (command.name, *command.aliases)
        taken = verbs.setdefault(command.noun, {}) if command.noun else by_name
        for name in names:
            if name in taken:
                raise DeclarationError(f"Two commands are called {f'{command.noun} {name}'.strip()}.")
            taken[name] = command
    for noun in verbs:
        if noun not in by_name:
            raise DeclarationError(
                f"The noun {noun} has no command that lists: add one of one word with {noun} as its name or alias."
            )
    for command in commands:  # `bundles apply` is `bundle apply` where the bare noun has both names
        names = () if command.noun else (command.name, *command.aliases)
        nouns = [name for name in names if name in verbs]
        if len(nouns) > 1:
            raise DeclarationError(
                f"The nouns {' and '.join(nouns)} are one; give their verbs to one of them."
            )
        for name in names if nouns else ():
            verbs[name] = verbs[nouns[0]]
    return Registry(kept, MappingProxyType(by_name), MappingProxyType(verbs))


def _check_nouns(groups: Iterable[CommandGroup[Any]]) -> None:
    """One noun is one group's, with all its verbs and the bare noun, which lists."""
    owners: dict[str, list[str]] = {}
    nouns: dict[str, None] = {}
    for group in groups:
        for command in group.commands:
            for word in (command.noun,) if command.noun else (command.name, *command.aliases):
                owners.setdefault(word, []).append(group.title)
            nouns |= {command.noun: None} if command.noun else {}
    for noun in nouns:
        if len(titles := dict.fromkeys(owners[noun])) > 1:
            raise DeclarationError(f"The noun {noun} is claimed twice, by {' and '.join(titles)}.")


def check_examples(commands: Iterable[Command[Any]]) -> tuple[str, ...]:
    """What is wrong with the commands' examples, one sentence each; empty where all can be pasted."""
    problems = []
    for command in commands:
        first = (command.noun,) if command.noun else (command.name, *command.aliases)
        for example in command.examples:
            line = read_line(f"!{example}", Address.ROOM, "!", first, first if takes_text(command) else ())
            if not isinstance(line, Line):
                problems.append(f"{example!r} of {command.name} is not a line of that command: {line}")
                continue
            outcome = parse(command, line.args[1:] if command.noun else line.args, "!")
            if not isinstance(outcome, Parsed):
                problems.append(f"{example!r} of {command.name} does not parse: {_why(outcome)}")
    return tuple(problems)


def _why(outcome: HelpWanted | Misuse) -> str:
    return outcome.message.rstrip(".") if isinstance(outcome, Misuse) else "it asks for help"


def check_help(commands: Iterable[Command[Any]]) -> tuple[str, ...]:
    """What the commands' help would lack, one sentence each: it is made of the declarations alone."""
    problems = []
    for command in commands:
        if not command.description:
            problems.append(f"The command {command.name} lacks a description: give its handler a docstring")
        problems += [
            f"{param.name} of the command {command.name} lacks its help"
            for param in (*command.arguments, *command.options)
            if not param.help and param.metavar != ""  # the usage line leaves out what has no name in it
        ]
    return tuple(problems)
