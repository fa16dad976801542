"""The one intake: chat events, and lines that the clock or anything else asks for, each once.

An event is committed as a durable workflow under its own id before the platform hears that it was taken, so
a duplicate finds the id in use and ends there. Inside the workflow: who asks and may they, run the command, say its
answer, and start what was approved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import structlog
from pydantic import ValidationError

from slipway.bot.chat.model import (
    Address,
    AnyEvent,
    Assurance,
    ButtonEvent,
    Card,
    Choice,
    Field,
    MessageEvent,
    Room,
    Tone,
    WithdrawnReaction,
)
from slipway.bot.core.errors import ResponsibleParty, UserError
from slipway.bot.core.model import Json, digest
from slipway.bot.core.waiting import Sleep
from slipway.bot.messages.model import Lifetime
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.approval_service import Decision, TooLateError
from slipway.bot.operations.cards import failure_card, operation_card
from slipway.bot.operations.model import Failure, OperationState
from slipway.bot.operations.runs.runner import OperationRunner
from slipway.bot.operations.services import Services
from slipway.bot.operations.standing import Said
from slipway.bot.people import Identity
from slipway.bot.workflows.engine import Effect, Payload, WorkflowEngine
from slipway.commands.dispatch.cards import user_error_card
from slipway.commands.dispatch.context import Asker, Place
from slipway.commands.dispatch.events import (
    EVENT_WORKFLOW,
    AcceptedEvent,
    LineRequest,
    StoredReading,
    UnknownEventError,
    event_key,
)
from slipway.commands.dispatch.responses import Response
from slipway.commands.dispatch.runner import CommandRunner
from slipway.commands.grammar.reading import Ignored, Line, Reading, read_line

ASK = "ask"
"""The workflow that answers a line which no chat brought."""

TICK = "tick"
"""As :data:`ASK`, for what the version before this one left."""

PATIENCE_SECONDS = 2.0
"""How long somebody waits for an answer before the bot says that it is working on it."""

log = structlog.get_logger(__name__)


class Dispatcher:
    """Takes events in and answers them."""

    def __init__(
        self,
        *,
        services: Services,
        names: tuple[str, ...],
        verbatim: tuple[str, ...],
        command_runner: CommandRunner,
        runner: OperationRunner,
        messages: MessageService,
        workflows: WorkflowEngine,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._services = services
        self._names = names
        self._verbatim = verbatim
        self._command_runner = command_runner
        self._runner = runner
        self._messages = messages
        self._workflows = workflows
        self._sleep = sleep
        workflows.register(EVENT_WORKFLOW, self._handle)
        workflows.register(ASK, self._ask)
        workflows.register(TICK, self._tick)

    async def accept(self, event: AnyEvent) -> bool:
        """Take an event in. When this returns true it is committed; false says it was not meant for the bot."""
        accepted = await self._look(event)
        if accepted is None:
            return False
        await self._workflows.start(EVENT_WORKFLOW, accepted.event_key, accepted.payload)
        return True

    async def accept_line(self, request: LineRequest) -> None:
        """Take a line in that no chat brought; one key is answered once."""
        await self._workflows.start(ASK, request.event_key, {"request": request.model_dump(mode="json")})

    async def _look(self, event: AnyEvent) -> AcceptedEvent | None:
        """What an event is about; None for what does not concern the bot, or comes too late."""
        key = event_key(event, event.event_id)
        # What makes less happen is heard at any age: a vote taken back, or a rejection, while the bot was down.
        if isinstance(event, WithdrawnReaction):
            known = await self._workflows.knows(event_key(event, event.reaction_event_id))
            return AcceptedEvent(event_key=key, event=event) if known else None
        if isinstance(event, ButtonEvent):
            if event.choice is not Choice.REJECT and self._is_too_old(event):
                return None
            return await self._look_at_button(event, key)
        reading = self._read(event.text, event.address)
        if isinstance(reading, Ignored) or self._is_too_old(event):
            return None
        newest = await self._services.standing.newest() if self._command_runner.decides(reading) else None
        return AcceptedEvent(
            event_key=key, event=event, reading=StoredReading.of(reading), newest_operation=newest
        )

    def _read(self, text: str, address: Address) -> Reading:
        prefix = self._services.settings.commands.prefix
        return read_line(text, address, prefix, self._names, self._verbatim)

    def _is_too_old(self, event: MessageEvent | ButtonEvent) -> bool:
        old = self._services.clock() - event.sent_at > self._services.settings.commands.max_age
        if old:
            log.info("an old message was left alone", platform=event.room.platform, sent_at=event.sent_at)
        return old

    async def _look_at_button(self, event: ButtonEvent, key: str) -> AcceptedEvent | None:
        """The operation that a press is about: named by its value, or by the message that carries the button."""
        if event.operation_id is not None:
            return AcceptedEvent(event_key=key, event=event)
        card = None
        if event.message_id is not None:
            card = await self._messages.card_at(event.room, event.message_id)
        if card is None:
            return None
        about = event.model_copy(update={"operation_id": card.operation_id})
        return AcceptedEvent(event_key=key, event=about, thread=card.thread or card.message_id)

    async def _handle(self, payload: Payload) -> None:
        try:
            accepted = AcceptedEvent.read(payload)
        except UnknownEventError as error:
            log.error("an event that another version of Slipway stored was left alone", why=str(error))
            return
        event, key = accepted.event, accepted.event_key
        if isinstance(event, WithdrawnReaction):  # events run side by side; this one only follows its press
            await self._workflows.ended(event_key(event, event.reaction_event_id))

        async def answer() -> Response:
            match event:
                case ButtonEvent():
                    return await self._button(accepted, event)
                case WithdrawnReaction():
                    return await self._withdrawn(event)
                case MessageEvent():
                    return await self._answer_patiently(accepted, event)

        thread = event.thread if isinstance(event, MessageEvent) else None
        guarded = self._guarded(answer, Response(room=event.room, thread=thread), key)
        await self._respond(guarded, key, Lifetime.ANSWER)

    async def _ask(self, payload: Payload) -> None:
        try:
            request = LineRequest.model_validate(payload.get("request"))
        except ValidationError:
            log.error("a line that another version of Slipway stored was left alone")
            return
        answer = self._guarded(lambda: self._line(request), Response(room=request.room), request.event_key)
        await self._respond(answer, request.event_key, Lifetime.REPORT)

    async def _tick(self, payload: Payload) -> None:
        tick: Any = payload["tick"]
        request = LineRequest.of_schedule(
            tick["schedule"],
            datetime.fromisoformat(tick["at"]),
            Room.model_validate(tick["room"]),
            tick["text"],
            quiet=tick.get("quiet", False),
        )
        await self._ask({"request": request.model_dump(mode="json")})

    def _guarded(self, answer: Callable[[], Awaitable[Response]], where: Response, key: str) -> Effect:
        """The last boundary of an answer: the person is told that it failed, the log gets the traceback."""

        async def guarded() -> Json:
            try:
                response = await answer()
            except Exception:
                log.exception("an answer failed inside Slipway", key=key)
                sentence = "The log of Slipway says how. What was asked for may stand all the same."
                failure = Failure(sentence=sentence, responsible=ResponsibleParty.ADMIN, hint="pending")
                response = where.saying(failure_card("Internal error", failure, self._services.cards))
            return response.model_dump(mode="json")

        return guarded

    async def _respond(self, answer: Effect, key: str, lifetime: Lifetime) -> None:
        response = Response.model_validate(await self._workflows.step("answer", answer))
        if response.card is not None and response.room is not None:
            await self._workflows.step("say", lambda: self._say(response, key, lifetime))
        elif response.operation_id is not None and not response.start:  # a run shows itself
            await self._workflows.step("show", lambda: self._show(response.operation_id))
        if response.start and response.operation_id is not None:
            await self._runner.start(response.operation_id)

    async def _say(self, response: Response, key: str, lifetime: Lifetime) -> Json:
        assert response.card is not None  # noqa: S101 - for the type checker; the caller looked
        assert response.room is not None  # noqa: S101
        message_id = await self._messages.say(
            response.room,
            response.card,
            key=key,
            thread=response.thread,
            operation_id=response.operation_id,
            lifetime=lifetime,
        )
        # It may have moved on while its card was under way, and it may have older cards in other rooms.
        if response.operation_id is not None and not await self._is_as_said(response):
            await self._show(response.operation_id)
        return message_id

    async def _is_as_said(self, response: Response) -> bool:
        """Whether an operation looks as it did when something else than its card was said of it."""
        if not response.as_of or response.operation_id is None:
            return False
        operation = await self._services.operations.get(response.operation_id)
        return digest(operation_card(operation, self._services.cards)) == response.as_of

    async def _show(self, operation_id: str | None) -> Json:
        if operation_id is not None:
            await self._runner.show(operation_id)
        return None

    async def _line(self, request: LineRequest) -> Response:
        """Answer what asks without a chat, which speaks with its own rights."""
        place = Place(request.room) if request.room is not None else None
        person = self._services.people.by_id(request.requester)
        if person is None:  # it was taken out between its time and the recovery after a crash
            log.warning("whoever asked is gone, so nothing is done", requester=request.requester)
            return Response.at(place)
        prefix = self._services.settings.commands.prefix
        reading = self._read(request.text, Address.DIRECT)
        if not isinstance(reading, Line):
            sentence = f"{person.name[:1].upper()}{person.name[1:]} says something that is no command: {request.text}"
            return Response.at(place).saying(user_error_card(UserError(sentence), prefix))
        identity = person.identities[0]
        asker = Asker(request.event_key, person, identity, place, quiet=request.quiet)
        response = await self._command_runner.answer(reading, asker)
        if response.card is None or response.operation_id is not None:
            return response
        # Nobody in the room typed anything, so the answer says what it answers, and to everybody.
        asked = Field(label="Asked by", value=f"{person.name}: `{prefix}{request.text}`")
        told = {"fields": (asked, *response.card.fields), "private_to": None}
        return response.saying(response.card.model_copy(update=told))

    async def _answer_patiently(self, accepted: AcceptedEvent, event: MessageEvent) -> Response:
        """Answer; if that takes long, say meanwhile that it is being worked on (the answer replaces it)."""
        saying = asyncio.Event()
        key = accepted.event_key
        meanwhile = asyncio.create_task(self._say_meanwhile(event, key, saying), name=f"meanwhile {key}")
        try:
            response = await self._command_runner.answer(
                self._reading(accepted, event), self._asker(accepted, event)
            )
        finally:
            if not saying.is_set():  # a message under way is waited for: it must not overtake the answer
                meanwhile.cancel()
            (failure,) = await asyncio.gather(meanwhile, return_exceptions=True)
            if isinstance(failure, Exception):  # an answer does not depend on what was said meanwhile
                log.error("the wait for an answer could not be shown", key=key, exc_info=failure)
        if saying.is_set() and response.card is None and response.operation_id is not None:
            operation = await self._services.operations.get(response.operation_id)
            return response.saying(operation_card(operation, self._services.cards))
        return response

    def _reading(self, accepted: AcceptedEvent, event: MessageEvent) -> Reading:
        if accepted.reading is not None:
            return accepted.reading.reading
        # What the version before stored was not read yet.
        return self._read(event.text, event.address)

    def _asker(self, accepted: AcceptedEvent, event: MessageEvent) -> Asker:
        people = self._services.people
        platform = event.room.platform
        person = people.by_account(platform, event.sender) or people.stranger(platform, event.sender)
        return Asker(
            accepted.event_key,
            person,
            Identity(platform, event.sender),
            Place(event.room, event.thread),
            event.assurance,
            event.doubt,
            said=Said(event.room, event.thread, event.reply_to, event.sent_at, accepted.newest_operation),
        )

    async def _say_meanwhile(self, event: MessageEvent, key: str, saying: asyncio.Event) -> None:
        await self._sleep(PATIENCE_SECONDS)
        saying.set()
        card = Card(tone=Tone.RUNNING, title="Working on it…")
        await self._messages.say(event.room, card, key=key, thread=event.thread)

    async def _withdrawn(self, event: WithdrawnReaction) -> Response:
        """Take a vote back; where it is too late for that, whoever did hears so, and else the card tells."""
        response = Response(room=event.room)
        person = self._services.people.by_account(event.room.platform, event.sender)
        if person is None:
            return response
        vote = event_key(event, event.reaction_event_id)
        try:
            operation_id = await self._services.approvals.withdraw(vote, person)
        except TooLateError as error:
            thread = await self._thread_of(error.operation_id, event.room)
            card = user_error_card(error, self._services.settings.commands.prefix)
            return response.model_copy(update={"thread": thread}).objecting(event.sender, card)
        return response.model_copy(update={"operation_id": operation_id})

    async def _button(self, accepted: AcceptedEvent, event: ButtonEvent) -> Response:
        """Count a press on a card, or tell whoever pressed why it does not count. Strangers cause nothing."""
        person = self._services.people.by_account(event.room.platform, event.sender)
        operation_id = event.operation_id
        if operation_id is None and event.message_id is not None:  # as the version before stored it
            card = await self._messages.card_at(event.room, event.message_id)
            operation_id = card.operation_id if card else None
        if person is None or operation_id is None:
            return Response(room=event.room)
        if event.assurance is Assurance.REFUSED:
            return await self._object(accepted, event, UserError(event.doubt))
        decision = Decision(
            operation_id,
            person,
            event.choice,
            accepted.event_key,
            event.digest_prefix,
            event.reason,
            forgeable=event.forgeable,
        )
        try:
            operation = await self._services.approvals.decide(decision)
        except UserError as error:
            return await self._object(accepted, event, error)
        return Response(
            room=event.room,
            operation_id=operation_id,
            start=operation.state is OperationState.APPROVED,
        )

    async def _object(self, accepted: AcceptedEvent, event: ButtonEvent, error: UserError) -> Response:
        """Say in the thread of the card why a press does not count."""
        thread = accepted.thread
        if thread is None and event.operation_id is not None:  # the button's value named the operation
            thread = await self._thread_of(event.operation_id, event.room)
        prefix = self._services.settings.commands.prefix
        return Response(room=event.room, thread=thread).objecting(
            event.sender, user_error_card(error, prefix)
        )

    async def _thread_of(self, operation_id: str, room: Room) -> str | None:
        """The thread in which an operation's first card in a room stands, or that it begins."""
        card = await self._messages.card_of(operation_id, room)
        return (card.thread or card.message_id) if card is not None else None
