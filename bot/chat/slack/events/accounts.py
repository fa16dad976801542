"""Of which workspace somebody is, asked of Slack where what came in does not say it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import datetime, timedelta

import structlog

from slipway.bot.chat.shared.payloads import mapping_at, text_at, value_at
from slipway.bot.chat.slack.events.trust import TrustPolicy
from slipway.bot.chat.slack.ids import UNKNOWN_WORKSPACE
from slipway.bot.chat.slack.transport.web_api import BotIdentity, WebApi
from slipway.bot.core.errors import ChatError
from slipway.bot.core.times import Clock

LOOKUP_TIMEOUT = 1.5
"""Seconds to ask in: whatever asks is acknowledged afterwards, and Slack waits three seconds for that."""

KEPT = timedelta(minutes=10)
"""How long an answer is good for. Nobody moves to another workspace often."""

_MOST_KEPT = 1_000

log = structlog.get_logger(__name__)


class Accounts:
    """Finds out whom to take somebody for, by ``users.info``, where Slack left their workspace out.

    On Enterprise Grid it is asked, too, where another workspace or the organisation is named: somebody may be in
    several, and is one of the app's own workspace if that is among them. Where the app is installed for the whole
    organisation, that is every workspace that it was added to, which is asked for again with it.
    """

    def __init__(self, api: WebApi, trust: TrustPolicy, identity: BotIdentity, clock: Clock) -> None:
        self._api = api
        self._trust = trust
        self._identity = identity
        self._clock = clock
        self._workspaces_known_until = clock() + KEPT
        self._known: OrderedDict[str, tuple[str, datetime]] = OrderedDict()

    @property
    def trust(self) -> TrustPolicy:
        """The rules by which it decides."""
        return self._trust

    async def settle(self, account: str) -> str:
        """The account to take somebody for, where :meth:`TrustPolicy.account` could only guess.

        What Slack does not say, in time or at all, stays unknown, and so nobody's.
        """
        user, _, team = account.partition("/")
        if team != UNKNOWN_WORKSPACE and not (team and self._identity.enterprise):
            return account
        known = self._known.get(user)
        if known is None or self._clock() >= known[1]:
            try:
                async with asyncio.timeout(LOOKUP_TIMEOUT):
                    found = await self._ask(user)
            except (ChatError, TimeoutError) as error:
                log.warning("Slack did not say of which workspace somebody is", problem=str(error))
                return account
            self._keep(user, found)
        else:
            found = known[0]
        return self._trust.account(user, found) if found or team == UNKNOWN_WORKSPACE else account

    async def _ask(self, user: str) -> str:
        """The workspace that ``users.info`` names; one of the app's own, if they are in that as well; or none."""
        await self._refresh_workspaces()
        answer = await self._api.call(
            "look up of which workspace somebody is", lambda client: client.users_info(user=user)
        )
        found = mapping_at(answer, "user")
        if text_at(found, "id") != user or value_at(found, "deleted") is True:
            return ""
        grid = mapping_at(found, "enterprise_user")
        listed = value_at(grid, "teams")
        teams = listed if isinstance(listed, list) else []
        same = self._identity.enterprise and text_at(grid, "enterprise_id") == self._identity.enterprise
        in_own = self._trust.own.intersection(team for team in teams if isinstance(team, str)) if same else ()
        if in_own:
            return min(in_own)
        team = text_at(found, "team_id")
        return "" if team in self._trust.own and value_at(found, "is_stranger") is True else team

    async def _refresh_workspaces(self) -> None:
        """Know the workspaces that the app was added to since, and those that it was taken from."""
        if self._identity.organisation_wide and self._clock() >= self._workspaces_known_until:
            self._trust.own = await self._api.workspaces()
            self._workspaces_known_until = self._clock() + KEPT

    def _keep(self, user: str, team: str) -> None:
        self._known[user] = (team, self._clock() + KEPT)
        self._known.move_to_end(user)
        while len(self._known) > _MOST_KEPT:
            self._known.popitem(last=False)
