"""Modals and the Home tab, opened and kept up to date: what is shown after an acknowledgement."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

import structlog

from slipway.bot.chat.declaration import HostCallbacks
from slipway.bot.chat.forms import CommandForm, Values
from slipway.bot.chat.model import Card, Tone
from slipway.bot.chat.shared.payloads import JsonObject, value_at
from slipway.bot.chat.slack.interactions.action_values import SLASH_COMMAND, ViewMetadata
from slipway.bot.chat.slack.rendering.modals import (
    code_modal,
    form_modal,
    home_view,
    home_view_in_words,
    loading_modal,
    rejection_modal,
    unavailable_modal,
)
from slipway.bot.chat.slack.sending.ephemeral import EphemeralMessages, ReplyContext
from slipway.bot.chat.slack.transport.error_codes import RefusalKind
from slipway.bot.chat.slack.transport.errors import RefusedError
from slipway.bot.chat.slack.transport.web_api import WebApi
from slipway.bot.core.errors import ChatError, CloudError, UserError

HOME_TIMEOUT = 120.0
"""Seconds for which the work that a press on the Home tab began is waited for, to show its end there."""

log = structlog.get_logger(__name__)


class Views:
    """Opens modals and publishes Home tabs, which Slack calls views."""

    def __init__(self, api: WebApi, ephemeral: EphemeralMessages, callbacks: HostCallbacks) -> None:
        self._api = api
        self._ephemeral = ephemeral
        self._callbacks = callbacks
        self._home_locks: dict[str, asyncio.Lock] = {}
        self._choices = itertools.count()
        self._newest_choice: dict[str, int] = {}

    async def open_rejection(
        self, trigger_id: str, metadata: ViewMetadata, user: str, reply_context: ReplyContext
    ) -> None:
        """Open the modal that asks why an operation is rejected; tell how to type it where that fails."""
        try:
            await self._open(trigger_id, rejection_modal(metadata))
        except ChatError as error:
            log.warning("could not ask for a reason", problem=str(error))
            of = metadata.reference.operation_id if metadata.reference else "ID"
            sentence = (
                "I could not ask you for the reason. Press again, or type "
                f"`{SLASH_COMMAND} reject {of} REASON`."
            )
            await self._tell(metadata, user, sentence, reply_context)

    async def open_code(
        self,
        trigger_id: str,
        metadata: ViewMetadata,
        agreed: str,
        user: str,
        reply_context: ReplyContext,
    ) -> None:
        """Open the modal that asks for a code; ask for another press where that fails."""
        try:
            await self._open(trigger_id, code_modal(metadata, agreed))
        except ChatError as error:
            log.warning("could not ask for a code", problem=str(error))
            sentence = "I could not ask you for the code, and so nothing was counted. Press again."
            await self._tell(metadata, user, sentence, reply_context)

    async def open_form(
        self,
        trigger_id: str,
        form: CommandForm,
        metadata: ViewMetadata,
        user: str,
        reply_context: ReplyContext,
        values: Values,
    ) -> None:
        """Open a form, first empty, then with what it offers; tell how to type it where that fails.

        Args:
            trigger_id: Slack's permission to open a modal, good for three seconds.
            form: what is shown.
            metadata: where the answer belongs.
            user: whom it is shown.
            reply_context: where they are told of a failure.
            values: what the form begins with.
        """
        try:
            view_id = await self._open(trigger_id, loading_modal(form, metadata))
            await self._fill(view_id, await _loaded(form, metadata, values))
        except ChatError as error:
            log.warning("could not show a form", form=form.name, problem=str(error))
            sentence = f"I could not show the form. Try again, or type `{SLASH_COMMAND} {form.usage}`."
            await self._tell(metadata, user, sentence, reply_context)

    async def reload_form(
        self, view_id: str, form: CommandForm, metadata: ViewMetadata, values: Values
    ) -> None:
        """Show a form anew after a choice on which its other fields depend. Of several choices, one shortly after
        another, the newest is shown, whichever is loaded first.

        Where that fails, the form stays as it is: what does not fit together any more is told when it is sent.
        """
        choice = self._newest_choice[view_id] = next(self._choices)
        try:
            view = await _loaded(form, metadata, values)
            if self._newest_choice.get(view_id) == choice:
                await self._fill(view_id, view)
        except ChatError as error:
            log.warning("could not show a form anew", form=form.name, problem=str(error))
        finally:
            if self._newest_choice.get(view_id) == choice:
                del self._newest_choice[view_id]

    async def _fill(self, view_id: str, view: JsonObject) -> None:
        await self._api.call("show a form", lambda client: client.views_update(view_id=view_id, view=view))

    async def publish_home(self, user: str, account: str) -> None:
        """Publish somebody's Home tab as things stand; what was seen later is published later."""
        async with self._home_locks.setdefault(user, asyncio.Lock()):
            cards = await self._callbacks.home(account)
            try:
                await self._publish(user, home_view(cards))
            except ChatError as error:
                log.warning("could not show the Home tab", problem=str(error))
                if isinstance(error, RefusedError) and error.kind is RefusalKind.INVALID_FORM:
                    await self._publish_in_words(user, cards)

    async def publish_home_until_idle(self, user: str, account: str) -> None:
        """Publish the Home tab now, and again when the work that was begun there has ended."""
        await self.publish_home(user, account)
        try:
            async with asyncio.timeout(HOME_TIMEOUT):
                await self._callbacks.idle()
        except TimeoutError:
            log.info("the work begun on a Home tab goes on for long")
        await self.publish_home(user, account)

    async def _publish(self, user: str, view: JsonObject) -> None:
        await self._api.call(
            "show the Home tab", lambda client: client.views_publish(user_id=user, view=view)
        )

    async def _publish_in_words(self, user: str, cards: Sequence[Card]) -> None:
        try:
            await self._publish(user, home_view_in_words(cards))
        except ChatError as error:
            log.warning("could not show the Home tab in words either", problem=str(error))

    async def _open(self, trigger_id: str, view: JsonObject) -> str:
        response = await self._api.call(
            "open a modal", lambda client: client.views_open(trigger_id=trigger_id, view=view)
        )
        return str(value_at(response, "view", "id"))

    async def _tell(
        self, metadata: ViewMetadata, user: str, sentence: str, reply_context: ReplyContext
    ) -> None:
        room = user if metadata.home else metadata.room
        await self._ephemeral.send_text(room, user, sentence, reply_context)


async def _loaded(form: CommandForm, metadata: ViewMetadata, values: Values) -> JsonObject:
    """The modal of a form with what it offers now, or with why it has nothing to offer."""
    try:
        return form_modal(form, metadata, await form.load(values))
    except (UserError, CloudError) as error:
        card = Card(tone=Tone.FAILED, title=form.unavailable, text=error.sentence)
        return unavailable_modal(form, metadata, card)
