"""What may be wrong with the bot itself, for the list of problems."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from slipway.bot.operations.services import Services
from slipway.bot.problems.declaration import ProblemSource
from slipway.bot.problems.model import Found, Look
from slipway.bot.replicas.model import SILENT_AFTER

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.messages.service import Lost

PATIENCE = timedelta(minutes=15)
"""How long a chat may be away before that needs a person: each restarts now and then."""

_ADMIN = "Whose move it is: whoever runs Slipway."


async def look_at_chats(services: Services) -> Look:
    """Chats that are not connected, and rooms that take nothing from the bot."""
    away = (
        Found(
            key=f"away {platform}",
            what=f"The chat {platform} is not connected.",
            detail=health.detail,
            move=_ADMIN,
            patience=PATIENCE,
        )
        for platform, chat in services.chats.items()
        if not (health := chat.health()).connected
    )
    backlog = await services.backlog()
    hindered = (
        Found(
            key=f"hindered {_short(each)}",
            what=each,
            move=_ADMIN,
            patience=PATIENCE,
        )
        for each in backlog.hindrances
    )
    return Look.of((*away, *hindered))


async def look_at_messages(services: Services) -> Look:
    """Rooms that did not see what the bot had to say there, for as long as that is a day ago or less."""
    rooms: dict[str, list[Lost]] = {}
    for each in (await services.backlog()).lost:
        rooms.setdefault(each.key, []).append(each)
    return Look.of(
        Found(
            key=f"dropped {key}",
            what=f"Messages for {lost[0].where} were dropped: nobody sees them there.",
            detail=" ".join(dict.fromkeys(each.why for each in lost)),
            move=f"{_ADMIN} What was asked for stands all the same: `{services.settings.commands.prefix}history`",
        )
        for key, lost in rooms.items()
    )


async def look_at_replicas(services: Services) -> Look:
    """Replicas that differ from the one that leads, and those that are gone without having been stopped."""
    facts = services.replicas()
    if facts is None:
        return Look.of(())
    differing = (Found(key=f"differs {_short(each)}", what=each, move=_ADMIN) for each in facts.warnings)
    gone = (
        Found(
            key=f"silent {each.id}",
            what=f"The replica {each.name} gives no sign of life.",
            detail="One that is stopped by SIGTERM leaves the list; one that stays away for a day is forgotten.",
            move=_ADMIN,
            patience=PATIENCE,
        )
        for each in facts.peers
        if each.silent >= SILENT_AFTER
    )
    return Look.of((*differing, *gone))


def _several(services: Services) -> bool:
    return services.replicas() is not None


def _short(sentence: str) -> str:
    """Stands for a sentence, in a key."""
    return hashlib.sha256(sentence.encode()).hexdigest()[:16]


PARTS = (
    ProblemSource("chats", "the chats", look_at_chats),
    ProblemSource("messages", "messages", look_at_messages),
    ProblemSource("replicas", "the replicas", look_at_replicas, wanted=_several),
)
