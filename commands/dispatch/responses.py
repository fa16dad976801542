"""What an event leads to: a card to say, an operation to show or to start. Stored with the event's workflow."""

from __future__ import annotations

from slipway.bot.chat.model import Assurance, Card, MessageEvent, Room
from slipway.bot.core.model import Model


class Response(Model):
    """What an event led to."""

    card: Card | None = None
    room: Room
    thread: str | None = None
    operation_id: str | None = None  # whose card this is, or which one to show anew
    start: bool = False

    @classmethod
    def to(cls, heard: MessageEvent) -> Response:
        """An answer where something was said."""
        return cls(room=heard.room, thread=heard.thread)

    def saying(self, card: Card) -> Response:
        """The same, with this card."""
        return self.model_copy(update={"card": card})

    def telling(self, speaker: str, card: Card) -> Response:
        """The same, with a card that concerns nobody but the speaker."""
        return self.saying(card.model_copy(update={"private_to": speaker}))

    def objecting(self, speaker: str, card: Card) -> Response:
        """As :meth:`telling`, and calling upon them: they pressed something, and may not be looking."""
        return self.telling(speaker, card.model_copy(update={"mentions": (speaker,)}))

    def doubting(self, heard: MessageEvent) -> Response:
        """The same; if the way it was asked for is doubted, the card says so."""
        if heard.assurance is not Assurance.DOUBTED or self.card is None:
            return self
        notes = (*self.card.notes, heard.doubt)
        return self.saying(self.card.model_copy(update={"notes": notes}))
