"""The voice: cards as messages, each once for its key, and edits of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from slack_sdk.models.metadata import Metadata
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.chat.model import Card, Tone
from bot.chat.slack.aside import Aside, is_direct
from bot.chat.slack.connection import LONGEST_WAIT, MOST_WAITS, Connection
from bot.chat.slack.failures import Refusal, RefusedError
from bot.chat.slack.limits import EPHEMERAL_TEXT
from bot.chat.slack.memory import Begun, token_of
from bot.chat.slack.pace import Lanes, Latest
from bot.chat.slack.render import whole_of
from bot.chat.slack.showing import show
from bot.chat.slack.text import mrkdwn
from bot.chat.slack.values import MESSAGE_EVENT, part

_CLOCKS_APART = timedelta(minutes=5)
_LONGEST_TRY = timedelta(seconds=MOST_WAITS * LONGEST_WAIT) + _CLOCKS_APART
_LOOK_PAGES = 3
_PAGE = 200

log = structlog.get_logger(__name__)


async def _list(asked: dict[str, Any], client: AsyncWebClient) -> AsyncSlackResponse:
    return await (client.conversations_replies if "ts" in asked else client.conversations_history)(**asked)


class Voice:
    """Says cards in channels and direct messages."""

    def __init__(self, connection: Connection, begun: Begun, lanes: Lanes, aside: Aside) -> None:
        self._connection = connection
        self._begun = begun
        self._lanes = lanes
        self._aside = aside
        self._edits = Latest()

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
                sent = await self._look_for(channel, thread, key, tried) if tried else None
                if sent is None:
                    sent = await self._post(channel, card, thread, key)
        except RefusedError as error:
            if error.kind is Refusal.OUTSIDE:
                await self._aside.tell_outside(key, str(error))
            raise
        await self._attach(channel, card, thread=thread or sent, key=key)
        return sent

    async def replace(self, room: str, stamp: str, card: Card, *, thread: str | None, key: str) -> None:
        """Replace a message by a card. Of several edits that wait, only the newest is made.

        What concerns one person alone does not stay in a message that all see: that one is deleted then.

        Raises:
            ChatError: Slack did not take it.
        """
        channel = await self._aside.channel_of(room)

        async def update() -> None:
            if card.private_to is not None and not is_direct(channel):
                await self._delete(channel, stamp)
                await self._aside.say(channel, card, card.private_to, thread, key)
                return
            await show(
                self._connection,
                "change a message",
                card,
                channel,
                lambda client, text, blocks: client.chat_update(
                    channel=channel, ts=stamp, text=text, blocks=blocks
                ),
            )

        await self._edits.edit(f"{channel} {stamp}", update)
        if card.private_to is None and card.tone not in (
            Tone.RUNNING,
            Tone.WAITING,
        ):  # what only shows progress is not worth a file each
            await self._attach(channel, card, thread=thread or stamp, key=key)

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

    async def _look_for(self, channel: str, thread: str | None, key: str, tried: datetime) -> str | None:
        """The message that was sent with this key; None if there is none."""
        # What a crash left in doubt can be taken up before the ears have logged in.
        me = self._connection.me or await self._connection.log_in()
        async for found in self._pages(channel, thread, tried):
            payload = part(found, "metadata", "event_payload")
            if part(payload, "key") == token_of(key) and part(found, "user") == me.user:
                log.info("a message that was in doubt had arrived", channel=channel)
                return str(part(found, "ts"))
        return None

    async def _pages(self, channel: str, thread: str | None, tried: datetime) -> AsyncIterator[Any]:
        """The messages in a channel or thread of about the time of a try, a few pages of them."""
        oldest = f"{(tried - _CLOCKS_APART).timestamp():.6f}"
        latest, cursor = f"{(tried + _LONGEST_TRY).timestamp():.6f}", ""
        for _ in range(_LOOK_PAGES):
            asked: dict[str, Any] = {
                "channel": channel,
                "oldest": oldest,
                "latest": latest,
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
        tried = await self._begun.tried(f"whole {key}")
        try:
            if tried and await self._has_file(channel, thread, name, tried):
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

    async def _has_file(self, channel: str, thread: str, name: str, tried: datetime) -> bool:
        async for found in self._pages(channel, thread, tried):
            files = part(found, "files")
            if isinstance(files, list) and any(part(file, "name") == name for file in files):
                return True
        return False
