"""How a command is declared, and how its arguments are read. Usage and help come from that alone."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import click

from slipway.bot.chat.model import Address
from slipway.bot.core.text import nearest
from slipway.commands.grammar.reading import Line, read_line
from slipway.commands.grammar.values import Value, said_back

ResultT = TypeVar("ResultT")
ResultT_co = TypeVar("ResultT_co", covariant=True)

_HELP_OPTIONS = frozenset({"--help", "-h", "-?"})


class Group(StrEnum):
    """What a command is about; groups stand in help in this order."""

    IMAGES = "Images"
    INSTANCES = "Instances"
    OPERATIONS = "Operations"
    SLIPWAY = "Slipway"


@dataclass(frozen=True, slots=True)
class CommandSpec(Generic[ResultT_co]):
    """A command as declared.

    Attributes:
        name: what is typed, in lower case.
        aliases: other names for it.
        grammar: its arguments and options; click reads them.
        handler: what carries it out; called with the call and the values by name.
        summary: what it does, in one line.
        description: more about it, for its own help; may be empty.
        examples: lines to paste, without the prefix; each must itself be readable.
        changes: whether it can change something, and so needs a right of its own.
        decides: whether it speaks on an operation; like a change, it has to come in a trusted way.
        group: where it stands in help.
    """

    name: str
    aliases: tuple[str, ...]
    grammar: click.Command
    handler: Callable[..., Awaitable[ResultT_co]]
    summary: str
    description: str
    examples: tuple[str, ...]
    changes: bool
    decides: bool
    group: Group

    @property
    def arguments(self) -> tuple[click.Argument, ...]:
        """What it takes by place, in order."""
        return tuple(param for param in self.grammar.params if isinstance(param, click.Argument))

    @property
    def options(self) -> tuple[click.Option, ...]:
        """What it takes by name, in order."""
        return tuple(param for param in self.grammar.params if isinstance(param, click.Option))


def command(
    name: str,
    *,
    summary: str,
    examples: tuple[str, ...],
    group: Group,
    changes: bool = False,
    decides: bool = False,
    aliases: tuple[str, ...] = (),
) -> Callable[[Callable[..., Awaitable[ResultT]]], CommandSpec[ResultT]]:
    """Declare a command: stands above ``@click.argument`` and ``@click.option``, makes the handler a spec.

    The handler is ``async def name(call, …)`` with one parameter, of the same name, for each argument and
    option; its docstring is the command's description.

    Raises:
        TypeError: handler and parameters do not fit, or a parameter would ask or look outside of the line.
    """

    def declare(handler: Callable[..., Awaitable[ResultT]]) -> CommandSpec[ResultT]:
        params: list[click.Parameter] = list(reversed(getattr(handler, "__click_params__", [])))
        _check_declaration(name, handler, params)
        return CommandSpec(
            name=name,
            aliases=aliases,
            grammar=click.Command(name, params=params, add_help_option=False),
            handler=handler,
            summary=summary,
            description=_prose(inspect.getdoc(handler) or ""),
            examples=examples,
            changes=changes,
            decides=decides,
            group=group,
        )

    return declare


dry_run = click.option("--dry-run", is_flag=True, help="Show the plan, and change nothing.")
"""The option that every command has which plans a change."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """Arguments as the handler takes them, by parameter name."""

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HelpWanted:
    """``--help`` was among the arguments: show the command's help, and do nothing."""


@dataclass(frozen=True, slots=True)
class Misuse:
    """Arguments that do not fit. Backticks in ``message`` mark what is to be typed."""

    message: str  # one sentence
    usage: str
    examples: tuple[str, ...]


Parse = Parsed | HelpWanted | Misuse
"""What arguments turned out to be."""


def parse(spec: CommandSpec[Any], args: Sequence[str], prefix: str) -> Parse:
    """Read a command's arguments. Prints nothing, asks nothing, and knows no environment.

    Options are spelt out (case does not count), may stand anywhere, and each once; ``--`` ends them.
    """
    before_end = args[: args.index("--")] if "--" in args else args
    if any(arg.lower() in _HELP_OPTIONS for arg in before_end):
        return HelpWanted()
    message = _option_trouble(spec, before_end)
    if not all(arg.strip() for arg in args):
        message = "Nothing stands between two quotes; write something there, or leave them out."
    if not message:
        try:
            context = spec.grammar.make_context(
                spec.name, list(args), allow_extra_args=True, token_normalize_func=str.lower
            )
        except click.UsageError as error:
            message = _sentence(error, spec, before_end)
        else:
            if not context.args:
                return Parsed(MappingProxyType(dict(context.params)))
            message = _too_many(spec, context.args)
    return Misuse(message, usage(spec, prefix), render_examples(spec, prefix))


