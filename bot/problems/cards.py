"""What people see of problems."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from slipway.bot.chat.model import Card, Field, Platform, Shortcut, Tone
from slipway.bot.chat.tables import Row, moment, table_of, text
from slipway.bot.core.times import format_time
from slipway.bot.people import People
from slipway.bot.problems.model import Ending, Entry

MOST_ROWS = 15
"""Problems that one message names; more are counted."""

MOST_CALLED = 20
"""Persons that one message calls at most: a role can be held by very many."""

SEEN = "I look into it"
"""What an acknowledgement by a press says."""

May = Callable[[str], bool]
"""Whether whoever reads a card may use a command."""


def _everybody(_line: str) -> bool:
    """What a room is told is read by those who may, too."""
    return True


_COLUMNS = {"id": "ID", "what": "What", "since": "Since", "owner": "For", "state": "State"}


@dataclass(frozen=True)
class ProblemView:
    """What cards of problems are made with.

    Attributes:
        people: everybody.
        prefix: of command lines.
        zone: of times.
        owner: whom a problem is for that says nothing of it, as the configuration has it; empty for nobody.
    """

    people: People
    prefix: str
    zone: ZoneInfo
    owner: str

    def owner_of(self, entry: Entry) -> str:
        """Whom a problem is for: a person's id, or ``role:NAME``; empty for nobody in particular."""
        return self.people.owner(entry.found.owner or self.owner)

    def accounts_of(self, entries: Sequence[Entry], platform: Platform) -> tuple[str, ...]:
        """The accounts by which a message calls those whom problems are for."""
        owners = dict.fromkeys(self.owner_of(entry) for entry in entries)
        holders = (each for owner in owners for each in self.people.owners(owner))
        accounts = dict.fromkeys(found for each in holders if (found := each.account_on(platform)))
        return tuple(accounts)[:MOST_CALLED]

    def state(self, entry: Entry, now: datetime) -> str:
        """How a problem stands, in a few words."""
        if entry.ending is Ending.UNWATCHED:
            return "not looked at any more"
        if entry.closed_at is not None:
            return f"over since {format_time(entry.closed_at, self.zone)}"
        given = entry.standing(now)
        if given is None:
            return "open"
        return f"{self.people.name(given.by)} sees to it until {format_time(given.until, self.zone)}: {given.reason}"


def list_card(entries: Sequence[Entry], view: ProblemView, now: datetime, may: May = _everybody) -> Card:
    """The list: what nobody sees to first."""
    if not entries:
        return Card(tone=Tone.DONE, title="There are no problems.")
    ordered = sorted(entries, key=lambda each: each.standing(now) is not None)
    alone = [each for each in ordered if each.standing(now) is None]
    count = f"{len(entries)} problem{'' if len(entries) == 1 else 's'}"
    seen_to = f", {len(entries) - len(alone)} of them seen to" if len(alone) < len(entries) else ""
    if not alone:
        seen_to = ", seen to" if len(entries) == 1 else ", all seen to"
    return Card(
        tone=Tone.WARNING if alone else Tone.INFO,
        title=f"{count}{seen_to}",
        tables=(table_of(_COLUMNS, [_row(each, view, now) for each in ordered]),),
        notes=_of_one((alone or ordered)[0], view, now, may),
        shortcuts=_mends(ordered, may),
    )


def entry_card(entry: Entry, view: ProblemView, now: datetime, may: May = _everybody) -> Card:
    """All about one problem."""
    found = entry.found
    owner = view.owner_of(entry)
    over = f"{'Over' if entry.ending is Ending.WELL else 'Not looked at any more'}: " if entry.closed else ""
    fields = [
        Field(label="ID", value=entry.id),
        Field(label="Since", value=format_time(entry.since, view.zone)),
        *([Field(label="For", value=view.people.owner_in_words(owner))] if owner else []),
        Field(label="State", value=view.state(entry, now)),
    ]
    return Card(
        tone=Tone.DONE if entry.closed else Tone.INFO if entry.standing(now) else Tone.WARNING,
        title=f"{over}{found.what}",
        text=found.detail,
        fields=tuple(fields),
        notes=_notes(entry, view, now, may),
        shortcuts=_shortcuts(entry, now, may),
    )


