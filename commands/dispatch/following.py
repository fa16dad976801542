"""What follows an answer, in its thread. Each message is said once for its key, so each of these may run again."""

from __future__ import annotations

from slipway.bot.chat.model import OffersShortcuts, Room
from slipway.bot.core.model import Json
from slipway.bot.messages.model import Lifetime
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.model import OperationState
from slipway.bot.operations.presentation.cards import call_card, operation_card, silent
from slipway.bot.operations.presentation.whole_plan import plan_key, whole_plan_card
from slipway.bot.operations.services import Services
from slipway.commands.dispatch.presses import PressHandler
from slipway.commands.dispatch.responses import Response


class Followers:
    """Says what follows answers that were said in a room."""

    def __init__(self, services: Services, messages: MessageService, presses: PressHandler) -> None:
        self._services = services
        self._messages = messages
        self._presses = presses

    async def details(self, response: Response, key: str, lifetime: Lifetime) -> Json:
        """Say an answer's details, a message each."""
        assert response.room is not None  # noqa: S101 - for the type checker; something was said there
        for number, card in enumerate(response.details, start=1):
            await self._messages.say(
                response.room,
                card,
                key=f"{key}:detail:{number}",
                thread=response.thread,
                below=key,
                lifetime=lifetime,
            )
        return None

    async def operations(self, response: Response, key: str) -> Json:
        """Show operations' cards, where the platform has no buttons that would show them."""
        assert response.room is not None  # noqa: S101 - as above
        chat: object = self._services.chats.get(response.room.platform)
        if isinstance(chat, OffersShortcuts) and chat.offers_shortcuts:
            return None
        for operation_id in response.following:
            operation = await self._services.operations.get(operation_id)
            if operation.state is OperationState.PROPOSED:
                await self._messages.say(
                    response.room,
                    silent(operation_card(operation, self._services.cards)),
                    key=f"{key}:{operation_id}",
                    thread=response.thread,
                    below=key,
                    operation_id=operation_id,
                )
                await self.succeed(operation_id, response.room)
        return None

    async def succeed(self, operation_id: str, room: Room) -> None:
        """Have one card in a room, beside the first, by which people decide: that which was shown last."""
        operation = await self._services.operations.get(operation_id)
        card = operation_card(operation, self._services.cards)
        await self._messages.succeed(operation_id, room, card, operation.event_key)

    async def call(self, response: Response, key: str) -> Json:
        """Call upon those who can decide, in the thread of a card that is an edit of “Working on it…”."""
        assert response.room is not None  # noqa: S101 - as above
        assert response.operation_id is not None  # noqa: S101 - the caller looked
        thread = await self._presses.thread_of(response.operation_id, response.room)
        operation = await self._services.operations.get(response.operation_id)
        if thread is None or operation.state is not OperationState.PROPOSED:
            return None  # it never stood there, and comes as a new message that calls them; or it is decided
        card = call_card(operation, self._services.cards)
        return await self._messages.say(
            response.room, card, key=f"{key}:call", thread=thread, lifetime=Lifetime.REPORT
        )

    async def plan(self, response: Response, key: str) -> Json:
        """Say all of a plan whose card has but the first rows of it."""
        assert response.room is not None  # noqa: S101 - as above
        operation = await self._services.operations.get(response.operation_id or "")
        return await self._messages.say(
            response.room,
            whole_plan_card(operation),
            key=plan_key(operation.id),
            thread=response.thread,
            below=key,
            lifetime=Lifetime.REPORT,
        )
