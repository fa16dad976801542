"""What a card says where somebody's words may not be theirs."""

from __future__ import annotations

from collections.abc import Callable

from slipway.bot.chat.model import SYMBOLS, Choice, Tone
from slipway.bot.operations.model import Operation


def uncertain(operation: Operation, name: Callable[[str], str]) -> str:
    """In one line, whose words may not be theirs; empty where nobody's are doubted.

    Args:
        operation: the operation.
        name: how people call a person.
    """
    who = [f"{name(operation.requester)} asked for this"] if operation.doubt else []
    who += [
        f"{name(vote.person)} {'approved' if vote.choice is Choice.APPROVE else 'rejected'} it"
        for vote in operation.votes
        if vote.doubt
    ]
    return f"{SYMBOLS[Tone.WARNING]} It is not certain that {' and '.join(who)}: see below." if who else ""


def doubts(operation: Operation, name: Callable[[str], str]) -> list[str]:
    """Why, a sentence each; said for as long as the card stands."""
    said = [("", operation.doubt)]
    said += [(f"The vote of {name(vote.person)}: ", vote.doubt) for vote in operation.votes]
    said.append(("Ending this: ", operation.outcome.doubt if operation.outcome else ""))
    return [f"{SYMBOLS[Tone.WARNING]} {what}{doubt}" for what, doubt in said if doubt]
