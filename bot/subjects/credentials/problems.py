"""What is wrong with credentials, for the list of problems: sources that cannot be read, and credentials that ended,
of which reminders tell already.

By what the watch saw last, so that what cannot be read now stays in the list.
"""

from __future__ import annotations

from collections.abc import Mapping

from slipway.bot.core.times import format_date
from slipway.bot.operations.services import Services
from slipway.bot.problems.declaration import ProblemSource
from slipway.bot.problems.model import Found, Look, Mend
from slipway.bot.subjects.credentials.changes import Seen, SeenEntry
from slipway.bot.subjects.credentials.model import ROTATED, CredentialKind
from slipway.bot.subjects.credentials.services import CredentialServices
from slipway.bot.subjects.credentials.words import NEW_DATE


async def look_at_sources(services: Services) -> Look:
    """Each entry that cannot be read."""
    held, entries = await _seen(services)
    unread = (
        Found(
            key=f"unread {name}",
            what=f"Credentials of {name} cannot be read, so nobody is reminded of their end.",
            scope=name,
            detail=entry.problem,
            owner=held.owner_id(name),
            move="Whose move it is: whoever runs Slipway.",
        )
        for name, entry in entries.items()
        if entry.outage_told
    )
    return Look.of(unread, scopes=held.inventory.entries)


async def look_at_ended(services: Services) -> Look:
    """Everything that ended with nothing in its place."""
    held, entries = await _seen(services)
    ended = (
        _overdue(name, key, each, held)
        for name, entry in entries.items()
        for key, each in entry.credentials.items()
        if each.overdue
    )
    return Look.of(ended, scopes=held.inventory.entries)


async def _seen(services: Services) -> tuple[CredentialServices, Mapping[str, SeenEntry]]:
    held = services.get(CredentialServices)
    return held, await held.watcher.seen() if held.watcher is not None else {}


def _overdue(entry: str, key: str, each: Seen, held: CredentialServices) -> Found:
    used_by = held.entry(entry).used_by
    when = format_date(each.ends_at)
    what = (
        f"{each.name} is too old since {when}, and still accepted."
        if each.by_age
        else f"{each.name} ended on {when}, and nothing is in its place."
    )
    return Found(
        key=f"ended {key} {when}",
        what=what,
        scope=entry,
        detail=f"Used by {used_by}." if used_by else "",
        since=each.ends_at,
        owner=held.owner_id(entry),
        move=f"Make a new one, and see that everything uses it. {NEW_DATE}"
        if each.kind == CredentialKind.DECLARED
        else "Make a new one, see that everything uses it, and take this one away.",
        mend=_mend(entry, each, held),
    )


def _mend(entry: str, each: Seen, held: CredentialServices) -> Mend | None:
    """Its rotation, where Slipway does that; else the command that looks whether somebody has seen to it.

    None of what stands in slipway.toml alone.
    """
    if each.kind == CredentialKind.DECLARED:
        return None
    if held.entry(entry).deliver and each.kind in ROTATED:
        return Mend(label="Rotate", command=f"credential rotate {each.name}")
    return Mend(label="Done", command=f"credential done {each.name}")


def _configured(services: Services) -> bool:
    return bool(services.get(CredentialServices).inventory.entries)


SOURCES = (
    ProblemSource("credentials", "credentials", look_at_sources, wanted=_configured),
    ProblemSource(
        "credentials-ended", "credentials that ended", look_at_ended, tells=False, wanted=_configured
    ),
)
