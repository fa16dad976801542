"""Slack: the simulated workspace, whose people press and type, and whose calls and sockets fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

from aiohttp import web

from slipway.bot.chat.model import Choice
from tests.reliability.deeds import Trouble
from tests.reliability.messages import Seen
from tests.reliability.options import ALICE, BOB, CAROL
from tests.reliability.rooms.both import Balancer, Twice
from tests.reliability.rooms.room import Said
from tests.reliability.senders import watching
from tests.slack.bot_process import free_port
from tests.slack.harness import apply_manifest
from tests.slack.simulator import (
    Delivery,
    Fault,
    FaultKind,
    Message,
    Person,
    SimulatedSlack,
    SimulatorError,
    State,
)
from tests.slack.simulator.seed import ALICE as U_ALICE
from tests.slack.simulator.seed import BOB as U_BOB
from tests.slack.simulator.seed import CAROL as U_CAROL
from tests.slack.simulator.seed import DAVE as U_DAVE
from tests.slack.simulator.seed import IMAGES

RETRY_AFTER = (0.5, 2.0, 6.0)
"""Seconds after which Slack sends again what was not acknowledged; in reality at once, and after 1 and 5 minutes."""

REQUEST_TIMEOUT = "5s"

_LABELS = {Choice.APPROVE: "Approve", Choice.REJECT: "Reject"}
_ACCOUNTS = {ALICE: U_ALICE, BOB: U_BOB, CAROL: U_CAROL}
_METHODS = (
    *("chat.postMessage",) * 4,
    *("chat.update",) * 3,
    "chat.postEphemeral",
    "conversations.history",
    "conversations.replies",
    "apps.connections.open",
)
_KINDS = {
    Trouble.REFUSED: FaultKind.SERVER_ERROR,
    Trouble.THROTTLED: FaultKind.RATE_LIMIT,
    Trouble.SLOW: FaultKind.SLOW,
    Trouble.LATE: FaultKind.LATE_ANSWER,
    Trouble.LOST: FaultKind.LOST_ANSWER,
    Trouble.BROKEN: FaultKind.BROKEN_AFTER,
}
_MANY = 100_000
_TRIES, _TRY_EVERY = 120, 0.5  # seconds
_MODAL_SECONDS = 5.0


class WatchedSlack(SimulatedSlack):
    """A workspace that tells of every call of the bot's.

    Args:
        watch: is told.
    """

    def __init__(self, watch: Callable[[web.Request], None]) -> None:
        super().__init__(retry_after=RETRY_AFTER)
        self._watch = watch

    def add_routes(self, app: web.Application) -> None:
        """Its own, each watched."""
        app.middlewares.append(watching(self._watch))


class SlackRoom:
    """One channel.

    Args:
        over_http: whether Slack calls the bot, instead of the bot holding sockets.
        replicas: how many hear.
        seed: of which of these hear what.
        watch: is told of every call of the bot's.
    """

    name = "slack"

    def __init__(
        self,
        *,
        over_http: bool = False,
        replicas: int = 1,
        seed: str = "",
        watch: Callable[[web.Request], None] = lambda _request: None,
    ) -> None:
        self.sim = WatchedSlack(watch)
        self._replicas, self._seed = replicas, seed
        ports = [free_port() for _ in range(replicas)]
        self._relay = Balancer(ports, seed) if over_http else None
        self._stack = AsyncExitStack()
        self._forms: set[asyncio.Task[None]] = set()
        self._cards: dict[str, dict[str, Any]] = {}  # messages as they were while they had buttons
        self._away: Fault | None = None

    async def open(self) -> None:
        apply_manifest(self.sim)
        await self.sim.start()
        if self._relay is not None:
            await self._relay.serve(self._stack)
            await self.sim.deliver_over_http(self._relay.url, verify=False)  # the bot is not there yet
        elif self._replicas > 1:
            self.sim.outbox.transport = Twice(self.sim, self._seed)

    async def close(self) -> None:
        for form in self._forms:
            form.cancel()
        await self.sim.stop()
        await self._stack.aclose()

    def configuration(self, replica: int = 1) -> Mapping[str, Any]:
        endpoint = {"channels": [IMAGES], "endpoint": self.sim.api_url, "request_timeout": REQUEST_TIMEOUT}
        if self._relay is not None:
            endpoint |= {"transport": "http", "listen": f"127.0.0.1:{self._relay.ports[replica - 1]}"}
        return {"slack": endpoint}

    @property
    def secrets(self) -> Mapping[str, str]:
        """What the bot's environment has to hold."""
        return {
            "SLIPWAY_SLACK_BOT_TOKEN": self.sim.bot_token,
            "SLIPWAY_SLACK_APP_TOKEN": self.sim.app_token,
            "SLIPWAY_SLACK_SIGNING_SECRET": self.sim.signing_secret,
        }

    def account(self, who: str) -> str:
        return f"slack:{_ACCOUNTS[who]}"

    async def topic(self, who: str, text: str) -> str | None:
        return (await self._person(who).post(IMAGES, text)).ts

    async def say(self, who: str, text: str, thread: str | None) -> Said | None:
        message = await self._person(who).post(IMAGES, text, thread=thread)
        return Said(message.ts, float(message.ts))

    async def press(self, who: str, choice: Choice, message: Seen) -> Said | None:
        found = self.sim.channel(IMAGES).find(message.id)
        if found is None:
            return None
        stale = None if found.buttons else self._cards.get(found.ts)
        if not found.buttons and stale is None:
            return None
        person = self._person(who)
        said = Said(found.ts, float(self.sim.core.ids.ts()))
        delivery = await person.press(found, _LABELS[choice], stale=stale)
        work = self._reject(who, delivery, said) if choice is Choice.REJECT else self._pressed(delivery, said)
        form = asyncio.create_task(work)
        self._forms.add(form)
        form.add_done_callback(self._forms.discard)
        return said

    async def _pressed(self, delivery: Delivery, said: Said) -> None:
        """Slack tells whoever pressed where nobody took it in time."""
        said.lost = True
        try:
            await delivery.acked(within=_MODAL_SECONDS)
        except SimulatorError:
            return
        said.lost = False

    async def _reject(self, who: str, delivery: Delivery, said: Said) -> None:
        """A rejection asks for its reason in a form, which counts when it was taken."""
        said.lost = True
        try:
            await delivery.acked(within=_MODAL_SECONDS)
            person = self._person(who)
            modal = await person.modal(within=_MODAL_SECONDS)
            submission = await person.submit(modal, {"Why?": "not now"})
        except SimulatorError:
            return
        said.lost = submission.delivery.state is not State.ACKED

    async def take_back(self, said: Said) -> bool:
        return False

    async def again(self, pick: float) -> bool:
        sent = [each for each in self.sim.deliveries if each.attempts]
        if not sent:
            return False
        await self.sim.again(sent[int(pick * len(sent))])
        return True

    def seen(self) -> list[Seen]:
        public = [each for each in self.sim.from_bot(IMAGES) if not each.files]
        for message in public:
            if message.buttons:
                self._cards[message.ts] = message.shown()
        own = [each for each in self.sim.core.ephemerals if each.channel == IMAGES]
        return [_seen(each) for each in sorted((*public, *own), key=lambda each: float(each.ts))]

    def trouble(self, trouble: Trouble, place: float, times: int, seconds: float) -> bool:
        if trouble is Trouble.CUT and self._relay is not None:
            return False
        if trouble is Trouble.CUT:
            self.sim.cut()
        elif trouble is Trouble.UNHEARD and self._relay is not None:
            self._relay.lose += times
        elif trouble is Trouble.UNHEARD:
            self.sim.sockets.drop_acks += times
        else:
            method = _METHODS[int(place * len(_METHODS))]
            kind = _KINDS[trouble]
            self.sim.faults.add(Fault(kind, method, times, seconds=seconds))
        return True

    def set_away(self, away: bool) -> None:
        if away:
            self._away = self.sim.faults.add(Fault(FaultKind.SERVER_ERROR, "*", _MANY))
            if self._relay is None:
                self.sim.cut()
        elif self._away is not None:
            self._away.times = 0
            self._away = None

    async def calm(self) -> None:
        self.sim.faults.clear()
        self.sim.sockets.drop_acks = 0
        if self._relay is not None:
            self._relay.lose = 0
        for _ in range(_TRIES):
            if not any(each.state in (State.WAITING, State.SENT) for each in self.sim.deliveries):
                return
            await self.sim.redeliver()
            await asyncio.sleep(_TRY_EVERY)

    def _person(self, who: str) -> Person:
        return self.sim.person(_ACCOUNTS.get(who, U_DAVE))


def _seen(message: Message) -> Seen:
    labels = {button.label for button in message.buttons}
    return Seen(
        chat="slack",
        id=message.ts,
        at=float(message.ts),
        text=message.all_text,
        thread=message.thread_ts if message.is_reply else None,
        choices=frozenset(choice for choice, label in _LABELS.items() if label in labels),
        edits=message.edits,
        private=message.only_for is not None,
    )
