"""What only one person is to see: ephemeral messages, answers by ``response_url``, direct messages.

Slack shows an ephemeral message in a thread only where that thread has replies already, and one by a
``response_url`` never in a thread (docs.slack.dev/reference/methods/chat.postEphemeral,
/interactivity/handling-user-interaction). So it is kept for a while where somebody did what they did.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import aiohttp
import structlog
from slack_sdk.webhook.async_client import AsyncWebhookClient

from slipway.bot.chat.model import Card
from slipway.bot.chat.shared.payloads import text_at, value_at
from slipway.bot.chat.slack.ids import is_direct, is_user
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.chat.slack.rendering.limits import EPHEMERAL_TEXT
from slipway.bot.chat.slack.rendering.mrkdwn import mrkdwn
from slipway.bot.chat.slack.sending.card_sender import in_thread_or_channel, send_card
from slipway.bot.chat.slack.transport.error_codes import RefusalKind
from slipway.bot.chat.slack.transport.errors import RefusedError
from slipway.bot.chat.slack.transport.sdk_logging import sdk_logger
from slipway.bot.chat.slack.transport.web_api import WebApi
from slipway.bot.core.errors import ChatError
from slipway.bot.core.model import Json

_MAX_REPLY_CONTEXTS = 200

HEARD, ANSWER = "heard", "answer"
"""What replicas tell each other of an event, by its id: that one heard it; what whoever caused it is to be told."""

# An answer's key is the id of the workflow that gives it, made of the event's; an edit's adds a number and a digest.
_ANSWER_KEY = re.compile(rf"hear:{SLACK}:(.+?)(?::\d+:[0-9a-f]{{16}})?", re.DOTALL)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ReplyContext:
    """Where somebody was when they did something.

    Attributes:
        thread: the thread they were in; None for the channel itself.
        response_url: where Slack takes an answer to it (five times within 30 minutes); empty if there is none.
        elsewhere: whether another replica heard it. That one keeps the ``response_url``, by which whoever has it may
            speak: it answers by that what this one has it say.
    """

    thread: str | None = None
    response_url: str = ""
    elsewhere: bool = False


class EphemeralMessages:
    """Tells one person what concerns nobody else.

    Args:
        api: Slack's.
        timeout: for an answer of a ``response_url``.
        works: whether this process is the one that answers.
        relay: gives something to this chat at the other replicas, where :meth:`relayed` takes it.
    """

    def __init__(
        self,
        api: WebApi,
        timeout: timedelta,
        works: Callable[[], bool],
        relay: Callable[[Json], Awaitable[None]],
    ) -> None:
        self._works = works
        self._relay = relay
        self._api = api
        self._timeout = timeout
        self._direct_channels: dict[str, str] = {}
        self._reply_contexts: OrderedDict[str, ReplyContext] = OrderedDict()

    async def channel_of(self, room: str) -> str:
        """The channel of a room: its own id, or the direct conversation with the user it names.

        Raises:
            ChatError: Slack does not open a conversation with them.
        """
        if not is_user(room):
            return room
        if room not in self._direct_channels:
            answer = await self._api.call(
                "open a direct message", lambda client: client.conversations_open(users=room)
            )
            self._direct_channels[room] = str(value_at(answer, "channel", "id"))
        return self._direct_channels[room]

    async def remember(self, event_id: str, reply_context: ReplyContext) -> None:
        """Keep where somebody was when they caused this event; where another replica answers, it knows, too."""
        self._keep(event_id, reply_context)
        if not self._works():
            await self._relay({HEARD: event_id, "thread": reply_context.thread})

    async def relayed(self, content: Mapping[str, Any]) -> None:
        """Take in where somebody was whom another replica heard, or answer somebody whom this one heard."""
        heard, asked = text_at(content, HEARD), text_at(content, ANSWER)
        if heard:
            self._keep(heard, ReplyContext(text_at(content, "thread") or None, elsewhere=True))
        reply_context = self._reply_contexts.get(asked)
        if reply_context is not None and not await self._respond(reply_context, text_at(content, "text")):
            log.warning("could not tell somebody that the bot may not answer there")

    def _keep(self, event_id: str, reply_context: ReplyContext) -> None:
        self._reply_contexts[event_id] = reply_context
        while len(self._reply_contexts) > _MAX_REPLY_CONTEXTS:
            self._reply_contexts.popitem(last=False)

    async def send(self, channel: str, card: Card, account: str, thread: str | None, key: str) -> str:
        """Show a card to one person of a channel; in a direct message, if they are not in it.

        Args:
            channel: where it belongs.
            card: what they are shown.
            account: the person's account.
            thread: the thread it belongs to.
            key: the message's key, which names the event that it answers.

        Raises:
            ChatError: Slack did not take it.
        """
        unmentioned = card.model_copy(update={"mentions": ()})
        user = account.partition("/")[0]
        visible = await self._visible_thread(channel, thread, key)
        try:
            answer = await in_thread_or_channel(
                visible,
                lambda place: send_card(
                    self._api,
                    "tell one person something",
                    unmentioned,
                    channel,
                    lambda client, text, blocks: client.chat_postEphemeral(
                        channel=channel, user=user, text=text, blocks=blocks, thread_ts=place
                    ),
                ),
            )
            return str(answer.get("message_ts", ""))
        except RefusedError as error:
            if error.kind is not RefusalKind.USER_NOT_IN_CHANNEL:
                raise
        try:
            return await self._send_directly(user, unmentioned)
        except RefusedError as refused:
            if refused.kind is not RefusalKind.INVALID_TOKEN:
                # It says nothing of the channel, where nobody else is to wait for this person.
                refused.room_gone = refused.locked_out = False
            raise

    async def _send_directly(self, user: str, card: Card) -> str:
        direct = await self.channel_of(user)
        answer = await send_card(
            self._api,
            "tell one person something",
            card,
            direct,
            lambda client, text, blocks: client.chat_postMessage(channel=direct, text=text, blocks=blocks),
        )
        return str(answer.get("ts", ""))

    async def send_text(self, room: str, user: str, sentence: str, reply_context: ReplyContext) -> None:
        """Tell one person a sentence. A failure is logged: there is no other way.

        Args:
            room: the channel, or the user's own id.
            user: the person's id.
            sentence: what they are told.
            reply_context: where they are.
        """
        text = mrkdwn(sentence, EPHEMERAL_TEXT)
        # An answer by response_url works anywhere, but is not seen in a thread.
        if reply_context.thread is None and await self._respond(reply_context, text):
            return
        try:
            await self._send_text(
                await self.channel_of(room), user.partition("/")[0], text, reply_context.thread
            )
        except ChatError as error:
            if reply_context.thread is None or not await self._respond(reply_context, text):
                log.warning("could not tell somebody something", channel=room, problem=str(error))

    async def respond_to_event(self, key: str, sentence: str) -> None:
        """Tell whoever caused an event, by its ``response_url``, that it cannot be answered where they are."""
        # Once, however often it is tried.
        reply_context = self._reply_contexts.pop(_answered_event(key), None)
        text = mrkdwn(sentence, EPHEMERAL_TEXT)
        if reply_context is None:
            return
        if reply_context.elsewhere:
            await self._relay({ANSWER: _answered_event(key), "text": text})
        elif reply_context.response_url and not await self._respond(reply_context, text):
            log.warning("could not tell somebody that the bot may not answer there")

    async def respond_meanwhile(self, card: Card) -> bool:
        """Tell whoever caused the event that a card answers the card's title, by its ``response_url``, by which more
        may follow. Whether Slack took it."""
        reply_context = self._reply_contexts.get(card.answers or "")
        text = mrkdwn(card.title, EPHEMERAL_TEXT)
        if reply_context is not None and reply_context.elsewhere:
            await self._relay({ANSWER: card.answers, "text": text})
            return True
        return reply_context is not None and await self._respond(reply_context, text)

    async def _send_text(self, channel: str, user: str, text: str, thread: str | None) -> None:
        try:
            if not is_direct(channel):
                await self._api.call(
                    "tell one person something",
                    lambda client: client.chat_postEphemeral(
                        channel=channel, user=user, text=text, thread_ts=thread
                    ),
                    channel=channel,
                )
                return
        except RefusedError as error:
            if error.kind is not RefusalKind.USER_NOT_IN_CHANNEL:
                raise
            channel = await self.channel_of(user)
        await self._api.call(
            "answer", lambda client: client.chat_postMessage(channel=channel, text=text), channel=channel
        )

    async def _visible_thread(self, channel: str, thread: str | None, key: str) -> str | None:
        """The thread in which a person sees a message for them alone; None where that is the channel."""
        reply_context = self._reply_contexts.get(_answered_event(key))
        if reply_context is not None:
            return reply_context.thread
        if thread is None:
            return None
        try:
            answer = await self._api.call(
                "look into a thread",
                lambda client: client.conversations_replies(channel=channel, ts=thread, limit=2),
                channel=channel,
            )
        except RefusedError as error:
            if error.passing:
                raise
            log.info("a thread could not be looked into", channel=channel, problem=str(error))
            return None
        found = answer.get("messages")
        return thread if isinstance(found, list) and len(found) > 1 else None

    async def _respond(self, reply_context: ReplyContext, text: str) -> bool:
        """Answer by the ``response_url``; whether Slack took it."""
        if not reply_context.response_url:
            return False
        seconds = max(1, int(self._timeout.total_seconds()))
        client = AsyncWebhookClient(
            reply_context.response_url, timeout=seconds, retry_handlers=[], logger=sdk_logger()
        )
        try:
            async with asyncio.timeout(seconds):
                answer = await client.send(text=text, response_type="ephemeral", replace_original=False)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log.info("a response_url did not answer", problem=type(error).__name__)
            return False
        return bool(answer.status_code == HTTPStatus.OK) and not _is_refusal(answer.body)


def _is_refusal(body: str) -> bool:
    """Whether what a ``response_url`` answered with success says that it is none; else it says “ok”."""
    try:
        return value_at(json.loads(body), "ok") is False
    except ValueError:
        return False


def _answered_event(key: str) -> str:
    """The id of the event that a message with this key answers; empty where it answers none."""
    match = _ANSWER_KEY.fullmatch(key)
    return match[1] if match else ""
