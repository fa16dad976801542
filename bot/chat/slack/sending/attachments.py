"""The whole of a card that was too long for a message, as a text file in the message's thread."""

from __future__ import annotations

import structlog

from slipway.bot.chat.slack.rendering.limits import EPHEMERAL_TEXT
from slipway.bot.chat.slack.rendering.mrkdwn import mrkdwn
from slipway.bot.chat.slack.sending.message_lookup import MessageLookup
from slipway.bot.chat.slack.sending.send_attempts import SendAttempts, message_token
from slipway.bot.chat.slack.transport.rate_limit import ChannelRateLimit
from slipway.bot.chat.slack.transport.web_api import WebApi
from slipway.bot.core.errors import ChatError

_MAX_ATTEMPTS = 2

log = structlog.get_logger(__name__)


class Attachments:
    """Uploads files into threads, each once for its key.

    A failure is told in the thread and goes no further: the message it belongs to was sent.
    """

    def __init__(
        self,
        api: WebApi,
        attempts: SendAttempts,
        channel_limit: ChannelRateLimit,
        lookup: MessageLookup,
    ) -> None:
        self._api = api
        self._attempts = attempts
        self._channel_limit = channel_limit
        self._lookup = lookup

    async def attach(self, channel: str, thread: str | None, text: str, key: str) -> None:
        """Attach a text, to a thread or to the conversation itself."""
        problem: ChatError | None = None
        for _ in range(_MAX_ATTEMPTS):
            try:
                await self._upload(channel, thread, text, key)
            except ChatError as error:
                problem = error
                if not error.passing:
                    break
            else:
                return
        log.warning("could not attach the whole of a long message", channel=channel, problem=str(problem))
        sentence = mrkdwn(f"The whole could not be attached. {problem}", EPHEMERAL_TEXT)
        try:
            await self._api.call(
                "send a message",
                lambda client: client.chat_postMessage(channel=channel, thread_ts=thread, text=sentence),
                channel=channel,
            )
        except ChatError as error:
            log.warning("could not say that a file is missing", channel=channel, problem=str(error))

    async def _upload(self, channel: str, thread: str | None, text: str, key: str) -> None:
        name, attempt_key = f"whole-{message_token(key)[:10]}.txt", f"whole {key}"
        async with self._channel_limit.slot(channel):
            last_attempt = await self._attempts.last_attempt(attempt_key)
            if last_attempt is not None and await self._lookup.find_file(channel, thread, name, last_attempt):
                return
            await self._attempts.record(attempt_key)
            await self._api.call(
                "attach a file",
                lambda client: client.files_upload_v2(
                    content=text, filename=name, title="The whole", channel=channel, thread_ts=thread
                ),
                channel=channel,
                slow=True,
            )
