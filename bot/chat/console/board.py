"""What stands on the console: messages, their buttons and the numbers that press them."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from slipway.bot.chat.model import Button, Card, Choice, Shortcut
from slipway.bot.core.operation_ids import IN_TEXT

_TO_TYPE = re.compile(r"`[^`]*`")

_REMEMBERED = 1000  # messages; an edit of one that is older is shown as if it were new


@dataclass(frozen=True, slots=True)
class Offer:
    """A button and the number that presses it. No number is given twice in a session."""

    number: int
    message_id: str
    button: Button | Shortcut


@dataclass(frozen=True, slots=True)
class Posted:
    """A message, or an edit of one, as it is about to be shown.

    Attributes:
        room: where it stands.
        id: names this message or this edit; new each time.
        message_id: the message it is, or the one that it edits.
        card: what it says now.
        before: what the edited message said before; None if it is new, or too old to be remembered.
        offers: its buttons with their numbers.
        fresh: whether it has a button that was not there before.
        name: the operation it speaks of (``op-7k3f``), or empty.
        thread: id of the message whose thread it stands in, if any.
        thread_name: the operation that thread is about, or empty.
        answered: the typed line that it answers, where that has to be said; or empty.
        repeated: whether another message about the same operation says the same already.
    """

    room: str
    id: str
    message_id: str
    card: Card
    before: Card | None
    offers: tuple[Offer, ...]
    fresh: bool
    name: str
    thread: str | None
    thread_name: str
    answered: str = ""
    repeated: bool = False

    @property
    def edits(self) -> str | None:
        """The message this edits; None for a new one."""
        return None if self.id == self.message_id else self.message_id


@dataclass(frozen=True, slots=True)
class _BoardMessage:
    card: Card | None  # None: of a session before
    offers: tuple[Offer, ...]
    name: str


class Board:
    """The console's memory of this session.

    Args:
        session: goes in front of every id, so that ids differ between runs of the program.
        room: the id of the one room the console is.
    """

    def __init__(self, session: str, room: str) -> None:
        self._session = session
        self.room = room
        self._ids = 0
        self._numbers = 0
        self._messages: OrderedDict[str, _BoardMessage] = OrderedDict()
        self._live: dict[int, Offer] = {}
        self._kept = ""

    def restore(self, kept: str) -> None:
        """Take in the buttons of a session before, as :meth:`changed_buttons` gave them."""
        found = json.loads(kept)
        self._numbers = int(found["numbers"])
        for number, message_id, button in found["offers"]:
            read = Button.model_validate if "choice" in button else Shortcut.model_validate
            offer = Offer(int(number), message_id, read(button))
            message = self._messages.get(message_id, _BoardMessage(None, (), operation_named(offer)))
            self._messages[message_id] = replace(message, offers=(*message.offers, offer))
            self._live[offer.number] = offer
        self._kept = kept

    def changed_buttons(self) -> str | None:
        """All live buttons as text, if others are live than when this was asked last; else None."""
        offers = [
            (offer.number, offer.message_id, offer.button.model_dump(mode="json"))
            for offer in self._live.values()
        ]
        text = json.dumps({"numbers": self._numbers, "offers": offers})
        if text == self._kept or not (offers or self._kept):
            return None
        self._kept = text
        return text

    def new_id(self) -> str:
        """An id that no other message or event of any session has: ``<session>-<n>``."""
        self._ids += 1
        return f"{self._session}-{self._ids}"

    def post(self, card: Card, *, thread: str | None, edits: str | None = None, answered: str = "") -> Posted:
        """Put a message up, or change one: new buttons get numbers, lost ones lose theirs.

        ``answered`` is the typed line that it answers, where that has to be said.
        """
        posted_id = self.new_id()
        message_id = edits or posted_id
        old = self._messages.pop(message_id, None)
        held = {offer.button: offer for offer in old.offers} if old else {}
        buttons: tuple[Button | Shortcut, ...] = (*card.buttons, *card.shortcuts)
        offers = tuple(held.get(button) or self._offer(message_id, button) for button in buttons)
        name = operation_of(card) or (old.name if old else "")
        for offer in held.values():
            self._live.pop(offer.number, None)
        self._live.update({offer.number: offer for offer in offers})
        repeated = bool(name) and any(
            other.name == name and other.card is not None and _same(other.card, card)
            for other in self._messages.values()
        )
        self._messages[message_id] = _BoardMessage(card, offers, name)
        self._forget_oldest()
        root = self._messages.get(thread) if thread else None
        return Posted(
            room=self.room,
            id=posted_id,
            message_id=message_id,
            card=card,
            before=old.card if old else None,
            offers=offers,
            fresh=any(offer.button not in held for offer in offers),
            name=name,
            thread=thread,
            thread_name=(root.name if root else operation_of(card)) if thread else "",
            answered=answered,
            repeated=repeated,
        )

    def offer(self, number: int) -> Offer | None:
        """The live button of that number, if there is one."""
        return self._live.get(number)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of all live buttons, in order."""
        return tuple(sorted(self._live))

    def newest(self, choice: Choice, *, above: int = 0) -> int | None:
        """The highest number of a live button with that choice that is greater than ``above``."""
        matching = [
            offer.number
            for offer in self._live.values()
            if isinstance(offer.button, Button) and offer.button.choice is choice
        ]
        return max((number for number in matching if number > above), default=None)

    def find(self, pattern: re.Pattern[str]) -> str | None:
        """The first match of a pattern in the messages as they stand now, the one changed last first."""
        for standing in reversed(self._messages.values()):
            for text in _texts(standing.card) if standing.card is not None else ():
                if match := pattern.search(text):
                    return match.group()
        return None

    def _offer(self, message_id: str, button: Button | Shortcut) -> Offer:
        self._numbers += 1
        return Offer(self._numbers, message_id, button)

    def _forget_oldest(self) -> None:
        while len(self._messages) > _REMEMBERED:
            _, gone = self._messages.popitem(last=False)
            for offer in gone.offers:
                self._live.pop(offer.number, None)


def _same(one: Card, other: Card) -> bool:
    """Whether two cards say the same, whomever they call and whatever they answer."""
    plain: dict[str, object] = {"mentions": (), "private_to": None, "answers": None}
    return one.model_copy(update=plain) == other.model_copy(update=plain)


def operation_named(offer: Offer) -> str:
    """The operation that a button decides on; empty for one that says a line."""
    return offer.button.operation_id if isinstance(offer.button, Button) else ""


def operation_of(card: Card) -> str:
    """The id of the operation a card speaks of: by its buttons, else named in its title or a field; or empty.

    Text, tables and notes do not count: they may name several, as a list of operations does. Nor does a line to type,
    such as the example of a help text.
    """
    if card.buttons:
        return card.buttons[0].operation_id
    said = (_TO_TYPE.sub("", each) for each in (card.title, *(field.value for field in card.fields)))
    matches = map(IN_TEXT.search, said)
    return next((match.group() for match in matches if match), "")


def _texts(card: Card) -> Iterator[str]:
    yield card.title
    yield card.text
    for field in card.fields:
        yield field.value
    for table in card.tables:
        for row in table.rows:
            yield from row
    yield from card.notes
