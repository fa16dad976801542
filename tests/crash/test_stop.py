"""Stopping and starting: SIGTERM, the lock on the state folder, waiting approvals, events that come twice."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from slipway.bot.app import App
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.wiring.parts import ChatBuilder
from tests.crash.bot_process import BotProcess, Died, is_report
from tests.crash.clouds import TIMEOUT_SECONDS, SimulatedClouds
from tests.crash.installation import Installation, until
from tests.crash.scenario import Scenario
from tests.crash.scenarios.images import Cleanup, Promotion
from tests.crash.scenarios.machines import Launch
from tests.support.azure import simulated_gallery
from tests.support.clock import FakeClock
from tests.support.configuration import DECLARED, simulated_settings
from tests.support.harness import running_bot
from tests.support.memory_chat import MemoryChat

GRACE = 20.0  # seconds that work under way gets on SIGTERM: bot.app.GRACE


def _card(installation: Installation, scenario: Scenario) -> str:
    """Have it proposed; the operation's id."""
    installation.bot.skip_output()
    installation.bot.say(scenario.command)
    line = installation.bot.until(lambda line: bool(line["buttons"]))
    operation: str = line["buttons"][0]["operation"]
    return operation


def _assert_done_once(
    installation: Installation, operation: str, scenario: Scenario, *, trail: bool = True
) -> None:
    scenario.check()
    (row,) = (each for each in installation.operations() if each["id"] == operation)
    assert row["state"] == "done"
    ends = installation.rows("SELECT 1 FROM audit WHERE key = ?", f"{operation}:step-1:done")
    assert len(ends) == 1
    assert installation.audit_holds() is trail


def test_sigterm_while_idle_ends_cleanly(fresh_installation: Installation) -> None:
    bot = fresh_installation.start()
    bot.terminate()
    assert bot.ended() == 0
    assert "Traceback" not in bot.stderr_text()
    # Its gallery is empty, which what looks after regions warns of where it comes to that in time.
    warnings = [line for line in bot.stderr_text().splitlines() if "warning" in line]
    assert [line for line in warnings if "lists no image definitions" not in line] == []


def test_sigterm_waits_for_a_step_that_ends_in_time(
    fresh_installation: Installation, clouds: SimulatedClouds
) -> None:
    bot = fresh_installation.start()
    scenario = Promotion(fresh_installation)
    operation = _card(fresh_installation, scenario)
    held = clouds.inject_fault(scenario.faults, Fault(kind=FaultKind.HOLD_BEFORE, match="PUT *"))
    bot.say(f"@bob: !approve {operation}")
    clouds.reached(held)
    bot.terminate()
    clouds.clear()
    assert bot.ended() == 0
    assert "Traceback" not in bot.stderr_text()
    _assert_done_once(fresh_installation, operation, scenario)
    assert fresh_installation.quiet()
    assert any(is_report(line) for line in bot.lines), "the report was not said before the end"


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Promotion, Launch])
def test_sigterm_leaves_a_step_that_takes_too_long_for_the_next_start(
    fresh_installation: Installation, clouds: SimulatedClouds, kind: type[Promotion | Launch]
) -> None:
    bot = fresh_installation.start()
    scenario = kind(fresh_installation)
    match = "PUT *" if kind is Promotion else "RunInstances"
    held = clouds.inject_fault(scenario.faults, Fault(kind=FaultKind.HOLD_AFTER, match=match))
    if kind is Promotion:
        bot.say(f"@bob: !approve {_card(fresh_installation, scenario)}")
    else:
        bot.say(scenario.command)
    clouds.reached(held)
    bot.terminate()
    assert bot.ended(GRACE + TIMEOUT_SECONDS) == 0
    assert "Traceback" not in bot.stderr_text()
    (row,) = fresh_installation.operations()
    assert row["state"] == "running"

    fresh_installation.start()
    clouds.clear()
    fresh_installation.settle()
    _assert_done_once(fresh_installation, row["id"], scenario)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Promotion, Launch])
