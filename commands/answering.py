"""How an event is answered: who says it, may they, what does it mean, and what comes of it."""

from __future__ import annotations

import shlex
from typing import Any

import structlog

from slipway.bot.chat.model import (
    Address,
    Assurance,
    Card,
    Field,
    Heard,
    Press,
    Tone,
    Withdrawal,
)
from slipway.bot.errors import CloudError, Mistake
from slipway.bot.operations.cards import operation_card, plan_card, trouble_card
from slipway.bot.operations.deciding import Decision
from slipway.bot.operations.messages import Messages
from slipway.bot.operations.model import OperationState, Trouble
from slipway.bot.operations.planning import Asked, NothingToDo, Planning
from slipway.bot.people import Person, PersonKind
from slipway.commands.call import Answer, Call, Change, Moved, Reply, Services
from slipway.commands.cards import mistake_card, misuse_card, unknown_card
from slipway.commands.events import Tick, event_key
from slipway.commands.grammar import CommandSpec, HelpWanted, Misuse, Registry, parse
from slipway.commands.manual import help_command
from slipway.commands.reading import Ignored, Line, Unknown, Unreadable, read_line
from slipway.commands.responses import Response

log = structlog.get_logger(__name__)


async def operation_of(press: Press, messages: Messages) -> str | None:
    """The operation that a press is about: named by its value, or by the message that carries the button."""
    if press.operation_id is not None:
        return press.operation_id
    if press.message_id is None:
        return None
    return await messages.operation_of(press.room, press.message_id)


