"""What one person may want to see at a glance, as cards: for Slack's App Home, and whatever has such a place.

Each subject declares its own sections.
"""

from __future__ import annotations

from slipway.bot.chat.model import Card, Platform, Tone
from slipway.bot.core.errors import SlipwayError
from slipway.bot.operations.services import Services
from slipway.bot.people import Identity


async def home(services: Services, platform: Platform, account: str) -> tuple[Card, ...]:
    """Every section, for whoever has this account; a stranger is told how to become known."""
    person = services.people.by_account(platform, account)
    if person is None:
        text = services.people.introduction(Identity(platform, account))
        return (Card(title="I do not know you", text=text),)
    sections = [
        (subject.title, section)
        for subject in services.subjects.registry.subjects
        for section in subject.home
    ]
    cards: list[Card] = []
    for title, section in sorted(sections, key=lambda each: not each[1].asks):
        try:
            cards += await section.cards(services, person)
        except SlipwayError as error:
            cards.append(Card(tone=Tone.WARNING, title=title, text=f"This cannot be shown now: {error}"))
    return tuple(cards)
