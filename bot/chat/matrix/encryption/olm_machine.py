"""nio's Olm machine, hardened: what strangers send can neither stop it nor pass for somebody else's.

As it comes, nio lets some malformed to-device and Megolm events raise out of the sync, obeys state events that
stand inside a ciphertext, and forgets at a restart which messages it has read. It takes room keys only from
the bot's own verified devices, of which there are none. And it stores row by row what changes together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import structlog

from slipway.bot.chat.matrix.encryption.message_index import MessageIndexStore
from slipway.bot.chat.shared.payloads import mapping_at

log = structlog.get_logger(__name__)

_READ_TYPE = "m.room.message"  # nothing else is ever acted on that was encrypted


class DecryptedSource(dict[str, Any]):
    """The source of an event that came out of a ciphertext. Being of this type cannot be forged by anybody.

    Attributes:
        sender_key: the Curve25519 key of the device whose Megolm session it was.
        ed25519: the signing key that this device claimed together with the session.
        session_id: the Megolm session.
        room_id: the room whose key it was; a homeserver can show an event anywhere.
        edited: whether the homeserver sent an edit along. What it is an edit of stands outside its ciphertext, so
            that nothing proves it.
    """

    def __init__(
        self,
        source: dict[str, Any],
        *,
        sender_key: str,
        ed25519: str,
        session_id: str,
        room_id: str,
        edited: bool = False,
    ) -> None:
        super().__init__(source)
        self.edited = edited
        self.room_id = room_id
        self.sender_key = sender_key
        self.ed25519 = ed25519
        self.session_id = session_id


def harden(nio: Any, olm: Any, message_indexes: MessageIndexStore) -> None:
    """Wrap an Olm machine's methods with the checks that it lacks.

    Args:
        nio: the module.
        olm: nio's machine, just loaded.
        message_indexes: which messages were read before.
    """
    malformed = _malformed_input_errors(nio)
    olm.message_index_store = message_indexes
    olm.handle_to_device_event = partial(
        _handle_to_device_event, olm.handle_to_device_event, malformed, olm.store.database.atomic
    )
    olm._decrypt_megolm_no_error = partial(
        _decrypt_megolm,
        olm._decrypt_megolm_no_error,
        malformed,
        nio.UnknownBadEvent,
        nio.Event.parse_event,
        olm,
    )
    olm._should_accept_forward = partial(_should_accept_forward, olm._should_accept_forward, olm)


def _malformed_input_errors(nio: Any) -> tuple[type[Exception], ...]:
    """What nio and vodozemac raise at malformed input: all of vodozemac's errors are ValueErrors, and nio looks into
    what it has not checked."""
    return (
        nio.exceptions.EncryptionError,
        nio.exceptions.OlmTrustError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        AssertionError,
        RecursionError,
    )


def _handle_to_device_event(
    handle: Callable[[Any], Any],
    malformed: tuple[type[Exception], ...],
    atomic: Callable[[], AbstractContextManager[Any]],
    event: Any,
) -> Any:
    """As nio does it, but in one transaction: to read an event uses up the key with which it can be read, so whoever
    died between that and keeping the room key that it brings would never get that again."""
    with atomic():
        try:
            return handle(event)
        except malformed as error:
            log.info("ignored a malformed to-device event", kind=type(error).__name__)
            return None


def _decrypt_megolm(
    decrypt: Callable[[Any, str | None], Any],
    malformed: tuple[type[Exception], ...],
    unknown_bad_event: Callable[[dict[str, Any]], Any],
    parse: Callable[[dict[str, Any]], Any],
    olm: Any,
    event: Any,
    room_id: str | None = None,
) -> Any:
    """The decrypted event, its source marked as such; None for what cannot be decrypted."""
    try:
        decrypted = decrypt(event, room_id)
    except malformed as error:
        log.info("ignored a malformed encrypted event", kind=type(error).__name__)
        return None
    if decrypted is None:
        return None
    room = room_id or event.room_id
    session = olm.inbound_group_store.get(room, event.sender_key, event.session_id)
    source = _with_event_envelope(decrypted, event)
    if session is None or source is None:
        return unknown_bad_event({})  # nio leaves that alone
    edit = mapping_at(event.source, "unsigned", "m.relations", "m.replace")
    if clear := _decrypted_edit(decrypt, malformed, parse, edit, room):
        source["unsigned"] = {"m.relations": {"m.replace": clear}}
    decrypted.source = DecryptedSource(
        source,
        sender_key=event.sender_key,
        ed25519=session.ed25519,
        session_id=event.session_id,
        room_id=room,
        edited=bool(edit),
    )
    return decrypted


def _decrypted_edit(
    decrypt: Callable[[Any, str | None], Any],
    malformed: tuple[type[Exception], ...],
    parse: Callable[[dict[str, Any]], Any],
    edit: Mapping[str, Any],
    room: str,
) -> dict[str, Any] | None:
    """The edit that the homeserver sent along with an event, decrypted; None where there is none to be read."""
    if edit.get("type") != "m.room.encrypted":  # clear text edits nothing that was encrypted
        return None
    try:
        event = parse(dict(edit))
        decrypted = decrypt(event, room)
        return None if decrypted is None else _with_event_envelope(decrypted, event)
    except malformed as error:
        log.info("ignored a malformed edit", kind=type(error).__name__)
        return None


def _should_accept_forward(
    accepts: Callable[[str, str, Any], bool], olm: Any, sender: str, sender_key: str, event: Any
) -> bool:
    if accepts(sender, sender_key, event):
        return True
    return _is_from_session_creator(olm, sender, sender_key, event)


def _with_event_envelope(decrypted: Any, event: Any) -> dict[str, Any] | None:
    """The decrypted source under the envelope's own id, sender and time; None if it is not to be read."""
    source = decrypted.source
    if not isinstance(source, dict) or source.get("type") != _READ_TYPE or "state_key" in source:
        return None
    if not isinstance(source.get("content"), dict):
        return None
    return {
        "type": _READ_TYPE,
        "content": source["content"],
        "event_id": event.event_id,
        "sender": event.sender,
        "origin_server_ts": event.server_timestamp,
    }


def _is_from_session_creator(olm: Any, sender: str, sender_key: str, event: Any) -> bool:
    """Whether a room key that the bot asked for comes from the very device that made the session."""
    request = olm.outgoing_key_requests.get(event.session_id)
    device = olm.device_store.device_from_sender_key(sender, sender_key)
    content = event.source.get("content", {})
    return (
        request is not None
        and device is not None
        and (event.algorithm, event.room_id) == (request.algorithm, request.room_id)
        and content.get("sender_key") == sender_key
        and content.get("sender_claimed_ed25519_key") == device.ed25519
        and not content.get("forwarding_curve25519_key_chain")
    )
