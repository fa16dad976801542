"""Reminds once of what waits for approval and nobody answers, in the thread of its card."""

from __future__ import annotations

import structlog

from slipway.bot.chat.model import Card, Tone
from slipway.bot.core.times import Clock, format_time
from slipway.bot.messages.model import Lifetime
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.calls import reminded
from slipway.bot.operations.model import Operation, OperationState
from slipway.bot.operations.persistence.records import OpenOperation
from slipway.bot.operations.persistence.repository import OperationRepository
from slipway.bot.operations.policies import Policies
from slipway.bot.operations.presentation.cards import CardContext

log = structlog.get_logger(__name__)


_MOST_KEPT = 200
"""Plans that are kept in memory; what is decided before anybody is reminded is never looked at again."""


def reminder_card(operation: Operation, view: CardContext) -> Card:
    """What reminds those who can decide, once, in the thread of a card that nobody has answered."""
    return Card(
        tone=Tone.WAITING,
        title=f"{operation.id} {operation.kind} still waits for approval",
        text=f"It expires {format_time(operation.expires_at, view.zone)}, and then nothing is changed.",
        notes=("The plan, its buttons and how it stands are where this thread begins.",),
        mentions=reminded(operation, view.people, view.mentions),
    )


class ApprovalReminders:
    """Looks once a minute at what is proposed.

    The message has a key of its operation, so that it is said once: after a crash, and by however many processes.

    Args:
        policies: when somebody is reminded.
        operations: what is proposed.
        messages: says it.
        cards: what its card is made with.
        clock: the present.
    """

    def __init__(
        self,
        policies: Policies,
        *,
        operations: OperationRepository,
        messages: MessageService,
        cards: CardContext,
        clock: Clock,
    ) -> None:
        self._policies = policies
        self._operations = operations
        self._messages = messages
        self._cards = cards
        self._clock = clock
        self._settled: set[str] = (
            set()
        )  # of which nothing more is to be said: no look at the database each minute

        self._waiting: dict[str, Operation] = {}  # for their plans, which do not change

    async def look(self, waiting: OpenOperation) -> None:
        """Remind of a proposal, if its time has come and nobody was."""
        if waiting.id in self._settled:
            return
        if len(self._waiting) >= _MOST_KEPT:
            self._waiting.clear()
        if waiting.id not in self._waiting:
            self._waiting[waiting.id] = await self._operations.get(waiting.id)
        at = self._policies.reminder(self._waiting[waiting.id])
        if at is None or self._clock() < at:
            return
        key = f"{waiting.id}:reminder"
        if await self._messages.knows(key) or await self._remind(await self._operations.get(waiting.id), key):
            self._settled.add(waiting.id)
            del self._waiting[waiting.id]

    async def _remind(self, operation: Operation, key: str) -> bool:
        """Say it; false where its card does not stand in its room yet."""
        if operation.room is None or operation.state is not OperationState.PROPOSED:
            return True
        stands = await self._messages.card_of(operation.id, operation.room)
        if stands is None or stands.message_id is None:
            return False
        log.info("an operation still waits for approval", operation=operation.id)
        await self._messages.say(
            operation.room,
            reminder_card(operation, self._cards),
            key=key,
            thread=operation.thread or stands.thread or stands.message_id,
            lifetime=Lifetime.REPORT,
        )
        return True
