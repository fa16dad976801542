"""What the subject of images has of publishing: its table, its watch, and what the program says and tries of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from typing import TYPE_CHECKING

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.probes import Finding
from slipway.bot.core.settings_table import SettingsTable, TableShape
from slipway.bot.operations.declarations import Probe, SubjectContext
from slipway.bot.operations.watches import Watch, WatchHost
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.publishing.settings import PublishingSettings, check_publishing

if TYPE_CHECKING:
    from slipway.bot.subjects.images.publishing.publisher import Publisher
    from slipway.bot.subjects.images.services import ImageServices

PUBLISHING = SettingsTable(
    name="publishing",
    model=PublishingSettings,
    shape=TableShape.OPTIONAL,
    summary="where programs find what is latest",
    check=check_publishing,
)

TABLES = (PUBLISHING,)


async def _look(services: ImageServices, host: WatchHost) -> None:
    if services.publisher is not None:
        await services.publisher.look(host)


WATCHES: tuple[Watch[ImageServices], ...] = (Watch("publishing", (), _look),)


def publisher(context: SubjectContext, catalogue: Catalogue) -> Publisher | None:
    """What publishes; None where the configuration has no ``[publishing]``."""
    settings = context.settings.optional(PUBLISHING)
    if settings is None:
        return None
    # With a database: not for `slipway check`.
    from slipway.bot.chat.model import SERVICE, Platform, Room
    from slipway.bot.config.settings import split_address
    from slipway.bot.store.memory import ChatMemory
    from slipway.bot.subjects.images.publishing.delivery import destination
    from slipway.bot.subjects.images.publishing.publisher import Publisher
    from slipway.bot.subjects.images.publishing.reading import Reading

    room = None
    if context.settings.commands.room:
        platform, name = split_address(context.settings.commands.room)
        room = Room(platform=Platform(platform), id=name)
    return Publisher(
        Reading(context.clouds, catalogue),
        destination(settings, os.environ),
        refresh=settings.refresh,
        database=context.database,
        memory=ChatMemory(context.database, SERVICE),
        clock=context.clock,
        room=room,
    )


def summary(settings: SlipwaySettings) -> Iterable[str]:
    """Its line in `slipway check`."""
    found = settings.optional(PUBLISHING)
    if found is None:
        return ()
    if found.file is not None:
        return (f"what is latest: written to {found.file}",)
    return (f"what is latest: handed to {found.command[0]}",)


async def _try(settings: SlipwaySettings, _clouds: Clouds) -> Finding:
    """Whether the document could be handed over, as far as can be seen without doing so."""
    found = settings.optional(PUBLISHING)
    assert found is not None  # noqa: S101 - for the type checker; it is asked where there is one
    what = "publishing"
    if found.file is not None:
        folder = found.file.parent
        if not folder.is_dir():
            return Finding(
                what,
                "does not work",
                (f"There is no folder {folder}.",),
                "make it, or change publishing.file",
            )
        if not os.access(folder, os.W_OK | os.X_OK):
            problem = f"This user may not write into {folder}."
            return Finding(what, "does not work", (problem,), "let it, or change publishing.file")
        return Finding(what, f"writes {found.file}", connection=False)
    program = found.command[0]
    if shutil.which(program) is None:
        problem = f"{program} is not there, or cannot be run."
        return Finding(what, "does not work", (problem,), "install it, or change publishing.command")
    return Finding(what, f"hands over to {program}", connection=False)


PROBES = (Probe("publishing", lambda settings: settings.optional(PUBLISHING) is not None, _try),)