class Answering:
    """Finds the answer to an event. Says nothing itself, and starts nothing: that is the door's."""

    def __init__(
        self, *, services: Services, registry: Registry[Reply], planning: Planning, messages: Messages
    ) -> None:
        self._services = services
        self._registry = registry
        self._planning = planning
        self._messages = messages
        self._prefix = services.view.prefix

    async def line(self, heard: Heard, key: str) -> Response:
        """Answer something that was said; ``key`` names the event."""
        settings = self._services.settings.commands
        reading = read_line(heard.text, heard.address, settings.prefix, self._registry.names)
        response = Response.to(heard)
        match reading:
            case Ignored():
                return response
            case Unreadable(reason):
                return response.telling(
                    heard.speaker, mistake_card(Mistake(reason, hint="help"), settings.prefix)
                )
            case Unknown():
                return response.telling(heard.speaker, unknown_card(reading, settings.prefix))
            case Line():
                person = self._services.people.by_account(heard.room.platform, heard.speaker)
                person = person or self._services.people.stranger(heard.room.platform, heard.speaker)
                return await self._command(reading, heard, person, key)

    async def tick(self, tick: Tick) -> Response:
        """Answer the clock, which speaks with the schedule's own rights."""
        heard = Heard(
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
            card = mistake_card(Mistake(sentence), self._prefix)
            return Response(room=tick.room).saying(card)
        response = await self._command(reading, heard, person, tick.key, quiet=tick.quiet)
        if response.card is None or response.operation_id is not None:
            return response
        # Nobody in the room typed anything, so the answer says what it answers, and to everybody.
        asked = Field(label="Asked by", value=f"{person.name}: `{self._prefix}{tick.text}`")
        told = {"fields": (asked, *response.card.fields), "private_to": None}
        return response.saying(response.card.model_copy(update=told))

    async def _command(
        self, line: Line, heard: Heard, person: Person, key: str, *, quiet: bool = False
    ) -> Response:
        spec = self._registry.by_name[line.name]
        response = Response.to(heard)
        prefix = self._prefix
        people = self._services.people
        if not people.may(person, spec.name, changes=spec.changes):
            refusal = people.refusal(person, person.identities[0], spec.name, changes=spec.changes)
            hint = "whoami" if person.kind is not PersonKind.SCHEDULE else None
            return response.telling(heard.speaker, mistake_card(Mistake(refusal, hint=hint), prefix))
        if heard.assurance is Assurance.REFUSED and (spec.changes or spec.decides):
            return response.telling(heard.speaker, mistake_card(Mistake(heard.doubt), prefix))
        match parse(spec, line.args, prefix):
            case HelpWanted():
                return response.saying(help_command(spec, prefix))
            case Misuse() as misuse:
                return response.telling(heard.speaker, misuse_card(misuse, prefix, spec.name))
            case parsed:
                call = Call(key, person, heard, self._services, self._registry)
                typed = (spec.name, *line.args)
                answered = await self._carefully(spec, call, dict(parsed.values), typed, quiet=quiet)
                return answered.doubting(heard) if spec.changes or spec.decides else answered

    async def _carefully(
        self,
        spec: CommandSpec[Reply],
        call: Call,
        values: dict[str, Any],
        typed: tuple[str, ...],
        *,
        quiet: bool,
    ) -> Response:
        response = Response.to(call.heard)
        try:
            return await self._perform(await spec.handler(call, **values), call, quiet=quiet)
        except Mistake as mistake:
            return response.telling(call.heard.speaker, mistake_card(mistake, call.prefix))
        except CloudError as error:
            trouble = Trouble.of(error, shlex.join(typed))
            title = f"{spec.name} could not look at the cloud"
            return response.saying(trouble_card(title, trouble, self._services.view))

    async def _perform(self, reply: Reply, call: Call, *, quiet: bool) -> Response:
        response = Response.to(call.heard)
        match reply:
            case Answer(card, nothing_to_do):
                return response if quiet and nothing_to_do else response.saying(card)
            case Moved(operation_id):
                return await self._moved(operation_id, call)
            case Change():
                return await self._change(reply, call, quiet=quiet)

    async def _change(self, change: Change, call: Call, *, quiet: bool) -> Response:
        response = Response.to(call.heard)
        view = self._services.view
        if change.dry_run:
            planned = await self._planning.plan(change.request, call.person)
            if not isinstance(planned, NothingToDo):
                return response.saying(plan_card(planned, view))
        else:
            asked = Asked(call.person, call.heard.room, call.heard.thread, call.event_key)
            planned_operation = await self._planning.propose(change.request, asked)
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

    async def _moved(self, operation_id: str, call: Call) -> Response:
        """Show the operation where its card stands; elsewhere, the speaker gets a card of it as well."""
        operation = await self._services.records.the(operation_id)
        elsewhere = await self._messages.card_of(operation_id, call.heard.room) is None
        return Response(
            room=call.heard.room,
            thread=call.heard.thread,
            card=operation_card(operation, self._services.view) if elsewhere else None,
            operation_id=operation_id,
            start=operation.state is OperationState.APPROVED,
        )

    async def withdrawal(self, withdrawal: Withdrawal) -> Response:
        """Take a vote back, if it can be; nothing is said about it but on the card."""
        response = Response(room=withdrawal.room)
        person = self._services.people.by_account(withdrawal.room.platform, withdrawal.speaker)
        if person is None:
            return response
        press = event_key(withdrawal, withdrawal.press_event_id)
        operation_id = await self._services.deciding.withdraw(press, person)
        return response.model_copy(update={"operation_id": operation_id})

    async def press(self, press: Press, key: str) -> Response:
        """Count a press on a card, or tell its presser why it does not count. Strangers cause nothing."""
        person = self._services.people.by_account(press.room.platform, press.speaker)
        operation_id = await operation_of(press, self._messages)
        shown = await self._messages.card_of(operation_id, press.room) if operation_id else None
        thread = shown and (shown.thread or shown.message_id)
        response = Response(room=press.room, thread=thread)
        if person is None or operation_id is None:
            return response  # strangers cause nothing
        if press.assurance is Assurance.REFUSED:
            return response.objecting(press.speaker, mistake_card(Mistake(press.doubt), self._prefix))
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
            operation = await self._services.deciding.decide(decision)
        except Mistake as mistake:
            return response.objecting(press.speaker, mistake_card(mistake, self._prefix))
        return response.model_copy(
            update={
                "operation_id": operation_id,
                "start": operation.state is OperationState.APPROVED,
            }
        )
