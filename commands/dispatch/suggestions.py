"""Whole lines to type in place of one in which a name was wrong or missing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from slipway.bot.core.commands import Command
from slipway.bot.core.errors import UserError
from slipway.bot.core.text import as_typed
from slipway.commands.grammar.arguments import takes_text
from slipway.commands.grammar.values import operation_id_in


def whole_lines(error: UserError, command: Command[object], args: Sequence[str]) -> tuple[str, ...]:
    """The typed line with each of the names that may have been meant, without a prefix.

    Empty where it is not certain which of its words was meant as the name: then the names alone are shown.

    Args:
        error: why the line could not be followed.
        command: which one was typed.
        args: what was typed behind it.
    """
    if error.given is None:
        return ()
    name, prose = command.name.split(" "), takes_text(command)
    if not error.given:
        found = any(operation_id_in(each) in error.nearest for each in args)
        return () if found else tuple(_line([*name, near, *args], prose) for near in error.nearest)
    places = [index for index, each in enumerate(args) if _replaced(each, error.given, "") is not None]
    if len(places) != 1:
        return ()
    (place,) = places
    lines = []
    for near in error.nearest:
        word = _replaced(args[place], error.given, near) or near
        lines.append(_line([*name, *args[:place], word, *args[place + 1 :]], prose))
    return tuple(lines)


def _replaced(arg: str, given: str, near: str) -> str | None:
    """An argument with another name in it (all of it, one side of a slash, an option's value); None for one that does
    not hold what was given."""
    if operation_id_in(arg) == given:
        return near
    held = re.search(rf"(?:^|(?<=[/=:])){re.escape(given)}(?:\.?$|(?=/))", arg, re.IGNORECASE)
    return None if held is None else f"{arg[: held.start()]}{near}{arg[held.end() :]}"


def _line(words: Sequence[str], prose: bool) -> str:
    return " ".join(words) if prose else as_typed(words)
