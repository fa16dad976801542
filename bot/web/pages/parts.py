"""What pages are made of: the frame, tables, times, states."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from slipway.bot.core.http.messages import HttpResponse
from slipway.bot.core.times import format_time
from slipway.bot.operations.model import OperationState
from slipway.bot.web.pages.html import Child, Html, join, tag

ROOT = "/ui"

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Nothing runs, nothing is loaded from elsewhere, and no other page shows these."""

REFRESH_SECONDS = 30

_NAVIGATION = (
    ("Overview", ROOT),
    ("Operations", f"{ROOT}/operations"),
    ("Schedules", f"{ROOT}/schedules"),
    ("Problems", f"{ROOT}/problems"),
    ("Audit", f"{ROOT}/audit"),
)

_WORDY = frozenset({"What", "Why", "Result", "More", "What is wrong", "Words", "Line", "Last"})
"""Columns of sentences: what is in the others stays in one piece, where there is room."""

_SIGNS = {
    OperationState.PROPOSED: ("?", "waits"),
    OperationState.APPROVED: ("→", "waits"),
    OperationState.RUNNING: ("▶", "runs"),
    OperationState.DONE: ("✔", "good"),
    OperationState.FAILED: ("✘", "bad"),
    OperationState.REJECTED: ("✘", "over"),
    OperationState.EXPIRED: ("✘", "over"),
    OperationState.STALE: ("✘", "over"),
    OperationState.CANCELLED: ("✘", "over"),
    OperationState.UNKNOWN: ("?", "over"),
}


@dataclass(frozen=True)
class Frame:
    """What surrounds every page of one request.

    Attributes:
        name: of the deployment.
        zone: in which times are shown.
        now: the time.
        user: who reads, as a proxy names them; empty for nobody in particular.
        refresh: whether the page is to be loaded again by itself.
    """

    name: str
    zone: ZoneInfo
    now: datetime
    user: str = ""
    refresh: bool = False

    def page(
        self, title: str, address: str, *parts: Child, status: int = HTTPStatus.OK, again: str = ""
    ) -> HttpResponse:
        """A page.

        Args:
            title: its heading.
            address: the page of the navigation that it belongs to.
            parts: what stands on it.
            status: of the answer.
            again: its own address with what it was asked for, for a link that loads it again by itself.
        """
        links = (
            tag("li", tag("a", text, href=to, aria_current="page" if to == address else None))
            for text, to in _NAVIGATION
        )
        head = tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", http_equiv="refresh", content=REFRESH_SECONDS) if self.refresh else None,
            tag("title", f"{title} - {self.name}"),
            tag("link", rel="stylesheet", href=f"{ROOT}/style.css"),
        )
        body = tag(
            "body",
            tag("a", "To the content", class_="skip", href="#content"),
            tag(
                "header",
                tag("p", self.name, class_="name"),
                tag("nav", tag("ul", links), aria_label="Pages"),
            ),
            tag("main", tag("h1", title), *parts, id="content"),
            tag("footer", self._foot(again)),
        )
        document = join(Html("<!doctype html>\n"), tag("html", head, body, lang="en"))
        return HttpResponse(status, document.encode(), "text/html; charset=utf-8", HEADERS)

    def _foot(self, again: str) -> Html:
        who = f" Read by {self.user}." if self.user else ""
        told = join(
            "As of ",
            self.time(self.now, seconds=True),
            f". Nothing can be changed here; that is said in a room.{who}",
        )
        if not again:
            return tag("p", told)
        to, word = again, f"Refresh every {REFRESH_SECONDS} s"
        if self.refresh:
            word = "Stop refreshing"
        else:
            to = f"{again}{'&' if '?' in again else '?'}refresh=1"
        return tag("p", told, " ", tag("a", word, href=to))

    def time(self, moment: datetime | None, *, seconds: bool = False) -> Html:
        """A moment, with its zone; a dash where there is none."""
        if moment is None:
            return Html("-")
        shown = format_time(moment, self.zone)
        if seconds:
            here = moment.astimezone(self.zone)
            shown = f"{here:%Y-%m-%d %H:%M:%S %Z}"
        return tag("time", shown, datetime=moment.astimezone(UTC).isoformat(timespec="seconds"))


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[Child]], empty: str) -> Html:
    """A table; a sentence where it has no rows.

    On a narrow screen each row stands as a block of its own: the roles say what a browser would forget with that.
    """
    found = list(rows)
    if not found:
        return tag("p", empty, class_="empty")
    header = (tag("th", head, scope="col", role="columnheader") for head in heads)
    body = (
        tag(
            "tr",
            (
                tag(
                    "td",
                    tag("div", cell),
                    role="cell",
                    data_label=head,
                    class_="words" if head in _WORDY else None,
                )
                for head, cell in zip(heads, row, strict=True)
            ),
            role="row",
        )
        for row in found
    )
    return tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", header, role="row"), role="rowgroup"),
        tag("tbody", body, role="rowgroup"),
        role="table",
    )


def facts(*pairs: tuple[str, Child]) -> Html:
    """Names and values, one a line; what has no value is left out."""
    shown = ((name, value) for name, value in pairs if value not in (None, ""))
    return tag("dl", (join(tag("dt", name), tag("dd", value)) for name, value in shown))


def section(title: str, *parts: Child) -> Html:
    """A part of a page, with its heading."""
    return tag("section", tag("h2", title), *parts)


def state(of: OperationState) -> Html:
    """A state, by sign, word and colour."""
    sign, look = _SIGNS[of]
    return badge(sign, of.value, look)


def badge(sign: str, word: str, look: str) -> Html:
    """A word with a sign before it, in a colour that says no more than these."""
    return tag("span", tag("span", sign, aria_hidden="true"), f" {word}", class_=f"badge {look}")


def operation_link(operation_id: str) -> Html:
    """A link to the page of an operation."""
    return tag("a", operation_id, href=f"{ROOT}/operations/{operation_id}", class_="id")


def address(path: str, **query: str) -> str:
    """An address with what is asked for in it; what is empty is left out."""
    asked = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{asked}" if asked else path
