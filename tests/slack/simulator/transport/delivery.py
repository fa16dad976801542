"""What is on its way from Slack to the app: one :class:`Delivery` an event, command or interaction.

How it travels (socket or HTTP) is the transport's business; what is retried, and what a person sees when nothing
answers, is decided here, as Slack does it: Events API events are sent again until they are acknowledged,
commands and interactions are not, their person is told instead.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from time import perf_counter
from typing import Protocol
from uuid import uuid4

from tests.slack.simulator.changes import ChangeNotifier
from tests.slack.simulator.world import Json, SimulatorError


class Kind(StrEnum):
    """Slack's word for what an envelope carries."""

    EVENT = "events_api"
    INTERACTIVE = "interactive"
    COMMAND = "slash_commands"


class State(StrEnum):
    """What has become of a delivery."""

    WAITING = "waiting"  # nobody to send it to yet
    SENT = "sent"
    ACKED = "acked"
    FAILED = "failed"  # given up; the person sees that the app did not respond


@dataclass(eq=False)
class Delivery:
    """One payload on its way, through all its attempts."""

    kind: Kind
    payload: Json = field(repr=False)
    changes: ChangeNotifier = field(repr=False)
    envelope_ids: list[str] = field(default_factory=list, repr=False)  # one an attempt, the newest last
    answerable: bool = False
    attempts: int = 0
    acks: int = 0
    retry_reason: str | None = None
    state: State = State.WAITING
    answer: Json | None = None
    status: int | None = None  # of the HTTP answer, where it went by HTTP
    error: str = ""
    on_answer: Callable[[Json | None], None] | None = field(default=None, repr=False)
    seconds: float | None = None  # from the first sending to the acknowledgement
    first_sent: float | None = None

    @property
    def envelope_id(self) -> str:
        """The id of the newest attempt's envelope."""
        return self.envelope_ids[-1]

    @property
    def event(self) -> Json:
        """The inner event of an Events API payload; empty for others."""
        found: Json = self.payload.get("event", {})
        return found

    @property
    def acknowledged(self) -> bool:
        """Whether the app took it."""
        return self.state is State.ACKED

    async def acked(self, within: float = 10) -> Json | None:
        """Wait until the app acknowledged it, and return what it answered with.

        Raises:
            SimulatorError: it did not within so many seconds, or the delivery was given up.
        """
        await self.done(within)
        if self.state is State.FAILED:
            raise SimulatorError(f"{self.kind} was not acknowledged: {self.error}")
        return self.answer

    async def done(self, within: float = 10) -> State:
        """Wait until it was acknowledged or given up."""
        what = (
            f"the acknowledgement of {self.kind} {self.payload.get('type', '')} {self.event.get('type', '')}"
        )
        await self.changes.until(lambda: self.state in (State.ACKED, State.FAILED), what, within)
        return self.state

    async def responded(self, within: float = 10) -> int:
        """Wait until the request URL answered (any status), and return the status; only over HTTP."""
        return await self.changes.until(lambda: self.status, f"an HTTP answer to {self!r}", within)

    def sent(self) -> None:
        """It left; to be called once an attempt."""
        self.attempts += 1
        if self.first_sent is None:
            self.first_sent = perf_counter()
        if self.state is State.WAITING:
            self.state = State.SENT
        self.changes.notify()

    def take_answer(self, answer: Json | None) -> None:
        """The app acknowledged it. A second acknowledgement is counted and changes nothing else."""
        self.acks += 1
        self.changes.notify()
        if self.state is State.ACKED:
            return
        self.seconds = perf_counter() - (self.first_sent or perf_counter())
        self.state, self.answer = State.ACKED, answer
        if self.on_answer is not None:
            self.on_answer(answer)

    def give_up(self, error: str) -> None:
        """Nothing came; a person would see that now."""
        if self.state is not State.ACKED:
            self.state, self.error = State.FAILED, error
            self.changes.notify()


class Transport(Protocol):
    """How deliveries travel."""

    async def send(self, delivery: Delivery) -> bool:
        """Send one attempt; false where there is nobody to send it to."""
        ...


