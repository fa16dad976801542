"""The whole bot, without clouds, in a room on a real homeserver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from slipway.bot.app import App, RunningBot, matrix_chat
from slipway.bot.config.demo import demo_settings
from slipway.bot.config.settings import MatrixSettings, PersonSettings
from slipway.commands.all import rights


@asynccontextmanager
async def whole_bot(folder: Path, matrix: MatrixSettings, *people: str) -> AsyncIterator[RunningBot]:
    """Run the bot on a state folder while the block runs; ``people`` are Matrix accounts that may do all."""
    settings = demo_settings(
        state_dir=folder / "state",
        aws_endpoint=None,
        azure_endpoint="http://127.0.0.1:9",
        known_rights=rights(),
    )
    persons = tuple(
        PersonSettings(id=f"person{number}", identities=(f"matrix:{account}",), roles=("admin",))
        for number, account in enumerate(people)
    )
    settings = settings.model_copy(update={"matrix": matrix, "person": persons, "schedule": ()})
    app = App(settings, chats=(matrix_chat,), gallery=None, machines=None)
    stop = asyncio.Event()
    opened: asyncio.Future[RunningBot] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(app.run(stop, opened))
    either: set[asyncio.Future[Any]] = {running, opened}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        running.result()
    try:
        yield opened.result()
    finally:
        stop.set()
        await running
