"""Reads a command's arguments, and says in plain words where they do not fit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import click

from slipway.bot.core.commands import Command
from slipway.bot.core.text import nearest
from slipway.bot.core.times import parse_duration
from slipway.commands.grammar.usage import (
    argument_usage,
    option_name,
    option_usage,
    placeholder,
    render_examples,
    usage,
)
from slipway.commands.grammar.values import DurationValue, FreeText, said_back

_LIKE_AN_OPTION = re.compile(r"--[a-z]")

HELP_OPTIONS = frozenset({"--help", "-h", "-?"})
"""Among the arguments of any command, in any case, these ask for its help."""


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


def parse(spec: Command[Any], args: Sequence[str], prefix: str) -> Parse:
    """Read a command's arguments. Prints nothing, asks nothing, and knows no environment.

    Options are spelt out (case does not count), may stand anywhere, and each once; ``--`` ends them.
    """
    if takes_text(spec):
        args = _before_text(spec, args)
    before_end = args[: args.index("--")] if "--" in args else args
    if any(arg.lower() in HELP_OPTIONS for arg in before_end):
        return HelpWanted()
    message = _option_problem(spec, before_end)
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
            message = _too_many(spec, context.args) if context.args else _in_text(spec, context.params)
            if not message:
                return Parsed(MappingProxyType(dict(context.params)))
    return Misuse(message, usage(spec, prefix), render_examples(spec, prefix))


def takes_text(spec: Command[Any]) -> bool:
    """Whether a command ends in words of a person's own, which are nobody's to read."""
    return any(isinstance(argument.type, FreeText) for argument in spec.arguments)


def _before_text(spec: Command[Any], args: Sequence[str]) -> tuple[str, ...]:
    """The same, with ``--`` between options and all else, so that nothing in the text is taken for an option.

    Options, and slips of some, count up to where the text begins at the latest: right behind as many words as there
    are arguments before it.
    """
    known = {name.lower(): option for option in spec.options for name in option.opts}
    places = len(spec.arguments) - 1
    options: list[str] = []
    words: list[str] = []
    position = 0
    while position < len(args) and len(words) <= places:
        arg = args[position]
        typed, equals, _ = arg.lower().partition("=")
        option = known.get(typed)
        if option is None and typed not in HELP_OPTIONS and not _LIKE_AN_OPTION.match(typed):
            if len(words) == places:
                break
            words.append(arg)
            position += 1
            continue
        taken = 1 if option is None or option.is_flag or equals else 2
        options += args[position : position + taken]
        position += taken
    return (*options, "--", *words, *args[position:])


def _in_text(spec: Command[Any], params: Mapping[str, Any]) -> str:
    """What ends or begins the text and was meant as an option: it would be kept as words, and a change made though
    a dry run was asked for, or for ever though a time was said. Empty where nothing does."""
    if not takes_text(spec):
        return ""
    first, argument = spec.arguments[0], spec.arguments[-1]
    words: tuple[str, ...] = params[str(argument.name)] or ()
    place = f"before the {placeholder(first).lower()}" if first is not argument else "first"
    text = placeholder(argument).lower()
    options = {name.lower(): option for option in spec.options for name in option.opts}
    for behind, word in enumerate(reversed(words[-2:])):
        typed, equals, _ = word.lower().partition("=")
        option = options.get(typed)
        if option is not None and not (option.is_flag and (behind or equals)):
            return f"`{typed}` stands {place}: what follows that is the {text}."
    for pair in (words[:2], words[-2:]):
        name = f"--{pair[0].lower()}" if len(pair) == 2 else ""
        if name in options and isinstance(options[name].type, DurationValue) and _is_duration(pair[1]):
            said = said_back(" ".join(pair))
            return f"{said} would be words of the {text}; as a time, `{name} {pair[1]}` stands {place}."
    return ""


def _is_duration(word: str) -> bool:
    try:
        parse_duration(word)
    except ValueError:
        return False
    return True


def _option_problem(spec: Command[Any], args: Sequence[str]) -> str:
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


def _sentence(error: click.UsageError, spec: Command[Any], args: Sequence[str]) -> str:
    """What was wrong, in plain words."""
    match error:
        case click.NoSuchOption():
            return _no_such_option(error.option_name, spec, args)
        case click.BadOptionUsage():
            return _bad_option(error.option_name, spec)
        case click.MissingParameter(param=click.Option() as option):
            return f"`{option_usage(option)}` is missing{_about(option)}."
        case click.MissingParameter(param=click.Argument() as argument):
            return f"`{placeholder(argument)}` is missing{_about(argument)}."
        case click.BadParameter(param=click.Option() as option):
            return f"`{option_name(option)}`: {_as_sentence(error.message)}"
        case click.BadParameter(param=click.Argument() as argument):
            return f"`{placeholder(argument)}`: {_as_sentence(error.message)}"
        case _:
            return _as_sentence(error.format_message())


def _no_such_option(name: str, spec: Command[Any], args: Sequence[str]) -> str:
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


def _bad_option(name: str, spec: Command[Any]) -> str:
    option = next((each for each in spec.options if name.lower() in map(str.lower, each.opts)), None)
    if option is None or option.is_flag:
        return f"`{name}` takes no value."
    return _needs_value(option)


def _needs_value(option: click.Option) -> str:
    return f"`{option_name(option)}` needs a value: `{option_name(option)} {placeholder(option)}`."


def _too_many(spec: Command[Any], extra: Sequence[str]) -> str:
    taken = " ".join(map(argument_usage, spec.arguments))
    takes = f"takes only `{taken}`" if taken else "takes no such word"
    return f"{said_back(' '.join(extra))} is too much: `{spec.name}` {takes}."


def _about(param: click.Option | click.Argument) -> str:
    help_text = (param.help or "").rstrip(".")
    return f": {help_text[:1].lower()}{help_text[1:]}" if help_text else ""


def _as_sentence(message: str) -> str:
    return message if message.endswith((".", "?", "!")) else f"{message}."
