"""Cards as messages, edits, and the two reactions that serve as buttons."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import quote

import structlog

from slipway.bot.chat.matrix.events.parsing import REACTION_CHOICES
from slipway.bot.chat.matrix.messages.attachments import FILE_NAME, AttachmentUploader
from slipway.bot.chat.matrix.messages.former_messages import FormerMessages
from slipway.bot.chat.matrix.messages.render import (
    fits,
    message,
    notice,
    replaced_by,
    replacement,
    thread_relation,
)
from slipway.bot.chat.matrix.rooms.rooms import Rooms
from slipway.bot.chat.matrix.transport.connection import Connection
from slipway.bot.chat.matrix.transport.errors import HomeserverError
from slipway.bot.chat.matrix.transport.rate_limit import Priority, RateLimiter
from slipway.bot.chat.model import Card, Choice, PrivateFile
from slipway.bot.chat.shared.payloads import JsonObject
from slipway.bot.chat.shared.shorten import full_text_if_too_long
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import Clock

ENCRYPTION_OFF_NOTICE = (
    "This room is encrypted, and whoever runs me has switched encryption off: I act on nothing that is said "
    "here. Please invite me into a room without encryption."
)
"""What an encrypted room is told, once."""

_REACTIONS = {choice: sign for sign, choice in REACTION_CHOICES.items()}
_MAX_REMEMBERED = 2_000

log = structlog.get_logger(__name__)


def transaction_id(*parts: str) -> str:
    """The id under which a homeserver takes an event once per device: the same for the same parts."""
    return "slipway-" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


class MessageSender:
    """Sends cards as messages, and edits them.

    ``former`` knows what other replicas sent; None where there are none.
    """

    def __init__(
        self,
        connection: Connection,
        rooms: Rooms,
        rate_limiter: RateLimiter,
        clock: Clock,
        former: FormerMessages | None = None,
    ) -> None:
        self._former = former
        self._connection = connection
        self._rooms = rooms
        self._rate_limiter = rate_limiter
        self._clock = clock
        self._uploader = AttachmentUploader(connection)
        # What is known of messages without asking again; all three forget the oldest.
        self._edited_at: OrderedDict[str, datetime] = OrderedDict()
        self._shown_choices: OrderedDict[str, frozenset[Choice]] = OrderedDict()
        self._thread_roots: OrderedDict[str, str] = OrderedDict()

    async def send(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        """Send a card once for its key, place its buttons, and return the event's id.

        Raises:
            ChatError: the room is encrypted and encryption is off, or the homeserver did not take the message, or
                it did, and not the buttons or the file that belong to it: then the error has the message's id.
        """
        with _telling_gone_rooms():
            return await self._send_card(room, card, thread, key)

    async def _send_card(self, room: str, card: Card, thread: str | None, key: str) -> str:
        await self._check_encryption(room)
        root = self._thread_roots.get(thread, thread) if thread is not None else None
        try:
            event_id = await self._send(room, "m.room.message", message(card, thread=root), key)
        except HomeserverError as error:
            # A thread cannot start at a message that stands in a thread itself: then that thread is meant.
            actual_root = await self._actual_thread_root(room, root, error)
            if root is None or actual_root is None:
                raise
            _remember(self._thread_roots, root, actual_root)
            event_id = await self._send(room, "m.room.message", message(card, thread=actual_root), key)
            root = actual_root
        try:
            await self._update_reactions(room, event_id, await self._choices(room, card), key=key, new=True)
            await self._attach(room, card, thread=root or event_id, key=key)
            await self._show_pictures(room, card, event_id, thread=root)
        except ChatError as error:
            error.message_id = event_id  # it stands there, and can be pressed or spoken of
            raise
        return event_id

    async def edit(
        self, room: str, message_id: str, card: Card, *, key: str, thread: str | None = None
    ) -> None:
        """Replace a message by a card once for its key, its buttons included.

        Args:
            room: the room's id.
            message_id: the message.
            card: what it shows from now on.
            key: names the edit.
            thread: the thread in which the message stands, for the file with what is too long.

        Raises:
            ChatError: the room is encrypted and encryption is off, or the homeserver did not take the edit.
        """
        with _telling_gone_rooms():
            await self._edit(room, message_id, card, key, thread)

    async def _edit(self, room: str, message_id: str, card: Card, key: str, thread: str | None) -> None:
        await self._check_encryption(room)
        content = replacement(card, message_id)
        await self._send(room, "m.room.message", content, f"edit {message_id} {key}", priority=Priority.EDIT)
        _remember(self._edited_at, message_id, self._clock())
        choices = await self._choices(room, card)
        if (
            card.fleeting and not choices
        ):  # taking the buttons back tells least of what the homeserver takes now
            await self._take_back_if_clear(room, message_id)
        else:
            await self._update_reactions(room, message_id, choices, key=key, new=False)
        if not card.fleeting:
            root = self._thread_roots.get(thread, thread) if thread is not None else None
            await self._attach(room, card, thread=root or message_id, key=key)
            await self._show_pictures(room, card, message_id, thread=root)

    def edited_at(self, message_id: str) -> datetime | None:
        """When the homeserver took the newest edit of a message, whose buttons may have followed later."""
        return self._edited_at.get(message_id)

    async def _attach(self, room: str, card: Card, *, thread: str, key: str) -> None:
        """Put the full text of a card that was too long into its thread, as a text file; once for its key.

        A file notifies whoever reads everything in the room, a notice and an edit nobody (spec, `.m.rule.message`,
        `.m.rule.suppress_notices`, `.m.rule.suppress_edits`): so it comes as an edit of a notice.
        """
        text = full_text_if_too_long(card, fits)
        if text is None:
            return
        try:
            encrypted = await self._rooms.is_encrypted(room)
            file = await self._uploader.file(text, key=f"{room} {key}", encrypted=encrypted)
        except ChatError as error:
            if error.passing:
                raise
            log.warning("could not attach the full text of a long message", room=room, problem=str(error))
            instead = notice(f"The whole could not be attached. {error}")
            relation = {"m.relates_to": thread_relation(thread)}
            await self._send(room, "m.room.message", {**instead, **relation}, f"no whole {key}")
            return
        announced = {**notice(f"The whole: {FILE_NAME}"), "m.relates_to": thread_relation(thread)}
        event_id = await self._send(room, "m.room.message", announced, f"whole {key}")
        await self._send(room, "m.room.message", replaced_by(file, event_id), f"whole file {key}")

    async def _show_pictures(self, room: str, card: Card, message_id: str, *, thread: str | None) -> None:
        """Show a card's pictures below it, each once for the card's message; without a sound, as :meth:`_attach`."""
        relation = {} if thread is None else {"m.relates_to": thread_relation(thread)}
        for picture in card.pictures:
            key = f"picture {message_id} {picture.token}"
            try:
                encrypted = await self._rooms.is_encrypted(room)
                content = await self._uploader.picture(picture, key=f"{room} {key}", encrypted=encrypted)
            except ChatError as error:
                if error.passing:
                    raise
                log.warning("could not upload a picture", room=room, problem=str(error))
                instead = {**notice(f"A picture could not be shown. {error}"), **relation}
                await self._send(room, "m.room.message", instead, f"no {key}")
                continue
            announced = {**notice(f"As a picture: {picture.name}"), **relation}
            event_id = await self._send(room, "m.room.message", announced, key)
            await self._send(room, "m.room.message", replaced_by(content, event_id), f"file of {key}")

    async def send_file(self, room: str, file: PrivateFile, *, key: str) -> None:
        """Send a text as a file, once for its key.

        Raises:
            ChatError: the room is encrypted and encryption is off, or the homeserver did not take it.
        """
        with _telling_gone_rooms():
            await self._check_encryption(room)
            content = await self._uploader.file(
                file.text,
                key=f"{room} {key}",
                encrypted=await self._rooms.is_encrypted(room),
                name=file.name,
                caption=file.title,
            )
            await self._send(room, "m.room.message", content, f"file {key}")

    async def send_encryption_notice(self, room: str) -> None:
        """Tell a room, in clear text, that the bot does not work in encrypted rooms.

        Raises:
            ChatError: the homeserver did not take it.
        """
        await self._send(
            room, "m.room.message", notice(ENCRYPTION_OFF_NOTICE), f"encrypted {room}", unencrypted=True
        )

    async def _check_encryption(self, room: str) -> None:
        if not self._connection.encryption_enabled and await self._rooms.is_encrypted(room):
            raise ChatError(
                f"The room {room} is encrypted, and encryption is off (encryption under [matrix]).",
                passing=False,
            )

    async def _send(
        self,
        room: str,
        kind: str,
        content: JsonObject,
        key: str,
        *,
        priority: Priority = Priority.MESSAGE,
        unencrypted: bool = False,
    ) -> str:
        tx_id = transaction_id(room, key)
        if self._former is not None and (known := await self._former.find(room, tx_id)) is not None:
            return known
        encrypted = not unencrypted and await self._rooms.is_encrypted(room)

        async def send() -> Any:
            return await self._connection.send(room, kind, content, tx_id, encrypted=encrypted)

        return str(await self._rate_limiter.send(send, priority))

    async def _actual_thread_root(self, room: str, thread: str | None, error: HomeserverError) -> str | None:
        """The root of the thread in which an event stands, if that is why a message was refused."""
        if thread is None or error.status != 400:
            return None
        path = f"/_matrix/client/v3/rooms/{quote(room, safe='')}/event/{quote(thread, safe='')}"
        answer = await self._connection.get_json("look up a thread", path)
        content = answer.get("content")  # a relation stands outside the ciphertext
        relation = content.get("m.relates_to") if isinstance(content, dict) else None
        if not isinstance(relation, dict) or relation.get("rel_type") != "m.thread":
            return None
        root = relation.get("event_id")
        return root if isinstance(root, str) else None

    async def _choices(self, room: str, card: Card) -> frozenset[Choice]:
        """What can be chosen by reacting. Reactions are never encrypted, so some do not count where all is."""
        encrypted = await self._rooms.is_encrypted(room)
        return frozenset(each.choice for each in card.buttons if not (encrypted and each.authentic))

    async def _update_reactions(
        self, room: str, message_id: str, choices: frozenset[Choice], *, key: str, new: bool
    ) -> None:
        """Place the bot's reactions that are missing and take back those that are too many.

        Without the right to react the typed form still works, so a lasting refusal is only logged.
        """
        shown = frozenset[Choice]() if new else self._shown_choices.get(message_id)
        try:
            if shown is None or shown - choices:
                shown = await self._redact_reactions(room, message_id, choices)
            for choice in sorted(choices - shown):
                await self._react(room, message_id, choice, key)
        except ChatError as error:
            if error.passing:
                raise
            log.warning("could not show buttons", room=room, problem=str(error))
        _remember(self._shown_choices, message_id, choices)

    async def _take_back_if_clear(self, room: str, message_id: str) -> None:
        """Take the buttons back, unless the homeserver limits how much is said: then it is done with the last edit.

        Pressing one meanwhile decides nothing, and is answered so.
        """
        if self._rate_limiter.scarce or not self._shown_choices.get(message_id, frozenset(Choice)):
            return
        try:
            await self._redact_reactions(room, message_id, frozenset(), wait=False)
        except HomeserverError as error:
            if not error.rate_limited:
                log.warning("could not take buttons back", room=room, problem=str(error))
            return
        _remember(self._shown_choices, message_id, frozenset())

    async def _react(self, room: str, message_id: str, choice: Choice, key: str) -> None:
        relation = {"rel_type": "m.annotation", "event_id": message_id, "key": _REACTIONS[choice]}
        try:
            tx_key = f"{choice} {message_id} {key}"
            await self._send(room, "m.reaction", {"m.relates_to": relation}, tx_key, unencrypted=True)
        except HomeserverError as error:
            if error.errcode != "M_DUPLICATE_ANNOTATION":
                raise  # that one stands there already, which is all that is wanted

    async def remove(self, room: str, message_id: str, reason: str) -> bool:
        """Redact somebody else's message; false where the bot lacks the power for that.

        Raises:
            ChatError: the homeserver did not take it.
        """
        tx_id = transaction_id(room, "redact", message_id)

        async def redact() -> Any:
            return await self._connection.request(
                f"remove a message in {room}",
                lambda client: client.room_redact(room, message_id, reason=reason, tx_id=tx_id),
                wait_when_limited=False,
            )

        try:
            await self._rate_limiter.send(redact, Priority.EDIT)
        except HomeserverError as error:
            if error.errcode == "M_FORBIDDEN":
                return False
            raise
        return True

    async def _redact_reactions(
        self, room: str, message_id: str, keep: frozenset[Choice], *, wait: bool = True
    ) -> frozenset[Choice]:
        """Take back the bot's own reactions for choices not to keep; return those that stay."""
        path = (
            f"/_matrix/client/v1/rooms/{quote(room, safe='')}/relations/{quote(message_id, safe='')}"
            "/m.annotation/m.reaction?limit=100&dir=f"  # the bot's came first
        )
        answer = await self._connection.get_json("look up reactions", path)
        remaining = set()
        for event in answer.get("chunk", []):
            sign = event.get("content", {}).get("m.relates_to", {}).get("key")
            choice = REACTION_CHOICES.get(sign) if isinstance(sign, str) else None
            if event.get("sender") != self._connection.user_id or choice is None:
                continue
            if choice in keep:
                remaining.add(choice)
            else:
                await self._redact(room, str(event["event_id"]), wait=wait)
        return frozenset(remaining)

    async def _redact(self, room: str, event_id: str, *, wait: bool) -> None:
        tx_id = transaction_id(room, "redact", event_id)

        async def redact() -> Any:
            return await self._connection.request(
                "take back a reaction",
                lambda client: client.room_redact(room, event_id, tx_id=tx_id),
                wait_when_limited=False,
            )

        await (
            self._rate_limiter.send(redact, Priority.EDIT) if wait else self._rate_limiter.try_once(redact)
        )


@contextmanager
def _telling_gone_rooms() -> Iterator[None]:
    """Marks the error of a room that the bot is not in any more, or that was closed for it."""
    try:
        yield
    except HomeserverError as error:
        error.room_gone = error.errcode in ("M_FORBIDDEN", "M_NOT_FOUND") and error.message_id is None
        raise


def _remember(known: OrderedDict[str, Any], key: str, value: object) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > _MAX_REMEMBERED:
        known.popitem(last=False)
