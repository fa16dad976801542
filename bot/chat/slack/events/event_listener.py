"""The ears: a Bolt app whose one middleware takes everything in before anything is acknowledged.

Bolt answers Slack when its middleware is through. If that raises, Slack gets no acknowledgement and delivers
the event again; so whatever is acknowledged is committed, or means nothing.
"""

from __future__ import annotations

import asyncio
import random
import traceback
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse

from slipway.bot.chat.model import Accept
from slipway.bot.chat.slack.events.background import Chores
from slipway.bot.chat.slack.transport.web_api import Connection, Self, quiet_logger
from slipway.bot.chat.slack.interactions.handler import Answer, Desk
from slipway.bot.chat.slack.events.user_groups import Groups
from slipway.bot.chat.slack.events.message_events import understand
from slipway.bot.chat.slack.events.trust import Trust
from slipway.bot.chat.slack.interactions.values import USER, part, text_at
from slipway.bot.chat.slack.transport.http_transport import Way
from slipway.bot.chat.slack.interactions.views import Windows
from slipway.bot.core.errors import ChatError
from slipway.bot.core.waiting import Sleep

_LONGEST_WAIT = 60.0

log = structlog.get_logger(__name__)

MakeDesk = Callable[[Trust], Desk]


class Ears:
    """Hears what is said, pressed and typed, over one of the two ways in."""

    def __init__(
        self,
        *,
        connection: Connection,
        way: Way,
        groups: Groups,
        windows: Windows,
        chores: Chores,
        make_desk: MakeDesk,
        make_trust: Callable[[str], Trust],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._connection = connection
        self._way = way
        self._groups = groups
        self._windows = windows
        self._chores = chores
        self._make_desk = make_desk
        self._make_trust = make_trust
        self._sleep = sleep
        self._failures = 0
        self.trouble = ""  # the last failure, as long as it lasts

    async def listen(self, accept: Accept) -> None:
        """Listen until cancelled.

        Raises:
            ChatError: Slack will not let the bot in; waiting does not help.
        """
        while True:
            try:
                me = await self._connection.log_in()
                await self._groups.look()
                app = self._app(me, accept)
                keeping = asyncio.create_task(self._groups.keep(), name="slack user groups")
                try:
                    await self._way.serve(app, self._stands)
                finally:
                    keeping.cancel()
                    await asyncio.gather(keeping, return_exceptions=True)
            except ChatError as error:
                self.trouble = str(error)
                if not error.passing:
                    raise
                wait = min(_LONGEST_WAIT, 2.0**self._failures) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
                self._failures = min(self._failures + 1, 10)
                log.warning("slack does not answer", problem=str(error), wait=round(wait, 1))
                await self._sleep(wait)

    def _stands(self) -> None:
        self.trouble, self._failures = "", 0

    def _app(self, me: Self, accept: Accept) -> AsyncApp:
        token = self._connection.client.token

        async def authorize() -> AuthorizeResult:
            # Known since the start. Asking Slack at the first event, as Bolt would, could fail, and Bolt
            # acknowledges what it could not authorise.
            return AuthorizeResult(enterprise_id=None, team_id=me.team, bot_user_id=me.user, bot_token=token)

        app = AsyncApp(
            name="slipway",
            logger=quiet_logger(),
            client=self._connection.make_client(None),
            authorize=authorize,
            signing_secret="",
            request_verification_enabled=False,  # done on the raw bytes, before Bolt reads them
            ignoring_self_events_enabled=False,  # done with all the rest, by `understand`
        )
        trust = self._make_trust(me.team)
        desk = self._make_desk(trust)

        async def take_in(body: dict[str, Any]) -> BoltResponse:
            answer = await self._take(body, me, trust, desk, accept)
            return BoltResponse(status=200, body="" if answer is None else dict(answer))

        async def failed(error: Exception) -> BoltResponse:
            # Bolt would log the error's words, and with them maybe what somebody wrote.
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error("something from Slack could not be taken in", problem=type(error).__name__, where=where)
            return BoltResponse(status=HTTPStatus.SERVICE_UNAVAILABLE)

        app.use(take_in)
        app.error(failed)
        return app

    async def _take(
        self, body: Mapping[str, Any], me: Self, trust: Trust, desk: Desk, accept: Accept
    ) -> Answer:
        """Take in one envelope; when this returns it may be acknowledged, and with what."""
        if body.get("type") != "event_callback":
            return await desk.take(body, accept)
        match text_at(body, "event", "type"):
            case "message":
                heard = understand(body, me=me.user, trust=trust)
                if heard is not None:
                    await accept(heard)
            case "app_home_opened" if part(body, "event", "tab") == "home":
                user = text_at(body, "event", "user")
                if USER.fullmatch(user):
                    speaker = trust.speaker(user, text_at(body, "team_id"))
                    self._chores.start(self._windows.show_home(user, speaker), "show Home")
            case "subteam_members_changed" | "subteam_updated":
                self._groups.look_soon()
        return None
