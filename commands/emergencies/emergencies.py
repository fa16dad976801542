"""`!emergencies`: what was let run without the approvals that it takes."""

from __future__ import annotations

from collections.abc import Callable

from slipway.bot.chat.model import Card, Tone
from slipway.bot.chat.tables import Row, moment, table_of, text
from slipway.bot.core.commands import command
from slipway.bot.core.times import format_time
from slipway.bot.operations.emergency.model import Emergency
from slipway.bot.people import listed
from slipway.bot.subjects.emergencies.services import EmergencyServices
from slipway.commands.dispatch.context import CardReply, CommandContext

MOST_SHOWN = 15

_COLUMNS = {
    "id": "Operation",
    "who": "Who",
    "what": "What",
    "why": "Why",
    "at": "When",
    "state": "Is",
    "review": "Review",
}


@command(
    "emergencies",
    summary="What was let run without its approvals, and what others say of that.",
    examples=("emergencies",),
    aliases=("emergency",),
)
async def emergencies(call: CommandContext) -> CardReply:
    """Whom `[emergency]` of the configuration names can end the line of a change with `--emergency REASON`, of the
    kinds that it names: then nobody else has to agree. All rooms are told at once, and somebody else reviews it.

    It passes approvals alone: what is held or bad is refused as ever, what a plan itself demands stays, and what has
    changed since it was planned is not done."""
    services, person = call.services, call.person
    found = await services.get(EmergencyServices).store.recent(MOST_SHOWN)
    left = [each for each in found if each.review is None]
    notes = []
    theirs = next((each for each in left if each.person != person.id), None)
    if theirs is not None and call.may(line := f"emergency review {theirs.operation_id} justified REASON"):
        notes.append(f"Review one: `{call.prefix}{line}`, or `unjustified`")
    allowed = services.settings.emergency
    who = [each for each in map(services.people.by_id, allowed.people) if each is not None]
    if who and allowed.kinds:
        notes.append(f"May pass approvals of {', '.join(allowed.kinds)}: {listed(who)}")
    rows = [_row(each, services.people.name, format_time(each.at, person.zone)) for each in reversed(found)]
    card = Card(
        tone=Tone.WARNING if left else Tone.INFO,
        title=_title(len(found), len(left)),
        tables=(table_of(_COLUMNS, rows),) if rows else (),
        notes=tuple(notes),
    )
    return CardReply(card, nothing_to_do=not left)


def _title(there: int, left: int) -> str:
    if not there:
        return "No emergencies"
    if not left:
        return "Every emergency was reviewed"
    return f"{left} emergenc{'y' if left == 1 else 'ies'} to review"


def _row(each: Emergency, name: Callable[[str], str], at: str) -> Row:
    review = each.review
    said = None if review is None else f"{review.verdict} ({name(review.by)}: {review.words})"
    return {
        "id": text(each.operation_id),
        "who": text(each.person, name(each.person)),
        "what": text(each.command),
        "why": text(each.reason),
        "at": moment(each.at, at),
        "state": text(each.state),
        "review": text(None if review is None else review.verdict.value, said or "not yet"),
    }


PARTS = (emergencies,)
