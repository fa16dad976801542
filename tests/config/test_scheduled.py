"""What `slipway check` says of schedules whose command line cannot be said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from slipway.commands.scheduled import schedule_problems
from tests.support.configuration import DECLARED, simulated_settings


def _schedule(command: str, **more: str) -> dict[str, Any]:
    entry = {"name": "weekly", "cron": "0 9 * * mon", "command": command, **more}
    return {"schedule": [{**entry, "room": "console:console", "roles": ["releng"]}]}


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("rollback", "schedule.weekly.command: `DEFINITION` is missing"),
        ("cleanup --all", "schedule.weekly.command: `cleanup` has no option"),
        (
            "report weekly 2026-11",
            "schedule.weekly.command: `MONTH`: a weekly report is of the last seven days",
        ),
        ("report monthly november", "schedule.weekly.command: `MONTH`: “november” is no month"),
        ("promote --help", "schedule.weekly.command: this only asks for help"),
    ],
)
def test_a_line_that_does_not_parse_is_named_with_its_schedule(
    command: str, told: str, tmp_path: Path
) -> None:
    (problem,) = schedule_problems(
        simulated_settings(tmp_path, None, changes=_schedule(command) | _GALLERY), DECLARED.commands
    )
    assert str(problem).startswith(told)
    assert "Write it like" in problem.said


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("schedule pause weekly the release", "Only a person can pause or resume a schedule."),
        ("schedule run weekly", "a schedule says that one's own line instead"),
        ("credential snooze uploader", "Only a person can put a reminder off."),
        ("bad Fedora-Cloud-43-x64/1.2.3 it hangs", "A verdict is a person's own word"),
        ("approve op-7k3f", "That is said by people who see a card."),
    ],
)
def test_a_line_that_people_alone_can_say_is_named(command: str, why: str, tmp_path: Path) -> None:
    settings = simulated_settings(tmp_path, None, changes=_schedule(command) | _GALLERY)
    (problem,) = schedule_problems(settings, DECLARED.commands)
    assert str(problem).startswith("schedule.weekly.command: no schedule can say ")
    assert why in problem.said


def test_what_changes_nothing_has_no_mode(tmp_path: Path) -> None:
    def found(command: str) -> list[str]:
        changes = _schedule(command, mode="ask") | _GALLERY
        return [
            str(each)
            for each in schedule_problems(
                simulated_settings(tmp_path, None, changes=changes), DECLARED.commands
            )
        ]

    assert found("cleanup") == []
    assert found("images") == [
        "schedule.weekly.mode: images changes nothing that could be agreed to; leave mode out"
    ]


def test_good_lines_are_no_problem(tmp_path: Path) -> None:
    assert (
        schedule_problems(
            simulated_settings(tmp_path, None, changes=_schedule("cleanup") | _GALLERY), DECLARED.commands
        )
        == ()
    )


_GALLERY: dict[str, Any] = {
    "azure": {
        "subscription_id": "00000000-0000-4000-8000-00000000fed0",
        "resource_group": "fedora-cloud",
        "gallery": "Fedora",
        "endpoint": "http://127.0.0.1:9",
    }
}
