"""What becomes of presses on cards: votes, votes taken back, and why one does not count."""

from __future__ import annotations

from slipway.bot.chat.model import Assurance, ButtonEvent, Room, WithdrawnReaction
from slipway.bot.core.errors import UserError
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.decisions import CodeNeededError, Decision, TooLateError
from slipway.bot.operations.model import OperationState
from slipway.bot.operations.services import Services
from slipway.bot.operations.standing import NotSeenError
from slipway.bot.people import Person
from slipway.commands.dispatch.codes.asking import CodeAsker
from slipway.commands.dispatch.context import Place
from slipway.commands.dispatch.events import AcceptedEvent, event_key
from slipway.commands.dispatch.responses import Response
from slipway.commands.dispatch.runner import CommandRunner


class PressHandler:
    """Counts presses, and says nothing itself."""

    def __init__(self, services: Services, command_runner: CommandRunner, messages: MessageService) -> None:
        self._services = services
        self._command_runner = command_runner
        self._messages = messages
        self._codes = CodeAsker(services, messages)

    async def withdrawn(self, event: WithdrawnReaction) -> Response:
        """Take a vote back; where it is too late for that, whoever did hears so, and else the card tells."""
        response = Response(room=event.room)
        person = self._services.people.by_account(event.room.platform, event.sender)
        if person is None:
            return response
        vote = event_key(event, event.reaction_event_id)
        try:
            operation_id = await self._services.approvals.withdraw(vote, person)
        except TooLateError as error:
            thread = await self.thread_of(error.operation_id, event.room)
            card = self._command_runner.objection(error, person)
            return response.model_copy(update={"thread": thread}).objecting(event.sender, card)
        return response.model_copy(update={"operation_id": operation_id})

    async def pressed(self, accepted: AcceptedEvent, event: ButtonEvent, remark: str = "") -> Response:
        """Count a press on a card, or tell whoever pressed why it does not count. Strangers cause nothing.

        ``remark`` is what they are told beside how the operation stands, where they gave a code by a message.
        """
        person = self._services.people.by_account(event.room.platform, event.sender)
        operation_id = event.operation_id
        if operation_id is None and event.message_id is not None:  # as the version before stored it
            card = await self._messages.card_at(event.room, event.message_id)
            operation_id = card.operation_id if card else None
        if person is None or operation_id is None:
            return Response(room=event.room)
        if event.assurance is Assurance.REFUSED:
            return await self._object(accepted, event, person, UserError(event.doubt))
        if accepted.became_card and event.message_id is not None:  # what did it show when they reacted?
            try:
                await self._services.standing.check_pressed(event.room, event.message_id, event.sent_at)
            except NotSeenError as error:
                return await self._object(accepted, event, person, error)
        decision = Decision(
            operation_id,
            person,
            event.choice,
            accepted.event_key,
            event.digest_prefix,
            event.reason,
            forgeable=event.forgeable,
            doubt=event.doubt,
        )
        try:
            operation = await self._services.approvals.decide(decision)
        except CodeNeededError as error:
            return await self._ask_for_code(accepted, event, person, error)
        except UserError as error:
            return await self._object(accepted, event, person, error)
        return Response(
            room=event.room,
            operation_id=operation_id,
            start=operation.state is OperationState.APPROVED,
            alarm=bool(operation.plan.policy.emergency),
            told=event.sender if remark else "",
            remark=remark,
        )

    async def _ask_for_code(
        self, accepted: AcceptedEvent, event: ButtonEvent, person: Person, error: CodeNeededError
    ) -> Response:
        place = Place(event.room, accepted.thread)
        try:
            return await self._codes.ask(error, person, event.sender, place, accepted.event_key, alone=False)
        except UserError as refused:
            return await self._object(accepted, event, person, refused)

    async def _object(
        self, accepted: AcceptedEvent, event: ButtonEvent, person: Person, error: UserError
    ) -> Response:
        """Say in the thread of the card why a press does not count."""
        thread = accepted.thread
        if thread is None and event.operation_id is not None:  # the button's value named the operation
            thread = await self.thread_of(event.operation_id, event.room)
        card = self._command_runner.objection(error, person)
        return Response(room=event.room, thread=thread).objecting(event.sender, card)

    async def thread_of(self, operation_id: str, room: Room) -> str | None:
        """The thread in which an operation's first card in a room stands, or that it begins."""
        card = await self._messages.card_of(operation_id, room)
        return (card.thread or card.message_id) if card is not None else None
