"""`!emergency review`: say whether it was right not to wait for approvals."""

from __future__ import annotations

import click

from slipway.bot.core.commands import Access, command, dry_run
from slipway.bot.operations.emergency.model import Verdict
from slipway.bot.subjects.emergencies.requests import ReviewEmergency
from slipway.commands.dispatch.context import ChangeRequest, CommandContext, MisuseError
from slipway.commands.grammar.values import FREE_TEXT, OPERATION_ID


@command(
    "emergency review",
    summary="Say whether it was right to let something run without its approvals.",
    examples=(
        "emergency review op-7k3f justified the mirror served a broken image",
        "emergency review op-7k3f unjustified it could have waited until the morning",
    ),
    access=Access.CHANGE,
    people_only="Only a person can review an emergency.",
)
@click.argument("operation", type=OPERATION_ID, help="The operation's id, as `emergencies` shows it.")
@click.argument(
    "verdict",
    type=click.Choice([each.value for each in Verdict], case_sensitive=False),
    help="What you think: `justified` or `unjustified`.",
)
@click.argument("reason", type=FREE_TEXT, nargs=-1, help="Why; others read it.")
@dry_run
async def review(
    call: CommandContext, operation: str, verdict: str, reason: tuple[str, ...], dry_run: bool
) -> ChangeRequest:
    """Somebody else does so than who let it run. Until then it stays in the list of problems. Your word stands in the
    audit trail, and cannot be taken back."""
    if not reason:
        raise MisuseError("Say why you think so; others read it.", review)
    request = ReviewEmergency(
        person=call.person.id, operation=operation, verdict=Verdict(verdict), words=" ".join(reason)
    )
    return ChangeRequest(request, dry_run)


PARTS = (review,)
