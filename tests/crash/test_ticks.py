"""`kill -9` between the time at which a schedule is due and its run: the next start runs it, once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.crash.clouds import CrashTiming
from tests.crash.installation import Installation, until
from tests.crash.scenarios.images import Promotion


@pytest.mark.slow
def test_a_tick_that_was_cut_off_runs_once(fresh_installation: Installation) -> None:
    installation = fresh_installation
    document = installation.config.read_text("utf-8")
    installation.config.write_text(document.replace("\nenabled = false\n", '\nmax_late = "400d"\n'))
    Promotion(installation)  # an empty gallery would be a mistake of somebody's
    installation.start()
    until("it was looked at", lambda: bool(installation.rows("SELECT 1 FROM schedule_tick")))
    installation.bot.kill()
    installation.bot.ended()
    due = datetime(datetime.now(UTC).year, 1, 1, tzinfo=UTC)
    installation.write(f"UPDATE schedule_tick SET last = '{due.year - 1}-12-31 23:00:00.000000'")  # noqa: S608

    for timing, table in (
        (CrashTiming.BEFORE, "schedule_run"),  # it is due, and nothing is known of that
        (CrashTiming.AFTER, "schedule_run"),  # that it runs is noted, and it was not begun
        (CrashTiming.BEFORE, "schedule_tick"),  # it was begun, and not noted as looked after
    ):
        installation.crash_at_commit(timing, 1, table=table)
        installation.launch().ended()
    installation.disarm()
    installation.start()
    until("it was answered", lambda: bool(_outcomes(installation)))
    installation.settle()
    until("it was said", lambda: sum(_said(installation)) > 0)

    assert [each.endswith("image definitions") for each in _outcomes(installation)] == [True]
    begun = installation.workflows(
        "SELECT workflow_uuid FROM workflow_status WHERE workflow_uuid LIKE '%tick:%'"
    )
    assert [each["workflow_uuid"] for each in begun] == [f"tick:yearly:{due:%Y-%m-%dT%H:%MZ}"]
    said = _said(installation)
    assert sum(said) == 1, said
    assert installation.rows("SELECT 1 FROM message WHERE key LIKE 'skipped:%'") == []


def _outcomes(installation: Installation) -> list[str]:
    """What became of it."""
    return [row["outcome"] for row in installation.rows("SELECT outcome FROM schedule_run") if row["outcome"]]


def _said(installation: Installation) -> list[int]:
    """How often each process said the answer, as far as that was read yet."""
    return [
        sum("image definitions" in line["title"] for line in bot.lines)
        for bot in (*installation.past, installation.bot)
    ]
