"""The kinds of value that commands about machines take."""

from __future__ import annotations

import re
from collections.abc import Sequence

from slipway.bot.core.commands import Command
from slipway.bot.subjects.machines.services import MachineServices
from slipway.commands.dispatch.context import CommandContext, CommandResult, MisuseError
from slipway.commands.grammar.values import Value, said_back, without_punctuation

_PLAUSIBLE = re.compile(r"[a-z0-9](?:[a-z0-9._:/-]{0,126}[a-z0-9])?", re.ASCII)


class InstanceIdValue(Value):
    """The id of an instance in any cloud: one word. How a cloud writes its own, the cloud's adapter knows.

    Read in small letters, also where it was typed in capitals or with punctuation around.
    """

    name = "instance"
    placeholder = "INSTANCE"

    def read(self, text: str) -> str:
        """Read an instance's id."""
        bare = without_punctuation(text).lower()
        if _PLAUSIBLE.fullmatch(bare) is None:
            raise ValueError(no_instance_id(text))
        return bare


def no_instance_id(text: str) -> str:
    """What is said of a text that is the id of no instance."""
    return f"{said_back(text)} is not the id of an instance; they look like i-0f1e2d3c4b5a69788"


INSTANCE_ID = InstanceIdValue()


def checked_ids(
    call: CommandContext, command: Command[CommandResult], instances: Sequence[str]
) -> tuple[str, ...]:
    """The ids that were given, each once.

    Raises:
        MisuseError: no configured cloud writes ids of machines as one of them is written.
    """
    ids = tuple(dict.fromkeys(instances))
    could_be = call.services.get(MachineServices).could_be_instance_id
    odd = next((each for each in ids if not could_be(each)), None)
    if odd is not None:
        raise MisuseError(f"`{INSTANCE_ID.placeholder}`: {no_instance_id(odd)}.", command)
    return ids
