"""What the parts of the simulator share: the world, its clock, what is on its way, and what is open."""

from __future__ import annotations

import asyncio
import copy
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from secrets import token_hex

from tests.slack.simulator.changes import ChangeNotifier, UniqueIds
from tests.slack.simulator.faults import Faults
from tests.slack.simulator.limits import RateLimits
from tests.slack.simulator.seed import World
from tests.slack.simulator.transport.delivery import Delivery, Kind, Outbox, Transport
from tests.slack.simulator.world import Channel, ChannelKind, Clock, Json, Message, User

RESPONSE_URL_USES = 5
RESPONSE_URL_LIFETIME = timedelta(minutes=30)
"""docs.slack.dev/interactivity/handling-user-interaction: 5 times within 30 minutes."""


@dataclass(frozen=True)
class Call:
    """One call of the Web API, as the log keeps it: never with a token."""

    method: str
    args: Json
    at: float
    status: int
    error: str | None


@dataclass
class Trigger:
    """A ``trigger_id``: good for one view, for a short while."""

    id: str
    user: str
    expires: float
    exchanged: bool = False


@dataclass
class ResponseUrl:
    """Where a ``response_url`` leads."""

    token: str
    channel: str
    user: str
    expires: float
    message_ts: str | None = None
    thread_ts: str | None = None
    uses: int = 0


@dataclass(eq=False)
class View:
    """A modal or a Home tab that a person has before them."""

    id: str
    user: str
    body: Json
    hash: str
    root_id: str
    previous_id: str | None = None
    errors: dict[str, str] = field(default_factory=dict)
    open: bool = True
    entered: dict[str, Json] = field(default_factory=dict)  # by block id; lasts while that is shown
    updates: int = 0

    @property
    def blocks(self) -> list[Json]:
        """The blocks on it."""
        found: list[Json] = self.body.get("blocks", [])
        return found

    @property
    def callback_id(self) -> str:
        """What the app named it."""
        return str(self.body.get("callback_id", ""))

    @property
    def title(self) -> str:
        """Its title, empty for a Home tab."""
        return str((self.body.get("title") or {}).get("text", ""))

    @property
    def private_metadata(self) -> str:
        """What the app wrote on its back."""
        return str(self.body.get("private_metadata", ""))