class Outbox:
    """Everything that was sent to the app, and its sending again.

    ``retry_after`` are the seconds after which an unacknowledged event is sent again, by a real timer; Slack's
    are at once, 1 minute and 5 minutes. Empty means that only :meth:`redeliver` sends again.
    ``patience`` is how long a command or an interaction may stay unanswered (Slack's 3 seconds).
    """

    def __init__(
        self,
        changes: ChangeNotifier,
        transport: Transport,
        *,
        patience: float = 3.0,
        retry_after: tuple[float, ...] = (),
    ) -> None:
        self.transport = transport
        self.patience = patience
        self.retry_after = retry_after
        self.log: deque[Delivery] = deque(maxlen=20_000)
        self.open: dict[str, Delivery] = {}
        self._changes = changes
        self._timers: set[asyncio.TimerHandle] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def deliver(
        self,
        kind: Kind,
        payload: Json,
        *,
        answerable: bool = False,
        on_answer: Callable[[Json | None], None] | None = None,
    ) -> Delivery:
        """Send something new to the app."""
        delivery = Delivery(kind, payload, self._changes, answerable=answerable, on_answer=on_answer)
        self.log.append(delivery)
        await self._attempt(delivery)
        return delivery

    async def again(self, delivery: Delivery, *, reason: str = "") -> Delivery:
        """Send the same payload once more, acknowledged or not: a duplicate, whatever its kind."""
        delivery.retry_reason = reason or delivery.retry_reason or "timeout"
        await self._attempt(delivery)
        return delivery

    async def redeliver(self, *, reason: str = "") -> list[Delivery]:
        """Send every event again that was sent and not acknowledged, as Slack does after a while.

        ``reason`` is Slack's retry reason; without it what is known of the last attempt, or ``timeout``.
        """
        late = [d for d in self._unique() if d.kind is Kind.EVENT and d.state is State.SENT]
        for delivery in late:
            await self.again(delivery, reason=reason)
        return late

    async def send_waiting(self) -> None:
        """There is somebody to send to now: what waited goes."""
        for delivery in [d for d in self._unique() if d.state is State.WAITING]:
            await self._attempt(delivery)

    def answered(self, envelope_id: str, answer: Json | None) -> None:
        """An acknowledgement came. One for nothing open is ignored, as in Slack."""
        if delivery := self.open.get(envelope_id):
            self._forget(delivery)
            delivery.take_answer(answer)

    async def settled(self, within: float = 10) -> None:
        """Wait until everything sent so far is acknowledged or given up."""
        await self._changes.until(lambda: not self.open, "every delivery to be acknowledged", within)

    def stop(self) -> None:
        """No more timers."""
        for timer in self._timers:
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        self._timers.clear()

    def _unique(self) -> list[Delivery]:
        return list(dict.fromkeys(self.open.values()))

    def _forget(self, delivery: Delivery) -> None:
        for envelope_id in delivery.envelope_ids:
            self.open.pop(envelope_id, None)

    async def _attempt(self, delivery: Delivery) -> None:
        delivery.envelope_ids.append(str(uuid4()))
        self.open[delivery.envelope_id] = delivery
        gone = await self.transport.send(delivery)
        if delivery.kind is Kind.EVENT:
            if gone and delivery.attempts <= len(self.retry_after) and not delivery.acknowledged:
                self._later(self.retry_after[delivery.attempts - 1], lambda: self._retry(delivery))
        elif not gone:
            self.lost(delivery, "dispatch_failed")
        elif not delivery.acknowledged:
            self._later(self.patience, lambda: self.lost(delivery, "operation_timeout"))

    def lost(self, delivery: Delivery, error: str) -> None:
        """Nobody answered a command or an interaction: its person is told."""
        self._forget(delivery)
        delivery.give_up(error)

    def _retry(self, delivery: Delivery) -> None:
        if not delivery.acknowledged:
            task = asyncio.ensure_future(self._again(delivery))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _again(self, delivery: Delivery) -> None:
        await self.again(delivery)

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        timer: asyncio.TimerHandle

        def run() -> None:
            self._timers.discard(timer)
            do()

        timer = asyncio.get_running_loop().call_later(seconds, run)
        self._timers.add(timer)
