"""Killed around speaking: what stands in Slack is found there by its key, and not said again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.slack.bot_process import CROWDED, TIMEOUT, running_process


async def test_killed_between_sending_and_recording_it_knows_its_message_again(tmp_path: Path) -> None:
    async with running_process(tmp_path) as bot:
        bot.sim.faults.late_answer("chat.postMessage")
        await bot.sim.person("alice").post("images", "!promote Fedora-Cloud-43-x64")
        card = await bot.wait_for_message("waits for 1 approval")
        await bot.kill()  # it stands there, and the bot was never told so

        await bot.start_again()
        looked = "conversations.history"
        await bot.sim.until(lambda: bool(bot.sim.calls(looked)), "a look for the card", within=TIMEOUT)
        await (await bot.sim.person("bob").press(card, "Approve")).acked(TIMEOUT)
        report = await bot.wait_for_message("promote: done", "Ended")
        await bot.stop()
        assert report.thread_ts == card.ts
        assert card.buttons == []  # only a card that is on record is edited
        assert len(bot.texts()) == 2
        assert len(bot.sim.calls("chat.postMessage")) == 2


async def test_killed_while_in_doubt_about_a_lost_answer_it_does_not_say_it_again(tmp_path: Path) -> None:
    async with running_process(tmp_path) as bot:
        bot.sim.faults.lose_answer("chat.postMessage")
        looking = bot.sim.faults.hang("conversations.history")
        await bot.sim.person("alice").post("images", "!whoami")
        await bot.sim.faults.struck(looking, within=TIMEOUT)
        await bot.kill()

        bot.heal()
        bot.sim.faults.server_error("auth.test")  # it has to look before it listens
        await bot.start()
        looked = "conversations.history"
        await bot.sim.until(
            lambda: any(call.error is None for call in bot.sim.calls(looked)), "another look", within=TIMEOUT
        )
        await bot.stop()
        (said,) = bot.texts()
        assert "You are Alice" in said
        assert len(bot.sim.calls("chat.postMessage")) == 1


async def test_killed_between_a_report_in_a_thread_and_its_record_it_reports_once(tmp_path: Path) -> None:
    async with running_process(tmp_path) as bot:
        await bot.sim.person("alice").post("images", "!promote Fedora-Cloud-43-x64")
        card = await bot.wait_for_message("waits for 1 approval")
        await bot.sim.settled(TIMEOUT)
        bot.sim.faults.late_answer("chat.postMessage")
        await (await bot.sim.person("bob").press(card, "Approve")).acked(TIMEOUT)
        await bot.wait_for_message("promote: done", "Ended")
        await bot.kill()

        await bot.start_again()
        looked = "conversations.replies"
        await bot.sim.until(lambda: bool(bot.sim.calls(looked)), "a look for the report", within=TIMEOUT)
        await bot.stop()
        assert len(bot.texts()) == 2


@pytest.mark.parametrize("shared", [False, True], ids=["before it is shared", "after it was shared"])
async def test_killed_while_a_file_is_uploaded_it_is_attached_once(tmp_path: Path, shared: bool) -> None:
    async with running_process(tmp_path, crowd=400) as bot:
        await bot.sim.person("alice").post("images", f"!cleanup {CROWDED}")
        card = await bot.wait_for_message("waits for")
        await bot.sim.settled(TIMEOUT)
        (operation,) = set(re.findall(r"op-\w+", card.all_text))
        fault = getattr(bot.sim.faults, "late_answer" if shared else "hang")("files.completeUploadExternal")
        await bot.sim.person("bob").post("images", f"!op {operation}")
        await bot.sim.faults.struck(fault, within=TIMEOUT)
        if shared:
            await bot.sim.message("images", lambda message: bool(message.files), within=TIMEOUT)
        await bot.kill()

        await bot.start_again()
        await bot.sim.message("images", lambda message: bool(message.files), within=TIMEOUT)
        await bot.stop()
        assert [bool(message.files) for message in bot.sim.from_bot("images")] == [False, False, True]
