"""Killed around hearing: what was said once is answered once, whatever Slack and the bot know of each other."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from tests.slack.bot_process import TIMEOUT, running_process


@pytest.mark.parametrize(
    "over_http", [pytest.param(False, id="socket"), pytest.param(True, id="http", marks=pytest.mark.slow)]
)
async def test_killed_after_its_record_and_before_the_ack_it_answers_once(
    tmp_path: Path, over_http: bool
) -> None:
    async with running_process(tmp_path, over_http=over_http) as bot:
        bot.sim.faults.hang("chat.postMessage")  # so that the answer cannot stand there before its end
        bot.lose_next_ack()
        message = await bot.sim.person("alice").post("images", "!whoami")
        (delivery,) = message.deliveries
        await bot.wait_for_lost_ack(delivery)
        await bot.kill()
        assert bot.texts() == []

        await bot.start_again()
        await bot.sim.redeliver()
        await delivery.acked(TIMEOUT)
        assert delivery.attempts == 2
        await bot.wait_for_message("You are Alice")
        await bot.stop()
        assert len(bot.texts()) == 1


@pytest.mark.slow
async def test_killed_after_its_answer_and_before_the_ack_it_says_nothing_again(tmp_path: Path) -> None:
    async with running_process(tmp_path) as bot:
        bot.lose_next_ack()
        (delivery,) = (await bot.sim.person("alice").post("images", "!whoami")).deliveries
        await bot.wait_for_lost_ack(delivery)
        await bot.wait_for_message("You are Alice")
        await bot.kill()

        await bot.start_again()
        await bot.sim.redeliver()
        await delivery.acked(TIMEOUT)
        await bot.stop()
        assert len(bot.texts()) == 1


@pytest.mark.slow
async def test_killed_after_the_ack_and_before_it_is_done_it_goes_on_when_it_starts(tmp_path: Path) -> None:
    async with running_process(tmp_path) as bot:
        looking = bot.azure.faults.add(Fault(kind=FaultKind.HOLD_BEFORE, match="GET *"))
        message = await bot.sim.person("alice").post("images", "!promote Fedora-Cloud-43-x64")
        (delivery,) = message.deliveries
        await delivery.acked(TIMEOUT)
        await looking.reached.wait()
        await bot.kill()
        before = bot.texts()  # at most that it looks into it

        await bot.start_again()
        assert await bot.sim.redeliver() == []  # Slack has nothing to give again: only the record knows
        card = await bot.wait_for_message("waits for 1 approval")
        await bot.stop()
        assert [button.label for button in card.buttons] == ["Approve", "Reject", "Details"]
        assert len(bot.texts()) == 1
        assert len(before) <= 1
        assert bot.azure.writes == []


@pytest.mark.slow
async def test_killed_after_a_slash_command_and_before_the_ack_it_answers_once(tmp_path: Path) -> None:
    async with running_process(tmp_path) as bot:
        bot.sim.faults.hang("chat.postMessage")
        bot.lose_next_ack()
        typed = await bot.sim.person("alice").command("/slipway", "promote Fedora-Cloud-43-x64")
        await bot.wait_for_lost_ack(typed)
        await bot.kill()

        await bot.start_again()
        await bot.wait_for_message("waits for 1 approval", "Alice")
        await bot.stop()
        assert len(bot.texts()) == 1


@pytest.mark.slow
async def test_killed_after_a_form_and_before_the_ack_the_rejection_stands_with_its_reason(
    tmp_path: Path,
) -> None:
    async with running_process(tmp_path) as bot:
        bob = bot.sim.person("bob")
        await bot.sim.person("alice").post("images", "!promote Fedora-Cloud-43-x64")
        card = await bot.wait_for_message("waits for 1 approval")
        await bot.sim.settled(TIMEOUT)
        await (await bob.press(card, "Reject")).acked(TIMEOUT)
        modal = await bob.modal()
        bot.sim.faults.hang("chat.update")
        bot.lose_next_ack()
        submitting = asyncio.create_task(bob.submit(modal, {"reason": "no good"}))
        await bot.sim.until(lambda: bool(bot.sim.sockets.lost_acks), "a lost ack", within=TIMEOUT)
        await bot.kill()
        submitting.cancel()

        await bot.start_again()
        await bot.wait_for_message("Rejected by Bob", "no good", "Ended")
        await bot.stop()
        said = bot.texts()
        assert len(said) == 2  # the card and the report in its thread
        assert all("Rejected by Bob: no good." in text for text in said)
        assert bot.azure.writes == []
