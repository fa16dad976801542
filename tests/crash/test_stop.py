"""Stopping and starting: SIGTERM, the lock on the state folder, waiting approvals, events that come twice."""

from __future__ import annotations

import signal
from datetime import UTC, datetime

import pytest

from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from tests.crash.clouds import LIMIT, Clouds
from tests.crash.process import BotProcess, Died
from tests.crash.site import Site, until
from tests.crash.stories import Cleanup, Launch, Promotion, Story
from tests.support.clock import FakeClock
from tests.support.harness import running_bot

GRACE = 20.0  # seconds that work under way gets on SIGTERM: bot.app.GRACE


def _card(site: Site, story: Story) -> str:
    """Have it proposed; the operation's id."""
    site.bot.catch_up()
    site.bot.say(story.command)
    line = site.bot.until(lambda line: bool(line["buttons"]))
    operation: str = line["buttons"][0]["operation"]
    return operation


def _assert_done_once(site: Site, operation: str, story: Story) -> None:
    story.check()
    (row,) = (each for each in site.operations() if each["id"] == operation)
    assert row["state"] == "done"
    ends = site.rows("SELECT 1 FROM audit WHERE key = ?", f"{operation}:step-1:done")
    assert len(ends) == 1
    assert site.audit_holds()


def test_sigterm_while_idle_ends_cleanly(own_site: Site) -> None:
    bot = own_site.start()
    bot.terminate()
    assert bot.ended() == 0
    assert "Traceback" not in bot.complaint()
    assert "warning" not in bot.complaint()


def test_sigterm_waits_for_a_step_that_ends_in_time(own_site: Site, clouds: Clouds) -> None:
    bot = own_site.start()
    story = Promotion(own_site)
    operation = _card(own_site, story)
    held = clouds.do(story.faults, Fault(kind=FaultKind.HOLD_BEFORE, match="PUT *"))
    bot.say(f"@bob: !approve {operation}")
    clouds.reached(held)
    bot.terminate()
    clouds.clear()
    assert bot.ended() == 0
    assert "Traceback" not in bot.complaint()
    _assert_done_once(own_site, operation, story)
    assert own_site.quiet()
    assert any(line["thread"] for line in bot.lines), "the report was not said before the end"


@pytest.mark.parametrize("kind", [Promotion, Launch])
def test_sigterm_leaves_a_step_that_takes_too_long_for_the_next_start(
    own_site: Site, clouds: Clouds, kind: type[Promotion | Launch]
) -> None:
    bot = own_site.start()
    story = kind(own_site)
    match = "PUT *" if kind is Promotion else "RunInstances"
    held = clouds.do(story.faults, Fault(kind=FaultKind.HOLD_AFTER, match=match))
    if kind is Promotion:
        bot.say(f"@bob: !approve {_card(own_site, story)}")
    else:
        bot.say(story.command)
    clouds.reached(held)
    bot.terminate()
    assert bot.ended(GRACE + LIMIT) == 0
    assert "Traceback" not in bot.complaint()
    (row,) = own_site.operations()
    assert row["state"] == "running"

    own_site.start()
    clouds.clear()
    own_site.settle()
    _assert_done_once(own_site, row["id"], story)


def test_a_second_sigterm_ends_at_once(own_site: Site, clouds: Clouds) -> None:
    bot = own_site.start()
    story = Promotion(own_site)
    operation = _card(own_site, story)
    held = clouds.do(story.faults, Fault(kind=FaultKind.HOLD_BEFORE, match="PUT *"))
    bot.say(f"@bob: !approve {operation}")
    clouds.reached(held)

    def gone() -> bool:
        bot.terminate()
        return not bot.alive

    until("a signal ended it", gone)
    assert bot.ended() == -signal.SIGTERM
    clouds.clear()

    own_site.start()
    own_site.settle()
    _assert_done_once(own_site, operation, story)


