"""The first page: whether all is well, what waits for people, what comes next."""

from __future__ import annotations

from datetime import datetime

from slipway.bot.core.http.messages import HttpRequest, HttpResponse
from slipway.bot.health.readiness import Looked
from slipway.bot.operations.model import OPEN
from slipway.bot.replicas.wording import lines_of
from slipway.bot.web.pages.html import Html, tag
from slipway.bot.web.pages.operations import operations_table
from slipway.bot.web.pages.parts import ROOT, Frame, badge, section, table
from slipway.bot.web.pages.problems import problems_table
from slipway.bot.web.pages.sources import PageSources
from slipway.bot.web.pages.standstill import freezes, locks

NEWEST = 10
"""Operations that ended, or began, last."""


async def overview(sources: PageSources, frame: Frame, _request: HttpRequest) -> HttpResponse:
    """How everything is."""
    services = sources.services
    looked = await sources.look()
    pending = await services.operations.in_states(OPEN)
    newest = await services.operations.recent(NEWEST)
    problems = await services.problems.open_problems()
    return frame.page(
        "Overview",
        ROOT,
        _health(looked),
        *(tag("p", line) for line in lines_of(services.replicas())),
        await freezes(sources),
        section(
            "Under way, and waiting for people",
            operations_table(
                "Operations that have not ended", pending, sources, frame, "Nothing is under way."
            ),
        ),
        await locks(sources, frame),
        section("Problems", problems_table(problems, sources, frame)),
        section("Next by the clock", _upcoming(services.upcoming(), frame)),
        section(
            "Newest operations",
            operations_table("Newest operations", newest, sources, frame, "Nothing was asked for yet."),
        ),
        again=ROOT,
    )


def _health(looked: Looked) -> Html:
    if looked.ready:
        return tag("p", badge("✔", "ready", "good"), " The bot hears, and can work.")
    problems = tag("ul", (tag("li", problem) for problem in looked.problems), class_="notes")
    return tag("div", tag("p", badge("✘", "not ready", "bad")), problems)


def _upcoming(upcoming: tuple[tuple[str, datetime], ...], frame: Frame) -> Html:
    rows = [(name, frame.time(moment)) for name, moment in upcoming[:NEWEST]]
    return table("What the clock says next", ("Schedule", "When"), rows, "The clock says nothing next.")
