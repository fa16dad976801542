"""What waits for an approval, on a person's own page."""

from __future__ import annotations

from slipway.bot.chat.model import Card, Tone
from slipway.bot.operations.declarations import HomeSection
from slipway.bot.operations.model import OperationState
from slipway.bot.operations.presentation.cards import operation_card, show_operation, silent
from slipway.bot.operations.services import Services
from slipway.bot.people import Person

MOST_SHOWN = 10
"""Buttons that show one more."""

MOST_PENDING = 5
"""Cards of operations; more would leave no room for the other sections (Slack: 100 blocks)."""


async def pending_section(services: Services, person: Person) -> tuple[Card, ...]:
    """What waits for an approval, with buttons; of much, what came first."""
    if not services.people.may(person, "pending", changes=False):
        return ()
    waiting = await services.operations.in_states((OperationState.PROPOSED,))
    if not waiting:
        return (Card(tone=Tone.DONE, title="Nothing waits for an approval"),)
    cards = tuple(silent(operation_card(operation, services.cards)) for operation in waiting[:MOST_PENDING])
    if len(waiting) == len(cards):
        return cards
    title = f"{len(waiting) - len(cards)} more wait for an approval"
    shortcuts = tuple(show_operation(each) for each in waiting[MOST_PENDING : MOST_PENDING + MOST_SHOWN])
    text = "`pending` lists all of them."
    return (*cards, Card(tone=Tone.WAITING, title=title, text=text, shortcuts=shortcuts))


PARTS = (HomeSection(pending_section, asks=True),)
