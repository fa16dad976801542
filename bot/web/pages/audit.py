"""The page of the audit trail."""

from __future__ import annotations

import json
from collections.abc import Sequence

from slipway.bot.core.http.messages import HttpRequest, HttpResponse
from slipway.bot.operations.trail.chain import Broken
from slipway.bot.operations.trail.listing import Listed, newest_entries
from slipway.bot.operations.trail.verification import Contradicted, Intact
from slipway.bot.web.pages.html import Child, Html, join, tag
from slipway.bot.web.pages.parts import ROOT, Frame, address, badge, operation_link, table
from slipway.bot.web.pages.sources import PageSources
from slipway.bot.web.pages.verification import Verified

PAGE = 100
"""Entries on one page."""

_HERE = f"{ROOT}/audit"


async def trail(sources: PageSources, frame: Frame, request: HttpRequest) -> HttpResponse:
    """The newest entries, and whether the whole trail holds."""
    asked = request.query.get("before", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 16 else None
    entries = await newest_entries(sources.database, PAGE + 1, before=before)
    older = address(_HERE, before=str(entries[PAGE - 1].number)) if len(entries) > PAGE else ""
    return frame.page(
        "Audit trail",
        _HERE,
        _verified(await sources.verification.state(), frame),
        entries_table(entries[:PAGE], sources, frame),
        tag("p", tag("a", "Older", href=older)) if older else None,
        again=_HERE if before is None else "",
    )


def _verified(verified: Verified | None, frame: Frame) -> Html:
    if verified is None:
        return tag(
            "p", badge("…", "being read", "waits"), " Whether it is whole is found out now: load again."
        )
    when = join(" Read ", frame.time(verified.at, seconds=True), ".")
    match verified.found:
        case Intact(entries, head):
            shown = badge("✔", "whole", "good")
            words: Child = join(f" {entries:,} entries; the newest has the hash ", tag("code", head), ".")
        case Broken(number, why):
            shown, words = badge("✘", "broken", "bad"), f" At entry {number:,}: {why}."
        case Contradicted(why):
            shown, words = badge("✘", "contradicted", "bad"), f" {why}"
        case None:
            shown, words = badge("?", "not known", "waits"), " It could not be read; the log says more."
    return tag("p", shown, words, when, class_="sentence")


def entries_table(entries: Sequence[Listed], sources: PageSources, frame: Frame) -> Html:
    """Entries of the trail, newest first."""
    rows = (
        (
            str(each.number),
            frame.time(each.at, seconds=True),
            sources.name(each.actor),
            each.action,
            operation_link(each.operation_id) if each.operation_id else "-",
            _detail(each.detail),
        )
        for each in entries
    )
    heads = ("No.", "When", "Who", "Action", "Operation", "More")
    return table("Entries of the audit trail, newest first", heads, rows, "The trail has no entries.")


def _detail(text: str) -> Child:
    """Names and values of an entry's detail; what cannot be read, as it is."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(found, dict) or not found:
        return "-"
    told = {name: value for name, value in found.items() if value not in ("", None)}
    return "; ".join(
        f"{name}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in told.items()
    )
