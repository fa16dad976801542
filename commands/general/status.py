"""`!status`: how the bot itself is doing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from slipway import __version__
from slipway.bot.chat.clocks import clock_problem
from slipway.bot.chat.model import Card, Field, Table, Tone
from slipway.bot.chat.tables import Cell, moment, span, table_of, text
from slipway.bot.core.commands import command
from slipway.bot.core.times import format_span, format_time
from slipway.bot.operations.model import OperationState
from slipway.bot.replicas.wording import lines_of
from slipway.commands.dispatch.context import CardReply, CommandContext

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.messages.service import Backlog

_SCHEDULES_SHOWN = 8


@command(
    "status",
    summary="How Slipway is doing: connections, clouds, open operations.",
    examples=("status",),
    of_bot=True,
)
async def status(call: CommandContext) -> CardReply:
    """Looks at what the bot knows without asking a cloud."""
    services = call.services
    health = {platform: chat.health() for platform, chat in services.chats.items()}
    chats = table_of(
        {"chat": "Chat", "connected": "Connection", "heard_seconds_ago": "Last heard from"},
        [
            {
                "chat": text(platform),
                "connected": Cell("✔ connected" if each.connected else "✘ not connected", each.connected),
                "heard_seconds_ago": span(each.last_heard_from, _age(each.last_heard_from)),
            }
            for platform, each in health.items()
        ],
    )
    operations = await services.operations.open_ones()
    waiting = sum(each.state is OperationState.PROPOSED for each in operations)
    up = services.clock() - services.started_at
    unsaid = _unsaid(await services.backlog())
    clocks = tuple(
        problem for platform, each in health.items() if (problem := clock_problem(platform, each.clock_ahead))
    )
    frozen = await services.freezes.all()
    replicas = services.replicas()
    differences = replicas.warnings if replicas is not None else ()
    connected = all(each.connected for each in health.values())
    healthy = connected and not unsaid and not clocks and not differences
    return CardReply(
        Card(
            tone=Tone.INFO if healthy else Tone.WARNING,
            title=f"Slipway {__version__} is up for {format_span(up)}",
            fields=(
                Field(label="Clouds", value=", ".join(services.clouds_in_words) or "none"),
                *(Field(label="Frozen", value=f"{services.freezes.words.why(each)}.") for each in frozen),
                *_contacts(call),
                *(Field(label="Replica", value=each) for each in lines_of(replicas)),
                Field(label="Waiting for approval", value=str(waiting)),
                Field(label="Running", value=str(len(operations) - waiting)),
                Field(label="Now", value=format_time(services.clock(), services.cards.zone)),
            ),
            tables=(chats, *_schedules(call)),
            notes=(*clocks, *unsaid, *differences, *(each.detail for each in health.values() if each.detail)),
        )
    )


def _contacts(call: CommandContext) -> Iterator[Field]:
    """When each account's cloud answered last; nobody is asked for it now."""
    now = call.services.clock()
    for name, contact in call.services.clouds.contacts.items():
        answered = f"answered {_age(now - contact.answered_at)}" if contact.answered_at else ""
        if (failure := contact.failure) is not None:
            before = f" Before, it {answered}." if answered else ""
            yield Field(label=name, value=f"✘ failed {_age(now - failure.at)}: {failure.sentence}{before}")
        else:
            yield Field(label=name, value=f"✔ {answered}" if answered else "not asked since the start")


def _unsaid(backlog: Backlog) -> tuple[str, ...]:
    """What could not be said, in sentences."""
    waiting = [
        f"{count} messages wait for {platform}." if count != 1 else f"1 message waits for {platform}."
        for platform, count in backlog.waiting.items()
    ]
    if backlog.dropped:
        many = "messages were" if backlog.dropped != 1 else "message was"
        waiting.append(f"{backlog.dropped} {many} dropped in the last day; the log says which.")
    return (*waiting, *backlog.hindrances)


def _schedules(call: CommandContext) -> tuple[Table, ...]:
    services = call.services
    now, entries = services.clock(), {each.name: each for each in services.settings.schedule}
    coming = services.upcoming()
    rows = [
        {
            "schedule": text(name),
            "says": text(entries[name].command),
            "next": moment(at, format_time(at, entries[name].zone)),
            "in_seconds": span(at - now, format_span(at - now)),
        }
        for name, at in coming[:_SCHEDULES_SHOWN]
    ]
    title = f"Next of {len(coming)} schedules" if len(coming) > len(rows) else "Schedules"
    columns = {"schedule": "Schedule", "says": "Says", "next": "Next", "in_seconds": "In"}
    return (table_of(columns, rows, title=title),) if rows else ()


def _age(age: timedelta | None) -> str:
    return "never" if age is None else f"{format_span(age)} ago"


PARTS = (status,)
