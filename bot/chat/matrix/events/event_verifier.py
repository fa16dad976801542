"""Events of encrypted rooms: who can have sent them, and what is done where nobody can tell.

In an encrypted room only what was encrypted counts as said. Reactions and redactions are never encrypted, so the
homeserver could have made them up; they are marked, and policies decide. Whatever else stands there in clear text
is dropped.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from slipway.bot.chat.matrix.encryption.device_list import SenderTrust, assess_sender
from slipway.bot.chat.matrix.encryption.key_manager import KeyManager
from slipway.bot.chat.matrix.encryption.olm_machine import DecryptedSource
from slipway.bot.chat.matrix.memory import MatrixMemory
from slipway.bot.chat.matrix.messages.message_sender import MessageSender
from slipway.bot.chat.matrix.rooms.rooms import Rooms
from slipway.bot.chat.matrix.settings import UnsignedDevices
from slipway.bot.chat.matrix.transport.api import load_nio
from slipway.bot.chat.matrix.transport.connection import Connection
from slipway.bot.chat.model import Assurance, Card, Tone
from slipway.bot.core.errors import ChatError

_NEVER_ENCRYPTED = ("m.reaction", "m.room.redaction")

# Why a client did not give the bot a key, as the specification names it (m.room_key.withheld).
_WITHHELD = {
    "m.unverified": "Your client gives no keys to devices that are not verified, and takes mine for one.",
    "m.blacklisted": "Your client blocks my device.",
    "m.unauthorised": "Your client says that I may not have the key.",
    "m.no_olm": "Your client could not set up an encrypted session with me.",
}

EDITED = SenderTrust(
    Assurance.REFUSED,
    "This message was edited before I read it. In an encrypted room nobody can prove which message an edit belongs "
    "to, so nothing was done. Please say it again.",
)
"""How far an encrypted message is believed that came with an edit: a homeserver could have put another's there."""

_TRUSTED = SenderTrust()

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Verification:
    """How an event reached the bot."""

    sender_trust: SenderTrust = _TRUSTED
    forgeable: bool = False


class EventVerifier:
    """Judges every event before it is parsed."""

    def __init__(
        self,
        connection: Connection,
        rooms: Rooms,
        sender: MessageSender,
        memory: MatrixMemory,
        *,
        unsigned_devices: UnsignedDevices,
        is_known: Callable[[str], bool],
        works: Callable[[], bool] = lambda: True,
        heard_elsewhere: Callable[[str], Awaitable[bool]] | None = None,
    ) -> None:
        self._works = works
        self._heard_elsewhere = heard_elsewhere
        self._connection = connection
        self._rooms = rooms
        self._sender = sender
        self._memory = memory
        self._unsigned_devices = unsigned_devices
        self._is_known = is_known

    async def verify(self, room: str, source: Mapping[str, Any]) -> Verification | None:
        """How far an event of a room is to be believed; None if it is not to be parsed at all.

        Raises:
            ChatError: the homeserver does not say whether the room is encrypted.
        """
        keys = self._connection.keys
        if keys is None or not await self._rooms.is_encrypted(room):
            return Verification()
        kind = source.get("type")
        if isinstance(source, DecryptedSource):
            if source.room_id != room:  # the history of a room names the room of each event itself
                log.warning("ignored what was encrypted for another room", room=room, of=source.room_id)
                return None
            return Verification(await self._assess(keys, source))
        if kind in _NEVER_ENCRYPTED:
            return Verification(forgeable=True)
        if kind == "m.room.encrypted":
            await self._report_undecryptable(keys, room, source)
        elif kind == "m.room.message":
            log.warning("ignored clear text in an encrypted room", room=room, event_id=source.get("event_id"))
        return None

    async def _assess(self, keys: KeyManager, source: DecryptedSource) -> SenderTrust:
        sender = str(source.get("sender"))
        device = keys.devices.find(sender, source.sender_key)
        if device is None:
            try:
                await keys.refresh_devices(sender)
            except ChatError as error:
                log.warning("could not look up the devices of a sender", problem=str(error))
            device = keys.devices.find(sender, source.sender_key)
        trust = assess_sender(device, sender, source.ed25519, self._unsigned_devices)
        return EDITED if source.edited and trust.assurance is not Assurance.REFUSED else trust

    async def _report_undecryptable(self, keys: KeyManager, room: str, source: Mapping[str, Any]) -> None:
        """Ask for a missing key, and tell the person once a session what to do."""
        nio = load_nio()
        event = nio.Event.parse_event(dict(source))
        if not isinstance(event, nio.MegolmEvent) or event.sender == self._connection.user_id:
            return
        event.room_id = room
        if keys.has_session(room, event):
            log.warning("ignored an encrypted message that is not sound, or shown again", room=room)
            return
        await keys.request_room_key(event)
        notice = f"unreadable {room} {event.session_id}"
        if not self._is_known(event.sender) or await self._memory.was_notified(notice):
            return
        if not self._works() or await self._was_read_elsewhere(str(source.get("event_id"))):
            return
        reason = _WITHHELD.get(keys.withheld_code(event.session_id), "Its key did not reach me.")
        card = Card(
            tone=Tone.WARNING,
            title="I could not read a message of yours",
            text=f"{reason} I did nothing, and have asked your client for the key. If the message was for me, please "
            "say it again. If that does not help, type `/discardsession` in Element, or start your client anew, "
            "and say it once more. `slipway matrix status` shows whether my own device is in order.",
            mentions=(event.sender,),
        )
        try:
            await self._sender.send(room, card, thread=_thread(source), key=notice)
        except ChatError as error:
            log.warning("could not tell that a message is unreadable", room=room, problem=str(error))
            return
        await self._memory.remember_notified(notice)

    async def _was_read_elsewhere(self, event_id: str) -> bool:
        """Whether another replica has the key: then the message is answered, and nobody needs to repeat it."""
        return self._heard_elsewhere is not None and await self._heard_elsewhere(event_id)


def _thread(source: Mapping[str, Any]) -> str | None:
    content = source.get("content")
    relation = content.get("m.relates_to") if isinstance(content, Mapping) else None
    if not isinstance(relation, Mapping) or relation.get("rel_type") != "m.thread":
        return None
    root = relation.get("event_id")
    return root if isinstance(root, str) else None
