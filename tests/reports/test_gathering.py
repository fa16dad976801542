"""How sections are put together, whatever is wrong with one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from slipway.bot.core.errors import CloudError, CloudErrorKind, DeclarationError, UserError
from slipway.bot.messages.service import Backlog
from slipway.bot.reports import gathering
from slipway.bot.reports.cards import headline_card
from slipway.bot.reports.declaration import ReportSection
from slipway.bot.reports.gathering import gather
from slipway.bot.reports.model import Period, ReportKind, Section, Severity
from slipway.bot.reports.periods import last_day
from slipway.commands.general import sections as general
from tests.reports.builders import view
from tests.support.clock import NOW

DAILY = (ReportKind.DAILY,)

Look = Callable[[object, Period], Awaitable[Section | None]]


def raising(error: Exception) -> Look:
    async def look(_services: object, _period: Period) -> Section | None:
        raise error

    return look


def seeing(section: Section | None) -> Look:
    async def look(_services: object, _period: Period) -> Section | None:
        return section

    return look


def declared(name: str, look: Look, **more: Any) -> ReportSection[object, Section | None]:
    usual: dict[str, Any] = {"reports": DAILY, "tell": lambda seen, _view: seen}
    return ReportSection(name, name.capitalize(), look=look, **(usual | more))


async def test_what_matters_most_comes_first_and_a_section_that_fails_keeps_no_other_away() -> None:
    refused = CloudError(CloudErrorKind.REFUSED, cloud="aws", sentence="AWS refused it.", reason="No right.")
    sections = (
        declared("holds", seeing(Section("2"))),
        declared("cloud", raising(refused)),
        declared("word", raising(UserError("No cloud is configured."))),
        declared("fault", raising(KeyError("secret shelf"))),
        declared("leases", seeing(Section("1 ends", Severity.NEWS))),
        declared("nothing", seeing(None)),
        declared("monthly", seeing(Section("1")), reports=(ReportKind.MONTHLY,)),
        declared("unwanted", seeing(Section("1")), wanted=lambda _services: False),
    )
    with capture_logs():
        parts = await gather(sections, None, view(last_day(NOW)))
    assert [each.name for each in parts] == ["cloud", "word", "fault", "leases", "holds"]
    cloud, word, fault, *_ = ("\n".join(each.section.lines) for each in parts)
    assert "AWS refused it." in cloud
    assert "No right." in cloud
    assert "Whose move it is" in cloud
    assert "No cloud is configured." in word
    assert "its log says how" in fault
    assert "secret shelf" not in fault
    title = headline_card(parts, view(last_day(NOW))).title
    assert title == "Daily digest: 3 things need a person", "what nobody could look at is not called well"


def test_a_day_is_shown_with_its_year_where_another_one_comes_to_mind() -> None:
    it = view(last_day(NOW))
    assert it.day(NOW - timedelta(days=100)) == "12 Aug"
    assert it.day(NOW - timedelta(days=400)) == "2025-10-16"
    assert it.day(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01"


async def test_what_takes_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "LONGEST_LOOK_SECONDS", 0.0)

    async def never(_services: object, _period: Period) -> Section | None:
        await asyncio.Event().wait()
        return None

    (part,) = await gather([declared("slow", never)], None, view(last_day(NOW)))
    assert part.section.severity is Severity.ATTENTION
    assert "It took more than two minutes." in part.section.lines


@pytest.mark.parametrize(
    ("more", "words"),
    [({"reports": ()}, "in no report"), ({"tell": None}, "tell"), ({"wanted": 1}, "wanted")],
)
def test_a_section_that_cannot_be_is_refused_at_import(more: dict[str, Any], words: str) -> None:
    with pytest.raises(DeclarationError, match=words):
        declared("holds", seeing(None), **more)


def test_what_only_waits_for_its_turn_is_no_news() -> None:
    it = view(last_day(NOW))
    assert general.tell_itself(general.Own(Backlog({"slack": 1}, 0), ()), it) is None
    told = general.tell_itself(general.Own(Backlog({"slack": 1}, 0), ("slack",)), it)
    assert told is not None
    assert "1 wait" in told.summary
