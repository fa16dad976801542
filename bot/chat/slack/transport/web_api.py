"""The line to Slack's Web API: calls with timeouts, rate limits waited out, and plain errors."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from slipway.bot.chat.slack.transport.errors import Refusal, RefusedError, refusal
from slipway.bot.chat.slack.settings import SlackSettings
from slipway.bot.core.errors import ChatError
from slipway.bot.core.waiting import Sleep

MOST_WAITS = 5
"""How often one call is tried again after a 429, with the pause that Slack asks for."""

LONGEST_WAIT = 60.0
"""Seconds that Slack may ask for within one call; more is an error that says so."""

_UNSOUND = (ValueError, TypeError, AttributeError)
"""What the SDK raises where a proxy, or whoever, answers with something that is not Slack's JSON."""

_UPLOAD_PATIENCE = 3  # an upload is three calls

Call = Callable[[AsyncWebClient], Awaitable[AsyncSlackResponse]]


@dataclass(frozen=True)
class Self:
    """The app as Slack knows it, from ``auth.test``; ``organisation`` is empty outside Enterprise Grid."""

    team: str
    organisation: str
    user: str
    name: str
    scopes: frozenset[str]


class Connection:
    """One Web API client. Nothing is sent before it is needed; the SDK itself tries nothing again."""

    def __init__(self, settings: SlackSettings, sleep: Sleep = asyncio.sleep) -> None:
        self._settings = settings
        self._sleep = sleep
        self._session: aiohttp.ClientSession | None = None
        self._client: AsyncWebClient | None = None
        self.me: Self | None = None
        self.locked_out = ""  # the refusal of a token that does not work any more, until a call is answered

    @property
    def client(self) -> AsyncWebClient:
        """The SDK's client, with the bot's token."""
        if self._client is None:
            seconds = self._settings.request_timeout.total_seconds()
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=seconds))
            token = self._settings.bot_token
            self._client = self.make_client(token.get_secret_value() if token else None, self._session)
        return self._client

    def make_client(self, token: str | None, session: aiohttp.ClientSession | None = None) -> AsyncWebClient:
        """A client of its own, for what brings its own connections: Bolt and the sockets."""
        more: dict[str, Any] = {"base_url": self._settings.api_url} if self._settings.endpoint else {}
        return AsyncWebClient(
            token=token,
            timeout=max(1, int(self._settings.request_timeout.total_seconds())),
            session=session,
            retry_handlers=[],  # what was sent and not answered may have been done: that is looked up first
            logger=quiet_logger(),
            **more,
        )

    async def close(self) -> None:
        """Let go of the connection; a later call opens it again."""
        session, self._session, self._client = self._session, None, None
        if session is not None:
            await session.close()

    async def call(
        self, what: str, make: Call, *, channel: str = "", slow: bool = False, by_app: bool = False
    ) -> dict[str, Any]:
        """Make one call, and give its answer back if it is not an error.

        Args:
            what: what the call does, to follow “could not”: ``send a message``.
            make: gets the SDK's client.
            channel: the channel it concerns, for the error's words.
            slow: whether it may take several timeouts, as an upload does.
            by_app: whether it is made with the app's token, which says nothing about the bot's.

        Raises:
            RefusedError: Slack answered with an error, or kept asking to wait.
            ChatError: Slack could not be reached, or took too long. It may have been done all the same.
        """
        for _ in range(MOST_WAITS):
            try:
                return await self._try(what, make, channel, slow=slow, by_app=by_app)
            except RefusedError as error:
                if error.kind is not Refusal.LIMITED or error.retry_after > LONGEST_WAIT:
                    raise
                await self._sleep(error.retry_after)
        return await self._try(what, make, channel, slow=slow, by_app=by_app)

    async def log_in(self) -> Self:
        """Ask who the bot is.

        Raises:
            ChatError: as :meth:`call`.
        """
        headers: Mapping[str, Any] = {}

        async def test(client: AsyncWebClient) -> AsyncSlackResponse:
            nonlocal headers
            answer = await client.auth_test()
            headers = answer.headers
            return answer

        answer = await self.call("log in to Slack", test)
        scopes = next((str(v) for k, v in headers.items() if k.lower() == "x-oauth-scopes"), "")
        self.me = Self(
            team=str(answer.get("team_id") or ""),
            organisation=str(answer.get("enterprise_id") or ""),
            user=str(answer.get("user_id", "")),
            name=str(answer.get("user", "")),
            scopes=frozenset(scope.strip() for scope in scopes.split(",") if scope.strip()),
        )
        return self.me

    async def _try(self, what: str, make: Call, channel: str, *, slow: bool, by_app: bool) -> dict[str, Any]:
        seconds = self._settings.request_timeout.total_seconds() * (_UPLOAD_PATIENCE if slow else 1)
        try:
            async with asyncio.timeout(seconds):
                answer = await make(self.client)
        except SlackApiError as error:
            name = self.me.name if self.me else "slipway"
            refused = refusal(what, error, channel, name)
            if not by_app:
                self.locked_out = str(refused) if refused.kind is Refusal.LOCKED_OUT else ""
            raise refused from None  # the SDK's text holds Slack's whole answer
        except TimeoutError as error:
            raise ChatError(f"Could not {what}: Slack took too long.", passing=True, doubtful=True) from error
        except (aiohttp.ClientError, OSError, SlackClientError, *_UNSOUND) as error:
            name = type(error).__name__
            raise ChatError(
                f"Could not {what}: no sound answer from Slack ({name}).", passing=True, doubtful=True
            ) from error
        if not by_app:
            self.locked_out = ""
        found: object = answer.data
        return found if isinstance(found, dict) else {}


def quiet_logger() -> logging.Logger:
    """A logger for Slack's libraries that is heard only when something is wrong.

    On finer levels they log whole messages and socket addresses, which are as good as tokens; on this one,
    errors whose words hold such an address.
    """
    logger = logging.getLogger("slipway.slack_sdk")
    logger.setLevel(logging.ERROR)
    if _without_secrets not in logger.filters:
        logger.addFilter(_without_secrets)
    return logger


def _without_secrets(record: logging.LogRecord) -> bool:
    record.msg, record.args = _SECRETS.sub("…", record.getMessage()), ()
    record.exc_info = record.exc_text = record.stack_info = None
    return True


_SECRETS = re.compile(r"(wss?|https?)://[^\s'\"]+|xox[a-z]-[\w-]+|xapp-[\w-]+")
