"""A person before Slack: what they say and press, and what they see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.slack.simulator import channels
from tests.slack.simulator.block_kit.blocks import Surface, check_blocks
from tests.slack.simulator.core import Core, View
from tests.slack.simulator.methods.views import remove_view, view_body
from tests.slack.simulator.people.forms import fill_in
from tests.slack.simulator.people.interactions import (
    Outcome,
    Submission,
    action_of,
    find_element,
    interaction_payload,
    organisation_of,
    rich_text,
    take_answer,
)
from tests.slack.simulator.people.typed_text import typed, typed_command
from tests.slack.simulator.transport import responses
from tests.slack.simulator.transport.delivery import Delivery, Kind, State
from tests.slack.simulator.world import (
    Button,
    Channel,
    ChannelKind,
    Json,
    Message,
    SimulatorError,
    UploadedFile,
    User,
)


class Person:
    """One account's hands and eyes. ``typographic`` makes their client write “ ” and — for quotes and ``--``."""

    def __init__(self, core: Core, user: User, *, typographic: bool = False) -> None:
        self._core = core
        self.user = user
        self.id = user.id
        self.typographic = typographic

    # --- speaking

    async def post(
        self,
        channel: str,
        text: str,
        *,
        thread: str | Message | None = None,
        broadcast: bool = False,
        with_file: bool = False,
        raw: bool = False,
    ) -> Message:
        """Say something, maybe beside a file; ``raw`` leaves the text as it is.

        Returns when it is on its way to the app.

        ``channel`` is an id or a name; the bot's user id stands for the direct conversation with it. The
        message's ``deliveries`` are the events that tell the app.
        """
        place = self._place(channel)
        ts = self._core.ids.ts()
        root = thread.ts if isinstance(thread, Message) else thread
        message = Message(
            ts=ts,
            channel=place.id,
            text=text if raw else typed(self._core.world, text, typographic=self.typographic),
            user=self.id,
            team=self.user.team,
            blocks=[rich_text(text)],
            thread_ts=root,
            client_msg_id=str(uuid4()),
            subtype="thread_broadcast" if broadcast else "file_share" if with_file else None,
        )
        if with_file:
            file = UploadedFile("F0PICTURE", "picture.png", 1, "", mimetype="image/png", filetype="png")
            message.files = [file.shown(self._core.url, self.id, team=self.user.team)]
        return await self._core.message_posted(place, message)

    async def edit(self, message: Message, text: str) -> Delivery | None:
        """Change one's own message."""
        self._own(message)
        before = message.shown()
        message.text = typed(self._core.world, text, typographic=self.typographic)
        message.blocks = [rich_text(text)]
        message.edited = {"user": self.id, "ts": self._core.ids.ts()}
        message.edits += 1
        return await self._core.message_changed(self._core.world.channels[message.channel], message, before)

    async def delete(self, message: Message, *, as_admin: bool = False) -> Delivery | None:
        """Take a message away: one's own, or any as an administrator."""
        if not as_admin:
            self._own(message)
        return await self._core.message_deleted(self._core.world.channels[message.channel], message)

    async def react(self, message: Message, name: str) -> Delivery | None:
        """Put a reaction on a message."""
        message.reactions.setdefault(name, []).append(self.id)
        channel = self._core.world.channels[message.channel]
        event = {
            "type": "reaction_added",
            "user": self.id,
            "reaction": name,
            "item_user": message.user,
            "item": {"type": "message", "channel": channel.id, "ts": message.ts},
            "event_ts": self._core.ids.ts(),
        }
        return await self._core.emit(event, subscription="reaction_added", channel=channel)

    # --- commands and shortcuts

    async def command(
        self, command: str, text: str = "", *, channel: str = "images", trigger: str = ""
    ) -> Delivery:
        """Use a slash command. What the app answers at once is shown as Slack shows it.

        Args:
            command: with its slash.
            text: what follows.
            channel: where it is typed.
            trigger: the ``trigger_id`` that Slack gives it, which opens no view then; a new one if empty.

        Raises:
            SimulatorError: the app has no such command.
        """
        if command not in self._core.app.commands:
            raise SimulatorError(f"{command} is not a valid command")
        place = self._place(channel)
        url = self._core.new_response_url(self.id, place.id)
        payload = {
            "token": self._core.app.verification_token,
            "team_id": self.user.team,
            "team_domain": self._core.world.teams[self.user.team].domain,
            "channel_id": place.id,
            "channel_name": "directmessage" if place.kind is ChannelKind.DIRECT else place.name,
            "user_id": self.id,
            "user_name": self.user.name,
            "command": command,
            "text": typed_command(self._core.world, text, typographic=self.typographic),
            "api_app_id": self._core.app.id,
            "is_enterprise_install": str(self._core.app.organisation_wide).lower(),
            **organisation_of(self._core.app),
            "response_url": url,
            "trigger_id": trigger or self._core.new_trigger(self.id),
        }
        return await self._core.outbox.deliver(
            Kind.COMMAND, payload, answerable=True, on_answer=lambda body: self._show(url, body)
        )

    async def shortcut(self, callback_id: str) -> Delivery:
        """Use a global shortcut."""
        payload = interaction_payload(self._core, self.user, "shortcut") | {
            "callback_id": callback_id,
            "action_ts": self._core.ids.ts(),
            "trigger_id": self._core.new_trigger(self.id),
        }
        return await self._core.outbox.deliver(Kind.INTERACTIVE, payload)

    async def message_shortcut(self, callback_id: str, message: Message) -> Delivery:
        """Use a shortcut in a message's menu."""
        channel = self._core.world.channels[message.channel]
        url = self._core.new_response_url(self.id, channel.id, message.ts, message.thread_ts)
        payload = interaction_payload(self._core, self.user, "message_action") | {
            "callback_id": callback_id,
            "action_ts": self._core.ids.ts(),
            "trigger_id": self._core.new_trigger(self.id),
            "message_ts": message.ts,
            "message": message.shown(),
            "channel": {"id": channel.id, "name": channel.name},
            "response_url": url,
        }
        return await self._core.outbox.deliver(Kind.INTERACTIVE, payload)

    # --- coming and going

    async def join(self, channel: str) -> Delivery | None:
        """Come into a channel."""
        return await channels.join(self._core, self._known(channel), self.id)

    async def leave(self, channel: str) -> Delivery | None:
        """Leave a channel."""
        return await channels.leave(self._core, self._known(channel), self.id)

    # --- pressing

    async def press(
        self,
        message: Message,
        button: str | Button,
        *,
        value: str | None = None,
        option: str | None = None,
        stale: Json | None = None,
    ) -> Delivery:
        """Press a button of a message, named by its label, action id or value.

        ``option`` chooses an option of a select or overflow menu instead. ``value`` forges another value.
        ``stale`` is the message as the person still saw it (``message.shown()`` of earlier): then the button
        of that is pressed, whether it is still there or not.

        Raises:
            SimulatorError: there is no such button.
        """
        channel = self._core.world.channels[message.channel]
        shown = stale or message.shown()
        block, element = find_element(shown.get("blocks", []), button)
        url = self._core.new_response_url(self.id, channel.id, message.ts, message.thread_ts)
        container: Json = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": message.only_for is not None,
        }
        if thread := shown.get("thread_ts"):
            container["thread_ts"] = thread
        payload = interaction_payload(self._core, self.user, "block_actions") | {
            "container": container,
            "trigger_id": self._core.new_trigger(self.id),
            "channel": {"id": channel.id, "name": channel.name},
            "message": shown,
            "state": {"values": {}},
            "response_url": url,
            "actions": [action_of(self._core, block, element, value, option)],
        }
        if message.only_for:
            del payload["message"]  # Slack does not send ephemeral messages back
        return await self._core.outbox.deliver(Kind.INTERACTIVE, payload)

    async def press_in(
        self, view: View, button: str | Button, *, value: str | None = None, option: str | None = None
    ) -> Delivery:
        """Press a button in a modal or on the Home tab."""
        block, element = find_element(view.blocks, button)
        payload = interaction_payload(self._core, self.user, "block_actions") | {
            "container": {"type": "view", "view_id": view.id},
            "trigger_id": self._core.new_trigger(self.id),
            "view": view_body(self._core, view),
            "actions": [action_of(self._core, block, element, value, option)],
        }
        return await self._core.outbox.deliver(Kind.INTERACTIVE, payload)

    async def choose(
        self, view: View, field: str, option: str, entered: dict[str, Any] | None = None
    ) -> Delivery:
        """Choose an option of a modal's field of which the app wants to hear at once, after entering other things.

        Raises:
            SimulatorError: there is no such field or option, or Slack would not tell the app.
        """
        wanted = {**(entered or {}), field: option}
        view.entered = fill_in(view.blocks, wanted, view.entered, whole=False)
        block = next(
            (
                each
                for each in view.blocks
                if field in (each.get("block_id"), (each.get("element") or {}).get("action_id"))
            ),
            None,
        )
        if block is None or not block.get("dispatch_action"):
            raise SimulatorError(f"Slack tells the app nothing of what is chosen in {field}")
        payload = interaction_payload(self._core, self.user, "block_actions") | {
            "container": {"type": "view", "view_id": view.id},
            "trigger_id": self._core.new_trigger(self.id),
            "view": view_body(self._core, view, view.entered),
            "actions": [action_of(self._core, block, block["element"], None, option)],
        }
        return await self._core.outbox.deliver(Kind.INTERACTIVE, payload)

    # --- Home and modals

    async def open_home(self, tab: str = "home") -> Delivery | None:
        """Open the app's Home (or ``messages``) tab."""
        event: Json = {
            "type": "app_home_opened",
            "user": self.id,
            "channel": self._core.open_direct(self.id).id,
            "tab": tab,
            "event_ts": self._core.ids.ts(),
        }
        if tab == "home" and (view := self._core.homes.get(self.id)):
            event["view"] = view_body(self._core, view)
        return await self._core.emit(event, subscription="app_home_opened")

    @property
    def home(self) -> View | None:
        """The Home tab as the app last published it."""
        return self._core.homes.get(self.id)

    @property
    def modals(self) -> list[View]:
        """The modals before the person, the uppermost last."""
        return list(self._core.modals.get(self.id, []))

    async def modal(self, callback_id: str = "", *, within: float = 10) -> View:
        """Wait for a modal (with this callback id) to stand uppermost before the person."""

        def look() -> View | None:
            top = self.modals[-1:]
            return top[0] if top and callback_id in ("", top[0].callback_id) else None

        return await self._core.changes.until(look, f"a modal {callback_id} for {self.user.name}", within)

    async def home_tab(self, look: Callable[[View], bool] = lambda view: True, *, within: float = 10) -> View:
        """Wait for the app to publish a Home tab that looks so."""

        def found() -> View | None:
            return self.home if self.home and look(self.home) else None

        return await self._core.changes.until(found, f"the Home tab of {self.user.name}", within)

    async def submit(
        self, view: View, entered: dict[str, Any] | None = None, *, raw: Json | None = None
    ) -> Submission:
        """Fill in a modal and submit it. Fields are named by action id, block id or label; see ``forms.py``.

        ``raw`` sends these ``state.values`` as they are, as a forged request would.
        """
        if not view.open:
            raise SimulatorError("the modal is closed")
        values = raw if raw is not None else fill_in(view.blocks, entered or {}, view.entered)
        payload = interaction_payload(self._core, self.user, "view_submission") | {
            "trigger_id": self._core.new_trigger(self.id),
            "view": view_body(self._core, view, values),
            "response_urls": [],
        }
        delivery = await self._core.outbox.deliver(Kind.INTERACTIVE, payload, answerable=True)
        if await delivery.done(self._core.outbox.patience + 10) is State.FAILED:
            return Submission(Outcome.NO_ANSWER, {}, delivery, view)
        outcome = take_answer(self._core, view, delivery.answer or {})
        top = self.modals[-1] if self.modals else None
        return Submission(outcome, dict(view.errors), delivery, top)

    async def close(self, view: View, *, whole_stack: bool = False) -> Delivery | None:
        """Close a modal (or all, by the X in the corner). The app hears of it where it asked to."""
        remove_view(self._core, view, whole_stack=whole_stack)
        if not view.body.get("notify_on_close"):
            return None
        payload = interaction_payload(self._core, self.user, "view_closed") | {
            "view": view_body(self._core, view),
            "is_cleared": whole_stack,
        }
        return await self._core.outbox.deliver(Kind.INTERACTIVE, payload)

    # --- seeing

    def sees(self, channel: str, *, thread: str | None = None) -> list[Message]:
        """What stands in a channel (or in one thread) before the person, with what only they see, oldest first."""
        place = self._place(channel, speaking=False)
        public = place.thread(thread) if thread else [m for m in place.living() if m.in_channel_view]
        own = [
            m for m in self.ephemerals if m.channel == place.id and (m.thread_ts == thread or thread is None)
        ]
        return sorted([*public, *own], key=lambda message: float(message.ts))

    @property
    def ephemerals(self) -> list[Message]:
        """What only this person sees."""
        return [
            message
            for message in self._core.ephemerals
            if message.only_for == self.id and not message.deleted
        ]

    async def ephemeral(
        self, look: Callable[[Message], bool] = lambda message: True, *, within: float = 10
    ) -> Message:
        """Wait for a message that only this person sees."""
        return await self._core.changes.until(
            lambda: next((message for message in self.ephemerals if look(message)), None),
            f"an ephemeral message for {self.user.name}; they see {[m.all_text for m in self.ephemerals]}",
            within,
        )

    # --- inside

    def _place(self, name: str, *, speaking: bool = True) -> Channel:
        if name == self._core.app.bot_user:
            return self._core.open_direct(self.id)
        channel = self._core.world.named(name)
        if channel is None or self.id not in channel.members:
            raise SimulatorError(f"{self.user.name} is in no channel {name}")
        if channel.archived and speaking:
            raise SimulatorError(f"nobody can speak in #{channel.name}: it is archived")
        return channel

    def _known(self, name: str) -> Channel:
        found = self._core.world.named(name)
        if found is None:
            raise SimulatorError(f"there is no channel {name}")
        return found

    def _own(self, message: Message) -> None:
        if message.user != self.id:
            raise SimulatorError("only one's own messages can be changed")

    def _show(self, url: str, body: Json | None) -> None:
        place = self._core.response_urls[url.rsplit("/", 1)[-1]]
        if body and (wrong := check_blocks(body.get("blocks") or [], Surface.MESSAGE)):
            self._core.complaints.append(f"the answer to a command was not shown: {wrong}")
        elif body:
            self._core.later(responses.answer(self._core, place, body))
