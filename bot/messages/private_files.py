"""Sending somebody what nobody else may read. It is kept nowhere: what cannot be sent now is not sent."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from slipway.bot.chat.model import Card, Chat, Platform, PrivateFile, SendsDirectMessages, SendsPrivateFiles
from slipway.bot.core.errors import ChatError, UserError
from slipway.bot.people import Person

NEWEST = 3000
"""Characters, from its end, of a file that a chat without files gets as a message."""

log = structlog.get_logger(__name__)


async def send_privately(
    chats: Mapping[Platform, Chat], person: Person, file: PrivateFile, *, asked_on: Platform, key: str
) -> None:
    """Send a person a file alone, on the platform where they asked for it or else on another one of theirs.

    Args:
        chats: the platforms.
        person: whom.
        file: what.
        asked_on: where they asked for it.
        key: names it among all messages.

    Raises:
        UserError: no platform took it; the words say why.
    """
    problem = ""
    for platform in dict.fromkeys((asked_on, *chats)):
        chat, account = chats.get(platform), person.account_on(platform)
        if chat is None or account is None:
            continue
        try:
            if await _send(chat, account, file, key, asked_there=platform == asked_on):
                return
        except ChatError as error:
            log.warning("could not send somebody a file alone", person=person.id, why=str(error))
            problem = problem or str(error)
    if problem:
        raise UserError(f"It could not be sent to you alone, and nobody else may read it. {problem}")
    raise UserError(
        "It may hold passwords, so it is sent in a direct message only, and Slipway can send you none: none of your "
        "accounts is on a platform that has them."
    )


async def _send(chat: Chat, account: str, file: PrivateFile, key: str, *, asked_there: bool) -> bool:
    """Whether a chat has a way to reach somebody alone, by which it was sent.

    Raises:
        ChatError: it was not taken.
    """
    direct = isinstance(chat, SendsDirectMessages)
    if isinstance(chat, SendsPrivateFiles) and (direct or asked_there):
        await chat.send_private_file(account, file, key=key)
        return True
    if isinstance(chat, SendsDirectMessages):
        cut = f"The newest {NEWEST:,} characters:\n\n" if len(file.text) > NEWEST else ""
        card = Card(title=file.title, text=f"{cut}{file.text[-NEWEST:]}")
        await chat.send(await chat.direct_room(account), card, thread=None, key=key)
        return True
    return False
