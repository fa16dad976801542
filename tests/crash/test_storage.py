"""A state folder that cannot be written for a while: the bot stays up, says so, loses nothing and goes on by itself.

The system is asked to let the process write no file: what SQLite then hears is what it hears of a full disk.
"""

from __future__ import annotations

import asyncio

import pytest

from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.health.notice_memory import NOTES, NOTES_BYTES
from slipway.bot.store.state_files import WORKFLOWS
from tests.crash.bot_process import Line, is_report
from tests.crash.clouds import TIMEOUT_SECONDS, SimulatedClouds
from tests.crash.installation import Installation, until
from tests.crash.scenarios.images import Promotion
from tests.support.processes.full_disk import full_disk
from tests.support.state_folder import prepare

GRACE = 20.0  # seconds that work under way gets on SIGTERM: bot.app.GRACE


def refuses(line: Line) -> bool:
    """Whether the bot says that it takes nothing in."""
    return str(line["title"]).startswith("I take nothing in now")


def test_a_full_disk_stops_the_bot_from_taking_anything_in_until_there_is_space(
    fresh_installation: Installation, clouds: SimulatedClouds
) -> None:
    bot = fresh_installation.start()
    scenario = Promotion(fresh_installation)
    bot.say(scenario.command)
    card = bot.until(lambda line: bool(line["buttons"]))
    operation = card["buttons"][0]["operation"]
    held = clouds.inject_fault(scenario.faults, Fault(kind=FaultKind.HOLD_AFTER, match="PUT *"))
    bot.say(f"@bob: !approve {operation}")
    clouds.reached(held)
    with full_disk(bot.pid):
        clouds.clear()
        notice = bot.until(refuses)
        assert "The state folder cannot be written" in notice["text"]
        bot.say("@carol: !whoami")
    again = bot.until(lambda line: line["title"] == "I take everything in again.")
    assert again["edits"] == notice["id"], "it was said beside what was said before"
    if not any(is_report(line) and operation in line["title"] for line in bot.lines):
        bot.report(operation)
    bot.until(lambda line: line["title"] == "You are Carol.")
    fresh_installation.settle()
    scenario.check()
    assert fresh_installation.audit_holds()
    assert sum(map(refuses, bot.lines)) == 1
    assert "Traceback" not in bot.stderr_text()


@pytest.mark.slow
def test_a_bot_whose_disk_is_full_ends_when_it_is_told_to_and_the_next_one_goes_on(
    fresh_installation: Installation, clouds: SimulatedClouds
) -> None:
    bot = fresh_installation.start()
    scenario = Promotion(fresh_installation)
    bot.say(scenario.command)
    operation = bot.until(lambda line: bool(line["buttons"]))["buttons"][0]["operation"]
    held = clouds.inject_fault(scenario.faults, Fault(kind=FaultKind.HOLD_AFTER, match="PUT *"))
    bot.say(f"@bob: !approve {operation}")
    clouds.reached(held)
    with full_disk(bot.pid):
        clouds.clear()
        notice = bot.until(refuses)
        bot.terminate()
        assert bot.ended(GRACE + TIMEOUT_SECONDS) == 0
    stopped = bot.until(lambda line: line["title"] == "I was stopped while I could take nothing in.")
    assert stopped["edits"] == notice["id"]
    again = fresh_installation.start()
    again.report(operation)
    fresh_installation.settle()
    scenario.check()
    assert fresh_installation.audit_holds()


def test_what_a_bot_said_that_was_killed_on_a_full_disk_is_put_right_by_the_next_one(
    fresh_installation: Installation,
) -> None:
    bot = fresh_installation.start()
    with full_disk(bot.pid, NOTES_BYTES):
        bot.say("@carol: !whoami")
        notice = bot.until(refuses)
        notes = fresh_installation.state / NOTES
        until("it is known where that stands", lambda: f'"{notice["id"]}"' in notes.read_text())
        bot.kill()
    again = fresh_installation.start().until(lambda line: line["title"] == "I take everything in again.")
    assert again["edits"] == notice["id"]


@pytest.mark.parametrize(
    ("beyond", "has_tables"),
    [
        pytest.param(0, False, id="not even the lock"),
        pytest.param(50_000, False, id="the tables", marks=pytest.mark.slow),
        pytest.param(50_000, True, id="the workflows' tables", marks=pytest.mark.slow),
    ],
)
def test_a_start_on_a_full_disk_ends_in_one_sentence_and_the_next_one_finds_nothing_half_made(
    fresh_installation: Installation, beyond: int, has_tables: bool
) -> None:
    if has_tables:
        asyncio.run(prepare(fresh_installation.state))
        (fresh_installation.state / WORKFLOWS).unlink()
    bot = fresh_installation.launch()
    with full_disk(bot.pid, beyond):
        assert bot.ended() == 1
    (told,) = bot.stderr_text().splitlines()
    assert told.startswith(f"The state folder {fresh_installation.state} cannot be written: ")
    assert told.endswith(" Make space there, or make it writable, and start again.")
    fresh_installation.start().terminate()
    assert fresh_installation.bot.ended() == 0
