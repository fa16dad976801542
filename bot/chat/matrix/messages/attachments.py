"""Files in the media repository: the full text of a card that was too long for one message, and pictures."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any

from slipway.bot.chat.matrix.transport.connection import Connection
from slipway.bot.chat.pictures import Picture
from slipway.bot.chat.shared.payloads import JsonObject

FILE_NAME = "whole.txt"
_MAX_REMEMBERED = 50


class AttachmentUploader:
    """Uploads texts and pictures to the media repository, each once as long as the process lasts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._uploaded: OrderedDict[str, JsonObject] = OrderedDict()

    async def file(
        self, text: str, *, key: str, encrypted: bool, name: str = FILE_NAME, caption: str = ""
    ) -> JsonObject:
        """The content of an event that shows a text as a file.

        Args:
            text: what the file holds.
            name: its name.
            caption: what is said with it; empty for its name alone.
            key: names the upload; the same key uploads once.
            encrypted: whether the file is encrypted, as it has to be in an encrypted room.

        Raises:
            ChatError: the homeserver did not take it.
        """
        data = text.encode()
        return {
            "msgtype": "m.file",
            "body": caption or name,
            "filename": name,
            "info": {"mimetype": "text/plain", "size": len(data)},
            "m.mentions": {},
            **await self._place(data, "text/plain", name, key, encrypted=encrypted),
        }

    async def picture(self, picture: Picture, *, key: str, encrypted: bool) -> JsonObject:
        """The content of an event that shows a picture, with its alternative text as the caption (spec, `m.image`).

        Args:
            picture: the picture.
            key: names the upload; the same key uploads once.
            encrypted: as for :meth:`file`.

        Raises:
            ChatError: the homeserver did not take it.
        """
        data = picture.png
        width, height = picture.size
        return {
            "msgtype": "m.image",
            "body": picture.alternative,
            "filename": picture.name,
            "info": {"mimetype": "image/png", "size": len(data), "w": width, "h": height},
            "m.mentions": {},
            **await self._place(data, "image/png", picture.name, key, encrypted=encrypted),
        }

    async def _place(self, data: bytes, kind: str, name: str, key: str, *, encrypted: bool) -> JsonObject:
        """Where data lies in the media repository, as an event says it."""
        location = self._uploaded.get(key)
        if location is None:
            location = await self._upload(data, kind, name, encrypted=encrypted)
            self._uploaded[key] = location
            while len(self._uploaded) > _MAX_REMEMBERED:
                self._uploaded.popitem(last=False)
        return location

    async def _upload(self, data: bytes, kind: str, name: str, *, encrypted: bool) -> JsonObject:
        if not encrypted:
            return {"url": await upload(self._connection, data, kind, name)}
        cipher, keys = await asyncio.to_thread(_encrypt, data)
        url = await upload(self._connection, cipher, "application/octet-stream", None)
        return {"file": {**keys, "url": url}}


async def upload(connection: Connection, data: bytes, kind: str, name: str | None) -> str:
    """Upload data to the homeserver's media repository, and return its ``mxc://`` address.

    Raises:
        ChatError: the homeserver did not take it.
    """

    async def call(client: Any) -> Any:
        answer, _ = await client.upload(
            lambda _limited, _timed_out: data, content_type=kind, filename=name, filesize=len(data)
        )
        return answer

    answer = await connection.request("upload a file", call)
    return str(answer.content_uri)


def _encrypt(data: bytes) -> tuple[bytes, JsonObject]:
    """The encrypted file and its keys. Imports nio, which takes most of a second: not for the event loop."""
    from nio.crypto.attachments import encrypt_attachment

    cipher, keys = encrypt_attachment(data)
    return cipher, dict(keys)
