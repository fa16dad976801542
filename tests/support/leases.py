"""What is stored of machines: in a database of a test's own, and in that of a bot."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from slipway.bot.clouds.simulated.aws.simulator import SimulatedAws
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.people import People
from slipway.bot.store.database import Database
from slipway.bot.subjects.machines.launching.executor import LaunchLedger
from slipway.bot.subjects.machines.leases.model import Machine
from slipway.bot.subjects.machines.leases.repository import Leases
from slipway.bot.subjects.machines.services import MachineServices
from tests.support.aws import IMAGE
from tests.support.harness import BotHarness
from tests.support.memory_chat import PostedMessage
from tests.support.state_folder import prepare

NOBODY = People(SlipwaySettings())
"""Whose machines are everybody's to end: nobody is known."""


@asynccontextmanager
async def leases_in(folder: Path) -> AsyncIterator[Leases]:
    """Leases in a new database in a folder."""
    await prepare(folder)
    database = Database(folder / "slipway.db")
    await database.open()
    try:
        yield Leases(database)
    finally:
        await database.close()


def unlimited(leases: Leases) -> LaunchLedger:
    """Notes launches, and has no limits."""
    return LaunchLedger(leases, lambda _usage, _owner, _machines, _hours, _now: None)


async def minutes(bot: BotHarness, number: float = 1) -> list[PostedMessage]:
    """Let time pass, and then a minute's upkeep happen and all that follows from it; the new messages."""
    before = len(bot.messages)
    bot.clock.advance(timedelta(minutes=number))
    await bot.running.upkeep.sweep()
    await bot.running.idle()
    return bot.messages[before:]


def leases_of(bot: BotHarness) -> Leases:
    """What the bot stores of machines."""
    return bot.running.services.get(MachineServices).leases


class BrokenOffError(Exception):
    """Goes no further from here."""


@contextmanager
def breaking_off(before: int) -> Iterator[None]:
    """Let each part of a look break off before the n-th note of what the owner of a machine was told, and store none
    of those that follow, as where the process is killed there."""
    notes = 0

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        nonlocal notes
        if statement.startswith("UPDATE machine SET told="):
            notes += 1
            if notes >= before:
                raise BrokenOffError

    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", count)


async def machine_of(bot: BotHarness, instance_id: str) -> Machine:
    """What is stored of one machine in EC2, also of one that is gone."""
    found = await leases_of(bot).machine("aws", instance_id)
    assert found is not None
    return found


async def launched(
    bot: BotHarness, line: str = f"!launch {IMAGE} --for 2h", who: str = "alice"
) -> tuple[str, ...]:
    """Launch machines where nobody has to agree, and have the next minute's look know them; their ids."""
    *_, report = await bot.say(who, line)
    ids = tuple(dict.fromkeys(re.findall(r"i-[0-9a-f]{17}", report.text)))
    assert ids, report.text
    await minutes(bot, 0)
    return ids


async def tags_of(aws: SimulatedAws, instance_id: str) -> dict[str, str]:
    """The tags of a machine, as EC2 has them."""
    (found,) = [each for each in (await aws.state())["instances"] if each["id"] == instance_id]
    tags: dict[str, str] = found["tags"]
    return tags


async def state_of(aws: SimulatedAws, instance_id: str) -> str:
    """The state of a machine, as EC2 has it."""
    (found,) = [each for each in (await aws.state())["instances"] if each["id"] == instance_id]
    return str(found["state"])
