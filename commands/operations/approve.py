"""`!approve`: agree to a proposed operation."""

from __future__ import annotations

import re

import click

from slipway.bot.chat.model import Choice
from slipway.bot.core.commands import Access, command
from slipway.bot.core.errors import UserError
from slipway.bot.operations.model import DIGEST_PREFIX
from slipway.commands.dispatch.context import CommandContext, OperationUpdate
from slipway.commands.grammar.values import FREE_TEXT, OPERATION_OR_TEXT, said_back, without_punctuation
from slipway.commands.operations.choosing import choose, said

WHOLE_DIGEST = 64
"""Digits of a SHA-256."""

_DISSENT = re.compile(
    r"(?:no|nope|not|never|don['\u2019]?t|do not|wait|hold|stop|nack|nak|reject|deny|-1|all\W*$)(?!\w)"
    r"(?!\W+(?:objections?|problems?|concerns?|issues?|doubts?|worries)\b)",
    re.IGNORECASE,
)
"""How a remark begins that hardly goes with an approval, or (`all`) approves more than one operation."""

_CUT_OFF = 5  # shorter ones are as often words or numbers of a remark
_HEXADECIMAL = re.compile(r"[0-9a-f]+", re.ASCII)
_DIGIT = re.compile(r"[0-9]", re.ASCII)
_LETTER = re.compile(r"[a-f]", re.ASCII)


@command(
    "approve",
    summary="Agree to a proposed operation.",
    examples=("approve op-7k3f", "approve op-7k3f 1b9f03ac", "approve op-7k3f tested on two machines"),
    access=Access.DECIDE,
)
@click.argument(
    "operation", type=OPERATION_OR_TEXT, required=False, help="An operation's id, as its card shows it."
)
@click.argument("digest", required=False, help="Digits of the plan, as its card shows them.")
@click.argument("remark", nargs=-1, type=FREE_TEXT, help="Whatever you have to say; it is shown and kept.")
async def approve(
    call: CommandContext, operation: str | None, digest: str | None, remark: tuple[str, ...]
) -> OperationUpdate:
    """Without an ID, the operation is meant whose card you answer, or else the one that waits with its card in
    this room. Your approval counts if the policy says so: you
    hold the role it names, and by default you did not ask for it yourself. When enough have agreed, the plan
    is made again; only if nothing changed it runs."""
    # Here, because it brings the database along, which a look at the commands' names need not load.
    from slipway.bot.operations.decisions import Decision

    chosen = await choose(call, said(operation, digest, *remark), prose=False)
    digits, words = _digest_in(chosen.words)
    remark_words = " ".join(words)
    if _DISSENT.match(remark_words):
        raise UserError(
            f"{said_back(remark_words)} does not sound like an approval, so nothing was counted. "
            "Agree without these words, or refuse it.",
            hint=f"reject {chosen.operation_id}",
        )
    decision = Decision(
        chosen.operation_id,
        call.person,
        Choice.APPROVE,
        call.event_key,
        digits,
        remark_words,
        doubt=call.asker.doubt,
    )
    return OperationUpdate((await call.services.approvals.decide(decision)).id)


def _digest_in(words: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """The digits of the plan that somebody names, and their remark.

    Raises:
        UserError: digits that were cut off or doubled: whoever names some wants them compared.
    """
    first = without_punctuation(words[0]).lower() if words else ""
    if not _HEXADECIMAL.fullmatch(first):
        return None, words
    if len(first) in (DIGEST_PREFIX, WHOLE_DIGEST):
        return first, words[1:]
    if len(first) >= _CUT_OFF and _DIGIT.search(first) and _LETTER.search(first):
        raise UserError(
            f"{said_back(first)} has {len(first)} digits; a card shows {DIGEST_PREFIX} of its plan's."
        )
    return None, words


PARTS = (approve,)
