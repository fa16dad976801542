"""Who is in the user groups that give roles: asked at the start, now and then, and when one changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog

from slipway.bot.chat.declaration import HostCallbacks, KeyValueStore
from slipway.bot.chat.slack.ids import USER
from slipway.bot.chat.slack.transport.errors import RefusedError
from slipway.bot.chat.slack.transport.web_api import WebApi
from slipway.bot.core.errors import ChatError

GROUPS = "groups"
"""What a replica tells the others: that somebody came into a user group, or went."""

STARTUP_TIMEOUT = 5.0
"""Seconds that a start waits for Slack to say who is in the groups."""

_NOT_THERE = ("no_such_subteam", "invalid_team", "team_access_not_granted", "plan_upgrade_required")
"""What Slack answers of a workspace that has no such group."""

log = structlog.get_logger(__name__)


class UserGroups:
    """Keeps the memberships, over restarts, too.

    While Slack cannot be asked, they stay as they were known last. A group that Slack refuses to tell of, because it
    was disabled or the app may not look, has no members: nothing says any more that somebody should hold its roles.
    """

    STORE_KEY = "groups"

    def __init__(
        self, api: WebApi, store: KeyValueStore, callbacks: HostCallbacks, refresh_interval: timedelta
    ) -> None:
        self._api = api
        self._store = store
        self._callbacks = callbacks
        self._refresh_interval = refresh_interval
        self._changed = asyncio.Event()
        self._members: dict[str, frozenset[str]] = {}
        self.problem = ""

    def request_refresh(self) -> None:
        """Ask soon: something changed in a group."""
        self._changed.set()

    async def load(self) -> None:
        """Know who is in each group before anything is decided: as Slack says, or else as it was known last."""
        if not self._callbacks.groups:
            return
        kept = json.loads(await self._store.load(self.STORE_KEY) or "{}")
        self._members = {
            group: frozenset(map(str, kept[group])) for group in self._callbacks.groups if group in kept
        }
        self._callbacks.set_group_members(dict(self._members))
        try:
            async with asyncio.timeout(STARTUP_TIMEOUT):
                await self.refresh()
        except TimeoutError:
            self.problem = "Slack has not said yet who is in the user groups."
            log.warning("who is in the user groups is taken as it was known last")

    async def refresh(self) -> None:
        """Ask Slack who is in each group. Whatever fails is logged, and shows in the bot's health."""
        try:
            self.problem = await self._refresh()
        except Exception as error:  # the next look may do better, and nobody waits for this one
            self.problem = (
                f"Who is in the user groups could not be kept ({type(error).__name__}); see the log."
            )
            log.exception("who is in the user groups could not be kept")

    async def _refresh(self) -> str:
        """Ask, and keep what is new; what is wrong, or nothing."""
        self._changed.clear()
        problem = ""
        for group in self._callbacks.groups:
            try:
                answer = await self._ask(group)
            except ChatError as error:
                if error.passing:
                    problem = str(error)
                    log.warning("who is in a user group stays as it was known", group=group, problem=problem)
                else:
                    problem = f"{error} Until that is mended, it gives nobody a role."
                    log.warning("a user group counts as empty", group=group, problem=str(error))
                    self._members[group] = frozenset()
                continue
            users = answer.get("users")
            found = users if isinstance(users, list) else []
            self._members[group] = frozenset(
                user for user in found if isinstance(user, str) and USER.fullmatch(user)
            )
        self._callbacks.set_group_members(dict(self._members))
        known = {group: sorted(users) for group, users in self._members.items()}
        await self._store.save(self.STORE_KEY, json.dumps(known))
        return problem

    async def _ask(self, group: str) -> Mapping[str, Any]:
        """Ask who is in a group, of each workspace that it may be of.

        Raises:
            ChatError: Slack does not say.
        """
        identity = self._api.identity or await self._api.authenticate()
        *others, last = sorted(identity.teams) or [identity.team]
        for team in others:
            try:
                return await self._ask_in(group, team)
            except RefusedError as error:
                if error.code not in _NOT_THERE:
                    raise
        return await self._ask_in(group, last)

    async def _ask_in(self, group: str, team: str) -> Mapping[str, Any]:
        # Slack looks at the workspace where the app is installed for an organisation, and nowhere else.
        return await self._api.call(
            f"look who is in the user group {group}",
            lambda client: client.usergroups_users_list(usergroup=group, team_id=team),
        )

    async def refresh_periodically(self) -> None:
        """Ask again and again until cancelled."""
        while self._callbacks.groups:
            try:
                async with asyncio.timeout(self._refresh_interval.total_seconds()):
                    await self._changed.wait()
            except TimeoutError:
                log.debug("it is time to look at the user groups")
            await self.refresh()
