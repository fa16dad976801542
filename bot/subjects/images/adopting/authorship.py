"""What is known of who made a foreign change: pure. Stored with the change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from slipway.bot.clouds.ports.image_activity import Author
from slipway.bot.core.model import Model
from slipway.bot.subjects.images.formatting import join_names

PATIENCE = timedelta(minutes=15)
"""So long beyond the time within which the log should have it, it is asked again."""

LONGEST_PAUSE = timedelta(minutes=8)
"""Between two questions; the first pauses are shorter."""

MOST_NAMED = 3
"""So many authors are named."""


class Known(StrEnum):
    """What is known. Stored."""

    NOT_ASKED = "not-asked"  # there is no log, or there are too many changes to ask about each
    ASKED = "asked"  # the log does not have it yet
    NAMED = "named"
    NOBODY = "nobody"  # the log names nobody, and its time is over
    UNREAD = "unread"  # it cannot be read


class NamedAuthor(Model):
    """An author, as it is stored; see :class:`slipway.bot.clouds.ports.image_activity.Author`."""

    name: str
    through: str
    at: datetime


class Authorship(Model):
    """What is known of who made a change. Stored: names of fields stay.

    Attributes:
        known: what is known.
        log: what the log is called, in a sentence.
        authors: who, the newest first.
        why: why the log cannot be read, in a sentence.
        until: until when it is asked.
        tries: how often it was asked.
    """

    known: Known = Known.NOT_ASKED
    log: str = ""
    authors: tuple[NamedAuthor, ...] = ()
    why: str = ""
    until: datetime | None = None
    tries: int = 0


NOT_ASKED = Authorship()


def asked(log: str, logged_within: timedelta, now: datetime) -> Authorship:
    """What is known of a change that was just seen, of which a log may tell within some time."""
    return Authorship(known=Known.ASKED, log=log, until=now + logged_within + PATIENCE)


def answered(before: Authorship, authors: Sequence[Author], now: datetime) -> Authorship:
    """What is known after the log was read."""
    if authors:
        named = tuple(NamedAuthor(name=each.name, through=each.through, at=each.at) for each in authors)
        return before.model_copy(update={"known": Known.NAMED, "authors": named[:MOST_NAMED]})
    over = before.until is None or now >= before.until
    return before.model_copy(
        update={"known": Known.NOBODY if over else Known.ASKED, "tries": before.tries + 1}
    )


def failed(before: Authorship, why: str, now: datetime, *, for_good: bool) -> Authorship:
    """What is known after the log could not be read; ``for_good``: asking again does not help."""
    over = for_good or before.until is None or now >= before.until
    changes = {"known": Known.UNREAD, "why": why} if over else {"tries": before.tries + 1}
    return before.model_copy(update=changes)


def next_question(known: Authorship, now: datetime) -> datetime | None:
    """When the log is asked again; None for never."""
    if known.known is not Known.ASKED:
        return None
    return now + min(timedelta(minutes=2 ** max(known.tries - 1, 0)), LONGEST_PAUSE)


def by_whom(known: Authorship, seen_at: datetime) -> str:
    """Who did it, behind what they did: `` by NAME, through the console, at 12:04 UTC``, with the day where that is
    another one than that on which it was seen; empty where nothing is known."""
    if known.known is not Known.NAMED:
        return ""
    who = [
        f"{each.name}{f', through {each.through},' if each.through else ''} {_when(each.at, seen_at)}"
        for each in known.authors
    ]
    return f" by {who[0]}" if len(who) == 1 else f", by one of {join_names(who, MOST_NAMED)}"


def _when(at: datetime, seen_at: datetime) -> str:
    return f"at {at:%H:%M} UTC" if at.date() == seen_at.date() else f"on {at:%Y-%m-%d %H:%M} UTC"


def why_not_known(known: Authorship) -> str:
    """Why it is not known who did it, as a sentence behind a blank; empty where it is, or may come to be."""
    match known.known:
        case Known.NOBODY:
            return f" {known.log} names nobody for that."
        case Known.UNREAD:
            return f" By whom is not known: {known.why}"
        case _:
            return ""
