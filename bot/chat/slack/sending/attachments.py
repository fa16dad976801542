"""The whole of a card that was too long for a message, as a text file in the message's thread."""

from __future__ import annotations

import structlog

from slipway.bot.chat.slack.transport.web_api import Connection
from slipway.bot.chat.slack.rendering.limits import EPHEMERAL_TEXT
from slipway.bot.chat.slack.sending.message_lookup import Lookup
from slipway.bot.chat.slack.sending.send_attempts import Begun, token_of
from slipway.bot.chat.slack.transport.rate_limit import Lanes
from slipway.bot.chat.slack.rendering.mrkdwn import mrkdwn
from slipway.bot.core.errors import ChatError

_TRIES = 2

log = structlog.get_logger(__name__)


class Attachments:
    """Puts files into threads, each once for its key.

    A failure is told in the thread and goes no further: the message it belongs to stands.
    """

    def __init__(self, connection: Connection, begun: Begun, lanes: Lanes, lookup: Lookup) -> None:
        self._connection = connection
        self._begun = begun
        self._lanes = lanes
        self._lookup = lookup

    async def put(self, channel: str, thread: str, text: str, key: str) -> None:
        """Attach a text."""
        problem: ChatError | None = None
        for _ in range(_TRIES):
            try:
                await self._put(channel, thread, text, key)
            except ChatError as error:
                problem = error
                if not error.passing:
                    break
            else:
                return
        log.warning("could not attach the whole of a long message", channel=channel, problem=str(problem))
        sentence = mrkdwn(f"The whole could not be attached. {problem}", EPHEMERAL_TEXT)
        try:
            await self._connection.call(
                "send a message",
                lambda client: client.chat_postMessage(channel=channel, thread_ts=thread, text=sentence),
                channel=channel,
            )
        except ChatError as error:
            log.warning("could not say that a file is missing", channel=channel, problem=str(error))

    async def _put(self, channel: str, thread: str, text: str, key: str) -> None:
        name, begun = f"whole-{token_of(key)[:10]}.txt", f"whole {key}"
        async with self._lanes.turn(channel):
            tried = await self._begun.tried(begun)
            if tried is not None and await self._lookup.file(channel, thread, name, tried):
                return
            await self._begun.begin(begun)
            await self._connection.call(
                "attach a file",
                lambda client: client.files_upload_v2(
                    content=text, filename=name, title="The whole", channel=channel, thread_ts=thread
                ),
                channel=channel,
                slow=True,
            )
