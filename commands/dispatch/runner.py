"""How an event is answered: who says it, may they, what does it mean, and what comes of it."""

from __future__ import annotations

import shlex
from typing import Any

import structlog

from slipway.bot.chat.model import (
    Address,
    Assurance,
    ButtonEvent,
    Card,
    Field,
    MessageEvent,
    Tone,
    WithdrawnReaction,
)
from slipway.bot.core.errors import CloudError, UserError
from slipway.bot.operations.approval_service import Decision
from slipway.bot.operations.cards import failure_card, operation_card, plan_card
from slipway.bot.operations.messages import Messages
from slipway.bot.operations.model import Failure, OperationState
from slipway.bot.operations.plan_service import Asked, NothingToDo, PlanService
from slipway.bot.people import Person, PersonKind
from slipway.commands.dispatch.cards import misuse_card, unknown_card, user_error_card
from slipway.commands.dispatch.context import (
    CardReply,
    ChangeRequest,
    CommandContext,
    CommandResult,
    OperationUpdate,
    Services,
)
from slipway.commands.dispatch.events import Tick, event_key
from slipway.commands.dispatch.responses import Response
from slipway.commands.general.manual import help_command
from slipway.commands.grammar.declaration import CommandSpec, HelpWanted, Misuse, Registry, parse
from slipway.commands.grammar.reading import Ignored, Line, Unknown, Unreadable, read_line

log = structlog.get_logger(__name__)


async def operation_of(press: ButtonEvent, messages: Messages) -> str | None:
    """The operation that a press is about: named by its value, or by the message that carries the button."""
    if press.operation_id is not None:
        return press.operation_id
    if press.message_id is None:
        return None
    return await messages.operation_of(press.room, press.message_id)


