"""Cards as messages, each once for its key, and edits of them."""

from __future__ import annotations

import uuid

import structlog
from slack_sdk.models.metadata import Metadata

from slipway.bot.chat.model import Card, PrivateFile
from slipway.bot.chat.shared.edits import LatestEdits
from slipway.bot.chat.slack.ids import is_direct
from slipway.bot.chat.slack.sending.attachments import Attachments
from slipway.bot.chat.slack.sending.card_sender import full_text, in_thread_or_channel, send_card
from slipway.bot.chat.slack.sending.ephemeral import EphemeralMessages, ReplyContext
from slipway.bot.chat.slack.sending.message_lookup import MessageLookup
from slipway.bot.chat.slack.sending.send_attempts import SendAttempts, message_token
from slipway.bot.chat.slack.transport.error_codes import RefusalKind
from slipway.bot.chat.slack.transport.errors import RefusedError
from slipway.bot.chat.slack.transport.rate_limit import ChannelRateLimit
from slipway.bot.chat.slack.transport.web_api import WebApi
from slipway.bot.core.errors import ChatError

MESSAGE_EVENT_TYPE = "slipway_message"
"""The ``event_type`` of a message's metadata, which holds the message's key."""

_NOTHING_IS_TAKEN = (RefusalKind.NOT_IN_CHANNEL, RefusalKind.NOT_ALLOWED, RefusalKind.INVALID_TOKEN)
"""Where whoever caused an event can still be told in another way."""

log = structlog.get_logger(__name__)


