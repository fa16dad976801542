"""What people do beside talking: buttons, slash commands, shortcuts, modals and the Home tab.

Whatever means something is taken in before it is acknowledged. What is only shown (a modal, the Home tab, a
sentence to one person) follows the acknowledgement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from slipway.bot.chat.declaration import HostCallbacks
from slipway.bot.chat.model import Accept, Assurance, Audience, Choice
from slipway.bot.chat.shared.payloads import text_at, value_at
from slipway.bot.chat.slack.events.background import BackgroundTasks
from slipway.bot.chat.slack.events.trust import introduction
from slipway.bot.chat.slack.ids import is_direct
from slipway.bot.chat.slack.interactions.action_values import (
    APPROVE_ACTION,
    CHOICE_ACTION,
    CODE_CALLBACK,
    COMMAND_ACTION,
    DETAILS_ACTION,
    REJECT_ACTION,
    SHOW_ACTION,
    SHOW_OPERATION_SHORTCUT,
    SLASH_COMMAND,
    ViewMetadata,
    form_name,
    message_form_name,
    parse_operation_reference,
    parse_view_metadata,
)
from slipway.bot.chat.slack.interactions.interaction import Interaction, InteractionReader
from slipway.bot.chat.slack.interactions.views import Views
from slipway.bot.chat.slack.rendering.limits import REASON as MAX_REASON
from slipway.bot.chat.slack.rendering.modals import CODE, REASON, field_errors, form_values, input_value
from slipway.bot.chat.slack.sending.ephemeral import EphemeralMessages
from slipway.bot.core.operation_ids import IN_TEXT

FORGED_BUTTON = "That button belongs to nothing I know. `/slipway pending` lists what waits for an approval."
UNKNOWN_BUTTON = "I do not know that button any more. Ask for the card anew, with `/slipway op ID`."
UNKNOWN_FORM = "I do not know that form any more. `/slipway help` lists what can be typed."
NO_OPERATION = "There is no operation's id in that message; it would look like `op-7k3f`."

_MAX_SEARCHED = 100_000  # characters of a message
_MAX_EVENT_ID = 250

HOME = "home"
"""What a replica tells the one that works: whose Home tab shows what was begun there."""

Acknowledgement = Mapping[str, Any] | None
"""What an acknowledgement carries; None for nothing."""


class InteractionHandler:
    """Takes in what Slack calls interactions and commands."""

    def __init__(
        self,
        *,
        reader: InteractionReader,
        callbacks: HostCallbacks,
        ephemeral: EphemeralMessages,
        views: Views,
        background: BackgroundTasks,
    ) -> None:
        self._reader = reader
        self._callbacks = callbacks
        self._ephemeral = ephemeral
        self._views = views
        self._background = background

    async def handle(self, body: Mapping[str, Any], accept: Accept) -> Acknowledgement:
        """Take one in; when this returns it is committed or means nothing, and may be acknowledged.

        What ``accept`` raises comes out.
        """
        match body.get("type"):
            case "block_actions":
                await self._on_action(body, accept)
            case "view_submission":
                return await self._on_submission(body, accept)
            case "shortcut":
                await self._on_global_shortcut(body)
            case "message_action":
                await self._on_message_shortcut(body, accept)
            case None if body.get("command") == SLASH_COMMAND:
                return await self._on_slash_command(body, accept)
        return None

    # --- buttons

    async def _on_action(self, body: Mapping[str, Any], accept: Accept) -> None:
        if value_at(body, "view", "type") == "modal":
            await self._on_choice(body)
            return
        actions = body.get("actions")
        action = actions[0] if isinstance(actions, list) and actions else None
        interaction = await self._reader.on_message_or_home(body)
        if not isinstance(action, Mapping) or interaction is None or action.get("type") != "button":
            return
        if not self._callbacks.knows(interaction.account):
            self._tell(interaction, _stranger(interaction.account))
            return
        name = text_at(action, "action_id")
        event_id = _event_id(interaction.message, name, interaction.user, text_at(action, "action_ts"))
        await self._ephemeral.remember(event_id, interaction.reply_context)
        if name.startswith(f"{SHOW_ACTION}."):
            await self._on_show_button(interaction, event_id, text_at(action, "value"), accept)
        elif name.startswith((f"{COMMAND_ACTION}.", f"{CHOICE_ACTION}.")):
            one_of_several = name.startswith(f"{CHOICE_ACTION}.") and not (
                interaction.alone or interaction.home
            )
            chosen_on = interaction.message if one_of_several else None
            await self._on_command_button(interaction, event_id, text_at(action, "value"), accept, chosen_on)
        elif name in (APPROVE_ACTION, REJECT_ACTION, DETAILS_ACTION):
            await self._on_operation_button(
                interaction, event_id, action, text_at(body, "trigger_id"), accept
            )
        else:
            self._tell(interaction, UNKNOWN_BUTTON)

    async def _on_operation_button(
        self,
        interaction: Interaction,
        event_id: str,
        action: Mapping[str, Any],
        trigger_id: str,
        accept: Accept,
    ) -> None:
        reference = parse_operation_reference(action.get("value"))
        if reference is None:
            self._tell(interaction, FORGED_BUTTON)
            return
        metadata = ViewMetadata(interaction.room, interaction.thread, reference, interaction.home)
        if action.get("action_id") == DETAILS_ACTION:
            await self._on_show_button(interaction, event_id, f"op {reference.operation_id}", accept)
        elif action.get("action_id") == APPROVE_ACTION:
            await self._on_approve(interaction, event_id, metadata, trigger_id, accept)
        else:
            work = self._views.open_rejection(
                trigger_id, metadata, interaction.user, interaction.reply_context
            )
            self._background.start(work, "ask for a reason")

    async def _on_approve(
        self,
        interaction: Interaction,
        event_id: str,
        metadata: ViewMetadata,
        trigger_id: str,
        accept: Accept,
    ) -> None:
        """Take an approval in; one that takes a code counts when the window that asks for it was sent."""
        event = self._reader.button_event(interaction, event_id, Choice.APPROVE, metadata)
        agreed = None if event.assurance is Assurance.REFUSED else await self._callbacks.codes.needed(event)
        if agreed is None:
            await accept(event)
            self._publish_home(interaction)
            return
        work = self._views.open_code(
            trigger_id, metadata, agreed, interaction.user, interaction.reply_context
        )
        self._background.start(work, "ask for a code")

    async def _on_show_button(
        self, interaction: Interaction, event_id: str, line: str, accept: Accept
    ) -> None:
        """Show what a button promises: below the message that has it, or alone to whoever alone sees that."""
        if not line:
            self._tell(interaction, FORGED_BUTTON)
            return
        below = interaction.thread or (None if interaction.alone else interaction.message)
        event = self._reader.message_event(
            interaction,
            event_id,
            line,
            room=interaction.user if interaction.home else interaction.room,
            thread=None if interaction.home else below,
            audience=Audience.SENDER if interaction.alone else Audience.ROOM,
        )
        await accept(event)

    async def _on_command_button(
        self, interaction: Interaction, event_id: str, line: str, accept: Accept, chosen_on: str | None
    ) -> None:
        if not line:
            self._tell(interaction, FORGED_BUTTON)
            return
        event = self._reader.message_event(interaction, event_id, line, thread=interaction.thread)
        await accept(event.model_copy(update={"chosen_on": chosen_on}))
        self._publish_home(interaction)

    # --- modals

    async def _on_choice(self, body: Mapping[str, Any]) -> None:
        """Somebody chose what other fields of a form depend on; those are shown anew, and nothing is done."""
        view = body.get("view")
        _user, account = await self._reader.user(body)
        form = self._callbacks.forms(account).get(form_name(text_at(view, "callback_id")))
        metadata = parse_view_metadata(value_at(view, "private_metadata"))
        if form is not None and metadata is not None and isinstance(view, Mapping):
            work = self._views.reload_form(text_at(view, "id"), form, metadata, form_values(view))
            self._background.start(work, "show a form anew")

    async def _on_submission(self, body: Mapping[str, Any], accept: Accept) -> Acknowledgement:
        view = body.get("view")
        user, account = await self._reader.user(body)
        metadata = parse_view_metadata(value_at(view, "private_metadata"))
        if not isinstance(view, Mapping) or not user or metadata is None:
            return None
        interaction = Interaction(user, account, metadata.room, metadata.thread, home=metadata.home)
        event_id = _event_id("view", text_at(view, "id"), user, text_at(view, "hash"))
        await self._ephemeral.remember(event_id, interaction.reply_context)
        callback_id = text_at(view, "callback_id")
        if callback_id == CODE_CALLBACK:
            return await self._on_code(body, interaction, view, metadata, accept)
        if callback_id == REJECT_ACTION:
            await self._on_reason(interaction, event_id, view, metadata, accept)
        else:
            form = self._callbacks.forms(account).get(form_name(callback_id))
            if form is None:
                known = self._callbacks.knows(account)
                self._tell(interaction, UNKNOWN_FORM if known else _stranger(account))
                return None
            values = form_values(view)
            problems = form.problems(values)
            if problems:
                return {"response_action": "errors", "errors": field_errors(view, problems)}
            line = form.line(values)
            await accept(self._reader.message_event(interaction, event_id, line, thread=metadata.thread))
        self._publish_home(interaction)
        return None

    async def _on_reason(
        self,
        interaction: Interaction,
        event_id: str,
        view: Mapping[str, Any],
        metadata: ViewMetadata,
        accept: Accept,
    ) -> None:
        if metadata.reference is None:
            return
        if not self._callbacks.knows(interaction.account):
            self._tell(interaction, _stranger(interaction.account))
            return
        reason = input_value(view, REASON)[:MAX_REASON]
        await accept(self._reader.button_event(interaction, event_id, Choice.REJECT, metadata, reason))

    async def _on_code(
        self,
        body: Mapping[str, Any],
        interaction: Interaction,
        view: Mapping[str, Any],
        metadata: ViewMetadata,
        accept: Accept,
    ) -> Acknowledgement:
        """Compare a code before anything of it is stored; a wrong one is told in the window, which stays open.

        Each time the window is sent is an event of its own, named by the trigger: its view stays the same.
        """
        if metadata.reference is None or not self._callbacks.knows(interaction.account):
            return None
        event_id = _event_id("code", text_at(view, "id"), interaction.user, text_at(body, "trigger_id"))
        await self._ephemeral.remember(event_id, interaction.reply_context)
        event = self._reader.button_event(interaction, event_id, Choice.APPROVE, metadata)
        problem = await self._callbacks.codes.give(event, input_value(view, CODE))
        if problem:
            return {"response_action": "errors", "errors": {CODE: problem}}
        await accept(event)
        self._publish_home(interaction)
        return None

    # --- commands and shortcuts

    async def _on_slash_command(self, body: Mapping[str, Any], accept: Accept) -> Acknowledgement:
        interaction = await self._reader.slash_command(body)
        if interaction is None:
            return None
        event_id = _event_id("command", text_at(body, "trigger_id"))
        line = text_at(body, "text").strip() or "help"
        await self._ephemeral.remember(event_id, interaction.reply_context)
        # In a conversation with the bot nobody else sees anything, and what is said there can be replaced.
        audience = Audience.ROOM if is_direct(interaction.room) else Audience.SENDER
        event = self._reader.message_event(interaction, event_id, line, audience=audience)
        if await accept(event) is False:
            return _ephemeral_response("I did not take that in. Try `/slipway help`.")
        return None  # the answer follows; where it takes a while, so does a word of that

    async def _on_global_shortcut(self, body: Mapping[str, Any]) -> None:
        interaction = await self._reader.global_shortcut(body)
        if interaction is not None:
            metadata = ViewMetadata(interaction.room, home=True)
            self._open_form(interaction, body, form_name(text_at(body, "callback_id")), metadata)

    async def _on_message_shortcut(self, body: Mapping[str, Any], accept: Accept) -> None:
        interaction = await self._reader.on_message_or_home(body)
        if interaction is None:
            return
        text = _message_text(body.get("message"))
        callback_id = text_at(body, "callback_id")
        if callback_id == SHOW_OPERATION_SHORTCUT:
            await self._show_operation(interaction, body, text, accept)
            return
        metadata = ViewMetadata(interaction.room, interaction.thread)
        self._open_form(interaction, body, message_form_name(callback_id), metadata, text)

    async def _show_operation(
        self, interaction: Interaction, body: Mapping[str, Any], text: str, accept: Accept
    ) -> None:
        found = IN_TEXT.search(text)
        if found is None:
            self._tell(interaction, NO_OPERATION)
            return
        when = text_at(body, "action_ts") or text_at(body, "trigger_id")
        event_id = _event_id(interaction.message, SHOW_OPERATION_SHORTCUT, interaction.user, when)
        await self._ephemeral.remember(event_id, interaction.reply_context)
        thread = interaction.thread or interaction.message
        await accept(self._reader.message_event(interaction, event_id, f"op {found[0]}", thread=thread))

    def _open_form(
        self,
        interaction: Interaction,
        body: Mapping[str, Any],
        name: str,
        metadata: ViewMetadata,
        text: str = "",
    ) -> None:
        assurance, doubt = self._reader.assurance(metadata.room)
        if not self._callbacks.knows(interaction.account):
            self._tell(interaction, _stranger(interaction.account))
            return
        form = self._callbacks.forms(interaction.account).get(name)
        if form is None:
            return
        if assurance is Assurance.REFUSED:  # before somebody fills in what would only be refused
            self._tell(interaction, doubt)
            return
        values = form.values_in(text)
        work = self._views.open_form(
            text_at(body, "trigger_id"), form, metadata, interaction.user, interaction.reply_context, values
        )
        self._background.start(work, "show a form")

    # --- what all have in common

    def _tell(self, interaction: Interaction, sentence: str) -> None:
        room = interaction.user if interaction.home else interaction.room
        work = self._ephemeral.send_text(room, interaction.user, sentence, interaction.reply_context)
        self._background.start(work, "tell one person")

    def _publish_home(self, interaction: Interaction) -> None:
        if interaction.home and not self._callbacks.works():  # whoever works knows when the work has ended
            work = self._callbacks.relay({HOME: interaction.user, "account": interaction.account})
            self._background.start(work, "have Home shown anew")
        elif interaction.home:
            work = self._views.publish_home_until_idle(interaction.user, interaction.account)
            self._background.start(work, "show Home anew")


def _event_id(*parts: str) -> str:
    return ":".join(parts)[:_MAX_EVENT_ID]


def _stranger(account: str) -> str:
    return f"I do not know you, so that changes nothing. {introduction(account)}"


def _ephemeral_response(text: str) -> dict[str, str]:
    return {"response_type": "ephemeral", "text": text}


def _message_text(message: object) -> str:
    """All of a message's texts, wherever in it they stand."""
    return "\n".join(_texts(message))[:_MAX_SEARCHED]


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            yield from chain.from_iterable(map(_texts, value.values()))
        case list():
            yield from chain.from_iterable(map(_texts, value))
