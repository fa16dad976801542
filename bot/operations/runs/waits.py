"""What operations wait for: shown on their cards. What lasts is left when somebody wants it to stop; a turn before a
cloud that takes so many requests in a time is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from zoneinfo import ZoneInfo

from slipway.bot.core.times import Clock, format_time
from slipway.bot.core.turns import Turn, told_of_turns
from slipway.bot.operations.persistence.repository import OperationRepository
from slipway.bot.operations.runs.step_runner import GoOn


class Waits:
    """The waits of this process.

    Args:
        operations: where somebody's wish to stop one is noted.
        shown: what each waits for, in words, by its id; the cards' own.
        clock: the present.
        zone: of times that are shown.
    """

    def __init__(
        self, operations: OperationRepository, shown: dict[str, str], clock: Clock, zone: ZoneInfo
    ) -> None:
        self._operations = operations
        self._shown = shown
        self._clock = clock
        self._zone = zone

    def of(self, operation_id: str, number: int, news: asyncio.Event) -> GoOn:
        """What a step tells what it waits for; the event is set where that is news."""

        async def go_on(words: str) -> bool:
            if self._shown.get(operation_id) != words:
                self._shown[operation_id] = words
                news.set()
            return not (await self._operations.step_status(operation_id, number)).asked_to_stop

        return go_on

    def shown(self, operation_id: str, words: str) -> None:
        """Why one does not begin whose time has come; empty where nothing keeps it."""
        if words:
            self._shown[operation_id] = words
        else:
            self.over(operation_id)

    @contextmanager
    def turns(self, operation_id: str, news: asyncio.Event) -> Iterator[None]:
        """Show what a step that runs within waits for before a cloud; the event is set where that is news."""

        def told(turn: Turn | None) -> None:
            if turn is None:
                self.over(operation_id)
                news.set()
                return
            # To the minute that is shown: what is a second short of it is not over in the minute before.
            over = self._clock() + timedelta(seconds=turn.seconds, minutes=1, microseconds=-1)
            until = format_time(over, self._zone)
            self._shown[operation_id] = f"waits for its turn until about {until}, as {turn.why}"
            news.set()

        with told_of_turns(told):
            yield

    def over(self, operation_id: str) -> None:
        """What was waited for is over, or is left."""
        self._shown.pop(operation_id, None)
