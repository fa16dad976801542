"""Listening to Slack: a Bolt app whose one middleware takes everything in before anything is acknowledged.

Bolt answers Slack when its middleware is through. If that raises, Slack gets no acknowledgement and delivers
the event again; so whatever is acknowledged is committed, or means nothing.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse

from slipway.bot.chat.model import Accept
from slipway.bot.chat.shared.outage import OutageLog
from slipway.bot.chat.shared.payloads import text_at, value_at
from slipway.bot.chat.slack.events.accounts import Accounts
from slipway.bot.chat.slack.events.background import BackgroundTasks
from slipway.bot.chat.slack.events.channels import channel_changed
from slipway.bot.chat.slack.events.message_events import account_in, message_event_from
from slipway.bot.chat.slack.events.user_groups import GROUPS, UserGroups
from slipway.bot.chat.slack.ids import USER
from slipway.bot.chat.slack.interactions.handler import Acknowledgement, InteractionHandler
from slipway.bot.chat.slack.interactions.views import Views
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.chat.slack.transport.sdk_logging import sdk_logger
from slipway.bot.chat.slack.transport.transport import Transport
from slipway.bot.chat.slack.transport.web_api import BotIdentity, WebApi
from slipway.bot.core.errors import ChatError
from slipway.bot.core.model import Json
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Backoff, Sleep

log = structlog.get_logger(__name__)

MakeInteractionHandler = Callable[[Accounts], InteractionHandler]


class EventListener:
    """Takes in what people write, press and type, over one of the two transports."""

    def __init__(
        self,
        *,
        api: WebApi,
        transport: Transport,
        groups: UserGroups,
        views: Views,
        background: BackgroundTasks,
        make_interaction_handler: MakeInteractionHandler,
        make_accounts: Callable[[BotIdentity], Accounts],
        answers: Callable[[], None],
        room_changed: Callable[[str], None],
        relay: Callable[[Json], Awaitable[None]],
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._api = api
        self._transport = transport
        self._answers = answers
        self._room_changed = room_changed
        self._relay = relay
        self._groups = groups
        self._views = views
        self._background = background
        self._make_interaction_handler = make_interaction_handler
        self._make_accounts = make_accounts
        self._sleep = sleep
        self._backoff = Backoff()
        self._outage = OutageLog(SLACK, clock)
        self.problem = ""  # the last failure, as long as it lasts

    async def listen(self, accept: Accept) -> None:
        """Listen until cancelled.

        Raises:
            ChatError: Slack will not let the bot in; waiting does not help.
        """
        while True:
            try:
                identity = await self._api.authenticate()
                await self._groups.refresh()
                app = self._app(identity, accept)
                refreshing = asyncio.create_task(
                    self._groups.refresh_periodically(), name="slack user groups"
                )
                try:
                    await self._transport.serve(app, self._on_open)
                finally:
                    refreshing.cancel()
                    await asyncio.gather(refreshing, return_exceptions=True)
            except ChatError as error:
                self.problem = str(error)
                if not error.passing:
                    raise
                wait = self._backoff.next(error.retry_after)
                self._outage.failed(str(error), wait)
                await self._sleep(wait)

    def _on_open(self) -> None:
        self.problem = ""
        self._outage.over()
        self._backoff.reset()
        self._answers()

    def _app(self, identity: BotIdentity, accept: Accept) -> AsyncApp:
        token = self._api.client.token

        async def authorize() -> AuthorizeResult:
            # Known since the start. Asking Slack at the first event, as Bolt would, could fail, and Bolt
            # acknowledges what it could not authorise.
            return AuthorizeResult(
                enterprise_id=None, team_id=identity.team, bot_user_id=identity.user, bot_token=token
            )

        app = AsyncApp(
            name="slipway",
            logger=sdk_logger(),
            client=self._api.new_client(None),
            authorize=authorize,
            signing_secret="",
            request_verification_enabled=False,  # done on the raw bytes, before Bolt reads them
            ignoring_self_events_enabled=False,  # done with all the rest, by `message_event_from`
        )
        accounts = self._make_accounts(identity)
        handler = self._make_interaction_handler(accounts)

        async def handle(body: dict[str, Any]) -> BoltResponse:
            acknowledgement = await self._handle(body, identity, accounts, handler, accept)
            return BoltResponse(status=200, body="" if acknowledgement is None else dict(acknowledgement))

        async def on_error(error: Exception) -> BoltResponse:
            # Bolt would log the error's words, and with them maybe what somebody wrote.
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error("something from Slack could not be taken in", problem=type(error).__name__, where=where)
            return BoltResponse(status=HTTPStatus.SERVICE_UNAVAILABLE)

        app.use(handle)
        app.error(on_error)
        return app

    async def _handle(
        self,
        body: Mapping[str, Any],
        identity: BotIdentity,
        accounts: Accounts,
        handler: InteractionHandler,
        accept: Accept,
    ) -> Acknowledgement:
        """Take in one envelope; when this returns it may be acknowledged, and with what."""
        if body.get("type") != "event_callback":
            return await handler.handle(body, accept)
        if (channel := channel_changed(body, identity.user)) is not None:
            self._room_changed(channel)
        match text_at(body, "event", "type"):
            case "message":
                message = message_event_from(body, bot_user=identity.user, trust=accounts.trust)
                if message is not None:
                    sender = await accounts.settle(message.sender)
                    await accept(message.model_copy(update={"sender": sender}))
            case "app_home_opened" if value_at(body, "event", "tab") == "home":
                user = text_at(body, "event", "user")
                if USER.fullmatch(user):
                    account = account_in(body, user, accounts.trust)
                    self._background.start(self._show_home(user, account, accounts), "show Home")
            case "subteam_members_changed" | "subteam_updated":
                self._groups.request_refresh()
                await self._relay({GROUPS: text_at(body, "event", "type")})
        return None

    async def _show_home(self, user: str, account: str, accounts: Accounts) -> None:
        await self._views.publish_home(user, await accounts.settle(account))