@pytest.mark.parametrize("named", [True, False])
def test_an_approval_waits_through_a_kill(site: Site, named: bool) -> None:
    story = Promotion(site)
    operation = _card(site, story)
    site.settle()
    site.bot.kill()
    bot = site.start()
    bot.say("@bob: !approve" + (f" {operation}" if named else ""))
    bot.until(lambda line: line["thread"] is not None and operation in line["title"])
    site.settle()
    _assert_done_once(site, operation, story)
    site.broken = False


def test_a_card_that_was_shown_but_not_recorded_is_shown_again_with_buttons_that_work(site: Site) -> None:
    story = Promotion(site)
    site.kill_at_commit("before", 4)  # after the event, the operation and the answer: the sent message
    operation = _card(site, story)
    with pytest.raises(Died):
        site.bot.until(lambda _: False)
    site.spare()
    again = site.start().until(lambda line: bool(line["buttons"]))
    assert again["buttons"][0]["operation"] == operation
    site.bot.say(f"@bob: {again['buttons'][0]['number']}")
    site.bot.until(lambda line: line["thread"] is not None)
    site.settle()
    _assert_done_once(site, operation, story)
    site.broken = False


async def test_an_event_that_comes_again_after_a_kill_changes_nothing(site: Site, clouds: Clouds) -> None:
    story = Promotion(site)
    operation = _card(site, story)
    site.bot.say(f"@bob: !approve {operation}")
    site.bot.until(lambda line: line["thread"] is not None)
    site.settle()
    site.bot.kill()
    events = [
        row["workflow_uuid"].removeprefix("hear:console:")
        for row in site.workflows("SELECT workflow_uuid FROM workflow_status WHERE name = 'hear'")
    ]
    trail = site.rows("SELECT hash FROM audit")
    writes = len(clouds.azure.writes)
    async with running_bot(site.state, azure=clouds.azure, clock=FakeClock(datetime.now(UTC))) as bot:
        for event in events:
            assert await bot.say("alice", story.command, event_id=event) == []
    assert site.rows("SELECT hash FROM audit") == trail
    assert len(clouds.azure.writes) == writes
    _assert_done_once(site, operation, story)
    site.broken = False


def test_an_approved_operation_that_was_never_begun_is_run_by_the_next_start(site: Site) -> None:
    """As if the bot had died between the compare-and-set and the start of the run."""
    story = Promotion(site)
    operation = _card(site, story)
    site.settle()
    site.kill_at_commit("after", 3)
    site.bot.say(f"@bob: !approve {operation}")
    with pytest.raises(Died):
        site.bot.until(lambda _: False)
    site.spare()
    (row,) = (each for each in site.operations() if each["id"] == operation)
    assert row["state"] == "approved"
    assert not site.workflows("SELECT 1 FROM workflow_status WHERE workflow_uuid = ?", f"do:{operation}")
    site.start()
    until("it ran", site.quiet)
    _assert_done_once(site, operation, story)
    site.broken = False


def test_a_second_process_is_refused_and_the_first_works_on(site: Site) -> None:
    second = BotProcess(site.config, site.order)
    assert second.ended() == 1
    assert f"Another Slipway (process {site.bot.pid}) already works on" in second.complaint()
    assert "Traceback" not in second.complaint()
    assert second.lines == []

    story = Cleanup(site)
    operation = _card(site, story)
    site.bot.say(f"@bob: !approve {operation}")
    site.bot.until(lambda line: line["thread"] is not None)
    site.settle()
    _assert_done_once(site, operation, story)
    site.broken = False


@pytest.mark.parametrize("number", [1, 5])
def test_a_kill_at_the_very_first_start_leaves_a_folder_that_works(own_site: Site, number: int) -> None:
    own_site.kill_at_commit("after", number, schema=True)
    own_site.launch()
    with pytest.raises(Died):
        own_site.bot.ready()
    own_site.bot.ended()
    own_site.spare()
    own_site.start()
    story = Promotion(own_site)
    operation = _card(own_site, story)
    own_site.bot.say(f"@bob: !approve {operation}")
    own_site.bot.until(lambda line: line["thread"] is not None)
    own_site.settle()
    _assert_done_once(own_site, operation, story)
