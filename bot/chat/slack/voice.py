"""The voice: cards as messages, each once for its key, and edits of them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import aiohttp
import structlog
from slack_sdk.models.metadata import Metadata
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.chat.model import Card, Tone
from bot.chat.slack.connection import Connection, quiet_logger
from bot.chat.slack.failures import Refusal, RefusedError
from bot.chat.slack.limits import EPHEMERAL_TEXT
from bot.chat.slack.memory import Begun, token_of
from bot.chat.slack.pace import Lanes, Latest
from bot.chat.slack.render import message, whole_of
from bot.chat.slack.text import mrkdwn
from bot.chat.slack.values import MESSAGE_EVENT, part
from bot.errors import ChatError

_CLOCKS_APART = timedelta(minutes=5)
_LOOK_PAGES = 3
_PAGE = 200
_REPLIES = 200

log = structlog.get_logger(__name__)


async def _list(asked: dict[str, Any], client: AsyncWebClient) -> AsyncSlackResponse:
    return await (client.conversations_replies if "ts" in asked else client.conversations_history)(**asked)


class Voice:
    """Says cards in channels and direct messages."""

    def __init__(self, connection: Connection, begun: Begun, lanes: Lanes, timeout: timedelta) -> None:
        self._connection = connection
        self._begun = begun
        self._lanes = lanes
        self._timeout = timeout
        self._edits = Latest()
        self._direct: dict[str, str] = {}
        self._ways_back: OrderedDict[str, str] = OrderedDict()

    def remember_way_back(self, event_id: str, response_url: str) -> None:
        """Keep where somebody can be told that the answer to this event cannot be shown."""
        self._ways_back[event_id] = response_url
        while len(self._ways_back) > _REPLIES:
            self._ways_back.popitem(last=False)

    async def say(self, room: str, card: Card, *, thread: str | None, key: str) -> str:
        """Send a card once for its key, to one person alone where it concerns only them.

        After a crash or a doubtful outcome the message is looked for before it is sent again. What only one
        person sees cannot be looked for: it may come twice then, rather than not at all.

        Raises:
            ChatError: Slack did not take it.
        """
        try:
            channel = await self.channel_of(room)
            if card.private_to is not None and not channel.startswith("D"):
                return await self._say_privately(channel, card, card.private_to, thread)
            async with self._lanes.turn(channel):
                begun = await self._begun.since(key)
                sent = await self._look_for(channel, thread, key, begun) if begun else None
                if sent is None:
                    sent = await self._post(channel, card, thread, key)
        except RefusedError as error:
            if error.kind is Refusal.OUTSIDE:
                await self._tell_way_back(key, str(error))
            raise
        await self._attach(channel, card, thread=thread or sent, key=key)
        return sent

    async def replace(self, room: str, stamp: str, card: Card, *, thread: str | None, key: str) -> None:
        """Replace a message by a card. Of several edits that wait, only the newest is made.

        What concerns one person alone does not stay in a message that all see: that one is deleted then.

        Raises:
            ChatError: Slack did not take it.
        """
        channel = await self.channel_of(room)

        async def update() -> None:
            if card.private_to is not None and not channel.startswith("D"):
                await self._delete(channel, stamp)
                await self._say_privately(channel, card, card.private_to, thread)
                return
            shown = message(card)
            await self._connection.call(
                "change a message",
                lambda client: client.chat_update(
                    channel=channel, ts=stamp, text=shown.text, blocks=shown.blocks
                ),
                channel=channel,
            )

        await self._edits.edit(f"{channel} {stamp}", update)
        if card.private_to is None and card.tone not in (
            Tone.RUNNING,
            Tone.WAITING,
        ):  # what only shows progress is not worth a file each
            await self._attach(channel, card, thread=thread or stamp, key=key)

    async def whisper(
        self, room: str, user: str, sentence: str, *, thread: str | None = None, response_url: str = ""
    ) -> None:
        """Tell one person something that concerns nobody else. A failure is logged: there is no other way.

        Args:
            room: the channel, or the user's own id.
            user: the person's id.
            sentence: what they are told.
            thread: the thread in which they are.
            response_url: where Slack takes an answer to what they just did; tried first, as it works anywhere.
        """
        text = mrkdwn(sentence, EPHEMERAL_TEXT)
        try:
            if response_url and await self._respond(response_url, text):
                return
            channel = await self.channel_of(room)
            user = user.partition("/")[0]
            if channel.startswith("D"):
                await self._connection.call(
                    "answer",
                    lambda client: client.chat_postMessage(channel=channel, text=text),
                    channel=channel,
                )
                return
            await self._connection.call(
                "tell one person something",
                lambda client: client.chat_postEphemeral(
                    channel=channel, user=user, text=text, thread_ts=thread
                ),
                channel=channel,
            )
        except ChatError as error:
            log.warning("could not tell somebody something", channel=room, problem=str(error))

    async def channel_of(self, room: str) -> str:
        """The channel of a room: its own id, or the direct conversation with the user it names.

        Raises:
            ChatError: Slack does not open a conversation with them.
        """
        if not room.startswith(("U", "W")):
            return room
        if room not in self._direct:
            answer = await self._connection.call(
                "open a direct message", lambda client: client.conversations_open(users=room)
            )
            self._direct[room] = str(part(answer, "channel", "id"))
        return self._direct[room]

    async def _say_privately(self, channel: str, card: Card, account: str, thread: str | None) -> str:
        shown = message(card.model_copy(update={"mentions": ()}))
        answer = await self._connection.call(
            "tell one person something",
            lambda client: client.chat_postEphemeral(
                channel=channel,
                user=account.partition("/")[0],
                text=shown.text,
                blocks=shown.blocks,
                thread_ts=thread,
            ),
            channel=channel,
        )
        return str(answer.get("message_ts", ""))

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
        shown = message(card)
        answer = await self._connection.call(
            "send a message",
            lambda client: client.chat_postMessage(
                channel=channel,
                text=shown.text,
                blocks=shown.blocks,
                thread_ts=thread,
                metadata=Metadata(event_type=MESSAGE_EVENT, event_payload={"key": token_of(key)}),
                unfurl_links=False,
                unfurl_media=False,
            ),
            channel=channel,
        )
        return str(answer.get("ts", ""))

    async def _look_for(self, channel: str, thread: str | None, key: str, since: datetime) -> str | None:
        """The message that was sent with this key; None if there is none."""
        # What a crash left in doubt can be taken up before the ears have logged in.
        me = self._connection.me or await self._connection.log_in()
        async for found in self._pages(channel, thread, since):
            payload = part(found, "metadata", "event_payload")
            if part(payload, "key") == token_of(key) and part(found, "user") == me.user:
                log.info("a message that was in doubt had arrived", channel=channel)
                return str(part(found, "ts"))
        return None

    async def _pages(self, channel: str, thread: str | None, since: datetime) -> AsyncIterator[Any]:
        """The messages in a channel or thread since a time, a few pages of them."""
        oldest, cursor = f"{(since - _CLOCKS_APART).timestamp():.6f}", ""
        for _ in range(_LOOK_PAGES):
            asked: dict[str, Any] = {
                "channel": channel,
                "oldest": oldest,
                "limit": _PAGE,
                "include_all_metadata": True,
                **({"cursor": cursor} if cursor else {}),
            }
            if thread is not None:
                asked["ts"] = thread
            answer = await self._connection.call("look for a message", partial(_list, asked), channel=channel)
            for found in answer.get("messages") or ():
                yield found
            cursor = str(part(answer, "response_metadata", "next_cursor") or "")
            if not cursor:
                return

    async def _attach(self, channel: str, card: Card, *, thread: str, key: str) -> None:
        """Put the whole of a card that was too long into its thread, as a text file; once for its key."""
        text = whole_of(card)
        if text is None:
            return
        name = f"whole-{token_of(key)[:10]}.txt"
        begun = await self._begun.since(f"whole {key}")
        try:
            if begun and await self._has_file(channel, thread, name, begun):
                return
            async with self._lanes.turn(channel):
                await self._connection.call(
                    "attach a file",
                    lambda client: client.files_upload_v2(
                        content=text, filename=name, title="The whole", channel=channel, thread_ts=thread
                    ),
                    channel=channel,
                    slow=True,
                )
        except RefusedError as error:
            if error.passing:
                raise
            log.warning("could not attach the whole of a long message", channel=channel, problem=str(error))
            sentence = mrkdwn(f"The whole could not be attached. {error}", EPHEMERAL_TEXT)
            await self._connection.call(
                "send a message",
                lambda client: client.chat_postMessage(channel=channel, thread_ts=thread, text=sentence),
                channel=channel,
            )

    async def _has_file(self, channel: str, thread: str, name: str, since: datetime) -> bool:
        async for found in self._pages(channel, thread, since):
            files = part(found, "files")
            if isinstance(files, list) and any(part(file, "name") == name for file in files):
                return True
        return False

    async def _tell_way_back(self, key: str, sentence: str) -> None:
        """Tell the person whose command cannot be answered where they typed it."""
        event = next((event for event in self._ways_back if key.endswith(event)), "")
        url = self._ways_back.pop(event, "")  # told once, however many messages were to be sent
        if url and not await self._respond(url, mrkdwn(sentence, EPHEMERAL_TEXT)):
            log.warning("could not tell somebody that the bot may not answer there")

    async def _respond(self, response_url: str, text: str) -> bool:
        """Answer by a ``response_url``; whether Slack took it (five times within 30 minutes)."""
        seconds = max(1, int(self._timeout.total_seconds()))
        client = AsyncWebhookClient(response_url, timeout=seconds, retry_handlers=[], logger=quiet_logger())
        try:
            async with asyncio.timeout(seconds):
                answer = await client.send(text=text, response_type="ephemeral", replace_original=False)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log.info("a response_url did not answer", problem=type(error).__name__)
            return False
        return bool(answer.status_code == 200)
