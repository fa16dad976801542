"""The bot's name and picture, set once when the configuration changes them."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import structlog

from slipway.bot.chat.matrix.memory import MatrixMemory
from slipway.bot.chat.matrix.messages.attachments import upload
from slipway.bot.chat.matrix.transport.connection import Connection
from slipway.bot.core.errors import ChatError

MAX_AVATAR_BYTES = 1_048_576
"""Bytes; clients show it at the size of a thumb."""

_IMAGE_TYPES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}
"""What the files that clients can show begin with."""

_NAME, _AVATAR = "display name", "avatar"

log = structlog.get_logger(__name__)


class Profile:
    """Sets what the account is called, and its picture.

    Args:
        connection: makes calls to the homeserver.
        memory: remembers what was set, so that a change made by hand lasts until the configuration changes.
        display_name: the name; empty for none.
        avatar: the picture's file, if any.
    """

    def __init__(
        self, connection: Connection, memory: MatrixMemory, display_name: str, avatar: Path | None
    ) -> None:
        self._connection = connection
        self._memory = memory
        self._display_name = display_name
        self._avatar = avatar
        self.problem = ""

    async def apply(self) -> None:
        """Set what is not set yet. What does not work is told, and tried again at the next start."""
        try:
            await self._set_name()
            await self._set_avatar()
        except ChatError as error:
            self.problem = str(error)
            log.warning("the bot's profile could not be set", problem=self.problem)

    async def _set_name(self) -> None:
        name = self._display_name
        if not name or await self._memory.load_value(_NAME) == name:
            return
        await self._connection.request("set the bot's name", lambda client: client.set_displayname(name))
        self._connection.display_name = name
        await self._memory.save_value(_NAME, name)

    async def _set_avatar(self) -> None:
        if self._avatar is None:
            return
        picture = await asyncio.to_thread(_read, self._avatar)
        digest = hashlib.sha256(picture).hexdigest()
        if await self._memory.load_value(_AVATAR) == digest:
            return
        kind = next((kind for start, kind in _IMAGE_TYPES.items() if picture.startswith(start)), None)
        if kind is None or len(picture) > MAX_AVATAR_BYTES:
            raise ChatError(
                f"The file {self._avatar} (matrix.avatar) is not a PNG, JPEG, GIF or WebP picture of at most "
                "1 MiB.",
                passing=False,
            )
        address = await upload(self._connection, picture, kind, self._avatar.name)
        await self._connection.request("set the bot's picture", lambda client: client.set_avatar(address))
        await self._memory.save_value(_AVATAR, digest)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_AVATAR_BYTES + 1)
    except OSError as error:
        raise ChatError(
            f"The file {path} (matrix.avatar) cannot be read ({error.strerror}).", passing=False
        ) from error
