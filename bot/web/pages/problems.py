"""The page of what is wrong."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.bot.config.settings import ROLE
from slipway.bot.core.http.messages import HttpRequest, HttpResponse
from slipway.bot.problems.model import Entry
from slipway.bot.web.pages.html import Child, Html, join, tag
from slipway.bot.web.pages.parts import ROOT, Frame, table
from slipway.bot.web.pages.sources import PageSources

_HERE = f"{ROOT}/problems"


async def listing(sources: PageSources, frame: Frame, _request: HttpRequest) -> HttpResponse:
    """All that is wrong, longest first."""
    found = await sources.services.problems.open_problems()
    return frame.page("Problems", _HERE, problems_table(found, sources, frame), again=_HERE)


def problems_table(found: Sequence[Entry], sources: PageSources, frame: Frame) -> Html:
    """Entries of the list, one a row."""
    heads = ("Problem", "What is wrong", "For", "Since", "Known to")
    rows = (_row(each, sources, frame) for each in found)
    return table("What is wrong", heads, rows, "Nothing is wrong that the bot knows of.")


def _row(entry: Entry, sources: PageSources, frame: Frame) -> Sequence[Child]:
    found = entry.found
    more = " ".join(filter(None, (found.detail, found.move)))
    mend = found.mend
    words = join(found.what, f" {more}" if more else None)
    if mend is not None:
        words = join(words, " ", tag("code", f"{sources.prefix}{mend.command}"))
    known: Child = "-"
    if (acknowledged := entry.acknowledged) is not None and acknowledged.holds(frame.now):
        known = join(f"{sources.name(acknowledged.by)} until ", frame.time(acknowledged.until))
    owner = found.owner or sources.services.settings.problems.owner
    whom = owner.removeprefix(ROLE) if owner.startswith(ROLE) else sources.name(owner)
    return tag("span", entry.id, class_="id"), words, whom or "-", frame.time(entry.since), known
