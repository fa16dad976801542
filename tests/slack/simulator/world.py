"""What a simulated workspace holds: teams, people, channels, messages, groups, files and the app itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.slack.simulator.transport.delivery import Delivery

Clock = Callable[[], datetime]
"""Gives the present moment as an aware datetime."""

Json = dict[str, Any]
"""A JSON object, as Slack sends or takes one."""


def system_clock() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


class SimulatorError(Exception):
    """A test asked for something that nobody could do in Slack, or waited for something that did not come."""


class ChannelKind(StrEnum):
    """What sort of conversation a channel is."""

    PUBLIC = "public"
    PRIVATE = "private"
    DIRECT = "direct"  # between the app's bot and one person


@dataclass
class Team:
    """A workspace."""

    id: str
    name: str
    domain: str


@dataclass
class User:
    """An account. Grid accounts have ids that begin with W."""

    id: str
    name: str
    team: str
    real_name: str = ""
    zone: str = "Etc/UTC"
    bot: bool = False
    guest: bool = False
    deleted: bool = False
    session: str = ""  # the workspace or organisation that interactions name, where it is not `team` (Grid)

    def shown(self, app: AppInstall) -> Json:
        """The user as ``users.info`` shows it to the app's token."""
        stranger: Json = {} if self.team in app.workspaces else {"is_stranger": True}
        if app.organisation and self.team in app.workspaces | app.sister_teams:
            stranger |= {
                "enterprise_user": {
                    "enterprise_id": app.organisation,
                    "id": self.id,
                    "teams": [self.team],
                }
            }
        return {
            "id": self.id,
            "team_id": self.team,
            "name": self.name,
            "real_name": self.real_name or self.name,
            "deleted": self.deleted,
            "tz": self.zone,
            "tz_offset": 0,
            "profile": {
                "real_name": self.real_name or self.name,
                "display_name": self.name,
                "team": self.team,
            },
            "is_admin": False,
            "is_owner": False,
            "is_bot": self.bot,
            "is_app_user": False,
            "is_restricted": self.guest,
            "is_ultra_restricted": False,
            **stranger,
        }


@dataclass(frozen=True)
class Button:
    """A button as a person sees it."""

    label: str
    action_id: str
    value: str
    block_id: str
    style: str
    confirm: Json | None
    url: str | None
    raw: Json


@dataclass
class Message:
    """A message in a channel, or an ephemeral one for ``only_for``."""

    ts: str
    channel: str
    text: str
    user: str | None = None
    team: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    metadata: Json | None = None
    bot_id: str | None = None
    app_id: str | None = None
    subtype: str | None = None
    trigger_id: str | None = None  # of the workflow that said it
    username: str | None = None
    bot_profile: Json | None = None
    edited: Json | None = None
    files: list[Json] = field(default_factory=list)
    client_msg_id: str | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    only_for: str | None = None
    deleted: bool = False
    answered: bool = False  # there is a thread below it
    edits: int = 0
    deliveries: list[Delivery] = field(default_factory=list, repr=False)  # the events that told the app of it

    @property
    def is_reply(self) -> bool:
        """Whether it stands in a thread under another message."""
        return self.thread_ts is not None and self.thread_ts != self.ts

    @property
    def in_channel_view(self) -> bool:
        """Whether it is listed in the channel itself: no reply, or a reply that was broadcast."""
        return not self.is_reply or self.subtype == "thread_broadcast"

    @property
    def buttons(self) -> list[Button]:
        """Every button on it, in order."""
        return [
            Button(
                label=element.get("text", {}).get("text", ""),
                action_id=element.get("action_id", ""),
                value=element.get("value", ""),
                block_id=block.get("block_id", ""),
                style=element.get("style", "default"),
                confirm=element.get("confirm"),
                url=element.get("url"),
                raw=element,
            )
            for block, element in interactive_elements(self.blocks)
            if element.get("type") == "button"
        ]

    @property
    def all_text(self) -> str:
        """All the text a person can read on it: the fallback text, every block's text, and file names."""
        parts = [self.text, *texts_of(self.blocks), *(str(file.get("name", "")) for file in self.files)]
        return "\n".join(part for part in parts if part)

    def shown(self, *, metadata: bool = False) -> Json:
        """The message as the Web API and events show it."""
        body: Json = {"type": "message", "ts": self.ts, "text": self.text}
        optional = {
            "user": self.user,
            "team": self.team,
            "blocks": self.blocks,
            "attachments": self.attachments,
            "thread_ts": self.thread_ts or (self.ts if self.answered else None),
            "bot_id": self.bot_id,
            "app_id": self.app_id,
            "trigger_id": self.trigger_id,
            "username": self.username,
            "bot_profile": self.bot_profile,
            "subtype": self.subtype,
            "edited": self.edited,
            "files": self.files,
            "client_msg_id": self.client_msg_id,
        }
        body |= {key: value for key, value in optional.items() if value}
        if self.only_for:
            body["is_ephemeral"] = True
        if self.reactions:
            body["reactions"] = [
                {"name": name, "users": users, "count": len(users)} for name, users in self.reactions.items()
            ]
        if self.metadata:
            body["metadata"] = self.metadata if metadata else {"event_type": self.metadata["event_type"]}
        return body


