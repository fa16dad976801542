"""`!problem ack`: know of a problem, and see to it."""

from __future__ import annotations

from datetime import timedelta

import click

from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.core.times import format_duration
from slipway.bot.subjects.problems.acknowledging import LONGEST
from slipway.bot.subjects.problems.requests import Acknowledge
from slipway.commands.dispatch.context import ChangeRequest, CommandContext, MisuseError
from slipway.commands.grammar.values import DURATION, FREE_TEXT
from slipway.commands.problems.values import PROBLEM_ID


@command(
    "problem ack",
    summary="Say that you know of a problem and see to it, for some time.",
    examples=(
        "problem ack pb-7k3f the mirror is being repaired",
        "problem ack --for 1d pb-7k3f I look into it",
    ),
    access=Access.CHANGE,
    people_only="Only a person can see to a problem.",
)
@click.argument("problem", type=PROBLEM_ID, help="Its id, as `problems` shows it.")
@click.argument("reason", type=FREE_TEXT, nargs=-1, help="What you do about it; others read it.")
@click.option("--for", "lasting", type=DURATION, metavar="3d", help="How long; up to 30 days.")
@dry_run
async def ack(
    call: CommandContext, problem: str, reason: tuple[str, ...], lasting: timedelta | None, dry_run: bool
) -> ChangeRequest:
    """It stays in the list, behind those that nobody sees to. Your word lapses at its time, and with the problem: one
    that comes back later is for everybody again."""
    if not reason:
        raise MisuseError("Say what you do about it, so that others know.", ack)
    length = lasting or call.services.settings.problems.acknowledged_for
    if length > LONGEST:
        raise MisuseError(f"It lasts for {format_duration(LONGEST)} at most.", ack)
    request = Acknowledge(
        person=call.person.id,
        problem=problem,
        words=" ".join(reason),
        seconds=int(length.total_seconds()),
    )
    return ChangeRequest(request, dry_run)


PARTS = (ack,)
