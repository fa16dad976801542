"""What people hear of credentials that end, come, go, and cannot be read. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from slipway.bot.chat.model import Card, Field, Shortcut, Tone
from slipway.bot.core.times import format_date
from slipway.bot.subjects.credentials.changes import Change, ChangeKind, Seen
from slipway.bot.subjects.credentials.model import ROTATED, Credential, CredentialKind, State
from slipway.bot.subjects.credentials.settings import CredentialSettings
from slipway.bot.subjects.credentials.standing import Standing
from slipway.bot.subjects.credentials.words import NEW_DATE, days, described, end_in_words

MOST_SHOWN = 20
"""How many changes a card names."""


def due_card(
    credential: Credential,
    standing: Standing,
    entry: CredentialSettings,
    owner: str,
    prefix: str,
    now: datetime,
    put_off: datetime | None = None,
    *,
    can_wait: bool = True,
) -> Card:
    """The reminder that stands in the room, as things are now; ``put_off`` until when nobody is reminded again,
    ``can_wait`` whether it is not too late to put it off."""
    fields = [
        Field(label="Ends" if not credential.by_age else "Due", value=end_in_words(credential, now)),
        Field(label="Owner", value=owner),
        *([Field(label="Kept in", value=entry.kept_in)] if entry.kept_in else []),
        *([Field(label="Used by", value=entry.used_by)] if entry.used_by else []),
    ]
    if put_off is not None:
        fields.append(Field(label="Put off until", value=f"{put_off:%Y-%m-%d %H:%M} UTC"))
    if standing.successor is not None:
        after = standing.successor
        fields.append(Field(label="Beside it", value=f"{after.name}, until {end_in_words(after, now)}"))
    name, what = credential.name, described(credential)
    snooze = can_wait and standing.state is State.ENDING
    declared = credential.kind is CredentialKind.DECLARED
    rotates = bool(entry.deliver) and credential.kind in ROTATED
    return Card(
        tone=Tone.FAILED if standing.state is State.ENDED else Tone.WARNING,
        title=_title(credential, now),
        text=f"{what[:1].upper()}{what[1:]}.",
        fields=tuple(fields),
        notes=(
            _next(credential, standing),
            *((f"Slipway does that: `{prefix}credential rotate {name}`",) if rotates else ()),
            NEW_DATE if declared else f"Once that is done: `{prefix}credential done {name}`",
            *((f"Not now: `{prefix}credential snooze --for 3d {name}`",) if snooze else ()),
        ),
        shortcuts=(
            *((Shortcut(label="Rotate", command=f"credential rotate {name}"),) if rotates else ()),
            *(() if declared else (Shortcut(label="Done", command=f"credential done {name}"),)),
            *(
                (Shortcut(label="Snooze for 3 days", command=f"credential snooze --for 3d {name}"),)
                if snooze
                else ()
            ),
        ),
    )


def _title(credential: Credential, now: datetime) -> str:
    left = credential.left(now) or timedelta()
    if left <= timedelta():
        gone = "has been too old for" if credential.by_age else "ended"
        return f"{credential.name} {gone} {days(-left)}{'' if credential.by_age else ' ago'}"
    return f"{credential.name} {'is too old' if credential.by_age else 'ends'} in {days(left)}"


def _next(credential: Credential, standing: Standing) -> str:
    if standing.successor is not None:
        return "There is a newer one: see that everything uses it, and take this one away."
    if credential.by_age:
        return "Make a new one, see that everything uses it, and take this one away."
    return "Make a new one before the end, and see that everything uses it."


def step_card(
    credential: Credential, now: datetime, mentions: tuple[str, ...], *, lost: bool = False
) -> Card:
    """A further reminder below the first, which calls the owner again; the same whenever it is said.

    ``lost``: whether it was seen to, and what was in its place is gone.
    """
    ended = (credential.left(now) or timedelta()) <= timedelta()
    when = format_date(credential.ends_at)
    word = "was due" if credential.by_age else "ended"
    why = "what was in its place is gone" if lost else "nobody has said that it is seen to"
    coming = "is due" if credential.by_age else "ends"
    return Card(
        tone=Tone.FAILED if ended else Tone.WARNING,
        title=f"{credential.name} {word if ended else coming} on {when}, and {why}.",
        mentions=mentions,
    )


def settled_card(name: str, how: str) -> Card:
    """What stands in a reminder's place once there is nothing to remind of."""
    return Card(tone=Tone.DONE, title=f"{name} {how}")


def how_settled(now: Credential | None, before: Seen, standing: Standing | None, person: str) -> str:
    """Why nobody is reminded of a credential any more, as the rest of a sentence about it."""
    if now is None:
        return "is gone from its source"
    if now.ends_at != before.ends_at:
        return "has no end now" if now.ends_at is None else f"ends on {format_date(now.ends_at)} now"
    if standing is not None and standing.state is State.LEFTOVER:
        return "is accepted no more, and another one is in its place"
    return f"is seen to, says {person}" if person else "needs nobody now"


def changed_card(entry: str, found: Sequence[Change], now: datetime, prefix: str) -> Card:
    """What came, went and was renewed by an entry."""
    lines = [f"{_words(each, now)}." for each in found[:MOST_SHOWN]]
    if len(found) > MOST_SHOWN:
        lines.append(f"And {len(found) - MOST_SHOWN} more.")
    gone = any(each.kind is ChangeKind.DISAPPEARED for each in found)
    return Card(
        tone=Tone.WARNING if gone else Tone.INFO,
        title=f"Credentials of {entry} changed at their source",
        text="\n".join(lines),
        notes=(f"What there is now: `{prefix}credentials {entry}`",),
    )


def _words(change: Change, now: datetime) -> str:
    what = (
        change.now.title
        if change.now is not None
        else change.before.title
        if change.before is not None
        else ""
    )
    name = (
        change.now.name if change.now is not None else change.before.name if change.before is not None else ""
    )
    ends = end_in_words(change.now, now) if change.now is not None else ""
    match change.kind:
        case ChangeKind.APPEARED:
            return f"{name} is new ({what}), and ends {_on(ends)}"
        case ChangeKind.DISAPPEARED:
            return f"{name} is gone ({what})"
        case ChangeKind.RENEWED:
            return f"{name} was renewed ({what}), and ends {_on(ends)}"


def _on(ends: str) -> str:
    return f"on {ends}" if ends[:1].isdigit() else f"when it is {ends}" if ends == "not told" else ends


def unread_card(entry: str, problem: str, prefix: str, mentions: tuple[str, ...]) -> Card:
    """That a source cannot be read, which hides all that it has."""
    return Card(
        tone=Tone.FAILED,
        title=f"Credentials of {entry} cannot be read, so nobody is reminded of their end",
        text=problem,
        notes=(f"Once that is put right: `{prefix}credentials {entry}`",),
        mentions=mentions,
    )


def readable_card(entry: str) -> Card:
    """That it can be read again."""
    return Card(tone=Tone.DONE, title=f"Credentials of {entry} can be read again")
