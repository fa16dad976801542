"""What an event leads to: a card to say, an operation to show or to start. Stored with the event's workflow."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.bot.chat.model import Assurance, Audience, Card, Room
from slipway.bot.core.model import Model, digest
from slipway.bot.core.text import FAILED_MARK
from slipway.bot.operations.model import Operation
from slipway.bot.operations.presentation.cards import CardContext, operation_card
from slipway.commands.dispatch.context import Asker, Place


def with_details(card: Card, details: Sequence[Card]) -> Card:
    """A card with what its details say, each under its title. Their pictures stay: they say no more."""
    lines, tables = [card.text] if card.text else [], [*card.tables]
    for each in details:
        if each.tables:
            first, *others = each.tables
            tables += [first.model_copy(update={"title": each.title}), *others]
        lines += [each.title] if not each.tables else []
        lines += [each.text] if each.text else []
    notes = tuple(dict.fromkeys((*card.notes, *(note for each in details for note in each.notes))))
    return card.model_copy(update={"text": "\n".join(lines), "tables": tuple(tables), "notes": notes})


class Response(Model):
    """What an event led to. Without a room, nothing is said."""

    card: Card | None = None
    room: Room | None
    thread: str | None = None
    operation_id: str | None = None  # whose card this is, or which one to show anew
    start: bool = False
    calls: bool = False  # those who can decide, as its card is an edit, which calls nobody
    following: tuple[
        str, ...
    ] = ()  # operations whose cards follow in its thread, if the platform has no shortcuts
    told: str = ""  # the account that is told alone how the operation stands, where its card tells all others
    whole_plan: bool = False  # said in the card's thread, as the card has but the first rows of it
    details: tuple[Card, ...] = ()  # said in the card's thread, a message each
    failed: bool = False  # it could not be met: refused, not understood, or a fault kept it from being done
    left_out: str = ""  # why it was not done and is not told, as the clock asked for it in a freeze
    alarm: bool = False  # whether all rooms are told that it was let run in an emergency
    remark: str = ""  # what they are told beside that
    as_of: str = ""  # the digest of the operation's card when this one was made, where this is another one

    @property
    def in_short(self) -> str:
        """What it says, in a few words."""
        if self.left_out:
            return self.left_out
        if self.card is None:
            return "" if self.operation_id is not None else "nothing to do"
        return f"{FAILED_MARK}{self.card.title}" if self.failed else self.card.title

    @classmethod
    def at(cls, place: Place | None) -> Response:
        """An answer in a place; None for nowhere."""
        return cls(room=place.room if place else None, thread=place.thread if place else None)

    def saying(self, card: Card) -> Response:
        """The same, with this card."""
        return self.model_copy(update={"card": card})

    def failing(self) -> Response:
        """The same, of what could not be met."""
        return self.model_copy(update={"failed": True})

    def leaving_out(self, why: str) -> Response:
        """The same, of what is left out and told to nobody."""
        return self.model_copy(update={"card": None, "left_out": why})

    def telling(self, account: str, card: Card) -> Response:
        """The same, with a card that concerns nobody but this account."""
        return self.saying(card.model_copy(update={"private_to": account}))

    def for_audience(self, asker: Asker) -> Response:
        """The same; where nobody else saw what was asked, what concerns no operation is theirs alone.

        A card that shows an operation, without being its card, has its buttons there, too, and is not followed. Where
        an operation's card stands in the room already, and says all there is to say, they are told that it does.
        """
        if asker.audience is Audience.SENDER and self.card is None and self.operation_id is not None:
            return self.model_copy(update={"told": asker.identity.account})
        alone = asker.audience is Audience.SENDER and (self.operation_id is None or bool(self.as_of))
        if not alone or self.card is None:
            return self
        whole = self.in_one()
        told = whole.telling(asker.identity.account, whole.card or self.card)
        return told.model_copy(update={"operation_id": None, "as_of": ""})

    def in_one(self) -> Response:
        """The same with its details on its card, for where nothing can follow it."""
        if self.card is None or not self.details:
            return self
        return self.saying(with_details(self.card, self.details)).model_copy(update={"details": ()})

    def objecting(self, account: str, card: Card) -> Response:
        """As :meth:`telling`, and calling upon them: they pressed something, and may not be looking."""
        return self.telling(account, card.model_copy(update={"mentions": (account,)}))

    def about(self, operation: Operation, cards: CardContext) -> Response:
        """The same, whose card decides on an operation though it is not the one that the operation has everywhere."""
        as_of = digest(operation_card(operation, cards))
        return self.model_copy(update={"operation_id": operation.id, "as_of": as_of})

    def followed_by(self, operations: Sequence[Operation]) -> Response:
        """The same, which these operations' cards follow where the platform offers no shortcuts."""
        return self.model_copy(update={"following": tuple(each.id for each in operations)})

    def detailed(self, details: Sequence[Card]) -> Response:
        """The same, with these cards in its thread."""
        return self.model_copy(update={"details": tuple(details)})

    def doubting(self, asker: Asker) -> Response:
        """The same; if the way it was asked for is doubted, the card says so, as an operation's does by itself."""
        if asker.assurance is not Assurance.DOUBTED or self.card is None:
            return self
        if any(asker.doubt in note for note in self.card.notes):
            return self
        notes = (*self.card.notes, asker.doubt)
        return self.saying(self.card.model_copy(update={"notes": notes}))
