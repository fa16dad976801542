"""Whole lines in place of one in which a name was wrong or missing."""

from __future__ import annotations

import pytest

from slipway.bot.chat.model import Address
from slipway.bot.core.commands import Command
from slipway.bot.core.errors import UserError
from slipway.bot.declared import declared
from slipway.bot.subjects.schedules.requests import PauseSchedule
from slipway.commands.dispatch.suggestions import whole_lines
from slipway.commands.grammar.arguments import takes_text
from slipway.commands.grammar.reading import Line
from slipway.commands.images.promote import promote
from slipway.commands.machines.launch import launch
from slipway.commands.operations.approve import approve
from slipway.commands.operations.cancel import cancel
from slipway.commands.operations.reject import reject


@pytest.mark.parametrize(
    ("command", "args", "given", "near", "line"),
    [
        (launch, ("nope", "--for", "1h"), "nope", "ami-1", "launch ami-1 --for 1h"),
        (launch, ("F43", "--profile", "smal"), "smal", "small", "launch F43 --profile small"),
        (launch, ("F43", "--profile=Smal"), "smal", "small", "launch F43 --profile=small"),
        (promote, ("F43-x46/43.1.0",), "F43-x46", "F43-x64", "promote F43-x64/43.1.0"),
        (promote, ("F43-x64/43.1.0",), "43.1.0", "43.2.0", "promote F43-x64/43.2.0"),
        (approve, ("OP-7k3g", "1b9f03ac"), "op-7k3g", "op-7k3f", "approve op-7k3f 1b9f03ac"),
        (approve, (), "", "op-7k3f", "approve op-7k3f"),
        (reject, ("it", "doesn't", "boot"), "", "op-7k3f", "reject op-7k3f it doesn't boot"),
        (cancel, (), "", "op-7k3f", "cancel op-7k3f"),
        (cancel, ("op-7k3f",), "", "op-7k3f", None),  # they said which, and it was not that which lacked
        (launch, ("same", "--profile", "same"), "same", "other", None),
        (launch, ("nope",), None, "ami-1", None),
    ],
)
def test_a_line_is_offered_whole_where_it_is_certain_which_word_was_wrong(
    command: Command[object], args: tuple[str, ...], given: str | None, near: str, line: str | None
) -> None:
    error = UserError("There is none.", nearest=(near,), given=given)
    assert whole_lines(error, command, args) == (() if line is None else (line,))


def test_what_is_planned_afresh_is_typed_as_it_was_said() -> None:
    """A kind knows whether people write prose behind its command, as the command does."""
    found = declared()
    for kind in found.registry.kinds.values():
        command = found.commands.find(kind.typed.split(" "))
        assert command is None or kind.prose == takes_text(command), kind.name
    request = PauseSchedule(person="alice", schedule="nightly", words='it\'s "late" — and 5" off', seconds=60)
    line = found.registry.command_line(request)
    assert line == 'schedule pause --for 1m nightly it\'s "late" — and 5" off'
    read = found.commands.read(f"!{line}", Address.ROOM, "!")
    assert read == Line("schedule", tuple(line.split()[1:]))