def usage(spec: CommandSpec[Any], prefix: str) -> str:
    """The usage line: ``!launch IMAGE [--profile NAME] [--for 2h] [--count N] [--dry-run]``."""
    words = [f"{prefix}{spec.name}", *map(argument_usage, spec.arguments), *map(option_usage, spec.options)]
    return " ".join(words)


def argument_usage(argument: click.Argument) -> str:
    """An argument in a usage line: ``IMAGE``, ``[VERSION]``, ``ID…``."""
    shown = _placeholder(argument) + ("…" if argument.nargs == -1 else "")
    return shown if argument.required else f"[{shown}]"


def option_usage(option: click.Option) -> str:
    """An option in a usage line: ``[--for 2h]``, ``[--dry-run]``."""
    shown = option_name(option) if option.is_flag else f"{option_name(option)} {_placeholder(option)}"
    return shown if option.required else f"[{shown}]"


def option_name(option: click.Option) -> str:
    """The name an option is known by: its longest."""
    return max(option.opts, key=len)


def render_examples(spec: CommandSpec[Any], prefix: str) -> tuple[str, ...]:
    """The examples as they are typed in a room."""
    return tuple(f"{prefix}{example}" for example in spec.examples)


@dataclass(frozen=True, slots=True)
class Registry(Generic[ResultT_co]):
    """All commands of a bot, in the order of help. Made by :func:`build_registry`."""

    specs: tuple[CommandSpec[ResultT_co], ...]
    by_name: Mapping[str, CommandSpec[ResultT_co]]  # aliases included

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that can be typed, aliases included."""
        return tuple(self.by_name)

    def find(self, name: str) -> CommandSpec[ResultT_co] | None:
        """The command of that name or alias; case does not count."""
        return self.by_name.get(name.lower())

    def nearest(self, word: str, limit: int = 3) -> tuple[str, ...]:
        """Names that may have been meant by a word that is none, best first."""
        return nearest(word, self.names, limit)

    def groups(self) -> tuple[tuple[Group, tuple[CommandSpec[ResultT_co], ...]], ...]:
        """The commands by group, in the order of help, without empty groups."""
        sorted_out = ((group, tuple(spec for spec in self.specs if spec.group is group)) for group in Group)
        return tuple((group, specs) for group, specs in sorted_out if specs)


def build_registry(specs: Iterable[CommandSpec[ResultT]]) -> Registry[ResultT]:
    """Gather commands; within a group they keep their order.

    Raises:
        ValueError: two commands share a name, or a name could not be typed.
    """
    order = list(Group)
    ordered = tuple(sorted(specs, key=lambda spec: order.index(spec.group)))
    by_name: dict[str, CommandSpec[ResultT]] = {}
    for spec in ordered:
        for name in (spec.name, *spec.aliases):
            if name in by_name:
                raise ValueError(f"two commands are called {name}")
            if not name.replace("-", "").isalnum() or name != name.lower() or not name[0].isalpha():
                raise ValueError(f"{name!r} cannot be the name of a command")
            by_name[name] = spec
    return Registry(ordered, MappingProxyType(by_name))


def check_examples(specs: Iterable[CommandSpec[Any]]) -> tuple[str, ...]:
    """What is wrong with the commands' examples, one sentence each; empty where all can be pasted."""
    problems = []
    for spec in specs:
        if not spec.examples:
            problems.append(f"{spec.name} has no example")
        for example in spec.examples:
            line = read_line(f"!{example}", Address.ROOM, "!", (spec.name, *spec.aliases))
            if not isinstance(line, Line):
                problems.append(f"{example!r} of {spec.name} is not a line of that command: {line}")
                continue
            outcome = parse(spec, line.args, "!")
            if not isinstance(outcome, Parsed):
                problems.append(f"{example!r} of {spec.name} does not parse: {outcome}")
    return tuple(problems)