def test_of_a_step_that_was_done_as_the_bot_was_told_to_stop_and_killed_is_told_that_it_is(
    fresh_installation: Installation, clouds: SimulatedClouds, kind: type[Promotion | Launch]
) -> None:
    bot = fresh_installation.start()
    scenario = kind(fresh_installation)
    match = "PUT *" if kind is Promotion else "RunInstances"
    held = clouds.inject_fault(scenario.faults, Fault(kind=FaultKind.HOLD_AFTER, match=match))
    if kind is Promotion:
        bot.say(f"@bob: !approve {_card(fresh_installation, scenario)}")
    else:
        bot.say(scenario.command)
    clouds.reached(held)
    (row,) = fresh_installation.operations()
    bot.kill()
    clouds.clear()
    # As `!cancel` does: a script's next line waits until all is done, so this one could not be said meanwhile.
    # Nothing of it stands in the audit trail, which says so.
    with sqlite3.connect(fresh_installation.state / "slipway.db") as database:
        database.execute("UPDATE operation SET cancelled_by = 'alice'")

    fresh_installation.start().report(row["id"])
    fresh_installation.settle()
    _assert_done_once(fresh_installation, row["id"], scenario, trail=False)


class UnreachableChat(MemoryChat):
    """A chat that hears nothing of its platform when the bot starts."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def prepare(self) -> None:
        self.asked.set()
        await asyncio.Event().wait()


async def test_a_bot_that_is_told_to_stop_before_it_is_ready_stops_and_leaves_nothing_half_made(
    tmp_path: Path,
) -> None:
    chat, stop = UnreachableChat(), asyncio.Event()
    async with simulated_gallery() as azure:
        builder = ChatBuilder(chat.platform, lambda _: chat)
        app = App(simulated_settings(tmp_path, azure), DECLARED, chats=(builder,), clock=FakeClock())
        running = asyncio.create_task(app.run(stop))
        await chat.asked.wait()
        stop.set()
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await running
        async with running_bot(tmp_path, azure=azure) as bot:
            (answer,) = await bot.say("carol", "!whoami")
    assert answer.card.title == "You are Carol."


@pytest.mark.slow
def test_a_second_sigterm_ends_at_once(fresh_installation: Installation, clouds: SimulatedClouds) -> None:
    bot = fresh_installation.start()
    scenario = Promotion(fresh_installation)
    operation = _card(fresh_installation, scenario)
    held = clouds.inject_fault(scenario.faults, Fault(kind=FaultKind.HOLD_BEFORE, match="PUT *"))
    bot.say(f"@bob: !approve {operation}")
    clouds.reached(held)

    def gone() -> bool:
        bot.terminate()
        return not bot.alive

    until("a signal ended it", gone)
    assert bot.ended() == -signal.SIGTERM
    clouds.clear()

    fresh_installation.start()
    fresh_installation.settle()
    _assert_done_once(fresh_installation, operation, scenario)


@pytest.mark.parametrize("named", [pytest.param(True, marks=pytest.mark.slow), False])
def test_an_approval_waits_through_a_kill(installation: Installation, named: bool) -> None:
    scenario = Promotion(installation)
    operation = _card(installation, scenario)
    installation.settle()
    installation.bot.kill()
    bot = installation.start()
    bot.say("@bob: !approve" + (f" {operation}" if named else ""))
    bot.report(operation)
    installation.settle()
    _assert_done_once(installation, operation, scenario)
    installation.failed = False


def test_a_card_that_was_shown_but_not_recorded_is_shown_again_with_buttons_that_work(
    installation: Installation,
) -> None:
    scenario = Promotion(installation)
    # after the card that is to be sent: that it is
    installation.crash_at_commit("before", 2, table="message")
    operation = _card(installation, scenario)
    with pytest.raises(Died):
        installation.bot.until(lambda _: False)
    installation.disarm()
    again = installation.start().until(lambda line: bool(line["buttons"]))
    assert again["buttons"][0]["operation"] == operation
    installation.bot.say(f"@bob: {again['buttons'][0]['number']}")
    installation.bot.report(operation)
    installation.settle()
    _assert_done_once(installation, operation, scenario)
    installation.failed = False


@pytest.mark.slow
async def test_an_event_that_comes_again_after_a_kill_changes_nothing(
    installation: Installation, clouds: SimulatedClouds
) -> None:
    scenario = Promotion(installation)
    operation = _card(installation, scenario)
    installation.bot.say(f"@bob: !approve {operation}")
    installation.bot.report(operation)
    installation.settle()
    installation.bot.kill()
    events = [
        row["workflow_uuid"].removeprefix("hear:console:")
        for row in installation.workflows("SELECT workflow_uuid FROM workflow_status WHERE name = 'hear'")
    ]
    trail = installation.rows("SELECT hash FROM audit")
    writes = len(clouds.azure.writes)
    async with running_bot(installation.state, azure=clouds.azure, clock=FakeClock(datetime.now(UTC))) as bot:
        for event in events:
            assert await bot.say("alice", scenario.command, event_id=event) == []
    assert installation.rows("SELECT hash FROM audit")[: len(trail)] == trail
    since = installation.rows("SELECT action FROM audit ORDER BY number")[len(trail) :]
    assert [row["action"] for row in since] == ["configured"]  # at the start, and nothing else
    assert len(clouds.azure.writes) == writes
    _assert_done_once(installation, operation, scenario)
    installation.failed = False


def test_an_approved_operation_that_was_never_begun_is_run_by_the_next_start(
    installation: Installation,
) -> None:
    """As if the bot had died between the compare-and-set and the start of the run."""
    scenario = Promotion(installation)
    operation = _card(installation, scenario)
    installation.settle()
    installation.crash_at_commit("after", 3)
    installation.bot.say(f"@bob: !approve {operation}")
    with pytest.raises(Died):
        installation.bot.until(lambda _: False)
    installation.disarm()
    (row,) = (each for each in installation.operations() if each["id"] == operation)
    assert row["state"] == "approved"
    assert not installation.workflows(
        "SELECT 1 FROM workflow_status WHERE workflow_uuid = ?", f"do:{operation}"
    )
    installation.start()
    until("it ran", installation.quiet)
    _assert_done_once(installation, operation, scenario)
    installation.failed = False


def test_a_second_process_is_refused_and_the_first_works_on(installation: Installation) -> None:
    second = BotProcess(installation.config, installation.crash_file)
    assert second.ended() == 1
    assert f"Another Slipway (process {installation.bot.pid}) already works on" in second.stderr_text()
    assert "Traceback" not in second.stderr_text()
    assert second.lines == []

    scenario = Cleanup(installation)
    operation = _card(installation, scenario)
    installation.bot.say(f"@bob: !approve {operation}")
    installation.bot.report(operation)
    installation.settle()
    _assert_done_once(installation, operation, scenario)
    installation.failed = False


@pytest.mark.parametrize("number", [pytest.param(1, marks=pytest.mark.slow), 5])
def test_a_kill_at_the_very_first_start_leaves_a_folder_that_works(
    fresh_installation: Installation, number: int
) -> None:
    fresh_installation.crash_at_commit("after", number, schema=True)
    fresh_installation.launch()
    with pytest.raises(Died):
        fresh_installation.bot.ready()
    fresh_installation.bot.ended()
    fresh_installation.disarm()
    fresh_installation.start()
    scenario = Promotion(fresh_installation)
    operation = _card(fresh_installation, scenario)
    fresh_installation.bot.say(f"@bob: !approve {operation}")
    fresh_installation.bot.report(operation)
    fresh_installation.settle()
    _assert_done_once(fresh_installation, operation, scenario)
