"""Codes that people say: heard, compared and used up before anything of their message is stored.

What is stored of such a message is that it held a code, and what became of that: a vote, or a sentence to its giver.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from slipway.bot.chat.model import (
    Address,
    AnyEvent,
    Assurance,
    ButtonEvent,
    Choice,
    MessageEvent,
    RemovesMessages,
    WithdrawnReaction,
)
from slipway.bot.core.errors import ChatError
from slipway.bot.core.operation_ids import IN_TEXT
from slipway.bot.core.totp import code_in, split_code, without_codes
from slipway.bot.operations.services import Services
from slipway.bot.operations.step_up.model import CodeOutcome, Heard
from slipway.bot.people import Person
from slipway.commands.dispatch.codes.cards import NOT_HERE, outcome_sentence
from slipway.commands.dispatch.events import AcceptedEvent, LineRequest, event_key
from slipway.commands.grammar.reading import Line, Reading
from slipway.commands.grammar.values import operation_id_in

APPROVE = "approve"
"""The command that a code may stand in."""

log = structlog.get_logger(__name__)

Read = Callable[[str, Address], Reading]
"""Says what a line is."""


@dataclass(frozen=True)
class Given:
    """A code that somebody says to the bot alone; which operation they name with it, and what else they say."""

    code: str
    operation_id: str | None = None
    remark: str = ""


class CodeListener:
    """Takes codes.

    Args:
        services: the people, and what compares codes.
        read: reads lines.
    """

    def __init__(self, services: Services, read: Read) -> None:
        self._services = services
        self._step_ups = services.step_ups
        self._read = read

    async def take(self, event: AnyEvent) -> AcceptedEvent | None:
        """What is stored in the place of an event that holds a code; None for every other one.

        A code counts where it is said to the bot alone. One that others can see is used up, if it was right, and so
        is one in what does not ask for it.
        """
        if isinstance(event, WithdrawnReaction):
            return None
        text = event.reason if isinstance(event, ButtonEvent) else event.text
        person = self._services.people.by_account(event.room.platform, event.sender)
        if not self._may_be_code(text) or person is None:
            return None
        if not self._step_ups.has_secret(person.id) and code_in(text) is None:
            return None  # numbers of whoever can give no code are numbers
        key = event_key(event, event.event_id)
        given = self._given(event) if isinstance(event, MessageEvent) else None
        if given is not None and isinstance(event, MessageEvent):
            if event.address is Address.DIRECT and event.assurance is not Assurance.REFUSED:
                return await self._take(event, key, person, given)
            await self._step_ups.burn(key, person.id, text)
            return _without_code(event, key, event.doubt or NOT_HERE)
        if await self._step_ups.burn(key, person.id, text):
            return _without_code(
                event, key, outcome_sentence(Heard(CodeOutcome.SEEN), person.zone, person.id)
            )
        return None

    async def _take(self, event: MessageEvent, key: str, person: Person, given: Given) -> AcceptedEvent:
        if given.operation_id is not None:
            await self._ask_where_named(given, person)
        heard = await self._step_ups.hear(key, person.id, given.code, given.operation_id)
        if not heard.right:
            return _without_code(event, key, outcome_sentence(heard, person.zone, person.id))
        press = ButtonEvent(
            event_id=event.event_id,
            room=event.room,
            sender=event.sender,
            choice=Choice.APPROVE,
            operation_id=heard.operation_id,
            digest_prefix=heard.digest,
            reason=given.remark or heard.reason,
            sent_at=event.sent_at,
            assurance=event.assurance,
            doubt=event.doubt,
        )
        return AcceptedEvent(event_key=key, event=press, thread=event.thread, held_code=True)

    async def _ask_where_named(self, given: Given, person: Person) -> None:
        """Who names an operation with a code has pressed by that."""
        asked = await self._step_ups.requests(person.id)
        if any(each.operation_id == given.operation_id for each in asked):
            return
        operation = await self._services.approvals.needs_code(given.operation_id or "", person, "")
        if operation is not None:
            await self._step_ups.ask(person.id, operation, given.remark)

    def _may_be_code(self, text: str) -> bool:
        """Whether a text is to be looked at: quickly, as it is asked of all that is said in rooms."""
        return self._step_ups.in_use and any(sign.isdecimal() for sign in text)

    def _given(self, event: MessageEvent) -> Given | None:
        """The code that a message gives; None for one that is about something else, whatever numbers it holds."""
        bare = code_in(event.text)
        if bare is not None:
            return Given(bare) if event.address is not Address.ROOM else None
        found = split_code(event.text)
        if found is None:
            return None
        code, rest = found
        if IN_TEXT.fullmatch(rest) and event.address is Address.DIRECT:
            return Given(code, rest)
        reading = self._read(event.text, event.address)
        if not isinstance(reading, Line) or reading.name.lower() != APPROVE:
            return None
        words = [word for word in reading.args if code_in(word) is None]
        named = operation_id_in(words[0]) if words else None
        return Given(code, named, " ".join(words[1:] if named else words))

    async def cleared(self, request: LineRequest) -> LineRequest:
        """A line that no chat brought, without a code that stands in it: nobody approves from there, and it is used
        up if it was right."""
        person = self._services.people.by_id(request.requester)
        reading = self._read(request.text, Address.DIRECT)
        approves = isinstance(reading, Line) and reading.name.lower() == APPROVE
        burnt = person is not None and await self._step_ups.burn(request.event_key, person.id, request.text)
        if not burnt and not approves:
            return request
        return request.model_copy(update={"text": without_codes(request.text)})

    async def cover(self, accepted: AcceptedEvent) -> str:
        """Take a message with a code away, where the bot may; what its giver is to know, as a sentence."""
        event = accepted.event
        chat: object = self._services.chats.get(event.room.platform)
        if isinstance(chat, RemovesMessages):
            try:
                if await chat.remove_message(event.room.id, event.event_id, "It held a single-use code."):
                    return "I have removed your message with the code from this chat."
            except ChatError as error:
                log.warning("a message with a code could not be removed", room=event.room.id, why=str(error))
        return (
            "Your message stays in the history of this chat; the code in it is of no use to anybody any more."
        )


def _without_code(event: MessageEvent | ButtonEvent, key: str, sentence: str) -> AcceptedEvent:
    """A message whose code did not count, without its words."""
    held = "reason" if isinstance(event, ButtonEvent) else "text"
    said = event.model_copy(update={held: ""})
    return AcceptedEvent(
        event_key=key, event=said, refusal=sentence, held_code=isinstance(event, MessageEvent)
    )
