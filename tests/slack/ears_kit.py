"""The Slack adapter alone before a simulated Slack: what it hears is kept, and nothing answers it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from pydantic import SecretStr

from slipway.bot.chat.model import AnyEvent, ButtonEvent, Card, MessageEvent
from slipway.bot.chat.slack.house import HostCallbacks
from slipway.bot.chat.slack.sending.send_attempts import InMemory
from slipway.bot.chat.slack.chat import SlackChat
from slipway.bot.chat.slack.chat import SOCKETS_APART
from slipway.bot.chat.slack.house import LaunchChoices
from slipway.bot.config.settings import ProfileSettings
from slipway.bot.chat.slack.settings import SlackSettings
from slipway.bot.core.errors import UserError
from slipway.bot.core.waiting import Sleep
from slipway.commands.machines.forms import LaunchForm, ProfileChoice, launch_line, launch_mistakes
from tests.slack.bot import address_of, as_the_manifest_says, no_wait
from tests.slack.simulator import SimulatedSlack
from tests.slack.simulator.seed import ALICE, BOB, CAROL, IMAGES
from tests.support.clock import FakeClock

FORM = LaunchForm(
    images=("Fedora-Cloud-43-x64", "Fedora-Cloud-42-x64"),
    profiles=(ProfileChoice("small", "2 cores", 3, "3h", "3d"),),
)
PING_SECONDS = 1.0
"""How soon a broken socket is noticed. aiohttp gives up a socket whose pong takes half of it, so a shorter
time would break sockets whenever a busy machine stands still for a moment."""

PROFILES = {"small": ProfileSettings(template="t", max_count=3, max_for=timedelta(days=3))}


@dataclass
class Ear:
    """The adapter's surroundings, and what came out of it."""

    sim: SimulatedSlack
    chat: SlackChat
    heard: list[AnyEvent]
    home: list[Card] = field(default_factory=list)
    learned: list[Mapping[str, frozenset[str]]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    refuse: list[BaseException] = field(default_factory=list)  # raised by the next `accept`s, in order
    form: LaunchChoices | UserError = FORM

    @property
    def said(self) -> list[str]:
        """The lines that were heard."""
        return [event.text for event in self.heard if isinstance(event, MessageEvent)]

    @property
    def presses(self) -> list[ButtonEvent]:
        """The presses that were heard."""
        return [event for event in self.heard if isinstance(event, ButtonEvent)]


def slack_config(sim: SimulatedSlack, **more: Any) -> SlackSettings:
    """Settings for the simulated workspace."""
    known: dict[str, Any] = {
        "bot_token": SecretStr(sim.bot_token),
        "app_token": SecretStr(sim.app_token),
        "signing_secret": SecretStr(sim.signing_secret),
        "channels": (IMAGES,),
        "endpoint": sim.api_url,
        "request_timeout": "5s",
        "listen": "127.0.0.1:0",
    }
    return SlackSettings.model_validate(known | more)


def make_chat(
    sim: SimulatedSlack,
    ear: Ear | None = None,
    *,
    memory: InMemory | None = None,
    clock: FakeClock | None = None,
    groups: tuple[str, ...] = (),
    sleep: Sleep | None = None,
    apart: float = SOCKETS_APART,
    **more: Any,
) -> SlackChat:
    """The adapter, not yet listening."""
    as_the_manifest_says(sim)

    async def home(account: str) -> tuple[Card, ...]:
        return (Card(title=f"Hello {account}"), *(ear.home if ear else ()))

    async def form() -> LaunchChoices:
        if ear is not None and isinstance(ear.form, UserError):
            raise ear.form
        return FORM if ear is None or isinstance(ear.form, UserError) else ear.form

    async def wait(seconds: float) -> None:
        if ear is not None:
            ear.waits.append(seconds)
        await no_wait(seconds)

    def learn(members: Mapping[str, frozenset[str]]) -> None:
        if ear is not None:
            ear.learned.append(members)
            sim.bell.ring()

    house = HostCallbacks(
        knows=lambda account: account in (ALICE, BOB, CAROL),
        home=home,
        launch_form=form,
        launch_line=launch_line,
        launch_mistakes=partial(launch_mistakes, PROFILES),
        idle=lambda: no_wait(0),
        groups=groups,
        learn_groups=learn,
    )
    return SlackChat(
        slack_config(sim, **more),
        memory or InMemory(),
        clock or FakeClock(),
        house,
        sleep=sleep or wait,
        ping=PING_SECONDS,
        apart=apart,
    )


@asynccontextmanager
async def listening(
    sim: SimulatedSlack,
    *,
    over_http: bool = False,
    memory: InMemory | None = None,
    clock: FakeClock | None = None,
    groups: tuple[str, ...] = (),
    **more: Any,
) -> AsyncIterator[Ear]:
    """The adapter, listening over a socket or HTTP."""
    heard: list[AnyEvent] = []
    ear = Ear(sim, None, heard)  # type: ignore[arg-type]
    if over_http:
        more["transport"] = "http"
    ear.chat = make_chat(sim, ear, memory=memory, clock=clock, groups=groups, **more)

    async def accept(event: AnyEvent) -> bool:
        sim.bell.ring()
        if ear.refuse:
            raise ear.refuse.pop(0)
        heard.append(event)
        sim.bell.ring()
        return True

    before = sim.sockets.opened
    await ear.chat.prepare()
    running = asyncio.create_task(ear.chat.run(accept))
    try:
        if over_http:
            await sim.deliver_over_http(await address_of(ear.chat, running))
        else:
            await sim.connected(after=before)
        yield ear
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
