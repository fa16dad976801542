"""The workspace that a simulator starts with, unless it is given another."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.slack.simulator.world import (
    AppInstall,
    Channel,
    ChannelKind,
    Team,
    UploadedFile,
    User,
    UserGroup,
)

TEAM = "T0FEDORA0"
PARTNER_TEAM = "T0PARTNER"

BOT = "U0SLIPWAY"
ALICE = "U0ALICE00"
BOB = "U0BOB0000"
CAROL = "W0CAROL00"  # an Enterprise Grid account
DAVE = "U0DAVE000"  # a guest of the workspace
EVE = "U0EVE0000"  # of the partner's workspace
OTHER_BOT = "U0OTHERBT"

IMAGES = "C0IMAGES0"  # the app's bot is in it
LOUNGE = "C0LOUNGE0"  # public, the bot is not in it
RELEASE = "C0RELEASE"  # private, the bot is in it
SECRET = "C0SECRET0"  # private, the bot is not in it
SHARED = "C0SHARED0"  # shared with the partner's workspace
OLD = "C0OLD0000"  # archived

RELEASE_TEAM = "S0RELEASE"

SCOPES = frozenset(
    [
        "app_mentions:read",
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "reactions:write",
        "team:read",
        "usergroups:read",
        "users:read",
    ]
)
EVENTS = frozenset(
    [
        "app_home_opened",
        "app_mention",
        "channel_archive",
        "channel_deleted",
        "channel_left",
        "channel_rename",
        "channel_unarchive",
        "group_archive",
        "group_deleted",
        "group_left",
        "group_rename",
        "group_unarchive",
        "member_joined_channel",
        "member_left_channel",
        "message.channels",
        "message.groups",
        "message.im",
        "reaction_added",
        "subteam_members_changed",
        "subteam_updated",
    ]
)


@dataclass
class World:
    """Everything there is. Change it as you like, before or while the simulator runs."""

    app: AppInstall
    teams: dict[str, Team] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    groups: dict[str, UserGroup] = field(default_factory=dict)
    files: dict[str, UploadedFile] = field(default_factory=dict)
    policies: set[str] = field(
        default_factory=set
    )  # what the administrators forbid: names in ``api.POLICIES``

    def add_user(self, user: User) -> User:
        """Let an account exist."""
        self.users[user.id] = user
        return user

    def add_channel(self, channel: Channel) -> Channel:
        """Let a channel exist."""
        self.channels[channel.id] = channel
        return channel

    def direct(self, user: str) -> Channel | None:
        """The direct conversation between the bot and a person, where it was opened."""
        wanted = {user, self.app.bot_user}
        return next(
            (c for c in self.channels.values() if c.kind is ChannelKind.DIRECT and c.members == wanted), None
        )

    def named(self, name: str) -> Channel | None:
        """A channel by its id, or by its name with or without ``#``."""
        if name in self.channels:
            return self.channels[name]
        plain = name.removeprefix("#")
        return next(
            (c for c in self.channels.values() if c.name == plain and c.kind is not ChannelKind.DIRECT), None
        )


def installed_app() -> AppInstall:
    """An app with everything that Slipway may need granted."""
    return AppInstall(
        id="A0SLIPWAY",
        name="slipway",
        team=TEAM,
        bot_user=BOT,
        bot_id="B0SLIPWAY",
        bot_token="xoxb-sim-bot-token",
        app_token="xapp-1-sim-app-token",
        signing_secret="sim-signing-secret",
        scopes=set(SCOPES),
        events=set(EVENTS),
        commands={"/slipway"},
    )


def fedora_world() -> World:
    """A workspace of people who publish images, with a partner in one shared channel."""
    world = World(installed_app())
    world.teams = {
        TEAM: Team(TEAM, "Fedora Cloud", "fedora-cloud"),
        PARTNER_TEAM: Team(PARTNER_TEAM, "Partner", "partner"),
    }
    for user in (
        User(BOT, "slipway", TEAM, "Slipway", bot=True),
        User(ALICE, "alice", TEAM, "Alice Archer", zone="Europe/Prague"),
        User(BOB, "bob", TEAM, "Bob Baker"),
        User(CAROL, "carol", TEAM, "Carol Carter"),
        User(DAVE, "dave", TEAM, "Dave Dyer", guest=True),
        User(EVE, "eve", PARTNER_TEAM, "Eve Elsewhere"),
        User(OTHER_BOT, "otherbot", TEAM, "Other Bot", bot=True),
    ):
        world.add_user(user)
    staff = {ALICE, BOB, CAROL}
    for channel in (
        Channel(IMAGES, "images", members={BOT, DAVE, OTHER_BOT, *staff}),
        Channel(LOUNGE, "lounge", members=set(staff)),
        Channel(RELEASE, "release", ChannelKind.PRIVATE, members={BOT, ALICE, BOB}),
        Channel(SECRET, "secret", ChannelKind.PRIVATE, members={ALICE, BOB}),
        Channel(SHARED, "shared", members={BOT, EVE, *staff}, shared_with={PARTNER_TEAM}),
        Channel(OLD, "old", members={BOT, *staff}, archived=True),
    ):
        world.add_channel(channel)
    world.groups[RELEASE_TEAM] = UserGroup(RELEASE_TEAM, "release-team", [ALICE, BOB], TEAM)
    return world