@dataclass
class Channel:
    """A conversation and what was said in it, oldest first."""

    id: str
    name: str
    kind: ChannelKind = ChannelKind.PUBLIC
    members: set[str] = field(default_factory=set)
    archived: bool = False
    shared_with: set[str] = field(default_factory=set)  # other teams, by Slack Connect
    writing: str = ""  # what keeps apps from writing: `is_read_only`, `is_thread_only`, `is_non_threadable`
    messages: list[Message] = field(default_factory=list)

    @property
    def event_kind(self) -> str:
        """Slack's ``channel_type`` in message events."""
        return {"public": "channel", "private": "group", "direct": "im"}[self.kind]

    def living(self) -> list[Message]:
        """The messages that were not deleted."""
        return [message for message in self.messages if not message.deleted]

    def find(self, ts: str) -> Message | None:
        """The living message with this timestamp."""
        return next(
            (message for message in reversed(self.messages) if message.ts == ts and not message.deleted), None
        )

    def thread(self, root: str) -> list[Message]:
        """The root and its living replies, oldest first."""
        return [message for message in self.living() if message.ts == root or message.thread_ts == root]

    def shown(self, *, home: str, member: str, members: bool = False) -> Json:
        """The channel as ``conversations.info`` shows it."""
        if self.kind is ChannelKind.DIRECT:
            other = next((person for person in self.members if person != member), member)
            return {"id": self.id, "created": 1, "is_im": True, "is_archived": self.archived, "user": other}
        body: Json = {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": self.kind is ChannelKind.PUBLIC,
            **dict.fromkeys(("is_group", "is_im", "is_mpim"), False),
            "is_private": self.kind is ChannelKind.PRIVATE,
            "is_archived": self.archived,
            **({self.writing: True} if self.writing else {}),
            "is_member": member in self.members,
            "is_shared": bool(self.shared_with),
            "is_ext_shared": bool(self.shared_with),
            "is_org_shared": False,
            "shared_team_ids": sorted({home, *self.shared_with}),
            "context_team_id": home,
            "created": 1,
            "topic": {"value": ""},
            "purpose": {"value": ""},
        }
        if members:
            body["num_members"] = len(self.members)
        return body


@dataclass
class UserGroup:
    """A user group, such as ``@release-team``."""

    id: str
    handle: str
    users: list[str]
    team: str
    disabled_at: int = 0  # seconds since 1970; Slack deletes no group, and calls this date_delete

    def shown(self, *, users: bool, count: bool) -> Json:
        """The group as ``usergroups.list`` shows it."""
        body: Json = {
            "id": self.id,
            "team_id": self.team,
            "handle": self.handle,
            "name": self.handle,
            "is_usergroup": True,
            "date_delete": self.disabled_at,
        }
        if count:
            body["user_count"] = str(len(self.users))  # as text, as in Slack's examples
        return body | ({"users": list(self.users)} if users else {})


@dataclass
class UploadedFile:
    """A file on its way (``complete`` is false) or shared."""

    id: str
    name: str
    length: int
    ticket: str
    content: bytes | None = None
    title: str = ""
    complete: bool = False
    channels: list[str] = field(default_factory=list)
    mimetype: str = "text/plain"
    filetype: str = "text"
    alternative: str = ""  # what a picture shows, for screen readers

    def shown(self, url: str, user: str, *, team: str = "") -> Json:
        """The file as messages and ``files.completeUploadExternal`` show it."""
        private = f"{url}/files/{self.id}/{self.name}"
        return {
            "id": self.id,
            "name": self.name,
            "title": self.title or self.name,
            "created": 1,
            "timestamp": 1,
            "mimetype": self.mimetype,
            "filetype": self.filetype,
            "pretty_type": self.filetype.capitalize(),
            "size": self.length,
            "mode": "hosted",
            "user": user,
            "user_team": team,
            "editable": False,
            "is_external": False,
            "external_type": "",
            "is_public": True,
            "public_url_shared": False,
            "display_as_bot": False,
            "username": "",
            "channels": list(self.channels),
            "url_private": private,
            "url_private_download": private,
            "permalink": f"{url}/archives/files/{self.id}",
            "permalink_public": f"{url}/public/{self.id}",
            "has_rich_preview": False,
            "file_access": "visible",
        }


@dataclass
class AppInstall:
    """The app under test, as it is installed in its home team."""

    id: str
    name: str
    team: str
    bot_user: str
    bot_id: str
    bot_token: str
    app_token: str
    signing_secret: str
    scopes: set[str]
    events: set[str]
    commands: set[str]
    escapes_commands: bool = False  # the manifest's ``should_escape``
    organisation: str = ""  # of Enterprise Grid
    organisation_wide: bool = False  # installed for all of it, and then added to workspaces
    added_to: set[str] = field(
        default_factory=set
    )  # further workspaces, where it is installed for the organisation
    sister_teams: set[str] = field(default_factory=set)  # workspaces of the organisation without the app
    home_tab: bool = True
    verification_token: str = "sim-verification-token"
    revoked: bool = False

    @property
    def workspaces(self) -> set[str]:
        """Where the app is."""
        return {self.team, *self.added_to} if self.organisation_wide else {self.team}


def interactive_elements(blocks: Iterable[Json]) -> list[tuple[Json, Json]]:
    """Every interactive element with the block that holds it."""
    found: list[tuple[Json, Json]] = []
    for block in blocks:
        require_member = [*_list(block.get("elements")), block.get("accessory"), block.get("element")]
        found += [
            (block, e) for e in require_member if isinstance(e, dict) and isinstance(e.get("action_id"), str)
        ]
        found += interactive_elements(
            child for child in _list(block.get("child_blocks")) if isinstance(child, dict)
        )
    return found


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def texts_of(node: object) -> list[str]:
    """Every text inside a block structure, in order."""
    if isinstance(node, dict):
        texts: list[str] = []
        for key, value in node.items():
            if key in ("text", "alt_text", "name") and isinstance(value, str):
                texts.append(value)
            elif key not in ("value", "action_id", "block_id", "confirm"):
                texts += texts_of(value)
        return texts
    if isinstance(node, list):
        return [text for item in node for text in texts_of(item)]
    return []
