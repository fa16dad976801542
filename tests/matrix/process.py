"""The bot as a process, in a room of a real homeserver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.program import Clouds, document, write_toml
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from tests.reliability.messages import Seen
from tests.reliability.options import RELENG
from tests.reliability.replica import Replica
from tests.reliability.rooms.matrix import MatrixRoom
from tests.support.processes.synapse import Synapse

TIMEOUT = 60.0
"""Seconds; far more than anything here takes, also on a machine with much else to do."""


@asynccontextmanager
async def running_process(
    folder: Path, synapse: Synapse, azure: SimulatedAzure, kind: type[MatrixRoom] = MatrixRoom
) -> AsyncIterator[tuple[MatrixRoom, Replica]]:
    """A room, and a bot in it that is started again whenever it dies."""
    room = kind(synapse, folder, edit_interval=1.0)
    await room.open()
    found = (
        document(Clouds(azure.url, None), folder / "state") | {"schedule": []} | dict(room.configuration())
    )
    found["console"] = {"enabled": False}
    found["person"] = [each for each in found["person"] if each["id"] in RELENG]
    for person in found["person"]:
        person["identities"] = [room.account(person["id"])]
    write_toml(folder / "slipway.toml", found)
    bot = Replica(folder, folder / "slipway.toml", {})
    try:
        bot.keep()
        await bot.ready()
        yield room, bot
    finally:
        await bot.close()
        await room.close()


async def until(room: MatrixRoom, wanted: Callable[[Seen], bool]) -> Seen:
    """The first message of the bot of which it holds."""
    try:
        async with asyncio.timeout(TIMEOUT):
            while not (found := [each for each in room.seen() if wanted(each)]):  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        raise AssertionError(f"the room shows {[each.text for each in room.seen()]}") from error
    return found[0]
