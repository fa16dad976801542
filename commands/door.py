"""The one door: what people say, press, and what the clock says comes in here, each event once.

An event is committed as a durable workflow under its own id before the platform hears that it was taken, so
a duplicate finds the id in use and dies. Inside the workflow: read the line, ask who it is and whether they
may, run the command, say its answer, and start what was approved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import structlog
from pydantic import TypeAdapter

from bot.chat.model import (
    Address,
    AnyEvent,
    Assurance,
    Card,
    Event,
    Field,
    Heard,
    Press,
    Room,
    Tone,
    Withdrawal,
)
from bot.errors import CloudError, Mistake, Mover
from bot.model import Json, Model
from bot.operations.cards import operation_card, plan_card, trouble_card
from bot.operations.deciding import Decision
from bot.operations.durable import Durable, Effect, Payload
from bot.operations.messages import Messages
from bot.operations.model import Operation, OperationState, Trouble
from bot.operations.planning import Asked, NothingToDo, Planning
from bot.operations.policy import deciders
from bot.operations.running import Running
from bot.people import Person, PersonKind
from commands.call import Answer, Call, Change, Moved, Reply, Services
from commands.cards import mistake_card, misuse_card, unknown_card
from commands.grammar import CommandSpec, HelpWanted, Misuse, Registry, parse
from commands.manual import help_command
from commands.reading import Ignored, Line, Unknown, Unreadable, read_line

WORKFLOW = "hear"

MENTIONED = 8
"""At most so many people are called upon to agree to what the clock asks for."""

PATIENCE_SECONDS = 2.0
"""How long somebody waits for an answer before the bot says that it is at it."""

log = structlog.get_logger(__name__)

_EVENT: TypeAdapter[AnyEvent] = TypeAdapter(Event)


class Tick(Model):
    """What the clock says: a schedule's command line, at one of its times."""

    schedule: str
    at: datetime
    room: Room
    text: str
    quiet: bool = False

    @property
    def key(self) -> str:
        """Names the tick once and for ever; it is the id of its workflow."""
        return f"tick:{self.schedule}:{self.at.strftime('%Y-%m-%dT%H:%MZ')}"


class Response(Model):
    """What an event led to. It is stored with the event's workflow."""

    card: Card | None = None
    room: Room
    thread: str | None = None
    operation_id: str | None = None  # whose card this is, or which one to show anew
    start: bool = False


