"""Showing how operations stand: their cards, kept up to date, and the report of their end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from slipway.bot.core.waiting import Sleep
from slipway.bot.messages.service import MessageService, Report
from slipway.bot.operations.calls import told_of_end
from slipway.bot.operations.model import Operation, OperationState
from slipway.bot.operations.persistence.repository import OperationRepository
from slipway.bot.operations.presentation.cards import CardContext, operation_card, report_card
from slipway.bot.operations.runs.locks import Locks

PATIENCE_SECONDS = 2.0
"""How long an operation runs before its card shows progress: a quick one is edited once, when it has ended."""

log = structlog.get_logger(__name__)


class OperationDisplay:
    """Shows operations.

    Args:
        operations: where they are.
        messages: says it.
        cards: what cards are made with.
        sleep: lets time pass between two edits.
    """

    def __init__(
        self,
        operations: OperationRepository,
        messages: MessageService,
        cards: CardContext,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._operations = operations
        self._messages = messages
        self._cards = cards
        self._sleep = sleep
        self._refreshing = Locks()  # by operation

    async def show(self, operation_id: str) -> None:
        """Let every card show how it stands; if others ended it before it began, tell whoever asked, in its thread.

        An edited card notifies nobody, and they wait for an answer.
        """
        operation = await self._operations.get(operation_id)
        ended = (
            OperationState.REJECTED,
            OperationState.EXPIRED,
            OperationState.CANCELLED,
            OperationState.STALE,  # an approval was taken back
        )
        if operation.state in ended and operation.cancelled_by != operation.requester:
            await self._tell(operation)
        else:
            await self.refresh(operation_id)

    async def refresh(self, operation_id: str) -> None:
        """Let every card of the operation show how it stands now."""
        # One at a time: else one that read an older state could be the last to show it.
        async with self._refreshing.holding((operation_id,)):
            operation = await self._operations.get(operation_id)
            card = operation_card(operation, self._cards)
            await self._messages.show(operation_id, card, operation.event_key)

    async def tell(self, operation_id: str) -> None:
        """Show and report the end of an operation, each once however often it is called."""
        await self._tell(await self._operations.get(operation_id))

    async def _tell(self, operation: Operation) -> None:
        """Bring the cards of what has ended up to date, and report in the thread of the one it was asked by."""
        report = None
        if operation.room is not None:
            report = Report(
                key=f"{operation.id}:report",
                room=operation.room,
                thread=operation.thread,
                card=report_card(operation, self._cards, told_of_end(operation, self._cards.people)),
            )
        async with self._refreshing.holding((operation.id,)):
            card = operation_card(operation, self._cards)
            await self._messages.conclude(operation.id, card, report, operation.event_key)

    @asynccontextmanager
    async def progress(self, operation_id: str) -> AsyncIterator[asyncio.Event]:
        """Keep the card up to date while steps run, as often as the platform bears; set the event to tell
        that something changed."""
        news = asyncio.Event()

        async def follow() -> None:
            await self._sleep(PATIENCE_SECONDS)
            news.set()
            operation = await self._operations.get(operation_id)
            while True:
                await news.wait()
                news.clear()
                await self.refresh(operation_id)
                # Asked anew each time: a platform that finds it too often bears less from then on.
                await self._sleep(self._messages.edit_interval(operation.room))

        task = asyncio.create_task(follow(), name=f"progress of {operation_id}")
        try:
            yield news
        finally:
            task.cancel()
            (failure,) = await asyncio.gather(task, return_exceptions=True)
            if isinstance(failure, Exception):  # a run does not depend on whether it could be shown
                log.error("progress could not be shown", operation=operation_id, exc_info=failure)
