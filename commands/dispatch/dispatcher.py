"""The one door: what people say, press, and what the clock says comes in here, each event once.

An event is committed as a durable workflow under its own id before the platform hears that it was taken, so
a duplicate finds the id in use and dies. Inside the workflow: read the line, ask who it is and whether they
may, run the command, say its answer, and start what was approved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from pydantic import TypeAdapter

from slipway.bot.chat.model import (
    AnyEvent,
    ButtonEvent,
    Card,
    Choice,
    Event,
    MessageEvent,
    Tone,
    WithdrawnReaction,
)
from slipway.bot.core.errors import ResponsibleParty
from slipway.bot.core.model import Json
from slipway.bot.operations.cards import failure_card, operation_card
from slipway.bot.operations.messages import Messages
from slipway.bot.operations.model import Failure
from slipway.bot.operations.runner import OperationRunner
from slipway.bot.workflows.engine import Effect, Payload, WorkflowEngine
from slipway.commands.dispatch.context import Services
from slipway.commands.dispatch.events import HEAR, Tick, event_key
from slipway.commands.dispatch.responses import Response
from slipway.commands.dispatch.runner import CommandRunner, operation_of
from slipway.commands.grammar.reading import Ignored, read_line

TICK = "tick"
"""The workflow that answers the clock."""

PATIENCE_SECONDS = 2.0
"""How long somebody waits for an answer before the bot says that it is at it."""

log = structlog.get_logger(__name__)

_EVENT: TypeAdapter[AnyEvent] = TypeAdapter(Event)


class Dispatcher:
    """Takes events in and answers them."""

    def __init__(
        self,
        *,
        services: Services,
        names: tuple[str, ...],
        command_runner: CommandRunner,
        running: OperationRunner,
        messages: Messages,
        workflows: WorkflowEngine,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._services = services
        self._names = names
        self._command_runner = command_runner
        self._runner = running
        self._messages = messages
        self._workflows = workflows
        self._sleep = sleep
        workflows.register(HEAR, self._hear)
        workflows.register(TICK, self._tick)

    async def accept(self, event: AnyEvent) -> bool:
        """Take an event in. When this returns true it is committed; false says it was not meant for the bot."""
        if not await self._concerns_us(event):
            return False
        key = event_key(event, event.event_id)
        await self._workflows.start(HEAR, key, {"key": key, "event": event.model_dump(mode="json")})
        return True

    async def accept_tick(self, tick: Tick) -> None:
        """Take a tick of the clock in; one schedule and time run once."""
        await self._workflows.start(TICK, tick.key, {"tick": tick.model_dump(mode="json")})

    async def _concerns_us(self, event: AnyEvent) -> bool:
        settings = self._services.settings.commands
        # What makes less happen is heard at any age: a vote taken back, or a rejection, while the bot was down.
        if isinstance(event, WithdrawnReaction):
            return await self._workflows.knows(event_key(event, event.reaction_event_id))
        rejects = isinstance(event, ButtonEvent) and event.choice is Choice.REJECT
        if not rejects and self._services.clock() - event.sent_at > settings.max_age:
            log.info("an old message was left alone", platform=event.room.platform, sent_at=event.sent_at)
            return False
        if isinstance(event, ButtonEvent):
            return await operation_of(event, self._messages) is not None
        reading = read_line(event.text, event.address, settings.prefix, self._names)
        return not isinstance(reading, Ignored)

    async def _hear(self, payload: Payload) -> None:
        key = str(payload["key"])
        event = _EVENT.validate_python(payload["event"])
        if isinstance(event, WithdrawnReaction):  # events run side by side; this one only follows its press
            await self._workflows.ended(event_key(event, event.reaction_event_id))

        async def answer() -> Response:
            match event:
                case ButtonEvent():
                    return await self._command_runner.press(event, key)
                case WithdrawnReaction():
                    return await self._command_runner.withdrawal(event)
                case MessageEvent():
                    return await self._answer_patiently(event, key)

        thread = event.thread if isinstance(event, MessageEvent) else None
        await self._respond(self._guarded(answer, Response(room=event.room, thread=thread), key), key)

    async def _tick(self, payload: Payload) -> None:
        tick = Tick.model_validate(payload["tick"])
        answer = self._guarded(lambda: self._command_runner.tick(tick), Response(room=tick.room), tick.key)
        await self._respond(answer, tick.key)

    def _guarded(self, answer: Callable[[], Awaitable[Response]], where: Response, key: str) -> Effect:
        """The last boundary of an answer: the person is told that it failed, the log gets the traceback."""

        async def guarded() -> Json:
            try:
                response = await answer()
            except Exception:
                log.exception("an answer failed inside Slipway", key=key)
                sentence = "The log of Slipway says how. What was asked for may stand all the same."
                trouble = Failure(sentence=sentence, mover=ResponsibleParty.ADMIN, hint="pending")
                response = where.saying(failure_card("Slipway itself failed", trouble, self._services.view))
            return response.model_dump(mode="json")

        return guarded

    async def _respond(self, answer: Effect, key: str) -> None:
        response = Response.model_validate(await self._workflows.step("answer", answer))
        if response.card is not None:
            await self._workflows.step("say", lambda: self._say(response, key))
        elif response.operation_id is not None and not response.start:  # a run shows itself
            await self._workflows.step("show", lambda: self._show(response.operation_id))
        if response.start and response.operation_id is not None:
            await self._runner.start(response.operation_id)

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
            await self._runner.show(operation_id)
        return None

    async def _answer_patiently(self, heard: MessageEvent, key: str) -> Response:
        """Answer; if that takes long, say meanwhile that it is being looked at (the answer replaces it)."""
        saying = asyncio.Event()
        patience = asyncio.create_task(self._soothe(heard, key, saying), name=f"patience {key}")
        try:
            response = await self._command_runner.line(heard, key)
        finally:
            if not saying.is_set():  # a message under way is waited for: it must not overtake the answer
                patience.cancel()
            (failure,) = await asyncio.gather(patience, return_exceptions=True)
            if isinstance(failure, Exception):  # an answer does not depend on what was said meanwhile
                log.error("the wait for an answer could not be shown", key=key, exc_info=failure)
        if saying.is_set() and response.card is None and response.operation_id is not None:
            operation = await self._services.operations.get(response.operation_id)
            return response.saying(operation_card(operation, self._services.view))
        return response

    async def _soothe(self, heard: MessageEvent, key: str, saying: asyncio.Event) -> None:
        await self._sleep(PATIENCE_SECONDS)
        saying.set()
        card = Card(tone=Tone.RUNNING, title="Looking into it…")
        await self._messages.say(heard.room, card, key=key, thread=heard.thread)
