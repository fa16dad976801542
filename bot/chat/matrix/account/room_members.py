"""Who is in the rooms that slipway.toml names, for `slipway doctor`.

Source: the client-server API of Matrix, ``GET /_matrix/client/v3/rooms/{roomId}/joined_members`` and
``GET /_matrix/client/v3/directory/room/{roomAlias}``.
"""

from __future__ import annotations

from urllib.parse import quote

from slipway.bot.chat.matrix.account.account_store import AccountStore
from slipway.bot.chat.matrix.account.asking import ask
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.core.errors import ChatError


async def members_of_rooms(settings: MatrixSettings, store: AccountStore) -> frozenset[str] | None:
    """The accounts that are in one of the rooms; None where the settings name none.

    Raises:
        ChatError: the homeserver does not say.
    """
    if not settings.rooms:
        return None
    found: set[str] = set()
    for room in settings.rooms:
        what = f"look up who is in {room}"
        room_id = room
        if room.startswith("#"):
            path = f"/_matrix/client/v3/directory/room/{quote(room, safe='')}"
            room_id = str((await ask(settings, store, path, what)).get("room_id"))
        path = f"/_matrix/client/v3/rooms/{quote(room_id, safe='')}/joined_members"
        joined = (await ask(settings, store, path, what)).get("joined")
        if not isinstance(joined, dict):
            raise ChatError(f"Could not {what}: no sound answer.", passing=True)
        found |= joined.keys()
    return frozenset(found)
