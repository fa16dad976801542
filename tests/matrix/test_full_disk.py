"""A state folder that cannot be written, as a plain room sees it: told though nothing can be stored, and its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery
from slipway.bot.core.times import system_clock
from tests.matrix.process import running_process, until
from tests.support.processes.full_disk import full_disk
from tests.support.processes.synapse import Synapse

pytestmark = pytest.mark.xdist_group("program")


@pytest.mark.slow
async def test_a_room_is_told_once_of_a_full_disk_and_of_its_end_and_the_bot_stops_on_one(
    tmp_path: Path, synapse: Synapse
) -> None:
    azure = SimulatedAzure(fedora_gallery(system_clock()))
    await azure.start()
    async with running_process(tmp_path, synapse, azure) as (room, bot):
        with full_disk(bot.life.process.pid):
            await room.say("alice", "!whoami", None)
            notice = await until(room, lambda each: "I take nothing in now" in each.text)
            assert "The state folder cannot be written" in notice.text
            await room.say("bob", "!whoami", None)
        again = await until(room, lambda each: "I take everything in again" in each.text)
        assert again.id == notice.id, "it was said beside what was said before"
        await until(room, lambda each: "You are Alice" in each.text)
        await until(room, lambda each: "You are Bob" in each.text)
        assert len(bot.lives) == 1, "it ended"
        with full_disk(bot.life.process.pid):
            await room.say("alice", "!pending", None)
            await until(room, lambda each: "I take nothing in now" in each.text)
            assert await bot.rest() == 0
        bot.keep()
        await until(room, lambda each: "Nothing waits" in each.text)
        said = [each.text.split("\n")[0] for each in room.seen()]
        assert len(said) == 4, said
        logged = bot.lives[0].log.read_text()  # a file on the same disk
        assert "lines of this log could not be written" in logged
        assert "Traceback" not in logged
    await azure.stop()
