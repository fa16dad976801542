"""Files: the whole of a card that was too long for a message, in the message's thread, what one person alone may
read, and pictures."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from slipway.bot.chat.model import PrivateFile
from slipway.bot.chat.pictures import Picture
from slipway.bot.chat.slack.rendering.limits import EPHEMERAL_TEXT
from slipway.bot.chat.slack.rendering.mrkdwn import mrkdwn
from slipway.bot.chat.slack.sending.message_lookup import MessageLookup
from slipway.bot.chat.slack.sending.send_attempts import SendAttempts, message_token
from slipway.bot.chat.slack.transport.rate_limit import ChannelRateLimit
from slipway.bot.chat.slack.transport.web_api import WebApi
from slipway.bot.core.errors import ChatError

_MAX_ATTEMPTS = 2

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _File:
    """A file on its way: ``name`` is that by which it is found after a doubtful outcome."""

    name: str
    title: str
    content: str | bytes
    alternative: str | None = None


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
            await self._persistently(channel, thread, f"whole {key}", _File(name, "The whole", text))
        except ChatError as error:
            log.warning("could not attach the whole of a long message", channel=channel, problem=str(error))
            await self._tell(channel, thread, f"The whole could not be attached. {error}")

    async def show(self, channel: str, thread: str | None, picture: Picture, key: str) -> None:
        """Show a picture in a thread or in the conversation itself, once for its key.

        That Slack will not have it is told there and goes no further: what it belongs to says the same in words.

        Raises:
            ChatError: Slack did not take it now, and may later.
        """
        stem = picture.name.removesuffix(".png")
        file = _File(
            name=f"{stem}-{message_token(key)[:10]}.png",
            title=stem,
            content=picture.png,
            alternative=picture.alternative,
        )
        try:
            await self._persistently(channel, thread, f"picture {key}", file)
        except ChatError as error:
            if error.passing:
                raise
            log.warning("could not show a picture", channel=channel, problem=str(error))
            await self._tell(channel, thread, f"A picture could not be shown. {error}")

    async def send(self, channel: str, file: PrivateFile, key: str) -> None:
        """Send a file into a conversation.

        Raises:
            ChatError: Slack did not take it.
        """
        stem, dot, ending = file.name.rpartition(".")
        name = f"{stem}-{message_token(key)[:10]}{dot}{ending}"
        await self._persistently(channel, None, f"file {key}", _File(name, file.title, file.text))

    async def _tell(self, channel: str, thread: str | None, sentence: str) -> None:
        text = mrkdwn(sentence, EPHEMERAL_TEXT)
        try:
            await self._api.call(
                "send a message",
                lambda client: client.chat_postMessage(channel=channel, thread_ts=thread, text=text),
                channel=channel,
            )
        except ChatError as error:
            log.warning("could not say that a file is missing", channel=channel, problem=str(error))

    async def _persistently(self, channel: str, thread: str | None, key: str, file: _File) -> None:
        for attempt in range(1, _MAX_ATTEMPTS + 1):
            try:
                await self._upload(channel, thread, key, file)
                return
            except ChatError as error:
                if not error.passing or attempt == _MAX_ATTEMPTS:
                    raise

    async def _upload(self, channel: str, thread: str | None, attempt_key: str, file: _File) -> None:
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
                    content=file.content,
                    filename=file.name,
                    title=file.title,
                    alt_txt=file.alternative,
                    channel=channel,
                    thread_ts=thread,
                ),
                channel=channel,
                slow=True,
            )
