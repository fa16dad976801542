"""What people hear where the document could not be published."""

from __future__ import annotations

from slipway.bot.chat.model import Card, Tone

_SO_LONG = "Until then, programs read what was latest before. It is tried again by itself."


def failed_card(sentence: str, remedy: str) -> Card:
    """That what is latest could not be published, and what to do."""
    return Card(
        tone=Tone.WARNING,
        title="What is latest could not be published for programs",
        text=sentence,
        notes=(remedy, _SO_LONG),
    )


def mended_card(sentence: str) -> Card:
    """The same once it was."""
    return Card(
        tone=Tone.DONE,
        title="What is latest is published for programs again",
        text=f"Before that: {sentence}",
    )