class CommandRunner:
    """Finds the answer to an event. Says nothing itself, and starts nothing: that is the door's."""

    def __init__(
        self, *, services: Services, registry: Registry[CommandResult], plans: PlanService, messages: Messages
    ) -> None:
        self._services = services
        self._registry = registry
        self._plans = plans
        self._messages = messages
        self._prefix = services.view.prefix

    async def line(self, heard: MessageEvent, key: str) -> Response:
        """Answer something that was said; ``key`` names the event."""
        settings = self._services.settings.commands
        reading = read_line(heard.text, heard.address, settings.prefix, self._registry.names)
        response = Response.to(heard)
        match reading:
            case Ignored():
                return response
            case Unreadable(reason):
                return response.telling(
                    heard.speaker, user_error_card(UserError(reason, hint="help"), settings.prefix)
                )
            case Unknown():
                return response.telling(heard.speaker, unknown_card(reading, settings.prefix))
            case Line():
                person = self._services.people.by_account(heard.room.platform, heard.speaker)
                person = person or self._services.people.stranger(heard.room.platform, heard.speaker)
                return await self._command(reading, heard, person, key)

    async def tick(self, tick: Tick) -> Response:
        """Answer the clock, which speaks with the schedule's own rights."""
        heard = MessageEvent(
            event_id=tick.key,
            room=tick.room,
            speaker=f"schedule:{tick.schedule}",
            text=tick.text,
            address=Address.DIRECT,
            sent_at=tick.at,
        )
        reading = read_line(tick.text, Address.DIRECT, self._prefix, self._registry.names)
        person = self._services.people.schedule(tick.schedule)
        if person is None:  # it was taken out between the tick and its recovery after a crash
            log.warning("a schedule that is gone does not tick", schedule=tick.schedule)
            return Response(room=tick.room)
        if not isinstance(reading, Line):
            sentence = f"The schedule {tick.schedule} says something that is no command: {tick.text}"
            card = user_error_card(UserError(sentence), self._prefix)
            return Response(room=tick.room).saying(card)
        response = await self._command(reading, heard, person, tick.key, quiet=tick.quiet)
        if response.card is None or response.operation_id is not None:
            return response
        # Nobody in the room typed anything, so the answer says what it answers, and to everybody.
        asked = Field(label="Asked by", value=f"{person.name}: `{self._prefix}{tick.text}`")
        told = {"fields": (asked, *response.card.fields), "private_to": None}
        return response.saying(response.card.model_copy(update=told))

    async def _command(
        self, line: Line, heard: MessageEvent, person: Person, key: str, *, quiet: bool = False
    ) -> Response:
        spec = self._registry.by_name[line.name]
        response = Response.to(heard)
        prefix = self._prefix
        people = self._services.people
        if not people.may(person, spec.name, changes=spec.changes):
            refusal = people.refusal(person, person.identities[0], spec.name, changes=spec.changes)
            hint = "whoami" if person.kind is not PersonKind.SCHEDULE else None
            return response.telling(heard.speaker, user_error_card(UserError(refusal, hint=hint), prefix))
        if heard.assurance is Assurance.REFUSED and (spec.changes or spec.decides):
            return response.telling(heard.speaker, user_error_card(UserError(heard.doubt), prefix))
        match parse(spec, line.args, prefix):
            case HelpWanted():
                return response.saying(help_command(spec, prefix))
            case Misuse() as misuse:
                return response.telling(heard.speaker, misuse_card(misuse, prefix, spec.name))
            case parsed:
                call = CommandContext(key, person, heard, self._services, self._registry)
                typed = (spec.name, *line.args)
                answered = await self._carefully(spec, call, dict(parsed.values), typed, quiet=quiet)
                return answered.doubting(heard) if spec.changes or spec.decides else answered

    async def _carefully(
        self,
        spec: CommandSpec[CommandResult],
        call: CommandContext,
        values: dict[str, Any],
        typed: tuple[str, ...],
        *,
        quiet: bool,
    ) -> Response:
        response = Response.to(call.heard)
        try:
            return await self._perform(await spec.handler(call, **values), call, quiet=quiet)
        except UserError as mistake:
            return response.telling(call.heard.speaker, user_error_card(mistake, call.prefix))
        except CloudError as error:
            trouble = Failure.of(error, shlex.join(typed))
            title = f"{spec.name} could not look at the cloud"
            return response.saying(failure_card(title, trouble, self._services.view))

    async def _perform(self, reply: CommandResult, call: CommandContext, *, quiet: bool) -> Response:
        response = Response.to(call.heard)
        match reply:
            case CardReply(card, nothing_to_do):
                return response if quiet and nothing_to_do else response.saying(card)
            case OperationUpdate(operation_id):
                return await self._moved(operation_id, call)
            case ChangeRequest():
                return await self._change(reply, call, quiet=quiet)

    async def _change(self, change: ChangeRequest, call: CommandContext, *, quiet: bool) -> Response:
        response = Response.to(call.heard)
        view = self._services.view
        if change.dry_run:
            planned = await self._plans.plan(change.request, call.person)
            if not isinstance(planned, NothingToDo):
                return response.saying(plan_card(planned, view))
        else:
            asked = Asked(call.person, call.heard.room, call.heard.thread, call.event_key)
            planned_operation = await self._plans.propose(change.request, asked)
            if not isinstance(planned_operation, NothingToDo):
                return response.model_copy(
                    update={
                        "card": operation_card(planned_operation, view),
                        "operation_id": planned_operation.id,
                        "start": planned_operation.state is OperationState.APPROVED,
                    }
                )
            planned = planned_operation
        if quiet:
            return response
        return response.saying(Card(tone=Tone.DONE, title="Nothing to do", text=planned.summary))

    async def _moved(self, operation_id: str, call: CommandContext) -> Response:
        """Show the operation where its card stands; elsewhere, the speaker gets a card of it as well."""
        operation = await self._services.operations.get(operation_id)
        elsewhere = await self._messages.card_of(operation_id, call.heard.room) is None
        return Response(
            room=call.heard.room,
            thread=call.heard.thread,
            card=operation_card(operation, self._services.view) if elsewhere else None,
            operation_id=operation_id,
            start=operation.state is OperationState.APPROVED,
        )

    async def withdrawal(self, withdrawal: WithdrawnReaction) -> Response:
        """Take a vote back, if it can be; nothing is said about it but on the card."""
        response = Response(room=withdrawal.room)
        person = self._services.people.by_account(withdrawal.room.platform, withdrawal.speaker)
        if person is None:
            return response
        press = event_key(withdrawal, withdrawal.reaction_event_id)
        operation_id = await self._services.approvals.withdraw(press, person)
        return response.model_copy(update={"operation_id": operation_id})

    async def press(self, press: ButtonEvent, key: str) -> Response:
        """Count a press on a card, or tell its presser why it does not count. Strangers cause nothing."""
        person = self._services.people.by_account(press.room.platform, press.speaker)
        operation_id = await operation_of(press, self._messages)
        shown = await self._messages.card_of(operation_id, press.room) if operation_id else None
        thread = shown and (shown.thread or shown.message_id)
        response = Response(room=press.room, thread=thread)
        if person is None or operation_id is None:
            return response  # strangers cause nothing
        if press.assurance is Assurance.REFUSED:
            return response.objecting(press.speaker, user_error_card(UserError(press.doubt), self._prefix))
        decision = Decision(
            operation_id,
            person,
            press.choice,
            key,
            press.digest_prefix,
            press.reason,
            forgeable=press.forgeable,
        )
        try:
            operation = await self._services.approvals.decide(decision)
        except UserError as mistake:
            return response.objecting(press.speaker, user_error_card(mistake, self._prefix))
        return response.model_copy(
            update={
                "operation_id": operation_id,
                "start": operation.state is OperationState.APPROVED,
            }
        )
