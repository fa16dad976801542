"""Slack's Web API: calls with timeouts, rate limits waited out, and plain errors."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from slipway.bot.chat.shared.outage import connection_failure
from slipway.bot.chat.shared.payloads import text_at
from slipway.bot.chat.slack.ids import TEAM
from slipway.bot.chat.slack.settings import SlackSettings
from slipway.bot.chat.slack.transport.error_codes import RefusalKind
from slipway.bot.chat.slack.transport.errors import RefusedError, refused_error
from slipway.bot.chat.slack.transport.sdk_logging import sdk_logger
from slipway.bot.core.errors import ChatError
from slipway.bot.core.fencing import NO_FENCE, Fence
from slipway.bot.core.platform_clock import PlatformClock
from slipway.bot.core.times import Clock, system_clock
from slipway.bot.core.waiting import Sleep

MAX_RETRIES = 5
"""How often one call is tried again after a 429, with the pause that Slack asks for."""

MAX_RETRY_AFTER = 60.0
"""Seconds that Slack may ask for within one call; more is an error that says so."""

_MALFORMED_RESPONSE = (ValueError, TypeError, AttributeError)
"""What the SDK raises where a proxy, or whoever, answers with something that is not Slack's JSON."""

_PAGE, _MOST_PAGES = 1_000, 10  # of workspaces: Slack gives at most so many at once

_UPLOAD_TIMEOUTS = 3  # an upload is three calls

log = structlog.get_logger(__name__)

Request = Callable[[AsyncWebClient], Awaitable[AsyncSlackResponse]]
"""Makes a call with the SDK's client."""


@dataclass(frozen=True)
class BotIdentity:
    """The app as Slack knows it, from ``auth.test``.

    Attributes:
        team: the workspace that it is installed in, or the organisation that it is installed for.
        teams: whose people are its own: the workspace that it is installed in, or those that it was added to.
        enterprise: the organisation; empty outside Enterprise Grid.
        organisation_wide: whether it is installed for the organisation.
    """

    team: str
    teams: frozenset[str]
    enterprise: str
    organisation_wide: bool
    user: str
    name: str
    scopes: frozenset[str]


