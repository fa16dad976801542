"""The Slack adapter alone before a simulated Slack: events that it makes are kept, and nothing answers them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from slipway.bot.chat.declaration import HostCallbacks
from slipway.bot.chat.forms import CommandForm
from slipway.bot.chat.model import AnyEvent, ButtonEvent, Card, MessageEvent
from slipway.bot.chat.slack.chat import OPENING_INTERVAL, SlackChat
from slipway.bot.chat.slack.manifest import EVENTS, SCOPES
from slipway.bot.chat.slack.routes import REQUESTS
from slipway.bot.chat.slack.settings import SlackSettings
from slipway.bot.core.errors import UserError
from slipway.bot.core.waiting import Sleep
from slipway.bot.web.public import PublicListener
from tests.slack.builders import launch_command_form
from tests.slack.simulator import SimulatedSlack
from tests.slack.simulator.seed import ALICE, BOB, CAROL, IMAGES
from tests.support.clock import FakeClock
from tests.support.key_value_store import InMemoryStore

PING_INTERVAL = 1.0
"""How soon a broken socket is noticed. aiohttp gives up a socket whose pong takes half of it, so a shorter
time would break sockets whenever a busy machine stands still for a moment."""


def apply_manifest(sim: SimulatedSlack) -> None:
    """Grant the app no more than the manifest asks for: with that, everything has to work."""
    sim.world.app.scopes &= set(SCOPES)
    sim.world.app.events &= set(EVENTS)


async def no_wait(seconds: float) -> None:
    """Waits that pass at once, and let others work."""
    del seconds
    await asyncio.sleep(0)


async def address_of(chat: SlackChat, running: asyncio.Task[None] | None = None) -> str:
    """Where a bot listens for Slack's requests, once it does; raises what ended it before, if it is ``running``."""
    async with asyncio.timeout(20):
        while chat.port is None and not (running and running.done()):  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(0.01)
    if running is not None and running.done():
        running.result()
    return f"http://127.0.0.1:{chat.port}/slack/events"


KNOWN = (ALICE, BOB, CAROL)
"""Accounts of configured persons."""


@dataclass
class AdapterHarness:
    """The adapter's surroundings, and what came out of it."""

    sim: SimulatedSlack
    chat: SlackChat
    events: list[AnyEvent]
    home_cards: list[Card] = field(default_factory=list)
    group_members: list[Mapping[str, frozenset[str]]] = field(default_factory=list)
    sleeps: list[float] = field(default_factory=list)
    accept_errors: list[BaseException] = field(default_factory=list)  # raised by the next `accept`s, in order
    changed_rooms: list[str] = field(default_factory=list)  # that may be gone, or back
    form_error: UserError | None = None  # why nothing can be launched
    more_forms: list[CommandForm] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """The lines that were said."""
        return [event.text for event in self.events if isinstance(event, MessageEvent)]

    @property
    def button_events(self) -> list[ButtonEvent]:
        """What was decided."""
        return [event for event in self.events if isinstance(event, ButtonEvent)]


def slack_settings(sim: SimulatedSlack, **more: Any) -> SlackSettings:
    """Settings for the simulated workspace."""
    known: dict[str, Any] = {
        "bot_token": SecretStr(sim.bot_token),
        "app_token": SecretStr(sim.app_token),
        "signing_secret": SecretStr(sim.signing_secret),
        "channels": (IMAGES,),
        "endpoint": sim.api_url,
        "request_timeout": "5s",
    }
    return SlackSettings.model_validate(known | more)


def build_adapter(
    sim: SimulatedSlack,
    adapter: AdapterHarness | None = None,
    *,
    store: InMemoryStore | None = None,
    clock: FakeClock | None = None,
    groups: tuple[str, ...] = (),
    sleep: Sleep | None = None,
    opening_interval: float = OPENING_INTERVAL,
    http: PublicListener | None = None,
    **more: Any,
) -> SlackChat:
    """The adapter, not yet listening."""
    apply_manifest(sim)

    async def home(account: str) -> tuple[Card, ...]:
        return (Card(title=f"Hello {account}"), *(adapter.home_cards if adapter else ()))

    def forms(account: str) -> Mapping[str, CommandForm]:
        if account not in KNOWN:
            return {}
        launch = launch_command_form(adapter.form_error if adapter else None)
        return {form.name: form for form in (launch, *(adapter.more_forms if adapter else ()))}

    async def wait(seconds: float) -> None:
        if adapter is not None:
            adapter.sleeps.append(seconds)
        await no_wait(seconds)

    def set_group_members(members: Mapping[str, frozenset[str]]) -> None:
        if adapter is not None:
            adapter.group_members.append(members)
            sim.changes.notify()

    callbacks = HostCallbacks(
        knows=lambda account: account in KNOWN,
        home=home,
        forms=forms,
        idle=lambda: no_wait(0),
        quiet=lambda: no_wait(0),
        groups=groups,
        set_group_members=set_group_members,
        max_age=600.0,
        room_changed=lambda room: adapter.changed_rooms.append(room) if adapter is not None else None,
    )
    return SlackChat(
        slack_settings(sim, **more),
        store or InMemoryStore(),
        clock or FakeClock(),
        callbacks,
        http or PublicListener("127.0.0.1:0", (REQUESTS,)),
        sleep=sleep or wait,
        ping_interval=PING_INTERVAL,
        opening_interval=opening_interval,
    )


@asynccontextmanager
async def running_adapter(
    sim: SimulatedSlack,
    *,
    over_http: bool = False,
    store: InMemoryStore | None = None,
    clock: FakeClock | None = None,
    groups: tuple[str, ...] = (),
    **more: Any,
) -> AsyncIterator[AdapterHarness]:
    """The adapter, listening over Socket Mode or HTTP."""
    events: list[AnyEvent] = []
    adapter = AdapterHarness(sim, None, events)  # type: ignore[arg-type]
    if over_http:
        more["transport"] = "http"
    http = PublicListener("127.0.0.1:0", (REQUESTS,) if over_http else ())
    adapter.chat = build_adapter(sim, adapter, store=store, clock=clock, groups=groups, http=http, **more)

    async def accept(event: AnyEvent) -> bool:
        sim.changes.notify()
        if adapter.accept_errors:
            raise adapter.accept_errors.pop(0)
        events.append(event)
        sim.changes.notify()
        return True

    before = sim.sockets.opened
    await http.open()
    await adapter.chat.prepare()
    running = asyncio.create_task(adapter.chat.run(accept))
    try:
        if over_http:
            await sim.deliver_over_http(await address_of(adapter.chat, running))
        else:
            await sim.connected(after=before)
        yield adapter
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await http.close()