class Core:
    """The state of one running simulator. The modules of the API and the persons work on it."""

    def __init__(
        self, world: World, clock: Clock, transport: Transport, changes: ChangeNotifier, outbox: Outbox
    ) -> None:
        self.world = world
        self.app = world.app
        self.ids = UniqueIds(clock)
        self.changes = changes
        self.transport = transport
        self.outbox = outbox
        self.faults = Faults(changes)
        self.limits = RateLimits(self.ids)
        self.trigger_lifetime = timedelta(seconds=3)
        self.response_url_lifetime = RESPONSE_URL_LIFETIME
        self.edit_window: timedelta | None = None
        self.omits_team = False
        """Whether Slack leaves a person's workspace out where it need not be: of presses, forms and messages."""
        self.url = ""
        self.calls: deque[Call] = deque(maxlen=20_000)
        self.call_counts: dict[str, int] = {}
        self.complaints: list[str] = []
        self.ephemerals: list[Message] = []
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.modals: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self.views: dict[str, View] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def later(self, work: Coroutine[None, None, None]) -> None:
        """Do something that nobody waits for."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Wait for what nobody waits for."""
        await asyncio.gather(*self._tasks)

    @property
    def home(self) -> str:
        """The team that the app is installed in."""
        return self.app.team

    def new_trigger(self, user: str) -> str:
        """A ``trigger_id`` for what a person just did."""
        self.trigger_lifetime_check()
        trigger = Trigger(
            f"{len(self.triggers) + 1}.{int(self.ids.now())}.{token_hex(8)}",
            user,
            self.ids.now() + self.trigger_lifetime.total_seconds(),
        )
        self.triggers[trigger.id] = trigger
        return trigger.id

    def trigger_lifetime_check(self) -> None:
        """Forget what expired long ago, so that a long run stays small."""
        if len(self.triggers) > 5000:
            now = self.ids.now()
            self.triggers = {name: t for name, t in self.triggers.items() if t.expires > now}

    def new_response_url(
        self, user: str, channel: str, message_ts: str | None = None, thread_ts: str | None = None
    ) -> str:
        """A ``response_url`` for what a person just did."""
        token = token_hex(12)
        expires = self.ids.now() + self.response_url_lifetime.total_seconds()
        self.response_urls[token] = ResponseUrl(token, channel, user, expires, message_ts, thread_ts)
        owner = self.app.organisation if self.app.organisation_wide else self.home
        return f"{self.url}/actions/{owner}/{token}"

    def bot_sees(self, channel: Channel) -> bool:
        """Whether the app gets the events of a channel."""
        return self.app.bot_user in channel.members

    async def emit(
        self, event: Json, *, subscription: str, channel: Channel | None = None, team: str = ""
    ) -> Delivery | None:
        """Send an event to the app, if it subscribed to it and may see the channel.

        ``team`` is the workspace of whoever caused it, where that is not the app's.
        """
        if subscription not in self.app.events or self.app.revoked:
            return None
        if channel is not None and not self.bot_sees(channel):
            return None
        shared = bool(channel and channel.shared_with)
        payload: Json = {
            "token": self.app.verification_token,
            "team_id": team or self.home,
            "context_team_id": self.home,
            "context_enterprise_id": self.app.organisation or None,
            **({"enterprise_id": self.app.organisation} if self.app.organisation else {}),
            "api_app_id": self.app.id,
            "event": copy.deepcopy(event),
            "type": "event_callback",
            "event_id": self.ids.id("Ev"),
            "event_time": int(self.ids.now()),
            "authorizations": [
                {
                    "enterprise_id": self.app.organisation or None,
                    "team_id": None if self.app.organisation_wide else self.home,
                    "user_id": self.app.bot_user,
                    "is_bot": True,
                    "is_enterprise_install": self.app.organisation_wide,
                }
            ],
            "is_ext_shared_channel": shared,
            "event_context": f"4-{token_hex(16)}",
        }
        return await self.outbox.deliver(Kind.EVENT, payload)

    async def message_posted(self, channel: Channel, message: Message) -> Message:
        """A new message stands in a channel: keep it, and tell the app."""
        channel.messages.append(message)
        self.changes.notify()
        event = message.shown() | {
            "channel": channel.id,
            "event_ts": message.ts,
            "channel_type": channel.event_kind,
        }
        if message.subtype == "file_share":
            event |= {"upload": message.bot_id is None, "display_as_bot": False}
        if message.is_reply and message.thread_ts and (over := channel.find(message.thread_ts)):
            event["parent_user_id"] = over.user
            over.answered = True
        if message.subtype == "thread_broadcast" and message.thread_ts:
            root = channel.find(message.thread_ts)
            event["root"] = root.shown() | thread_counts(channel, root) if root else {}
        if self.omits_team or message.subtype in ("file_share", "thread_broadcast"):
            event.pop("team", None)
        subscription = f"message.{_PLURAL[channel.event_kind]}"
        first = await self.emit(event, subscription=subscription, channel=channel, team=message.team)
        second = None
        mentioned = f"<@{self.app.bot_user}>" in message.text
        if mentioned and message.bot_id is None and channel.kind is not ChannelKind.DIRECT:
            mention = {
                key: value for key, value in event.items() if key not in ("channel_type", "subtype", "root")
            }
            mention["type"] = "app_mention"
            if channel.shared_with:  # `team` is the workspace that receives it there
                whose = {"user_team": message.team, "source_team": message.team}
                mention |= {"team": self.home, **whose, "user_profile": {"team": message.team}}
            second = await self.emit(mention, subscription="app_mention", channel=channel)
        message.deliveries += [delivery for delivery in (first, second) if delivery]
        if "root" in event:  # Slack tells at once that the reply stands in the channel, too
            same = message.shown() | {"root": event["root"]}
            await self._emit_subtype(channel, "message_changed", message=same, previous_message=same)
        return message

    async def message_changed(self, channel: Channel, message: Message, before: Json) -> Delivery | None:
        """A message was edited: tell the app."""
        self.changes.notify()
        after = message.shown()
        if message.edited and message.bot_id is None:
            after |= {"user_team": message.team, "source_team": message.team}
        return await self._emit_subtype(channel, "message_changed", message=after, previous_message=before)

    async def message_deleted(self, channel: Channel, message: Message) -> Delivery | None:
        """A message was deleted: tell the app. Over a thread, a tombstone is left of it."""
        counts = thread_counts(channel, message)
        message.deleted = True
        self.changes.notify()
        if left := tombstone(channel, message):
            return await self._emit_subtype(
                channel, "message_changed", message=left, previous_message=message.shown() | counts
            )
        return await self._emit_subtype(
            channel, "message_deleted", deleted_ts=message.ts, previous_message=message.shown()
        )

    async def _emit_subtype(self, channel: Channel, subtype: str, **more: object) -> Delivery | None:
        ts = self.ids.ts()
        event = {
            "type": "message",
            "subtype": subtype,
            "channel": channel.id,
            "hidden": True,
            "ts": ts,
            "event_ts": ts,
            "channel_type": channel.event_kind,
            **more,
        }
        return await self.emit(event, subscription=f"message.{_PLURAL[channel.event_kind]}", channel=channel)

    def open_direct(self, user: str) -> Channel:
        """The direct conversation with a person, opened where it is not yet."""
        found = self.world.direct(user)
        if found is None:
            channel = Channel(self.ids.id("D"), f"dm-{user}", ChannelKind.DIRECT, {user, self.app.bot_user})
            found = self.world.add_channel(channel)
        return found

    def visible_users(self) -> dict[str, User]:
        """The accounts that a token of the home team may look up."""
        shared = {m for c in self.world.channels.values() if self.bot_sees(c) for m in c.members}
        own = self.app.workspaces
        return {u.id: u for u in self.world.users.values() if u.team in own or u.id in shared}