class Door:
    """Takes events in and answers them."""

    def __init__(
        self,
        *,
        services: Services,
        registry: Registry[Reply],
        planning: Planning,
        running: Running,
        messages: Messages,
        durable: Durable,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._services = services
        self._registry = registry
        self._planning = planning
        self._running = running
        self._messages = messages
        self._durable = durable
        self._sleep = sleep
        durable.register(WORKFLOW, self._hear)
        durable.register("tick", self._tick)

    async def accept(self, event: AnyEvent) -> bool:
        """Take an event in. When this returns true it is committed; false says it was not meant for the bot."""
        if not await self._concerns_us(event):
            return False
        key = _key(event, event.event_id)
        await self._durable.start(WORKFLOW, key, {"key": key, "event": event.model_dump(mode="json")})
        return True

    async def accept_tick(self, tick: Tick) -> None:
        """Take a tick of the clock in; one schedule and time run once."""
        await self._durable.start("tick", tick.key, {"tick": tick.model_dump(mode="json")})

    async def _concerns_us(self, event: AnyEvent) -> bool:
        settings = self._services.settings.commands
        if self._services.clock() - event.sent_at > settings.max_age:
            log.info("an old message was left alone", platform=event.room.platform, sent_at=event.sent_at)
            return False
        if isinstance(event, Press):
            return await self._operation_of(event) is not None
        if isinstance(event, Withdrawal):
            return await self._durable.knows(_key(event, event.press_event_id))
        reading = read_line(event.text, event.address, settings.prefix, self._registry.names)
        return not isinstance(reading, Ignored)

    async def _operation_of(self, press: Press) -> str | None:
        if press.operation_id is not None:
            return press.operation_id
        if press.message_id is None:
            return None
        return await self._messages.operation_of(press.room, press.message_id)

    async def _hear(self, payload: Payload) -> None:
        key = str(payload["key"])
        event = _EVENT.validate_python(payload["event"])
        if isinstance(
            event, Withdrawal
        ):  # events run side by side; this one only means something after its press
            await self._durable.ended(_key(event, event.press_event_id))

        async def answer() -> Json:
            match event:
                case Press():
                    response = await self._answer_press(event, key)
                case Withdrawal():
                    response = await self._answer_withdrawal(event)
                case Heard():
                    response = await self._answer_patiently(event, key)
            return response.model_dump(mode="json")

        await self._respond(answer, key)

    async def _tick(self, payload: Payload) -> None:
        tick = Tick.model_validate(payload["tick"])

        async def answer() -> Json:
            return (await self._answer_tick(tick)).model_dump(mode="json")

        await self._respond(answer, tick.key)

    async def _respond(self, answer: Effect, key: str) -> None:
        response = Response.model_validate(await self._durable.step("answer", answer))
        if response.card is not None:
            await self._durable.step("say", lambda: self._say(response, key))
        elif response.operation_id is not None and not response.start:  # a run shows itself
            await self._durable.step("show", lambda: self._show(response.operation_id))
        if response.start and response.operation_id is not None:
            await self._running.start(response.operation_id)

    async def _say(self, response: Response, key: str) -> Json:
        assert response.card is not None  # noqa: S101 - for the type checker; the caller looked
        message_id = await self._messages.say(
            response.room,
            response.card,
            key=key,
            thread=response.thread,
            operation_id=response.operation_id,
        )
        # It may have moved on while its card was under way, and it may have older cards in other rooms.
        await self._show(response.operation_id)
        return message_id

    async def _show(self, operation_id: str | None) -> Json:
        if operation_id is not None:
            await self._running.refresh(operation_id)
        return None

    async def _answer_patiently(self, heard: Heard, key: str) -> Response:
        """Answer; if that takes long, say meanwhile that it is being looked at (the answer replaces it)."""
        saying = asyncio.Event()
        patience = asyncio.create_task(self._soothe(heard, key, saying), name=f"patience {key}")
        try:
            response = await self._answer(heard, key)
        finally:
            if not saying.is_set():  # a message under way is waited for: it must not overtake the answer
                patience.cancel()
            await asyncio.gather(patience, return_exceptions=True)
        if saying.is_set() and response.card is None and response.operation_id is not None:
            operation = await self._services.records.the(response.operation_id)
            return _with(response, operation_card(operation, self._services.view))
        return response

    async def _soothe(self, heard: Heard, key: str, saying: asyncio.Event) -> None:
        await self._sleep(PATIENCE_SECONDS)
        saying.set()
        card = Card(tone=Tone.RUNNING, title="Looking into it…")
        await self._messages.say(heard.room, card, key=key, thread=heard.thread)

    async def _answer(self, heard: Heard, key: str) -> Response:
        settings = self._services.settings.commands
        reading = read_line(heard.text, heard.address, settings.prefix, self._registry.names)
        response = Response(room=heard.room, thread=heard.thread)
        match reading:
            case Ignored():
                return response
            case Unreadable(reason):
                return _told(response, heard, mistake_card(Mistake(reason, hint="help"), settings.prefix))
            case Unknown():
                return _told(response, heard, unknown_card(reading, settings.prefix))
            case Line():
                person = self._services.people.by_account(heard.room.platform, heard.speaker)
                person = person or self._services.people.stranger(heard.room.platform, heard.speaker)
                return await self._command(reading, heard, person, key)

    async def _answer_tick(self, tick: Tick) -> Response:
        heard = Heard(
            event_id=tick.key,
            room=tick.room,
            speaker=f"schedule:{tick.schedule}",
            text=tick.text,
            address=Address.DIRECT,
            sent_at=tick.at,
        )
        reading = read_line(tick.text, Address.DIRECT, self._services.view.prefix, self._registry.names)
        person = self._services.people.schedule(tick.schedule)
        if person is None:  # it was taken out between the tick and its recovery after a crash
            log.warning("a schedule that is gone does not tick", schedule=tick.schedule)
            return Response(room=tick.room)
        if not isinstance(reading, Line):
            sentence = f"The schedule {tick.schedule} says something that is no command: {tick.text}"
            card = mistake_card(Mistake(sentence), self._services.view.prefix)
            return _with(Response(room=tick.room), card)
        response = await self._command(reading, heard, person, tick.key, quiet=tick.quiet)
        if response.card is None or response.operation_id is not None:
            return response
        # Nobody in the room typed anything, so the answer says what it answers.
        asked = Field(label="Asked by", value=f"{person.name}: `{self._services.view.prefix}{tick.text}`")
        return _with(response, response.card.model_copy(update={"fields": (asked, *response.card.fields)}))

    async def _command(
        self, line: Line, heard: Heard, person: Person, key: str, *, quiet: bool = False
    ) -> Response:
        spec = self._registry.by_name[line.name]
        response = Response(room=heard.room, thread=heard.thread)
        prefix = self._services.view.prefix
        people = self._services.people
        if not people.may(person, spec.name, changes=spec.changes):
            refusal = people.refusal(person, person.identities[0], spec.name, changes=spec.changes)
            hint = "whoami" if person.kind is not PersonKind.SCHEDULE else None
            return _told(response, heard, mistake_card(Mistake(refusal, hint=hint), prefix))
        if heard.assurance is Assurance.REFUSED and (spec.changes or spec.decides):
            return _told(response, heard, mistake_card(Mistake(heard.doubt), prefix))
        match parse(spec, line.args, prefix):
            case HelpWanted():
                return _with(response, help_command(spec, prefix))
            case Misuse() as misuse:
                return _told(response, heard, misuse_card(misuse, prefix, spec.name))
            case parsed:
                call = Call(key, person, heard, self._services, self._registry)
                answered = await self._carefully(spec, call, dict(parsed.values), quiet=quiet)
                return _doubted(answered, heard) if spec.changes or spec.decides else answered

    async def _carefully(
        self, spec: CommandSpec[Reply], call: Call, values: dict[str, Any], *, quiet: bool
    ) -> Response:
        response = Response(room=call.heard.room, thread=call.heard.thread)
        try:
            return await self._perform(await spec.handler(call, **values), call, quiet=quiet)
        except Mistake as mistake:
            return _told(response, call.heard, mistake_card(mistake, call.prefix))
        except CloudError as error:
            trouble = Trouble.of(error, "status")
            title = f"{spec.name} could not look at the cloud"
            return _with(response, trouble_card(title, trouble, self._services.view))
        except Exception:
            # The last boundary of a command: the person gets an answer, the log gets the traceback.
            log.exception("a command failed inside Slipway", command=spec.name, key=call.event_key)
            sentence = "Nothing was changed. The log of Slipway says how it failed."
            trouble = Trouble(sentence=sentence, mover=Mover.ADMIN, hint="status")
            card = trouble_card(f"Slipway itself failed at {spec.name}", trouble, self._services.view)
            return _with(response, card)

    async def _perform(self, reply: Reply, call: Call, *, quiet: bool) -> Response:
        response = Response(room=call.heard.room, thread=call.heard.thread)
        match reply:
            case Answer(card, nothing_to_do):
                return response if quiet and nothing_to_do else _with(response, card)
            case Moved(operation_id):
                return await self._moved(operation_id, call)
            case Change():
                return await self._change(reply, call, quiet=quiet)

    async def _change(self, change: Change, call: Call, *, quiet: bool) -> Response:
        response = Response(room=call.heard.room, thread=call.heard.thread)
        view = self._services.view
        if change.dry_run:
            planned = await self._planning.plan(change.request, call.person)
            if not isinstance(planned, NothingToDo):
                return _with(response, plan_card(planned, view))
        else:
            asked = Asked(call.person, call.heard.room, call.heard.thread, call.event_key)
            planned_operation = await self._planning.propose(change.request, asked)
            if not isinstance(planned_operation, NothingToDo):
                return response.model_copy(
                    update={
                        "card": self._announced(planned_operation, call),
                        "operation_id": planned_operation.id,
                        "start": planned_operation.state is OperationState.APPROVED,
                    }
                )
            planned = planned_operation
        if quiet:
            return response
        return _with(response, Card(tone=Tone.DONE, title="Nothing to do", text=planned.summary))

    def _announced(self, operation: Operation, call: Call) -> Card:
        """The card of a new operation; where the clock asks, it calls on those who can agree."""
        card = operation_card(operation, self._services.view)
        if call.person.human or operation.state is not OperationState.PROPOSED:
            return card
        platform = operation.room.platform
        able = (each.account_on(platform) for each in deciders(operation, self._services.people))
        return card.model_copy(update={"mentions": tuple(account for account in able if account)[:MENTIONED]})

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

    async def _answer_withdrawal(self, withdrawal: Withdrawal) -> Response:
        response = Response(room=withdrawal.room)
        person = self._services.people.by_account(withdrawal.room.platform, withdrawal.speaker)
        if person is None:
            return response
        press = _key(withdrawal, withdrawal.press_event_id)
        operation_id = await self._services.deciding.withdraw(press, person)
        return response.model_copy(update={"operation_id": operation_id})

    async def _answer_press(self, press: Press, key: str) -> Response:
        person = self._services.people.by_account(press.room.platform, press.speaker)
        operation_id = await self._operation_of(press)
        shown = await self._messages.card_of(operation_id, press.room) if operation_id else None
        thread = shown and (shown.thread or shown.message_id)
        response = Response(room=press.room, thread=thread)
        if person is None or operation_id is None:
            return response  # strangers cause nothing
        if press.assurance is Assurance.REFUSED:
            card = mistake_card(Mistake(press.doubt), self._services.view.prefix)
            told = {"mentions": (press.speaker,), "private_to": press.speaker}
            return _with(response, card.model_copy(update=told))
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
            card = mistake_card(mistake, self._services.view.prefix)
            told = {"mentions": (press.speaker,), "private_to": press.speaker}
            return _with(response, card.model_copy(update=told))
        return response.model_copy(
            update={
                "operation_id": operation_id,
                "start": operation.state is OperationState.APPROVED,
            }
        )


def _key(event: AnyEvent, event_id: str) -> str:
    """The id of the workflow that an event of this platform starts."""
    return f"{WORKFLOW}:{event.room.platform}:{event_id}"


def _doubted(response: Response, heard: Heard) -> Response:
    if heard.assurance is not Assurance.DOUBTED or response.card is None:
        return response
    notes = (*response.card.notes, heard.doubt)
    return _with(response, response.card.model_copy(update={"notes": notes}))


def _told(response: Response, heard: Heard, card: Card) -> Response:
    """An answer that concerns nobody but the speaker."""
    return _with(response, card.model_copy(update={"private_to": heard.speaker}))


def _with(response: Response, card: Card) -> Response:
    return response.model_copy(update={"card": card})