def _check_declaration(
    name: str, handler: Callable[..., Awaitable[object]], params: Sequence[click.Parameter]
) -> None:
    wanted = list(inspect.signature(handler).parameters)[1:]
    given = [param.name for param in params]
    if sorted(wanted) != sorted(filter(None, given)):
        raise TypeError(f"the handler of {name} takes {wanted}, its declaration gives {given}")
    for param in params:
        if param.envvar is not None or getattr(param, "prompt", None):
            raise TypeError(f"{param.name} of {name} would come from outside of the line")


def _prose(docstring: str) -> str:
    """A docstring as a card has it: one line a paragraph, single backticks."""
    paragraphs = docstring.replace("``", "`").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs).strip()


def _option_trouble(spec: CommandSpec[Any], args: Sequence[str]) -> str:
    """What click would let pass: an option that swallows the next one, or comes twice and wins."""
    options = {name.lower(): option for option in spec.options for name in option.opts}
    seen: set[str] = set()
    value_expected = False
    for position, arg in enumerate(args):
        if value_expected:
            value_expected = False
            continue
        typed, equals, _ = arg.partition("=")
        option = options.get(typed.lower())
        if option is None:
            continue
        name = option_name(option)
        if name in seen and not option.multiple and not option.is_flag:
            return f"`{name}` is given twice."
        seen.add(name)
        value_expected = not option.is_flag and not equals
        following = args[position + 1 : position + 2]
        if value_expected and (not following or following[0].lower() in options):
            return _needs_value(option)
    return ""


def _sentence(error: click.UsageError, spec: CommandSpec[Any], args: Sequence[str]) -> str:
    """What was wrong, in plain words."""
    match error:
        case click.NoSuchOption():
            return _no_such_option(error.option_name, spec, args)
        case click.BadOptionUsage():
            return _bad_option(error.option_name, spec)
        case click.MissingParameter(param=click.Option() as option):
            return f"`{option_usage(option)}` is missing{_about(option)}."
        case click.MissingParameter(param=click.Argument() as argument):
            return f"`{_placeholder(argument)}` is missing{_about(argument)}."
        case click.BadParameter(param=click.Option() as option):
            return f"`{option_name(option)}`: {_as_sentence(error.message)}"
        case click.BadParameter(param=click.Argument() as argument):
            return f"`{_placeholder(argument)}`: {_as_sentence(error.message)}"
        case _:
            return _as_sentence(error.format_message())


def _no_such_option(name: str, spec: CommandSpec[Any], args: Sequence[str]) -> str:
    # Of `-dry-run` click reports only `-d`; the person is told about what was typed.
    typed = next((arg.partition("=")[0] for arg in args if arg.lower().startswith(name.lower())), name)
    known = {option_name(option).lstrip("-"): option_name(option) for option in spec.options}
    near = nearest(typed.lstrip("-"), known, 1)
    if near:
        hint = f"did you mean `{known[near[0]]}`?"
    elif known:
        hint = f"it takes {', '.join(f'`{each}`' for each in known.values())}."
    else:
        hint = "it takes none."
    return f"`{spec.name}` has no option {said_back(typed)}; {hint}"


def _bad_option(name: str, spec: CommandSpec[Any]) -> str:
    option = next((each for each in spec.options if name.lower() in map(str.lower, each.opts)), None)
    if option is None or option.is_flag:
        return f"`{name}` takes no value."
    return _needs_value(option)


def _needs_value(option: click.Option) -> str:
    return f"`{option_name(option)}` needs a value: `{option_name(option)} {_placeholder(option)}`."


def _too_many(spec: CommandSpec[Any], extra: Sequence[str]) -> str:
    taken = " ".join(map(argument_usage, spec.arguments))
    takes = f"takes only `{taken}`" if taken else "takes no such word"
    return f"{said_back(' '.join(extra))} is too much: `{spec.name}` {takes}."


def _about(param: click.Option | click.Argument) -> str:
    help_text = (param.help or "").rstrip(".")
    return f": {help_text[:1].lower()}{help_text[1:]}" if help_text else ""


def _as_sentence(message: str) -> str:
    return message if message.endswith((".", "?", "!")) else f"{message}."


def _placeholder(param: click.Parameter) -> str:
    """What stands for a value: the declared word, the kind's own, or the parameter's name in capitals."""
    if param.metavar:
        return param.metavar
    if isinstance(param.type, Value) and param.type.placeholder:
        return param.type.placeholder
    return (param.name or "value").upper().replace("_", "-")
