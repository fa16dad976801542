"""Speaking to one person alone, on whichever platform that can be done."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from slipway.bot.chat.model import Chat, Platform, Room, SendsDirectMessages
from slipway.bot.core.errors import ChatError
from slipway.bot.people import Person

log = structlog.get_logger(__name__)


async def direct_room(
    chats: Mapping[Platform, Chat], person: Person, first: Platform | None = None
) -> Room | None:
    """Where somebody is spoken to alone: on the platform that comes first, or on another one where that cannot be.

    None where no platform lets the bot speak to them so.
    """
    for platform in dict.fromkeys((*(() if first is None else (first,)), *chats)):
        chat: object = chats.get(platform)
        account = person.account_on(platform)
        if account is None or not isinstance(chat, SendsDirectMessages):
            continue
        try:
            return Room(platform=platform, id=await chat.direct_room(account))
        except ChatError as error:
            log.warning("could not speak to somebody alone", person=person.id, why=str(error))
    return None
