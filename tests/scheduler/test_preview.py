"""What `slipway check` says of the times of schedules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from slipway.bot.config.describe import describe
from slipway.scheduler.preview import next_times, timetable_problems
from tests.support.configuration import DECLARED, settings_of, valid_document

SATURDAY = datetime(2026, 10, 24, 12, tzinfo=UTC)


def document(**entry: Any) -> dict[str, Any]:
    found = valid_document()
    return found | {"schedule": [{**found["schedule"][0], "name": "nightly", **entry}]}


def test_the_next_five_times_are_shown_in_the_entrys_zone_over_a_change_of_clocks() -> None:
    settings = settings_of(document(cron="30 2 * * *", zone="Europe/Berlin"))
    lines = describe(settings, DECLARED.spec, lambda entry: next_times(entry, SATURDAY))
    first = next(number for number, line in enumerate(lines) if line.startswith("schedule nightly"))
    assert lines[first + 1] == (
        "  next: Sun 2026-10-25 02:30 CEST, Mon 2026-10-26 02:30 CET, Tue 2026-10-27 02:30 CET, "
        "Wed 2026-10-28 02:30 CET, Thu 2026-10-29 02:30 CET"
    )


@pytest.mark.parametrize(
    ("cron", "jitter", "said"),
    [
        ("0 9 * * *", "1h", []),
        ("*/5 * * * *", "4m", []),
        (
            "*/5 * * * *",
            "5m",
            ["two runs may be 5m apart, and it must be shorter than that, so that none is overtaken"],
        ),
        (
            "0 9,10 * * mon",
            "2h",
            ["two runs may be 1h apart, and it must be shorter than that, so that none is overtaken"],
        ),
    ],
)
def test_a_jitter_fits_between_two_runs(cron: str, jitter: str, said: list[str]) -> None:
    found = list(timetable_problems(settings_of(document(cron=cron, jitter=jitter))))
    assert [each.said for each in found] == said
    assert {each.key for each in found} <= {"schedule.nightly.jitter"}
