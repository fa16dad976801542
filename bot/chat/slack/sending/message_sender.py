"""The voice: cards as messages, each once for its key, and edits of them."""

from __future__ import annotations

import structlog
from slack_sdk.models.metadata import Metadata

from slipway.bot.chat.model import Card
from slipway.bot.chat.slack.sending.ephemeral import Aside, is_direct
from slipway.bot.chat.slack.sending.attachments import Attachments
from slipway.bot.chat.slack.transport.web_api import Connection
from slipway.bot.chat.slack.transport.errors import Refusal, RefusedError
from slipway.bot.chat.slack.sending.message_lookup import Lookup
from slipway.bot.chat.slack.sending.send_attempts import Begun, token_of
from slipway.bot.chat.slack.transport.rate_limit import Lanes, Latest
from slipway.bot.chat.slack.sending.card_sender import show, whole_of
from slipway.bot.chat.slack.interactions.values import MESSAGE_EVENT

log = structlog.get_logger(__name__)


class Voice:
    """Says cards in channels and direct messages."""

    def __init__(
        self, connection: Connection, begun: Begun, lanes: Lanes, edits: Latest, aside: Aside
    ) -> None:
        self._connection = connection
        self._begun = begun
        self._lanes = lanes
        self._edits = edits
        self._aside = aside
        self._lookup = Lookup(connection)
        self._attachments = Attachments(connection, begun, lanes, self._lookup)

    async def say(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        """Send a card once for its key, to one person alone where it concerns only them.

        After a crash or a doubtful outcome the message is looked for before it is sent again. What only one
        person sees cannot be looked for: it may come twice then, rather than not at all.

        Raises:
            ChatError: Slack did not take it.
        """
        try:
            channel = await self._aside.channel_of(room)
            if card.private_to is not None and not is_direct(channel):
                return await self._aside.say(channel, card, card.private_to, thread, key)
            async with self._lanes.turn(channel):
                tried = await self._begun.tried(key)
                sent = await self._lookup.message(channel, thread, key, tried) if tried else None
                if sent is None:
                    await self._begun.begin(key)
                    sent = await self._post(channel, card, thread, key)
        except RefusedError as error:
            if error.kind is Refusal.OUTSIDE:
                await self._aside.tell_outside(key, str(error))
            raise
        await self._attach(channel, card, thread or sent, key)
        return sent

    async def replace(self, room: str, stamp: str, card: Card, *, thread: str | None, key: str) -> None:
        """Replace a message by a card. Of several edits that wait, only the newest is made.

        What concerns one person alone does not stay in a message that all see: that one is deleted then.

        Raises:
            ChatError: Slack did not take it.
        """
        channel = await self._aside.channel_of(room)
        line = f"{channel} {stamp}"
        if card.private_to is not None and not is_direct(channel):
            await self._edits.edit(line, lambda: self._delete(channel, stamp))
            await self._aside.say(channel, card, card.private_to, thread, key)
            return
        await self._edits.edit(line, lambda: self._update(channel, stamp, card))
        if not card.fleeting:
            await self._attach(channel, card, thread or stamp, key)

    async def _attach(self, channel: str, card: Card, thread: str, key: str) -> None:
        whole = await whole_of(card)
        if whole is not None:
            await self._attachments.put(channel, thread, whole, key)

    async def _update(self, channel: str, stamp: str, card: Card) -> None:
        await show(
            self._connection,
            "change a message",
            card,
            channel,
            lambda client, text, blocks: client.chat_update(
                channel=channel, ts=stamp, text=text, blocks=blocks
            ),
        )

    async def _delete(self, channel: str, stamp: str) -> None:
        try:
            await self._connection.call(
                "delete a message",
                lambda client: client.chat_delete(channel=channel, ts=stamp),
                channel=channel,
            )
        except RefusedError as error:
            if error.passing:
                raise
            if error.kind is not Refusal.GONE:  # what replaces it has to be said all the same
                log.warning("a message could not be deleted", channel=channel, problem=str(error))

    async def _post(self, channel: str, card: Card, thread: str | None, key: str) -> str:
        answer = await show(
            self._connection,
            "send a message",
            card,
            channel,
            lambda client, text, blocks: client.chat_postMessage(
                channel=channel,
                text=text,
                blocks=blocks,
                thread_ts=thread,
                metadata=Metadata(event_type=MESSAGE_EVENT, event_payload={"key": token_of(key)}),
                unfurl_links=False,
                unfurl_media=False,
            ),
        )
        return str(answer.get("ts", ""))
