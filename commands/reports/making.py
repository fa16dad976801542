"""How a report is made: of the sections that subjects declare, for whoever asks."""

from __future__ import annotations

from slipway.bot.chat.model import Room
from slipway.bot.operations.services import Services
from slipway.bot.reports.cards import calls_of, detail_card, has_details, headline_card, is_quiet
from slipway.bot.reports.model import Period, ReportView, everybody
from slipway.commands.dispatch.context import CardReply, CommandContext

MOST_CALLED = 20
"""Persons whom one report calls at most: a role can be held by very many."""


def _view(call: CommandContext, period: Period) -> ReportView:
    """What sections of a period are written with, for whoever asks; for all in the room where the clock does."""
    services = call.services
    return ReportView(
        now=services.clock(),
        period=period,
        zone=services.cards.zone,
        prefix=services.cards.prefix,
        name=services.cards.name,
        may=everybody if call.person.automatic else call.may,
    )


async def report_of(call: CommandContext, period: Period) -> CardReply:
    """The report of a period. One that the clock asks for calls those who have to act; one that somebody asks for
    calls nobody."""
    from slipway.bot.reports.gathering import gather  # not before: `slipway check` loads nothing that logs

    services, view = call.services, _view(call, period)
    parts = await gather(services.subjects.registry.sections.values(), services, view)
    card, place = headline_card(parts, view), call.asker.place
    if call.person.automatic and place is not None:
        accounts = accounts_of(services, calls_of(parts), place.room)
        card = card.model_copy(update={"mentions": accounts})
    details = tuple(detail_card(each) for each in parts if has_details(each))
    return CardReply(card, nothing_to_do=is_quiet(parts), details=details)


def accounts_of(services: Services, calls: tuple[str, ...], room: Room) -> tuple[str, ...]:
    """The accounts by which a room calls persons, and the holders of roles."""
    called = (one for each in calls for one in services.people.owners(each))
    accounts = dict.fromkeys(found for one in called if (found := one.account_on(room.platform)))
    return tuple(accounts)[:MOST_CALLED]
