"""What reports say of the bot itself: what it failed to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slipway.bot.operations.services import Services
from slipway.bot.reports.declaration import ReportSection
from slipway.bot.reports.model import Period, ReportKind, ReportView, Section, Severity

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.messages.service import Backlog


@dataclass(frozen=True)
class Own:
    """How the bot itself is doing.

    Attributes:
        backlog: what it could not say.
        away: chats that are not connected.
    """

    backlog: Backlog
    away: tuple[str, ...]


async def look_at_itself(services: Services, _period: Period) -> Own:
    """Asks nobody."""
    away = tuple(name for name, chat in services.chats.items() if not chat.health().connected)
    return Own(await services.backlog(), away)


def tell_itself(own: Own, view: ReportView) -> Section | None:
    """What was not said, by where and why. What of it needs a person is a problem, too, and counted as that; what
    only waits for its turn is no news."""
    backlog = own.backlog
    hindered = backlog.hindrances or own.away
    waiting = sum(backlog.waiting.values()) if hindered else 0
    parts = [f"{backlog.dropped} dropped"] if backlog.dropped else []
    parts += [f"{waiting} wait"] if waiting else []
    parts += [f"{len(own.away)} chat{'' if len(own.away) == 1 else 's'} away"] if own.away else []
    if not parts:
        return None
    lines = [f"The chat {each} is not connected." for each in own.away]
    for each in backlog.lost:
        many = "1 message was" if each.count == 1 else f"{each.count} messages were"
        lines.append(f"{many} dropped for {each.where}, last {view.when(each.last)}. {each.why}")
    lines += backlog.hindrances
    return Section(
        summary=f"messages: {', '.join(parts)}" if backlog.dropped or waiting else parts[0],
        severity=Severity.ATTENTION,
        lines=tuple(lines),
        notes=view.offer("How it is doing", "status"),
    )


PARTS = (ReportSection("slipway", "Slipway", (ReportKind.DAILY,), look_at_itself, tell_itself),)
