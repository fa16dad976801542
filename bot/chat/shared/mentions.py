"""What a message says to the bot, wherever in it the bot is mentioned."""

from __future__ import annotations

import re
from typing import NamedTuple

MENTIONED_DOUBT = (
    "I change nothing on the strength of a mention in the middle of a sentence. Begin with the mention, or with "
    "the command."
)

_GREETING = re.compile(
    r"(?:\b(?:hey|hi|hello|hallo|moin|yo|ok|okay|so|well|and|please|dear|thanks|thank you|"
    r"good (?:morning|afternoon|evening))\b[\s,.!:;-]*)+",
    re.IGNORECASE,
)
_BETWEEN = " \t\r\n,:"
_END = " \t\r\n.,:;!?"


class Said(NamedTuple):
    """What is said to the bot; ``certain`` unless it stands behind other words, which may turn its sense round."""

    line: str
    certain: bool


def said_around(before: str, after: str) -> Said | None:
    """What a message says to the bot that is mentioned between these two parts of it.

    That is what follows the mention, or what stands in front where nothing follows. None where the message begins
    with a sign, as a command with its prefix does: then the mention is one of its words.
    """
    before, after = before.strip(), after.lstrip(_BETWEEN)
    if not before:
        return Said(after, certain=True)
    if not (before[0].isalnum() or before[0] == "_"):
        return None
    if not after.strip(_END):
        return Said(before, certain=True)
    return Said(after, certain=_GREETING.fullmatch(before) is not None)
