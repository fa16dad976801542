"""`!status`: how the bot itself is doing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from slipway import __version__
from slipway.bot.chat.model import Card, Field, Table, Tone
from slipway.bot.core.commands import command
from slipway.bot.core.times import format_span, format_time
from slipway.bot.operations.model import OperationState
from slipway.commands.dispatch.context import CardReply, CommandContext

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.messages.service import Backlog

_SCHEDULES_SHOWN = 8


@command(
    "status",
    summary="How Slipway is doing: connections, clouds, open operations.",
    examples=("status",),
)
async def status(call: CommandContext) -> CardReply:
    """Looks at what the bot knows without asking a cloud."""
    services = call.services
    health = {platform: chat.health() for platform, chat in services.chats.items()}
    rows = tuple(
        (platform, "✔ connected" if each.connected else "✘ not connected", _age(each.last_heard_from))
        for platform, each in health.items()
    )
    operations = await services.operations.open_ones()
    waiting = sum(each.state is OperationState.PROPOSED for each in operations)
    up = services.clock() - services.started_at
    unsaid = _unsaid(await services.backlog())
    healthy = all(each.connected for each in health.values()) and not unsaid
    return CardReply(
        Card(
            tone=Tone.INFO if healthy else Tone.WARNING,
            title=f"Slipway {__version__} is up for {format_span(up)}",
            fields=(
                Field(label="Clouds", value=", ".join(services.clouds_in_words) or "none"),
                Field(label="Waiting for approval", value=str(waiting)),
                Field(label="Running", value=str(len(operations) - waiting)),
                Field(label="Now", value=format_time(services.clock(), services.cards.zone)),
            ),
            tables=(Table(columns=("Chat", "Connection", "Last heard from"), rows=rows), *_schedules(call)),
            notes=(*unsaid, *(each.detail for each in health.values() if each.detail)),
        )
    )


def _unsaid(backlog: Backlog) -> tuple[str, ...]:
    """What could not be said, in sentences."""
    waiting = [
        f"{count} messages wait for {platform}." if count != 1 else f"1 message waits for {platform}."
        for platform, count in backlog.waiting.items()
    ]
    if backlog.dropped:
        many = "messages were" if backlog.dropped != 1 else "message was"
        waiting.append(f"{backlog.dropped} {many} dropped in the last day; the log says which.")
    return tuple(waiting)


def _schedules(call: CommandContext) -> tuple[Table, ...]:
    services = call.services
    now, entries = services.clock(), {each.name: each for each in services.settings.schedule}
    coming = services.upcoming()
    rows = tuple(
        (name, entries[name].command, format_time(at, entries[name].zone), format_span(at - now))
        for name, at in coming[:_SCHEDULES_SHOWN]
    )
    title = f"Next of {len(coming)} schedules" if len(coming) > len(rows) else "Schedules"
    return (Table(title=title, columns=("Schedule", "Says", "Next", "In"), rows=rows),) if rows else ()


def _age(age: timedelta | None) -> str:
    return "never" if age is None else f"{format_span(age)} ago"


PARTS = (status,)
