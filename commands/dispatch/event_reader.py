"""What an event is about, found out before it is taken in."""

from __future__ import annotations

import structlog

from slipway.bot.chat.model import Address, AnyEvent, ButtonEvent, Choice, MessageEvent, WithdrawnReaction
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.services import Services
from slipway.bot.replicas.intake import Intake
from slipway.commands.dispatch.clock_notice import ClockNotice
from slipway.commands.dispatch.codes.listening import CodeListener
from slipway.commands.dispatch.events import AcceptedEvent, StoredReading, event_key
from slipway.commands.dispatch.runner import CommandRunner
from slipway.commands.grammar.reading import Ignored, Reading

log = structlog.get_logger(__name__)


class EventReader:
    """Reads events.

    Args:
        services: settings, the time, and which cards stand where.
        command_runner: reads lines, and says which decide about a proposal.
        messages: know which operation a message shows.
        intake: knows which events were heard.
        codes: takes what holds a single-use code, before it is read as anything else.
    """

    def __init__(
        self,
        services: Services,
        command_runner: CommandRunner,
        messages: MessageService,
        intake: Intake,
        codes: CodeListener,
    ) -> None:
        self._services = services
        self._command_runner = command_runner
        self._messages = messages
        self._intake = intake
        self._codes = codes
        self._clock_notice = ClockNotice(services)

    async def look(self, event: AnyEvent) -> AcceptedEvent | None:
        """What an event is about; None for what does not concern the bot, or comes too late."""
        key = event_key(event, event.event_id)
        # What makes less happen is heard at any age: a vote taken back, or a rejection, while the bot was down.
        if isinstance(event, WithdrawnReaction):
            known = await self._intake.knows(event_key(event, event.reaction_event_id))
            return AcceptedEvent(event_key=key, event=event) if known else None
        held = await self._codes.take(event)
        if held is not None:
            return held
        if isinstance(event, ButtonEvent):
            looked = await self._look_at_button(event, key)
            if looked is None or event.choice is Choice.REJECT or not self._is_too_old(event):
                return looked
            return self._refused(looked, event, decides=True)
        reading = self.read(event.text, event.address)
        if isinstance(reading, Ignored):
            return None
        decides = self._command_runner.decides(reading)
        if self._is_too_old(event) and not self._is_answered_always(reading, event):
            return self._refused(AcceptedEvent(event_key=key, event=event), event, decides=decides)
        newest = await self._services.standing.newest() if decides else None
        return AcceptedEvent(
            event_key=key, event=event, reading=StoredReading.of(reading), newest_operation=newest
        )

    def read(self, text: str, address: Address) -> Reading:
        """What a line says."""
        return self._command_runner.read(text, address)

    def _is_too_old(self, event: MessageEvent | ButtonEvent) -> bool:
        self._clock_notice.look(event.room.platform)
        old = self._services.clock() - event.sent_at > self._services.settings.commands.max_age
        if old:
            log.info("an old message was left alone", platform=event.room.platform, sent_at=event.sent_at)
        return old

    def _is_answered_always(self, reading: Reading, event: MessageEvent) -> bool:
        """Whether a line asks how the bot is, and only looks old: the answer says that the clock is wrong."""
        return self._command_runner.asks_of_bot(reading) and self._clock_notice.only_looks_old(event)

    def _refused(
        self, accepted: AcceptedEvent, event: MessageEvent | ButtonEvent, *, decides: bool
    ) -> AcceptedEvent | None:
        """What is too old, if whoever sent it is to be told why nothing comes of it."""
        refusal = self._clock_notice.refusal(event, decides=decides)
        return accepted.model_copy(update={"refusal": refusal}) if refusal else None

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
        thread = card.thread or card.message_id
        return AcceptedEvent(event_key=key, event=about, thread=thread, became_card=card.became_card)
