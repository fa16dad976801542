"""`!report weekly` and `!report monthly`: what was done."""

from __future__ import annotations

import click

from slipway.bot.core.commands import command
from slipway.bot.reports.model import Period, ReportKind
from slipway.bot.reports.periods import is_month, last_day, last_month, last_week, named_month
from slipway.commands.dispatch.context import CardReply, CommandContext, MisuseError
from slipway.commands.grammar.values import OneOf, said_back
from slipway.commands.reports.making import report_of


def _checked(context: click.Context, _month: click.Parameter, value: str | None) -> str | None:
    """A month, as far as it can be told without knowing which one it is now: so `slipway check` tells of it, too."""
    if value is None:
        return None
    which = context.params.get("which")
    if which in _LOOKS_BACK:
        raise click.BadParameter(f"a {which} report is of {_LOOKS_BACK[which]}: name no month")
    if not is_month(value):
        raise click.BadParameter(f"{said_back(value)} is no month; write it like 2026-11")
    return value


_LOOKS_BACK = {ReportKind.DAILY.value: "today", ReportKind.WEEKLY.value: "the last seven days"}


@command(
    "report",
    summary="The digest of a day, what was promoted and removed in a week, or the figures of a month.",
    examples=("report weekly", "report monthly", "report monthly 2026-11"),
)
@click.argument("which", type=OneOf("daily", "weekly", "monthly"), help="daily, weekly or monthly.")
@click.argument(
    "month",
    required=False,
    callback=_checked,
    help="Of monthly: which month; without, the one that ended last.",
)
async def report(call: CommandContext, which: str, month: str | None) -> CardReply:
    """The weekly one tells what was promoted, taken back, removed and restored in seven days, and what waits and
    why, with timelines of the definitions that moved. The monthly one has the figures of a calendar month:
    operations by kind and end, promotions, machines and their cost, credentials, problems.

    The daily one is `digest`. The message says it in a few words, its thread has the rest. A schedule says it each
    week or month."""
    return await report_of(call, _period(call, ReportKind(which), month))


def _period(call: CommandContext, kind: ReportKind, month: str | None) -> Period:
    now, zone = call.services.clock(), call.services.cards.zone
    if kind is not ReportKind.MONTHLY:
        return last_week(now) if kind is ReportKind.WEEKLY else last_day(now)
    if month is None:
        return last_month(now, zone)
    try:
        return named_month(month, now, zone)
    except ValueError as error:
        raise MisuseError(f"`MONTH`: {error}.", report) from error


PARTS = (report,)
