"""What people are told of codes: that one is asked for, and what became of it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from slipway.bot.chat.model import Card, Field, Tone
from slipway.bot.core.times import format_time
from slipway.bot.operations.model import Operation
from slipway.bot.operations.presentation.cards import operation_buttons
from slipway.bot.operations.step_up.model import CodeOutcome, CodeRequest, Heard

NOT_HERE = (
    "A code does not belong where others can read it, and so it counts for nothing here, and not any more elsewhere. "
    "Approve without one: you are asked for it where you alone are."
)
"""What is said to a code in a line that others can see."""


def asking_card(
    operation: Operation, request: CodeRequest, asked_by: str, zone: ZoneInfo, *, by_window: bool
) -> Card:
    """Asks for a code: in a window that a press opens, or to be typed where the card stands.

    Args:
        operation: what they agree to.
        request: until when a code counts for it.
        asked_by: who asked for the operation, as people call them.
        zone: of whoever is asked.
        by_window: whether the platform has windows for codes.
    """
    until = format_time(request.until, zone)
    how = (
        "Press Approve below: the window that opens asks for the code that your authenticator app shows then."
        if by_window
        else f"Type the six digits that your authenticator app shows, here and nowhere else, until {until}."
    )
    return Card(
        tone=Tone.WAITING,
        title=f"{operation.id} {operation.kind}: your approval takes a code",
        text=f"When it is done: {operation.plan.summary}\n{how}",
        fields=(
            Field(label="Asked by", value=asked_by),
            Field(label="Plan", value=f"`{operation.digest_prefix}`"),
        ),
        notes=("It counts once the code was right, and nobody is told of it before.",),
        buttons=operation_buttons(operation) if by_window else (),
    )


def agreed_sentence(operation: Operation) -> str:
    """What somebody agrees to who gives a code for an operation."""
    of = f"{operation.id} {operation.kind}, plan `{operation.digest_prefix}`"
    return f"{of}. When it is done: {operation.plan.summary}"


def outcome_sentence(heard: Heard, zone: ZoneInfo, person: str) -> str:
    """Why a code did not count, and whose move it is."""
    match heard.outcome:
        case CodeOutcome.WRONG if heard.locked_until is not None:
            return (
                f"That was one wrong code too many: {_locked(heard.locked_until, zone)} Others who may can approve "
                "meanwhile. If it was not you who typed them, tell whoever runs Slipway."
            )
        case CodeOutcome.WRONG:
            return "That code is not right, or its time is over. Give the one that your app shows now."
        case CodeOutcome.USED if heard.locked_until is not None:
            return f"That code was used already, and {_locked(heard.locked_until, zone)}"
        case CodeOutcome.USED:
            return "That code was used already. Wait until your app shows the next one, and give that."
        case CodeOutcome.LOCKED:
            until = _locked(heard.locked_until, zone) if heard.locked_until is not None else ""
            return (
                f"After too many wrong codes {until} This one was not looked at. "
                "Others who may can approve meanwhile."
            )
        case CodeOutcome.UNCLEAR:
            return "Several operations wait for a code of yours. Say which with it, like `op-7k3f 123456`."
        case CodeOutcome.NO_SECRET:
            return (
                "It takes a code of your authenticator app, and Slipway has no secret of yours to compare it with. "
                f"Whoever runs Slipway makes one: `slipway totp new {person}`."
            )
        case CodeOutcome.SEEN:
            return f"That held a code of yours. {NOT_HERE}"
        case _:
            return (
                "You are asked for no code now, or no longer: this one counts for nothing, and is used up. Approve "
                "once more, and then give the next one."
            )


def _locked(until: datetime, zone: ZoneInfo) -> str:
    return f"none of yours counts until {format_time(until, zone)}."