class MessageSender:
    """Sends cards to channels and direct messages."""

    def __init__(
        self,
        api: WebApi,
        attempts: SendAttempts,
        channel_limit: ChannelRateLimit,
        edits: LatestEdits,
        ephemeral: EphemeralMessages,
    ) -> None:
        self._api = api
        self._attempts = attempts
        self._channel_limit = channel_limit
        self._edits = edits
        self._ephemeral = ephemeral
        self._lookup = MessageLookup(api)
        self._attachments = Attachments(api, attempts, channel_limit, self._lookup)

    async def send(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        """Send a card once for its key, to one person alone where it concerns only them.

        After a crash or a doubtful outcome the message is looked for before it is sent again. What only one
        person sees cannot be looked for: it may come twice then, rather than not at all.

        Raises:
            ChatError: Slack did not take it.
        """
        try:
            channel = await self._ephemeral.channel_of(room)
            if card.private_to is not None and not is_direct(channel):
                told = await self._ephemeral.send(channel, card, card.private_to, thread, key)
                await self._attach_for_one(channel, card, card.private_to, key)
                return told
            async with self._channel_limit.slot(channel):
                sent, root = await in_thread_or_channel(
                    thread, lambda place: self._send_once(channel, card, place, key)
                )
        except RefusedError as error:
            if error.kind in _NOTHING_IS_TAKEN:
                await self._ephemeral.respond_to_event(key, str(error))
            raise
        await self._attach(channel, card, root, key)
        await self._show_pictures(channel, card, sent, root if root != sent else None)
        return sent

    async def _send_once(self, channel: str, card: Card, thread: str | None, key: str) -> tuple[str, str]:
        """The message's id, and that of the message which begins the thread that it stands in, or begins itself."""
        last_attempt = await self._attempts.last_attempt(key)
        sent = None
        if last_attempt is not None:
            sent = await self._lookup.find_message(channel, thread, key, last_attempt)
        if sent is None:
            await self._attempts.record(key)
            sent = await self._post(channel, card, thread, key)
        return sent, thread or sent

    async def send_unrecorded(self, room: str, card: Card) -> str:
        """Send a card for which nothing is stored, also while another message to the channel waits to be recorded.

        Raises:
            ChatError: Slack did not take it, or did and its answer was lost.
        """
        channel, key = await self._ephemeral.channel_of(room), str(uuid.uuid4())
        if card.private_to is None or is_direct(channel):
            return await self._post(channel, card, None, key)
        try:
            return await self._ephemeral.send(channel, card, card.private_to, None, key)
        except RefusedError as error:
            told = error.kind in _NOTHING_IS_TAKEN and await self._ephemeral.respond_meanwhile(card)
            if told:
                return ""
            raise

    async def send_private_file(self, account: str, file: PrivateFile, *, key: str) -> None:
        """Send somebody a file in a direct message, once for its key.

        Raises:
            ChatError: Slack did not take it.
        """
        channel = await self._ephemeral.channel_of(account.partition("/")[0])
        await self._attachments.send(channel, file, key)

    async def edit(self, room: str, ts: str, card: Card, *, thread: str | None, key: str) -> None:
        """Replace a message by a card. Of several edits that wait, only the newest is made.

        What concerns one person alone does not stay in a message that all see: that one is deleted then.

        Raises:
            ChatError: Slack did not take it.
        """
        channel = await self._ephemeral.channel_of(room)
        message = f"{channel} {ts}"
        if card.private_to is not None and not is_direct(channel):
            await self._edits.edit(message, lambda: self._delete(channel, ts))
            await self._ephemeral.send(channel, card, card.private_to, thread, key)
            await self._attach_for_one(channel, card, card.private_to, key)
            return
        await self._edits.edit(message, lambda: self._update(channel, ts, card))
        if not card.fleeting:
            await self._attach(channel, card, thread or ts, key)
            await self._show_pictures(channel, card, ts, thread)

    async def _show_pictures(self, channel: str, card: Card, ts: str, thread: str | None) -> None:
        """Show a card's pictures below it, each once for the card's message.

        Raises:
            ChatError: Slack did not take it now, and may later: then the error has the message's id.
        """
        try:
            for picture in card.pictures:
                key = f"{channel} {ts} {picture.token}"
                await self._attachments.show(channel, thread, picture, key)
        except ChatError as error:
            error.message_id = ts
            raise

    async def _attach_for_one(self, channel: str, card: Card, account: str, key: str) -> None:
        """What only one person sees cannot have a file: it comes in a direct message.

        A failure is told them and goes no further: they have seen the message that it belongs to.
        """
        text = await full_text(card)
        if text is None and not card.pictures:
            return
        user = account.partition("/")[0]
        what = "The whole" if text is not None else "A picture"
        try:
            direct = await self._ephemeral.channel_of(user)
            if text is not None:
                await self._attachments.attach(direct, None, text, key)
            for picture in card.pictures:
                what = "A picture"
                await self._attachments.show(direct, None, picture, f"{direct} {key} {picture.token}")
        except ChatError as error:
            sentence = f"{what} could not be attached. {error}"
            await self._ephemeral.send_text(channel, user, sentence, ReplyContext())

    async def _attach(self, channel: str, card: Card, thread: str, key: str) -> None:
        text = await full_text(card)
        if text is not None:
            await self._attachments.attach(channel, thread, text, key)

    async def _update(self, channel: str, ts: str, card: Card) -> None:
        await send_card(
            self._api,
            "change a message",
            card,
            channel,
            lambda client, text, blocks: client.chat_update(channel=channel, ts=ts, text=text, blocks=blocks),
        )

    async def _delete(self, channel: str, ts: str) -> None:
        try:
            await self._api.call(
                "delete a message",
                lambda client: client.chat_delete(channel=channel, ts=ts),
                channel=channel,
            )
        except RefusedError as error:
            if error.passing:
                raise
            if (
                error.kind is not RefusalKind.MESSAGE_NOT_FOUND
            ):  # what replaces it has to be said all the same
                log.warning("a message could not be deleted", channel=channel, problem=str(error))

    async def _post(self, channel: str, card: Card, thread: str | None, key: str) -> str:
        answer = await send_card(
            self._api,
            "send a message",
            card,
            channel,
            lambda client, text, blocks: client.chat_postMessage(
                channel=channel,
                text=text,
                blocks=blocks,
                thread_ts=thread,
                metadata=Metadata(event_type=MESSAGE_EVENT_TYPE, event_payload={"key": message_token(key)}),
                unfurl_links=False,
                unfurl_media=False,
            ),
        )
        return str(answer.get("ts", ""))
