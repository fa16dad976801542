"""Killed around speaking: what stands in Slack is found there by its key, and not said again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from slipway.bot.clouds.simulated.faults import Fault, FaultKind
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


@pytest.mark.slow
async def test_killed_while_a_card_is_slow_and_its_operation_has_run_it_reports_once_in_its_thread(
    tmp_path: Path,
) -> None:
    async with running_process(tmp_path) as bot:
        bot.sim.faults.late_answer("chat.postMessage")
        await bot.sim.person("alice").post("images", "!promote Fedora-Cloud-43-x64")
        card = await bot.wait_for_message("waits for 1 approval")
        (operation,) = set(re.findall(r"op-\w+", card.all_text))
        ran = bot.azure.faults.add(Fault(kind=FaultKind.SLOW, match="PUT *", seconds=0))
        await bot.sim.person("bob").post(
            "images", f"!approve {operation}"
        )  # he reads what Slack took long ago
        await ran.reached.wait()
        await bot.kill()

        await bot.start_again()
        report = await bot.wait_for_message("promote: done", "Ended")
        await bot.stop()
        assert report.thread_ts == card.ts
        assert f"{operation} promote: done" in card.all_text
        assert card.buttons == []
        assert len(bot.texts()) == 2
        assert len(bot.azure.writes) == 1


@pytest.mark.slow
@pytest.mark.parametrize("line", ["!promote Fedora-Cloud-43-x64", "!promote Fedora-Cloud-99-x64"])
async def test_killed_after_it_said_that_it_works_on_it_the_answer_takes_its_place(
    tmp_path: Path, line: str
) -> None:
    async with running_process(tmp_path) as bot:
        bot.sim.faults.late_answer("chat.postMessage")
        bot.azure.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match="GET *"))
        await bot.sim.person("alice").post("images", line)
        said = await bot.wait_for_message("Working on it")
        await bot.kill()

        await bot.start_again()
        if "99" in line:  # a mistake is told to alice alone, and what all saw goes
            await bot.sim.person("alice").ephemeral(
                lambda each: "Fedora-Cloud-43-x64" in each.all_text, within=TIMEOUT
            )
            await bot.stop()
            assert bot.texts() == []
        else:
            card = await bot.wait_for_message("waits for 1 approval")
            await bot.stop()
            assert card.ts == said.ts
            assert [button.label for button in card.buttons] == ["Approve", "Reject", "Details"]
            assert len(bot.texts()) == 1


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("shared", [False, True], ids=["before it is shared", "after it was shared"])
async def test_killed_while_a_file_is_uploaded_it_is_attached_once(tmp_path: Path, shared: bool) -> None:
    async with running_process(tmp_path, crowd=400) as bot:
        fault = getattr(bot.sim.faults, "late_answer" if shared else "hang")("files.completeUploadExternal")
        # The whole plan does not fit a message.
        await bot.sim.person("alice").post("images", f"!cleanup {CROWDED}")
        await bot.sim.faults.struck(fault, within=TIMEOUT)
        if shared:
            await bot.sim.message("images", lambda message: bool(message.files), within=TIMEOUT)
        await bot.kill()

        await bot.start_again()
        await bot.sim.message("images", lambda message: bool(message.files), within=TIMEOUT)
        await bot.stop()
        # Where planning takes its time, those who decide are called in a message of their own.
        said = [each for each in bot.sim.from_bot("images") if "is asked for" not in each.all_text]
        assert [bool(message.files) for message in said] == [False, False, True]