def thread_counts(channel: Channel, root: Message) -> Json:
    """What a message says of the thread below it; nothing where there is none."""
    replies = [message for message in channel.thread(root.ts) if message.ts != root.ts]
    if not replies:
        return {}
    users = list(dict.fromkeys(message.user or message.bot_id or "" for message in replies))
    return {
        "reply_count": len(replies),
        "reply_users_count": len(users),
        "reply_users": users,
        "latest_reply": replies[-1].ts,
        "is_locked": False,
    }


def tombstone(channel: Channel, message: Message) -> Json:
    """What stands where a deleted message is that was answered; nothing where it was not."""
    counts = thread_counts(channel, message)
    if not (message.deleted and counts):
        return {}
    left = {"type": "message", "ts": message.ts, "thread_ts": message.ts, "hidden": True, **counts}
    return left | {"subtype": "tombstone", "user": "USLACKBOT", "text": "This message was deleted."}


_PLURAL = {"channel": "channels", "group": "groups", "im": "im"}


def with_defaults(blocks: list[Json]) -> list[Json]:
    """Blocks as Slack stores them: with the ids and defaults that it fills in."""
    stored: list[Json] = copy.deepcopy(blocks)
    for block in stored:
        block.setdefault("block_id", token_hex(3))
        _fill_in_defaults(block)
    return stored


def _fill_in_defaults(node: object) -> None:
    if isinstance(node, list):
        for item in node:
            _fill_in_defaults(item)
    elif isinstance(node, dict):
        if node.get("type") == "plain_text":
            node.setdefault("emoji", True)
        elif node.get("type") == "mrkdwn":
            node.setdefault("verbatim", False)
        elif node.get("type") in _NAMED:
            node.setdefault("action_id", token_hex(3))
        for value in node.values():
            _fill_in_defaults(value)


_NAMED = {
    "button",
    "overflow",
    "static_select",
    "plain_text_input",
    "number_input",
    "checkboxes",
    "radio_buttons",
    "datepicker",
    "users_select",
    "multi_static_select",
}
