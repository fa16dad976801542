"""Modals and the Home tab, opened and kept up to date: what is shown after an acknowledgement."""

from __future__ import annotations

import asyncio

import structlog

from slipway.bot.chat.model import Card, Tone
from slipway.bot.chat.slack.sending.ephemeral import Aside, Spot
from slipway.bot.chat.slack.transport.web_api import Connection
from slipway.bot.chat.slack.house import HostCallbacks
from slipway.bot.chat.slack.rendering.modals import failed_modal, home_view, launch_modal, reject_modal, waiting_modal
from slipway.bot.chat.slack.interactions.values import Back, part
from slipway.bot.core.errors import ChatError, CloudError, UserError

HOME_PATIENCE = 120.0
"""Seconds for which the work that a press on the Home tab began is waited for, to show its end there."""

log = structlog.get_logger(__name__)


class Windows:
    """What Slack calls views."""

    def __init__(self, connection: Connection, aside: Aside, house: HostCallbacks) -> None:
        self._connection = connection
        self._aside = aside
        self._house = house
        self._homes: dict[str, asyncio.Lock] = {}

    async def ask_reason(self, trigger: str, back: Back, user: str, spot: Spot) -> None:
        """Open the modal that asks why an operation is rejected; tell how to type it where that fails."""
        try:
            await self._open(trigger, reject_modal(back))
        except ChatError as error:
            log.warning("could not ask for a reason", problem=str(error))
            of = back.target.operation_id if back.target else "ID"
            sentence = (
                f"I could not ask you for the reason. Press again, or type `/slipway reject {of} REASON`."
            )
            room = user if back.home else back.room
            await self._aside.whisper(room, user, sentence, spot)

    async def offer_launch(self, trigger: str, back: Back, user: str, spot: Spot, image: str) -> None:
        """Open the form for launching machines, first empty, then with what there is."""
        try:
            view_id = await self._open(trigger, waiting_modal(back))
            try:
                view = launch_modal(back, await self._house.launch_form(), image)
            except (UserError, CloudError) as error:
                title = "Nothing can be launched now"
                view = failed_modal(back, Card(tone=Tone.FAILED, title=title, text=error.sentence))
            await self._connection.call(
                "show the launch form", lambda client: client.views_update(view_id=view_id, view=view)
            )
        except ChatError as error:
            log.warning("could not show the launch form", problem=str(error))
            sentence = "I could not show the form. Try again, or type `/slipway launch IMAGE`."
            room = user if back.home else back.room
            await self._aside.whisper(room, user, sentence, spot)

    async def show_home(self, user: str, speaker: str) -> None:
        """Publish somebody's Home tab as things stand; what was seen later is published later."""
        async with self._homes.setdefault(user, asyncio.Lock()):
            view = home_view(await self._house.home(speaker))
            try:
                await self._connection.call(
                    "show the Home tab", lambda client: client.views_publish(user_id=user, view=view)
                )
            except ChatError as error:
                log.warning("could not show the Home tab", problem=str(error))

    async def show_home_after(self, user: str, speaker: str) -> None:
        """Publish the Home tab now, and again when the work that was begun there has ended."""
        await self.show_home(user, speaker)
        try:
            async with asyncio.timeout(HOME_PATIENCE):
                await self._house.idle()
        except TimeoutError:
            log.info("the work begun on a Home tab goes on for long")
        await self.show_home(user, speaker)

    async def _open(self, trigger: str, view: dict[str, object]) -> str:
        answer = await self._connection.call(
            "open a modal", lambda client: client.views_open(trigger_id=trigger, view=view)
        )
        return str(part(answer, "view", "id"))
