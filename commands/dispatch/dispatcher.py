"""The one intake: chat events, and lines that the clock or anything else asks for, each once.

An event is committed as a durable workflow under its own id before the platform hears that it was taken, so
a duplicate finds the id in use and ends there. Inside the workflow: who asks and may they, run the command, say its
answer, and start what was approved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

import structlog
from pydantic import ValidationError

from slipway.bot.chat.model import (
    Address,
    AnyEvent,
    Audience,
    ButtonEvent,
    Card,
    Field,
    MessageEvent,
    Tone,
    WithdrawnReaction,
)
from slipway.bot.core.errors import ResponsibleParty, StorageError, UserError
from slipway.bot.core.model import Json, digest
from slipway.bot.core.waiting import Sleep
from slipway.bot.logs import note
from slipway.bot.messages.model import WORKING, Lifetime
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.emergency.alarms import EmergencyAlarms
from slipway.bot.operations.model import Failure
from slipway.bot.operations.presentation.cards import failure_card, heading, operation_card
from slipway.bot.operations.runs.runner import OperationRunner
from slipway.bot.operations.services import Services
from slipway.bot.operations.standing import Said
from slipway.bot.people import Identity, schedule_id
from slipway.bot.replicas.inbox import Heard
from slipway.bot.replicas.intake import Intake
from slipway.bot.workflows.bodies import Payload
from slipway.bot.workflows.engine import Effect, WorkflowEngine
from slipway.commands.dispatch.cards import user_error_card
from slipway.commands.dispatch.codes.listening import CodeListener
from slipway.commands.dispatch.context import Asker, Place
from slipway.commands.dispatch.event_reader import EventReader
from slipway.commands.dispatch.events import (
    EVENT_WORKFLOW,
    AcceptedEvent,
    LineRequest,
    UnknownEventError,
    event_key,
)
from slipway.commands.dispatch.following import Followers
from slipway.commands.dispatch.presses import PressHandler
from slipway.commands.dispatch.responses import Response
from slipway.commands.dispatch.runner import CommandRunner
from slipway.commands.grammar.reading import Line, Reading

ASK = "ask"
"""The workflow that answers a line which no chat brought."""

TICK = "tick"
"""As :data:`ASK`, for what the version before this one left."""

PATIENCE_SECONDS = 2.0
"""How long somebody waits for an answer before the bot says that it is working on it."""

log = structlog.get_logger(__name__)


class Dispatcher:
    """Takes events in and answers them.

    ``intake`` is where events of chats go, if not to the workflows of this process; ``answered`` is given what was
    said to schedules; ``alarms`` tell all rooms of emergencies.
    """

    def __init__(
        self,
        *,
        services: Services,
        command_runner: CommandRunner,
        runner: OperationRunner,
        messages: MessageService,
        workflows: WorkflowEngine,
        intake: Intake | None = None,
        sleep: Sleep = asyncio.sleep,
        answered: Callable[[LineRequest, Response], Coroutine[Any, Any, None]],
        alarms: EmergencyAlarms,
    ) -> None:
        self._alarms = alarms
        self._answered = answered
        self._services = services
        self._command_runner = command_runner
        self._runner = runner
        self._messages = messages
        self._workflows = workflows
        self._intake: Intake = intake if intake is not None else workflows
        self._sleep = sleep
        self._asked: dict[str, asyncio.Future[Response]] = {}
        self._codes = CodeListener(services, command_runner.read)
        self._presses = PressHandler(services, command_runner, messages)
        self._followers = Followers(services, messages, self._presses)
        self._reader = EventReader(services, command_runner, messages, self._intake, self._codes)
        workflows.register(EVENT_WORKFLOW, self._handle)
        workflows.register(ASK, self._ask)
        workflows.register(TICK, self._tick)

    async def accept(self, event: AnyEvent) -> bool:
        """Take an event in. When this returns true it is committed; false says it was not meant for the bot."""
        self._messages.heard_from(event.room)
        accepted = await self._workflows.persistently(lambda: self._reader.look(event))
        if accepted is None:
            return False
        begin = self._intake.start_unrecorded if self._only_reads(accepted) else self._intake.start
        await begin(EVENT_WORKFLOW, accepted.event_key, accepted.payload)
        return True

    async def take(self, heard: Heard) -> bool:
        """Take in what another replica heard; False where it is of a form that only a newer version knows."""
        if heard.workflow != EVENT_WORKFLOW:
            return False
        try:
            accepted = AcceptedEvent.read(heard.payload)
        except UnknownEventError:
            return False
        self._messages.heard_from(accepted.event.room)
        begin = self._workflows.start_unrecorded if self._only_reads(accepted) else self._workflows.start
        await begin(EVENT_WORKFLOW, heard.id, heard.payload)
        return True

    def _only_reads(self, accepted: AcceptedEvent) -> bool:
        """Whether answering an event may as well happen twice."""
        if accepted.refusal or not isinstance(accepted.event, MessageEvent) or accepted.reading is None:
            return False
        return accepted.event.chosen_on is None and self._command_runner.only_reads(accepted.reading.reading)

    async def accept_line(self, request: LineRequest) -> None:
        """Take a line in that no chat brought; one key is answered once."""
        request = await self._codes.cleared(request)
        await self._workflows.start(ASK, request.event_key, {"request": request.model_dump(mode="json")})

    async def ask(self, request: LineRequest) -> Response:
        """As :meth:`accept_line`, and give whoever waits here the answer, whole."""
        answered: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._asked[request.event_key] = answered
        try:
            await self.accept_line(request)
            return (await answered).in_one()
        finally:
            del self._asked[request.event_key]

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
            remark = await self._codes.cover(accepted) if accepted.held_code else ""
            if accepted.refusal:
                return self._refuse(accepted, remark)
            match event:
                case ButtonEvent():
                    return await self._presses.pressed(accepted, event, remark)
                case WithdrawnReaction():
                    return await self._presses.withdrawn(event)
                case MessageEvent():
                    return await self._answer_patiently(accepted, event)

        thread = event.thread if isinstance(event, MessageEvent) else None
        guarded = self._guarded(answer, Response(room=event.room, thread=thread), key)
        answers = event.event_id if isinstance(event, MessageEvent) else None
        response = await self._respond(guarded, key, Lifetime.ANSWER, answers)
        if (
            isinstance(event, MessageEvent)
            and event.chosen_on is not None
            and response.operation_id is not None
        ):
            await self._workflows.step("end the choice", lambda: self._end_choice(event, response))

    async def _end_choice(self, event: MessageEvent, response: Response) -> Json:
        """Take choices away of which one was made, and say which."""
        prefix = self._services.settings.commands.prefix
        title = f"Chosen: `{prefix}{event.text}`, as {response.operation_id}"
        await self._messages.chosen(event.room, event.chosen_on or "", Card(tone=Tone.DONE, title=title))
        return None

    async def _ask(self, payload: Payload) -> None:
        try:
            request = LineRequest.model_validate(payload.get("request"))
        except ValidationError:
            log.error("a line that another version of Slipway stored was left alone")
            return
        if request.after:
            await self._workflows.ended(request.after)
        where = Response(room=request.room, thread=request.thread)
        answer = self._guarded(lambda: self._line(request), where, request.event_key)
        response = await self._respond(answer, request.event_key, Lifetime.REPORT)
        if request.requester.startswith(schedule_id("")):
            await self._workflows.step("note", lambda: self._answered(request, response))

    async def _tick(self, payload: Payload) -> None:
        request = LineRequest.of_tick(payload["tick"])
        await self._ask({"request": request.model_dump(mode="json")})

    def _guarded(self, answer: Callable[[], Awaitable[Response]], where: Response, key: str) -> Effect:
        """The last boundary of an answer: the person is told that it failed, the log gets the traceback."""

        async def guarded() -> Json:
            try:
                response = await answer()
            except StorageError:  # it is answered once the state folder can be used
                raise
            except Exception:
                log.exception("an answer failed inside Slipway", key=key)
                sentence = "The log of Slipway says how. What was asked for may stand all the same."
                failure = Failure(sentence=sentence, responsible=ResponsibleParty.ADMIN, hint="pending")
                card = failure_card("Internal error", failure, self._services.cards)
                response = where.saying(card).failing()
            return response.model_dump(mode="json")

        return guarded

    async def _respond(
        self, answer: Effect, key: str, lifetime: Lifetime, answers: str | None = None
    ) -> Response:
        response = Response.model_validate(await self._workflows.step("answer", answer))
        if key in self._asked and not self._asked[key].done():
            self._asked[key].set_result(response)
        note(operation=response.operation_id)
        if response.card is not None and response.room is not None:
            await self._workflows.step("say", lambda: self._say(response, key, lifetime, answers))
            if response.following:
                await self._workflows.step("follow", lambda: self._followers.operations(response, key))
            if response.calls and response.operation_id is not None:
                await self._workflows.step("call", lambda: self._followers.call(response, key))
            if response.whole_plan:
                await self._workflows.step("plan", lambda: self._followers.plan(response, key))
            if response.details:
                details = partial(self._followers.details, response, key, lifetime)
                await self._workflows.step("details", details)
        elif response.operation_id is not None and not response.start:  # a run shows itself
            await self._workflows.step("show", lambda: self._show(response.operation_id))
        if response.start and response.operation_id is not None:
            await self._start(response, response.operation_id)
        if response.told and response.operation_id is not None:
            await self._workflows.step("tell", lambda: self._tell(response, key))
        return response

    async def _start(self, response: Response, operation_id: str) -> None:
        if response.alarm:
            await self._workflows.step("alarm", lambda: self._alarms.tell(operation_id))
        await self._runner.start(operation_id)

    async def _tell(self, response: Response, key: str) -> Json:
        """Tell somebody alone how an operation stands, whose card tells all others."""
        assert response.room is not None  # noqa: S101 - for the type checker; they asked in a room
        operation = await self._services.operations.get(response.operation_id or "")
        notes = (response.remark,) if response.remark else ()
        card = heading(operation, self._services.cards)
        card = card.model_copy(update={"private_to": response.told, "notes": notes})
        return await self._messages.say(response.room, card, key=key, thread=response.thread)

    async def _say(self, response: Response, key: str, lifetime: Lifetime, answers: str | None) -> Json:
        assert response.card is not None  # noqa: S101 - for the type checker; the caller looked
        assert response.room is not None  # noqa: S101
        operation_id = "" if response.as_of else response.operation_id
        if operation_id and await self._messages.shows_operation(key, operation_id):
            # We died after it was said, or the run was quicker: what stands there is newer than this answer.
            return await self._show(operation_id)
        message_id = await self._messages.say(
            response.room,
            response.card,
            key=key,
            thread=response.thread,
            operation_id=response.operation_id,
            lifetime=lifetime,
            answers=answers,
        )
        # It may have moved on while its card was under way, and it may have older cards in other rooms.
        if response.operation_id is not None and not await self._is_as_said(response):
            await self._show(response.operation_id)
        elif response.operation_id is not None:
            await self._followers.succeed(response.operation_id, response.room)
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
        place = Place(request.room, request.thread) if request.room is not None else None
        person = self._services.people.by_id(request.requester)
        if person is None:  # it was taken out between its time and the recovery after a crash
            log.warning("whoever asked is gone, so nothing is done", requester=request.requester)
            return Response.at(place)
        prefix = self._services.settings.commands.prefix
        reading = self._reader.read(request.text, Address.DIRECT)
        if not isinstance(reading, Line) and place is not None:
            sentence = f"{person.name[:1].upper()}{person.name[1:]} says something that is no command: {request.text}"
            return Response.at(place).saying(user_error_card(UserError(sentence), prefix)).failing()
        identity = person.identities[0]
        asker = Asker(
            request.event_key,
            person,
            identity,
            place,
            doubt=request.doubt,
            quiet=request.quiet,
            decides=request.decides,
            shown_in=request.shown_in,
            dry_run=request.dry_run,
        )
        response = await self._command_runner.answer(reading, asker)
        if response.card is None or response.operation_id is not None or place is None:
            return response
        # Nobody in the room typed anything, so the answer says what it answers, and to everybody.
        asked = Field(label="Asked by", value=f"{person.name}: `{prefix}{request.text}`")
        told = {"fields": (asked, *response.card.fields), "private_to": None}
        return response.saying(response.card.model_copy(update=told))

    async def _answer_patiently(self, accepted: AcceptedEvent, event: MessageEvent) -> Response:
        """Answer; if that takes long, say meanwhile that it is being worked on (the answer replaces what all saw)."""
        saying, key = asyncio.Event(), accepted.event_key
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
        if event.audience is Audience.SENDER:
            return response
        if saying.is_set() and response.card is None and response.operation_id is not None:
            operation = await self._services.operations.get(response.operation_id)
            return response.saying(operation_card(operation, self._services.cards))
        called = response.card.mentions if response.card is not None else ()
        return response.model_copy(update={"calls": True}) if saying.is_set() and called else response

    def _reading(self, accepted: AcceptedEvent, event: MessageEvent) -> Reading:
        if accepted.reading is not None:
            return accepted.reading.reading
        # What the version before stored was not read yet.
        return self._reader.read(event.text, event.address)

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
            audience=event.audience,
        )

    async def _say_meanwhile(self, event: MessageEvent, key: str, saying: asyncio.Event) -> None:
        await self._sleep(PATIENCE_SECONDS)
        saying.set()
        if event.audience is Audience.SENDER:  # they alone wait, and what they alone see cannot be replaced
            told = WORKING.model_copy(update={"private_to": event.sender, "answers": event.event_id})
            await self._messages.mention(event.room, told)
            return
        await self._messages.say(event.room, WORKING, key=key, thread=event.thread, answers=event.event_id)

    def _refuse(self, accepted: AcceptedEvent, remark: str = "") -> Response:
        event = accepted.event
        thread = event.thread if isinstance(event, MessageEvent) else accepted.thread
        card = user_error_card(UserError(accepted.refusal), self._services.settings.commands.prefix)
        if remark:
            card = card.model_copy(update={"notes": (*card.notes, remark)})
        return Response(room=event.room, thread=thread).objecting(event.sender, card)
