"""What ends a line that asks for something in an emergency."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slipway.bot.core.commands import Command
from slipway.bot.operations.emergency.rules import LONGEST_REASON, OPTION
from slipway.commands.dispatch.context import MisuseError


def split_emergency(args: Sequence[str], command: Command[Any]) -> tuple[tuple[str, ...], str]:
    """The arguments of a change without ``--emergency`` and what follows it, and the reason that this gives; empty
    where it is not there. Every change takes it, at the end of its line.

    Raises:
        MisuseError: no reason follows.
    """
    place = next((at for at, arg in enumerate(args) if arg.partition("=")[0].lower() == OPTION), None)
    if place is None:
        return tuple(args), ""
    first = args[place].partition("=")[2]
    reason = " ".join(word for word in (first, *args[place + 1 :]) if word).strip()
    if not reason:
        raise MisuseError(f"Say why it cannot wait: `{OPTION} REASON` ends the line.", command)
    return tuple(args[:place]), reason[:LONGEST_REASON]