def notice_card(entries: Sequence[Entry], view: ProblemView, now: datetime, title: str) -> Card:
    """What a room is told of problems that came at once; edited as they change.

    Args:
        entries: the problems.
        view: what cards are made with.
        now: the present.
        title: what their source looks at.
    """
    if len(entries) == 1:
        return entry_card(entries[0], view, now)
    standing = [each for each in entries if not each.closed]
    shown = [*standing, *(each for each in entries if each.closed)]
    rows = [_row(each, view, now) for each in shown[:MOST_ROWS]]
    left = len(shown) - len(rows)
    heading = f"{len(entries)} problems with {title}"
    if not standing:
        return Card(tone=Tone.DONE, title=f"Over: {heading}", tables=(table_of(_COLUMNS, rows),))
    over = f", {len(entries) - len(standing)} of them over" if len(standing) < len(entries) else ""
    alone = [each for each in standing if each.standing(now) is None]
    more = (f"And {left} more: `{view.prefix}problems`",) if left else ()
    return Card(
        tone=Tone.WARNING if alone else Tone.INFO,
        title=f"{heading}{over}",
        tables=(table_of(_COLUMNS, rows),),
        notes=(*more, *_of_one(next(iter(alone), standing[0]), view, now, _everybody)),
    )


def _of_one(entry: Entry, view: ProblemView, now: datetime, may: May) -> tuple[str, ...]:
    """What to type about one of several."""
    acknowledging = f"problem ack {entry.id} REASON"
    offered = entry.standing(now) is None and may(acknowledging)
    return (
        f"More about one: `{view.prefix}problems {entry.id}`",
        *((f"See to one: `{view.prefix}{acknowledging}`",) if offered else ()),
    )


def lapsed_card(entry: Entry, view: ProblemView) -> Card:
    """That an acknowledgement has lapsed, and the problem is there still."""
    given = entry.acknowledged
    who = view.people.name(given.by) if given is not None else "nobody"
    return Card(
        tone=Tone.WARNING,
        title=f"{entry.id} is still so, and nobody sees to it any more",
        text=f"{entry.found.what} {who}'s acknowledgement has lapsed.",
        notes=(f"See to it for longer: `{view.prefix}problem ack {entry.id} REASON`",),
    )


def _row(entry: Entry, view: ProblemView, now: datetime) -> Row:
    given, owner = entry.standing(now), view.owner_of(entry)
    return {
        "id": text(entry.id),
        "what": text(entry.found.what),
        "since": moment(entry.since, format_time(entry.since, view.zone)),
        "owner": text(owner or None, view.people.owner_in_words(owner) or "-"),
        "state": text(entry.state.value, view.state(entry, now)),
        "source": text(entry.source),
        "acknowledged_by": text(given.by if given else None),
        "acknowledged_until": moment(given.until if given else None, ""),
        "command": text(entry.found.mend.command if entry.found.mend else None),
    }


def _notes(entry: Entry, view: ProblemView, now: datetime, may: May) -> tuple[str, ...]:
    found = entry.found
    if entry.closed:
        return ()
    offers = {"See to it": f"problem ack {entry.id} REASON"} if entry.standing(now) is None else {}
    if found.mend is not None:
        offers = {found.mend.label: found.mend.command} | offers
    lines = (f"{label}: `{view.prefix}{line}`" for label, line in offers.items() if may(line))
    return tuple(filter(None, (found.move, *lines)))


def _shortcuts(entry: Entry, now: datetime, may: May) -> tuple[Shortcut, ...]:
    if entry.closed:
        return ()
    ack = Shortcut(label=SEEN, command=f"problem ack {entry.id} {SEEN}")
    offered = not entry.standing(now) and may(ack.command)
    return (*_mends([entry], may), *((ack,) if offered else ()))


def _mends(entries: Sequence[Entry], may: May) -> tuple[Shortcut, ...]:
    """Buttons for what mends problems; one line once."""
    found = [each.found.mend for each in entries if each.found.mend is not None]
    mends = {each.command: each for each in found if may(each.command)}
    many = len(entries) > 1  # a button then says of which it is
    return tuple(
        Shortcut(label=f"{each.label}: {each.command}"[:70] if many else each.label, command=each.command)
        for each in list(mends.values())[:5]
    )
