"""How reports read, on a terminal, in Matrix and in Slack: golden files in ``said``, one of each report and platform.

``SLIPWAY_UPDATE_GOLDEN=1 pytest tests/reports`` writes them anew. The sections are written here by the pure functions
alone, of what subjects could have seen; the whole bot is tested in test_room.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from slipway.bot.chat.matrix.messages.render import render_html
from slipway.bot.chat.model import Card
from slipway.bot.chat.shared.plain import render_plain
from slipway.bot.reports.cards import calls_of, detail_card, has_details, headline_card, is_quiet
from slipway.bot.reports.gathering import in_order
from slipway.bot.reports.model import Part, ReportView, Severity
from slipway.bot.reports.periods import last_day, last_month, last_week
from slipway.bot.subjects.credentials import sections as credentials
from slipway.bot.subjects.images.reporting import moved, standing
from slipway.bot.subjects.machines.reporting import sections as machines
from slipway.bot.subjects.schedules import sections as schedules
from slipway.commands.general import sections as general
from slipway.commands.operations import sections as operations
from slipway.commands.problems import sections as problems
from tests.reports.builders import (
    ANNOUNCED,
    CANDIDATES,
    CREDENTIALS,
    DAY,
    ENDED,
    HELD,
    LATE,
    LEASES,
    LIVED,
    MOVES,
    OWN,
    RUNNING,
    WAITING,
    WRONG,
    part,
    view,
)
from tests.slack.golden import pretty, sent
from tests.support.clock import NOW

SAID = Path(__file__).parent / "said"


def daily() -> tuple[ReportView, tuple[Part, ...]]:
    it = view(last_day(NOW))
    return it, (
        part("holds", "Holds", standing.tell_holds(HELD, it)),
        part("machines", "Machines", machines.tell_machines(RUNNING, it)),
        part("leases", "Leases", machines.tell_leases(LEASES, it)),
        part("credentials", "Credentials", credentials.tell_credentials(CREDENTIALS, it)),
        part("approvals", "Approvals", operations.tell_waiting(WAITING, it)),
        part("operations", "Operations", operations.tell_ended(ENDED, it)),
        part("problems", "Problems", problems.tell_problems(WRONG, it)),
        part("schedules", "Schedules", schedules.tell_missed((LATE,), it)),
        part("slipway", "Slipway", general.tell_itself(OWN, it)),
    )


def weekly() -> tuple[ReportView, tuple[Part, ...]]:
    it = view(last_week(NOW))
    return it, (
        part("images", "Images", moved.tell_moves(MOVES, it)),
        part("candidates", "Candidates", standing.tell_candidates(CANDIDATES, it)),
        part("removals", "To be removed", standing.tell_announced(ANNOUNCED, it)),
    )


def monthly() -> tuple[ReportView, tuple[Part, ...]]:
    it = view(last_month(NOW, view(last_day(NOW)).zone))
    month = credentials.Month({"credential-done": 2}, ("uploader-2024",), CREDENTIALS)
    return it, (
        part("images", "Images", moved.tell_moves(MOVES, it)),
        part("machines", "Machines", machines.tell_lived(LIVED, it)),
        part("credentials", "Credentials", credentials.tell_month(month, it)),
        part("operations", "Operations", operations.tell_ended(ENDED, it)),
        part("problems", "Problems", problems.tell_problems(problems.Wrong((), "", 5, 4), it)),
    )


REPORTS = {"daily": daily, "weekly": weekly, "monthly": monthly}

Shown = Callable[[Sequence[Card]], str]

PLATFORMS: dict[str, tuple[str, Shown]] = {
    "terminal": ("txt", lambda cards: "\n\n".join(map(render_plain, cards)) + "\n"),
    "matrix": ("html", lambda cards: "\n".join(map(render_html, cards)) + "\n"),
    "slack": ("json", lambda cards: pretty([sent(card) for card in cards])),
}


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("report", REPORTS)
def test_a_report_reads_as_agreed(report: str, platform: str) -> None:
    it, made = REPORTS[report]()
    parts, (ending, shown) = in_order(made), PLATFORMS[platform]
    cards = [headline_card(parts, it), *(detail_card(each) for each in parts if has_details(each))]
    said, path = shown(cards), SAID / f"{report}-{platform}.{ending}"
    if os.environ.get("SLIPWAY_UPDATE_GOLDEN"):
        path.write_text(said, "utf-8")
    assert said == path.read_text("utf-8")


def test_those_are_called_who_have_to_act_and_nobody_else() -> None:
    _, parts = daily()
    # bob and dave can approve, alice, too; credentials and problems are releng's; dave sees to his problem.
    assert calls_of(parts) == ("role:releng", "bob", "dave", "alice")


def test_what_somebody_put_off_calls_nobody_until_then() -> None:
    it, _ = daily()
    ending = credentials.Ending("web", NOW + 6 * DAY, "alice", "Alice", over=False, put_off=NOW + DAY)
    told = credentials.tell_credentials(credentials.Credentials(1, (ending,), {}), it)
    assert told is not None
    assert (told.summary, told.needs, told.calls) == ("1 ends soon (1 put off)", 0, ())
    assert told.severity is Severity.ROUTINE
    later = credentials.tell_credentials(credentials.Credentials(1, (replace(ending, put_off=NOW),), {}), it)
    assert later is not None
    assert (later.summary, later.calls) == ("1 ends soon", ("alice",))


def test_a_day_with_machines_and_holds_alone_is_quiet() -> None:
    it, parts = daily()
    usual = [each for each in parts if each.name in ("machines", "holds")]
    assert is_quiet(usual)
    assert not is_quiet(parts)
    assert headline_card(usual, it).title == "Daily digest: nothing needs a person"
