"""What the subject of images has of watching: its table, its watch, and its line in `slipway check`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.settings_table import SettingsTable, TableShape
from slipway.bot.core.times import format_duration
from slipway.bot.operations.declarations import Probe, SubjectContext
from slipway.bot.operations.watches import Watch, WatchHost
from slipway.bot.subjects.images.watching.probe import WHAT, look
from slipway.bot.subjects.images.watching.settings import WatchingSettings, check_watching

if TYPE_CHECKING:
    from slipway.bot.subjects.images.adopting.store import ForeignChangeStore
    from slipway.bot.subjects.images.services import ImageServices
    from slipway.bot.subjects.images.watching.survey import Survey
    from slipway.bot.subjects.images.watching.watcher import Watcher

WATCHING = SettingsTable(
    name="watching",
    model=WatchingSettings,
    shape=TableShape.OPTIONAL,
    summary="how often galleries are looked at for what others changed",
    check=check_watching,
)

TABLES = (WATCHING,)

PROBES = (Probe(WHAT, lambda settings: settings.optional(WATCHING) is not None, look),)


async def _look(services: ImageServices, host: WatchHost) -> None:
    if services.watcher is not None:
        await services.watcher.look(host)


WATCHES: tuple[Watch[ImageServices], ...] = (Watch("gallery", (), _look),)


def survey(context: SubjectContext) -> Survey:
    """What lists all galleries."""
    # With a log: not for `slipway check`.
    from slipway.bot.subjects.images.watching.survey import Survey

    return Survey(context.clouds, context.clock)


def watcher(context: SubjectContext, survey: Survey, foreign: ForeignChangeStore) -> Watcher | None:
    """What looks; None where the configuration has no ``[watching]``."""
    settings = context.settings.optional(WATCHING)
    if settings is None:
        return None
    # With a database: not for `slipway check`.
    from slipway.bot.chat.model import SERVICE, Platform, Room
    from slipway.bot.config.settings import split_address
    from slipway.bot.store.memory import ChatMemory
    from slipway.bot.subjects.images.watching.authors import AuthorLookup
    from slipway.bot.subjects.images.watching.told import ToldChanges
    from slipway.bot.subjects.images.watching.watcher import Watcher

    room = None
    if context.settings.commands.room:
        platform, name = split_address(context.settings.commands.room)
        room = Room(platform=Platform(platform), id=name)
    prefix = context.settings.commands.prefix
    told = ToldChanges(
        context.clouds,
        context.operations,
        foreign,
        name=context.people.name,
        authors=AuthorLookup(context.clouds, foreign, context.clock),
        clock=context.clock,
        room=room,
        prefix=prefix,
    )
    return Watcher(
        context.clouds,
        survey,
        context.operations,
        ChatMemory(context.database, SERVICE),
        told,
        clock=context.clock,
        every=settings.every,
        room=room,
        prefix=prefix,
    )


def summary(settings: SlipwaySettings) -> Iterable[str]:
    """Its line in `slipway check`."""
    found = settings.optional(WATCHING)
    if found is None:
        return ()
    told = f"told in {settings.commands.room}" if settings.commands.room else "in the log alone"
    return (f"what others change of versions: looked for every {format_duration(found.every)}, {told}",)
