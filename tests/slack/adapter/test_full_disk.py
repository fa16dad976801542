"""A state folder that cannot be written, as the channel sees it: told though nothing can be stored, and its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.slack.bot_process import running_process
from tests.support.processes.full_disk import full_disk

pytestmark = pytest.mark.xdist_group("program")


async def test_a_channel_is_told_of_a_full_disk_and_of_its_end_and_the_bot_stops_on_one(
    tmp_path: Path,
) -> None:
    async with running_process(tmp_path) as bot:
        alice = bot.sim.person("alice")
        with full_disk(bot.pid):
            asked = await alice.post("images", "!whoami")
            notice = await bot.wait_for_message("I take nothing in now", "The state folder cannot be written")
            assert asked.deliveries[0].acks == 0
        again = await bot.wait_for_message("I take everything in again")
        assert again.ts == notice.ts, "it was said beside what was said before"
        await bot.sim.redeliver()
        await bot.wait_for_message("You are Alice")
        with full_disk(bot.pid):
            await alice.post("images", "!whoami")
            await bot.wait_for_message("I take nothing in now")
            await bot.stop()
        (last,) = [text for text in bot.texts() if "could take nothing in" in text]
        assert "I was stopped while I could take nothing in" in last
        assert sum("You are Alice" in text for text in bot.texts()) == 1
        assert not any("I take" in text for text in bot.texts())
