"""Texts as files: the whole of a card that was too long for a message, in the message's thread, and what one person
alone may read."""

from __future__ import annotations

from dataclasses import replace

import structlog

from slipway.bot.chat.model import PrivateFile
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
    """Uploads files, each once for its key."""

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
        """Attach the whole of a message, to a thread or to the conversation itself.

        A failure is told there and goes no further: the message it belongs to was sent.
        """
        name = f"whole-{message_token(key)[:10]}.txt"
        try:
            await self._persistently(channel, thread, f"whole {key}", PrivateFile(name, "The whole", text))
            return
        except ChatError as error:
            problem = error
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

    async def send(self, channel: str, file: PrivateFile, key: str) -> None:
        """Send a file into a conversation.

        Raises:
            ChatError: Slack did not take it.
        """
        stem, dot, ending = file.name.rpartition(".")
        name = (
            f"{stem}-{message_token(key)[:10]}{dot}{ending}"  # by which it is found after a doubtful outcome
        )
        await self._persistently(channel, None, f"file {key}", replace(file, name=name))

    async def _persistently(self, channel: str, thread: str | None, key: str, file: PrivateFile) -> None:
        for attempt in range(1, _MAX_ATTEMPTS + 1):
            try:
                await self._upload(channel, thread, key, file)
                return
            except ChatError as error:
                if not error.passing or attempt == _MAX_ATTEMPTS:
                    raise

    async def _upload(self, channel: str, thread: str | None, attempt_key: str, file: PrivateFile) -> None:
        async with self._channel_limit.slot(channel):
            last_attempt = await self._attempts.last_attempt(attempt_key)
            if last_attempt is not None and await self._lookup.find_file(
                channel, thread, file.name, last_attempt
            ):
                return
            await self._attempts.record(attempt_key)
            await self._api.call(
                "attach a file",
                lambda client: client.files_upload_v2(
                    content=file.text, filename=file.name, title=file.title, channel=channel, thread_ts=thread
                ),
                channel=channel,
                slow=True,
            )
