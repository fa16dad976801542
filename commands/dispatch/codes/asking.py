"""Asking somebody for a code whose approval takes one, where nobody else sees it."""

from __future__ import annotations

from slipway.bot.chat.model import AsksForCodes, KnowsRooms, Room, SendsDirectMessages
from slipway.bot.core.errors import ChatError, UserError
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.decisions import CodeNeededError
from slipway.bot.operations.services import Services
from slipway.bot.operations.step_up.model import CodeOutcome, Heard
from slipway.bot.people import Person
from slipway.commands.dispatch.codes.cards import asking_card, outcome_sentence
from slipway.commands.dispatch.context import Place
from slipway.commands.dispatch.responses import Response


class CodeAsker:
    """Asks for codes.

    Args:
        services: the chats, and what remembers who was asked.
        messages: says that a code is asked for.
    """

    def __init__(self, services: Services, messages: MessageService) -> None:
        self._services = services
        self._step_ups = services.step_ups
        self._messages = messages

    async def ask(
        self, error: CodeNeededError, person: Person, account: str, place: Place, key: str, *, alone: bool
    ) -> Response:
        """Ask somebody for a code, where nobody else sees it. Nobody else is told.

        Args:
            error: what takes one.
            person: who approved.
            account: by which account.
            place: where they did.
            key: of the event by which they did.
            alone: whether nobody else sees what they are told there.

        Raises:
            UserError: they can give none, or cannot be asked.
        """
        operation = error.operation
        if not self._step_ups.has_secret(person.id):
            raise UserError(outcome_sentence(Heard(CodeOutcome.NO_SECRET), person.zone, person.id))
        request = await self._step_ups.ask(person.id, operation, error.reason)
        chat: object = self._services.chats.get(place.room.platform)
        by_window = isinstance(chat, AsksForCodes)
        asked_by = self._services.people.name(operation.requester)
        card = asking_card(operation, request, asked_by, person.zone, by_window=by_window)
        if alone or not isinstance(chat, SendsDirectMessages) or await _is_direct(chat, place.room):
            return Response.at(place).telling(account, card)
        try:
            room = await chat.direct_room(account)
        except ChatError as failure:
            raise UserError(
                f"{operation.id} takes a code with your approval, and I could not begin a direct chat with you to "
                f"ask for it: {failure} Begin one with me, and approve it there.",
                hint=f"approve {operation.id}",
            ) from failure
        where = Room(platform=place.room.platform, id=room)
        await self._messages.say(where, card.model_copy(update={"mentions": (account,)}), key=f"{key}:code")
        return Response(room=place.room, thread=place.thread, operation_id=operation.id)


async def _is_direct(chat: object, room: Room) -> bool:
    return isinstance(chat, KnowsRooms) and await chat.is_direct(room.id)