class WebApi:
    """One Web API client. Nothing is sent before it is needed; the SDK itself tries nothing again.

    ``fence`` is asked right before each call: what another replica does by now, this one does not.
    """

    def __init__(
        self,
        settings: SlackSettings,
        sleep: Sleep = asyncio.sleep,
        clock: Clock = system_clock,
        fence: Fence = NO_FENCE,
    ) -> None:
        self._fence = fence
        self._settings = settings
        self._sleep = sleep
        self.platform_clock = PlatformClock(clock)
        self._session: aiohttp.ClientSession | None = None
        self._client: AsyncWebClient | None = None
        self.identity: BotIdentity | None = None
        self.token_problem = (
            ""  # the refusal of a token that does not work any more, until a call is answered
        )

    @property
    def client(self) -> AsyncWebClient:
        """The SDK's client, with the bot's token."""
        if self._client is None:
            seconds = self._settings.request_timeout.total_seconds()
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=seconds))
            token = self._settings.bot_token
            self._client = self.new_client(token.get_secret_value() if token else None, self._session)
        return self._client

    def new_client(self, token: str | None, session: aiohttp.ClientSession | None = None) -> AsyncWebClient:
        """A client of its own, for what brings its own connections: Bolt and the sockets."""
        more: dict[str, Any] = {"base_url": self._settings.api_url} if self._settings.endpoint else {}
        return AsyncWebClient(
            token=token,
            timeout=max(1, int(self._settings.request_timeout.total_seconds())),
            session=session,
            retry_handlers=[],  # what was sent and not answered may have been done: that is looked up first
            logger=sdk_logger(),
            **more,
        )

    async def close(self) -> None:
        """Let go of the connection; a later call opens it again."""
        session, self._session, self._client = self._session, None, None
        if session is not None:
            await session.close()

    async def call(
        self,
        action: str,
        request: Request,
        *,
        channel: str = "",
        slow: bool = False,
        with_app_token: bool = False,
    ) -> dict[str, Any]:
        """Make one call, and give its answer back if it is not an error.

        Args:
            action: what the call does, to follow “could not”: ``send a message``.
            request: gets the SDK's client.
            channel: the channel it concerns, for the error's words.
            slow: whether it may take several timeouts, as an upload does.
            with_app_token: whether it is made with the app's token, which says nothing about the bot's.

        Raises:
            RefusedError: Slack answered with an error, or kept asking to wait.
            ChatError: Slack could not be reached, or took too long. It may have been done all the same.
        """
        for _ in range(MAX_RETRIES):
            await self._fence.undisputed()
            try:
                return await self._try(action, request, channel, slow=slow, with_app_token=with_app_token)
            except RefusedError as error:
                if error.kind is not RefusalKind.RATE_LIMITED or error.retry_after > MAX_RETRY_AFTER:
                    raise
                await self._sleep(error.retry_after)
        await self._fence.undisputed()
        return await self._try(action, request, channel, slow=slow, with_app_token=with_app_token)

    async def authenticate(self) -> BotIdentity:
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
        team, organisation_wide = (
            str(answer.get("team_id") or ""),
            answer.get("is_enterprise_install") is True,
        )
        self.identity = BotIdentity(
            team=team,
            teams=await self._own_workspaces() if organisation_wide else frozenset({team}),
            enterprise=str(answer.get("enterprise_id") or ""),
            organisation_wide=organisation_wide,
            user=str(answer.get("user_id", "")),
            name=str(answer.get("user", "")),
            scopes=frozenset(scope.strip() for scope in scopes.split(",") if scope.strip()),
        )
        return self.identity

    async def workspaces(self) -> frozenset[str]:
        """The workspaces that an app which is installed for an organisation was added to.

        Raises:
            ChatError: as :meth:`call`.
        """
        found: set[str] = set()
        cursor = ""
        for _ in range(_MOST_PAGES):
            answer = await self.call(
                "list the workspaces that the app was added to",
                lambda client, cursor=cursor: client.auth_teams_list(cursor=cursor or None, limit=_PAGE),  # type: ignore[misc]
            )
            teams = answer.get("teams")
            named = [text_at(team, "id") for team in teams] if isinstance(teams, list) else []
            found.update(team for team in named if TEAM.fullmatch(team))
            cursor = text_at(answer, "response_metadata", "next_cursor")
            if not cursor:
                break
        return frozenset(found)

    async def _own_workspaces(self) -> frozenset[str]:
        """Those workspaces; none where Slack will not tell: then nobody is believed but who is configured."""
        try:
            return await self.workspaces()
        except ChatError as error:
            if error.passing:
                raise
            log.warning("Slack does not say to which workspaces the app was added", problem=str(error))
            return frozenset()

    async def _try(
        self, action: str, request: Request, channel: str, *, slow: bool, with_app_token: bool
    ) -> dict[str, Any]:
        seconds = self._settings.request_timeout.total_seconds() * (_UPLOAD_TIMEOUTS if slow else 1)
        try:
            async with asyncio.timeout(seconds):
                answer = await request(self.client)
        except SlackApiError as error:
            name = self.identity.name if self.identity else "slipway"
            refused = refused_error(action, error, channel, name)
            if not with_app_token:
                self.token_problem = str(refused) if refused.kind is RefusalKind.INVALID_TOKEN else ""
            raise refused from None  # the SDK's text holds Slack's whole answer
        except TimeoutError as error:
            raise ChatError(
                f"Could not {action}: Slack took too long.", passing=True, doubtful=True
            ) from error
        except (aiohttp.ClientError, OSError, SlackClientError, *_MALFORMED_RESPONSE) as error:
            why = connection_failure(error, "no sound answer from Slack")
            raise ChatError(f"Could not {action}: {why}.", passing=True, doubtful=True) from error
        if not with_app_token:
            self.token_problem = ""
        date = next((str(text) for name, text in answer.headers.items() if name.lower() == "date"), None)
        self.platform_clock.note(date)
        found: object = answer.data
        return found if isinstance(found, dict) else {}
