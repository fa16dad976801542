"""The whole bot before a simulated Slack, for tests that tell conversations."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from slipway.bot.app import App
from slipway.bot.chat.declaration import ChatContext
from slipway.bot.chat.model import Chat
from slipway.bot.chat.slack.chat import SlackChat
from slipway.bot.chat.slack.declaration import CHAT
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.config.load import settings_from
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.waiting import Sleep
from slipway.bot.replicas.model import LeaseTiming
from slipway.bot.wiring.parts import ChatBuilder, RunningBot
from tests.slack.harness import address_of, apply_manifest
from tests.slack.simulator import Message, SimulatedSlack
from tests.slack.simulator.seed import ALICE, BOB, CAROL, IMAGES, RELEASE
from tests.support.clock import FakeClock
from tests.support.configuration import DECLARED
from tests.support.pauses import no_pauses
from tests.support.state_folder import prepare

PEOPLE = {"alice": ALICE, "bob": BOB, "carol": CAROL}


def bot_settings(
    state_dir: Path,
    sim: SimulatedSlack,
    azure: SimulatedAzure | None,
    aws: SimulatedAws | None = None,
    changes: Mapping[str, Any] | None = None,
) -> SlipwaySettings:
    """The demo's people with accounts in the simulated workspace, and its channels."""
    document = tomllib.loads(files("slipway.bot.cli").joinpath("demo.toml").read_text("utf-8"))
    document |= {"state_dir": str(state_dir), "schedule": [], "console": {"enabled": False}}
    if azure is None:
        del document["azure"]
    else:
        document["azure"] |= {"endpoint": azure.url, "max_attempts": 2, "timeout": "5s"}
    if aws is None:
        del document["aws"], document["profiles"]
    else:
        document["aws"] |= {"endpoint": aws.url, "max_attempts": 2, "timeout": "5s"}
    for person in document["person"]:
        person["identities"] = [f"slack:{PEOPLE.get(person['id'], 'U0NOBODY0')}"]
    document["slack"] = {"channels": [IMAGES, RELEASE], "endpoint": sim.api_url, "request_timeout": "5s"}
    for key, value in (changes or {}).items():
        document[key] = document.get(key, {}) | value if isinstance(value, Mapping) else value
    secrets = {
        "SLIPWAY_SLACK_BOT_TOKEN": sim.bot_token,
        "SLIPWAY_SLACK_APP_TOKEN": sim.app_token,
        "SLIPWAY_SLACK_SIGNING_SECRET": sim.signing_secret,
    }
    if aws is not None:
        secrets |= {"SLIPWAY_AWS_ACCESS_KEY_ID": "test", "SLIPWAY_AWS_SECRET_ACCESS_KEY": "test"}
    return settings_from(document, state_dir, secrets, spec=DECLARED.spec)


@dataclass
class SlackBot:
    """The running bot, and what surrounds it."""

    running: RunningBot
    chat: SlackChat
    sim: SimulatedSlack
    clock: FakeClock
    gallery: SimulatedAzure | None

    @property
    def azure(self) -> SimulatedAzure:
        """The simulated gallery behind it."""
        assert self.gallery is not None
        return self.gallery

    def excluded(self, definition: str, version: str) -> bool | None:
        """The exclude-from-latest flag as the gallery has it."""
        flag: bool | None = self.azure.snapshot()["definitions"][definition]["versions"][version]["excluded"]
        return flag

    async def settled(self) -> None:
        """Wait until everything sent to the bot is acknowledged and all that follows from it is done."""
        await self.sim.settled()
        await self.running.workflows.idle()

    async def wait_for_message(self, channel: str, *words: str) -> Message:
        """Wait for a message of the bot that holds all of these words."""
        return await self.sim.message(channel, lambda m: all(word in m.all_text for word in words))


@asynccontextmanager
async def slack_bot(
    state_dir: Path,
    sim: SimulatedSlack,
    *,
    clock: FakeClock,
    changes: Mapping[str, Any] | None = None,
    azure: SimulatedAzure | None = None,
    aws: SimulatedAws | None = None,
    over_http: bool = False,
    sleep: Sleep = no_pauses,
    timing: LeaseTiming | None = None,
) -> AsyncIterator[SlackBot]:
    """The bot, connected by a socket or by HTTP, and at the end stopped."""
    made: list[SlackChat] = []
    apply_manifest(sim)

    def make(context: ChatContext[Any]) -> Chat:
        chat = CHAT.build(context)
        assert isinstance(chat, SlackChat)
        made.append(chat)
        return chat

    async with AsyncExitStack() as stack:
        if azure is None:
            azure = SimulatedAzure(fedora_gallery(clock()), clock=clock)
            await azure.start()
            stack.push_async_callback(azure.stop)
        more = dict(changes or {})
        if over_http:
            more["slack"] = {**more.get("slack", {}), "transport": "http", "listen": "127.0.0.1:0"}
        configured = bot_settings(state_dir, sim, azure, aws, more)
        chats = (ChatBuilder(SLACK, make),)
        app = App(configured, DECLARED, chats=chats, clock=clock, sleep=sleep, timing=timing)
        before = sim.sockets.opened
        await prepare(state_dir)
        running = await stack.enter_async_context(app.running())
        (chat,) = made
        if over_http:
            await sim.deliver_over_http(await address_of(chat))
        else:
            await sim.connected(after=before)
        yield SlackBot(running, chat, sim, clock, azure)
