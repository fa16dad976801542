"""How a command is written down: its usage line, its options, its examples."""

from __future__ import annotations

from typing import Any

import click

from slipway.bot.core.commands import Command
from slipway.commands.grammar.values import Value


def usage(spec: Command[Any], prefix: str) -> str:
    """The usage line: ``!launch IMAGE [--profile NAME] [--for 2h] [--count N] [--dry-run]``."""
    words = [short_usage(spec, prefix), *map(option_usage, spec.options)]
    return " ".join(words)


def short_usage(spec: Command[Any], prefix: str) -> str:
    """The usage line without options: ``!launch IMAGE``."""
    return " ".join([f"{prefix}{spec.name}", *map(argument_usage, shown_arguments(spec))])


def shown_arguments(spec: Command[Any]) -> tuple[click.Argument, ...]:
    """The arguments that people are told of; those with an empty metavar only exist to read a line by."""
    return tuple(argument for argument in spec.arguments if argument.metavar != "")


def argument_usage(argument: click.Argument) -> str:
    """An argument in a usage line: ``IMAGE``, ``[VERSION]``, ``ID…``."""
    shown = placeholder(argument) + ("…" if argument.nargs == -1 else "")
    return shown if argument.required else f"[{shown}]"


def option_usage(option: click.Option) -> str:
    """An option in a usage line: ``[--for 2h]``, ``[--dry-run]``."""
    shown = option_name(option) if option.is_flag else f"{option_name(option)} {placeholder(option)}"
    return shown if option.required else f"[{shown}]"


def option_name(option: click.Option) -> str:
    """The name an option is known by: its longest."""
    return max(option.opts, key=len)


def render_examples(spec: Command[Any], prefix: str) -> tuple[str, ...]:
    """The examples as they are typed in a room."""
    return tuple(f"{prefix}{example}" for example in spec.examples)


def placeholder(param: click.Parameter) -> str:
    """What stands for a value: the declared word, the kind's own, or the parameter's name in capitals."""
    if param.metavar:
        return param.metavar
    if isinstance(param.type, Value) and param.type.placeholder:
        return param.type.placeholder
    return (param.name or "value").upper().replace("_", "-")
