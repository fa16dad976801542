"""The bot inside this process, with a chat that only notes when it was asked to send."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from slipway.bot import logs
from slipway.bot.app import App
from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.model import Accept, Card, ChatHealth
from slipway.bot.cli.demo_settings import demo_settings
from slipway.bot.clouds.azure.images.gallery import AzureGallery
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.capabilities import Adapter, Clouds
from slipway.bot.clouds.declaration import CloudContext
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS, ImageVersions
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.config.settings import HousekeepingSettings
from slipway.bot.core.times import system_clock
from slipway.bot.declared import declared
from slipway.bot.wiring.parts import ChatBuilder, RunningBot


class RecordingChat:
    """A chat that only notes when it was asked to send."""

    platform = CONSOLE
    edit_interval = timedelta()

    def __init__(self) -> None:
        self.sent_at_seconds = 0.0
        self.sent = asyncio.Event()

    async def prepare(self) -> None:
        """Nothing is to be known before."""

    async def close(self) -> None:
        """There is nothing to let go of."""

    async def run(self, accept: Accept) -> None:
        """Listen to nobody."""
        await asyncio.Event().wait()

    async def send(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        """Note the moment."""
        self.sent_at_seconds = time.perf_counter()
        self.sent.set()
        return key

    async def edit(self, room: str, message_id: str, card: Card, *, thread: str | None, key: str) -> None:
        """Nothing here is edited."""

    def health(self) -> ChatHealth:
        """Always well."""
        return ChatHealth(connected=True, last_heard_from=timedelta(), detail="")


@asynccontextmanager
async def running_bot(
    folder: Path,
    chat: RecordingChat,
    gallery: ImageVersions | None = None,
    *,
    keep: timedelta = timedelta(days=90),
    more: Mapping[str, Any] | None = None,
) -> AsyncIterator[RunningBot]:
    """The demo's people and policies on a state folder of their own, with this gallery and no machines.

    What was heard and shown is forgotten after ``keep``. ``more`` are further settings, by their tables.
    """
    logs.configure("console")
    declarations = declared()
    base = demo_settings(
        state_dir=folder / "state",
        aws_endpoint=None,
        azure_endpoint="http://127.0.0.1:9",  # nobody asks there
        spec=declarations.spec,
    )
    settings = base.model_copy(
        update={
            "housekeeping": HousekeepingSettings(keep_workflows=keep, keep_messages=keep),
            **(more or {}),
        }
    )
    clouds = Clouds([Adapter("azure", {IMAGE_VERSIONS: gallery})] if gallery is not None else [])
    app = App(settings, declarations, chats=(ChatBuilder(CONSOLE, lambda _: chat),), clouds=clouds)
    async with app.running() as bot:
        yield bot


@asynccontextmanager
async def fedora_on_azure() -> AsyncIterator[AzureGallery]:
    """The adapter before a simulated gallery like Fedora's, for as long as the block lasts."""
    azure = SimulatedAzure(fedora_gallery(system_clock()))
    settings = AzureSettings(
        subscription_id="00000000-0000-4000-8000-00000000fed0",
        resource_group="fedora-cloud",
        gallery="Fedora",
        endpoint=await azure.start(),
    )
    try:
        yield AzureGallery(settings, CloudContext("azure", "slipway", {}))
    finally:
        await azure.stop()
