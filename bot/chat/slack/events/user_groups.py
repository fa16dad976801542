"""Who is in the user groups that give roles: asked at the start, now and then, and when one changes."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import structlog

from slipway.bot.chat.slack.transport.web_api import Connection
from slipway.bot.chat.slack.house import HostCallbacks
from slipway.bot.chat.slack.sending.send_attempts import SlackMemory
from slipway.bot.chat.slack.interactions.values import USER
from slipway.bot.core.errors import ChatError

PATIENCE = 5.0
"""Seconds that a start waits for Slack to say who is in the groups."""

log = structlog.get_logger(__name__)


class Groups:
    """Keeps the memberships. What cannot be asked for stays as it was known last, over restarts, too."""

    NAME = "groups"

    def __init__(
        self, connection: Connection, memory: SlackMemory, house: HostCallbacks, every: timedelta
    ) -> None:
        self._connection = connection
        self._memory = memory
        self._house = house
        self._every = every
        self._changed = asyncio.Event()
        self._members: dict[str, frozenset[str]] = {}
        self.problem = ""

    def look_soon(self) -> None:
        """Something changed in a group."""
        self._changed.set()

    async def recall(self) -> None:
        """Know who is in each group before anything is decided: as Slack says, or else as it was known last."""
        if not self._house.groups:
            return
        kept = json.loads(await self._memory.load(self.NAME) or "{}")
        self._members = {
            group: frozenset(map(str, kept[group])) for group in self._house.groups if group in kept
        }
        self._house.learn_groups(dict(self._members))
        try:
            async with asyncio.timeout(PATIENCE):
                await self.look()
        except TimeoutError:
            self.problem = "Slack has not said yet who is in the user groups."
            log.warning("who is in the user groups is taken as it was known last")

    async def look(self) -> None:
        """Ask Slack who is in each group. A failure is logged, and shows in the bot's health."""
        self._changed.clear()
        problem = ""
        for group in self._house.groups:
            try:
                answer = await self._connection.call(
                    f"look who is in the user group {group}",
                    lambda client, group=group: client.usergroups_users_list(usergroup=group),  # type: ignore[misc]
                )
            except ChatError as error:
                problem = str(error)
                log.warning("who is in a user group stays as it was known", group=group, problem=problem)
                continue
            users = answer.get("users")
            found = users if isinstance(users, list) else []
            self._members[group] = frozenset(
                user for user in found if isinstance(user, str) and USER.fullmatch(user)
            )
        self.problem = problem
        self._house.learn_groups(dict(self._members))
        known = {group: sorted(users) for group, users in self._members.items()}
        await self._memory.save(self.NAME, json.dumps(known))

    async def keep(self) -> None:
        """Look again and again until cancelled."""
        while self._house.groups:
            try:
                async with asyncio.timeout(self._every.total_seconds()):
                    await self._changed.wait()
            except TimeoutError:
                log.debug("it is time to look at the user groups")
            await self.look()
