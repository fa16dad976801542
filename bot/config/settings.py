"""Every setting of Slipway, with its default. One class a table of slipway.toml."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr, SecretStr

from slipway.bot.chat.console.platform import CONSOLE
from slipway.bot.chat.matrix.platform import MATRIX
from slipway.bot.chat.model import Platform
from slipway.bot.chat.slack.platform import SLACK
from slipway.bot.chat.slack.settings import SlackSettings
from slipway.bot.core.settings import Duration, Settings, Zone


class CommandSettings(Settings):
    """``[commands]``: how people address the bot."""

    prefix: str = Field(
        "!",
        min_length=1,
        max_length=3,
        pattern=r"^[^\w\s]+$",
        description="one to three signs without letters, digits or spaces, like !",
    )
    max_age: Duration = timedelta(minutes=10)  # older messages are not acted on


class ConsoleSettings(Settings):
    """``[console]``: a chat on standard input and output, for trying a configuration."""

    enabled: bool = False
    speaker: str = "alice"
    room: str = "console"


class UnsignedDevices(StrEnum):
    """What is done about a command from a device that its owner has not cross-signed, in an encrypted room."""

    ACCEPT = "accept"
    WARN = "warn"  # act on it, and say that the device is not signed
    REFUSE = "refuse"  # commands that change or decide something need a signed device


class MatrixSettings(Settings):
    """``[matrix]``: the account, and the rooms it works in."""

    homeserver: str = Field(description="the homeserver's address, like https://matrix.example.org")
    user_id: str = Field(
        pattern=r"^@[^:\s]+:\S+$", description="the bot's own account, like @slipway:example.org"
    )
    device_id: str = Field("SLIPWAY", min_length=1, max_length=255)  # at the first login; then as it was kept
    password: SecretStr | None = None
    access_token: SecretStr | None = None
    encryption: bool = True  # whether the bot works in encrypted rooms
    cross_signing_seeds: SecretStr | None = None  # None: kept in the state folder
    unsigned_devices: UnsignedDevices = UnsignedDevices.WARN
    rooms: tuple[str, ...] = ()  # room ids or aliases; invites into others are ignored
    display_name: str = Field("", max_length=100)  # empty: the account's name is left as it is
    avatar: Path | None = None  # a picture file; none: the account's is left as it is
    edit_interval: Duration = timedelta(seconds=5)
    request_timeout: Duration = timedelta(seconds=30)


class AwsSettings(Settings):
    """``[aws]``: EC2 in one region. Credentials come from boto3's own chain."""

    region: str = Field(description="the region's name, like eu-west-1")
    owners: tuple[str, ...] = ("125523088429",)  # Fedora's account
    endpoint: str | None = None
    access_key_id: SecretStr | None = None
    secret_access_key: SecretStr | None = None
    timeout: Duration = timedelta(seconds=20)
    max_attempts: int = Field(4, ge=1, le=10)


class AzureSettings(Settings):
    """``[azure]``: one Azure Compute Gallery. Credentials from here, or azure-identity's own chain."""

    subscription_id: str = Field(
        description="the subscription's id (or set AZURE_SUBSCRIPTION_ID in the environment)"
    )
    resource_group: str = Field(description="the name of the resource group that holds the gallery")
    gallery: str = Field(description="the gallery's name")
    endpoint: str | None = None
    tenant_id: str | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    timeout: Duration = timedelta(seconds=30)
    operation_timeout: Duration = timedelta(hours=1)  # long-running operations
    max_attempts: int = Field(4, ge=1, le=10)
    parallel_listings: int = Field(16, ge=1, le=64)


class PersonSettings(Settings):
    """``[[person]]``: one human, with every account they have."""

    id: str = Field(
        pattern=r"^[a-z][a-z0-9._-]{0,31}$",
        description="lowercase letters, digits, dots and dashes, a letter first, like alice",
    )
    name: str = ""
    identities: tuple[str, ...] = Field(
        min_length=1,
        description='the person\'s accounts as a list, like ["matrix:@alice:example.org"]',
    )
    roles: tuple[str, ...] = ()
    zone: Zone | None = None


class RoleSettings(Settings):
    """``[roles.NAME]``: the commands that holders may use; ``read`` is every reading one, ``*`` is all."""

    may: tuple[str, ...] = Field(
        description='the commands that holders may use as a list, like ["read", "launch"]'
    )
    slack_groups: tuple[str, ...] = ()  # configured persons in these Slack user groups hold the role, too


class OperationKind(StrEnum):
    """The kinds of operation that a policy speaks of."""

    LAUNCH = "launch"
    TERMINATE = "terminate"
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    CLEANUP = "cleanup"


class PolicySettings(Settings):
    """``[policy.KIND]``: who must agree before an operation of that kind runs."""

    approvals: int = Field(1, ge=0, le=5)
    approvals_scheduled: int | None = Field(None, ge=0, le=5)  # asked by a schedule; None: the same
    role: str = ""  # approvers hold it; empty only where no approval is ever asked for
    requester_may_approve: bool = False
    expires: Duration = timedelta(hours=24)
    encrypted_reactions: bool | None = (
        None  # whether a reaction counts in an encrypted room; None: launch only
    )


class RetentionSettings(Settings):
    """``[retention]``: what a clean-up keeps. Defaults are those of Fedora's uploader SOP."""

    keep_candidates: int = Field(7, ge=1)
    keep_rolling: int = Field(7, ge=1)
    rolling_pattern: str = "*Rawhide*"
    owner: str = "fedora-cloud"  # versions whose tag `owner` names another are left alone
    approval_share: float = Field(0.5, gt=0, le=1)  # a larger share of a definition needs an approval


class ProfileSettings(Settings):
    """``[profiles.NAME]``: a launch template, and how much of it people may ask for."""

    template: str = Field(description="the name of a launch template, like slipway-small")
    template_version: int | None = Field(None, ge=1)  # None: the template's default, resolved when planning
    description: str = ""
    max_count: int = Field(1, ge=1, le=50)
    default_for: Duration = timedelta(hours=3)
    max_for: Duration = timedelta(days=3)


class Missed(StrEnum):
    """What happens to a tick that fell into a time when the bot was down."""

    CATCH_UP = "catch-up"  # run once, however many were missed
    SKIP = "skip"  # say that it was skipped


class ScheduleSettings(Settings):
    """``[[schedule]]``: a command line that the clock says."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9-]{0,39}$",
        description="lowercase letters, digits and dashes, a letter first, like weekly-cleanup",
    )
    cron: str = Field(description="when, as minute hour day month weekday, like 0 9 * * mon")
    zone: Zone = ZoneInfo("UTC")
    command: str = Field(description="what to type, without the prefix, like cleanup")
    room: str = Field(description="where to post, like matrix:!abc:example.org")
    roles: tuple[str, ...] = Field(description='the roles that the schedule holds as a list, like ["releng"]')
    missed: Missed = Missed.CATCH_UP
    missed_within: Duration = timedelta(days=2)  # what is older is reported, never run
    quiet: bool = False  # say nothing when there is nothing to do
    enabled: bool = True


class SlipwaySettings(Settings):
    """slipway.toml as a whole."""

    name: str = Field(  # names this deployment in tags
        "slipway",
        pattern=r"^[a-z][a-z0-9-]{0,31}$",
        description="lowercase letters, digits and dashes, a letter first, like slipway",
    )
    state_dir: Path = Path("state")
    zone: Zone = ZoneInfo("UTC")
    log_format: Literal["console", "json"] = "console"
    commands: CommandSettings = CommandSettings()
    console: ConsoleSettings = ConsoleSettings()
    matrix: MatrixSettings | None = None
    slack: SlackSettings | None = None
    aws: AwsSettings | None = None
    azure: AzureSettings | None = None
    person: tuple[PersonSettings, ...] = ()
    roles: dict[str, RoleSettings] = {}
    policy: dict[OperationKind, PolicySettings] = {}
    retention: RetentionSettings = RetentionSettings()
    profiles: dict[str, ProfileSettings] = {}
    schedule: tuple[ScheduleSettings, ...] = ()

    _secret_sources: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def secret_sources(self) -> Mapping[str, str]:
        """Where each secret came from (``matrix.password`` → ``the file /etc/…``); never a value."""
        return self._secret_sources

    def with_secret_sources(self, sources: Mapping[str, str]) -> SlipwaySettings:
        """The same settings, remembering where their secrets came from."""
        copy = self.model_copy()
        copy._secret_sources = dict(sources)
        return copy


def parse_address(text: str) -> tuple[Platform, str]:
    """Split ``platform:id``, as identities and rooms are written in the configuration.

    Raises:
        ValueError: no known platform in front, or nothing behind it.
    """
    name, colon, rest = text.partition(":")
    if not colon or not rest or name not in (CONSOLE, MATRIX, SLACK):
        raise ValueError(f"“{text}” is not platform:id; write it like matrix:@alice:example.org")
    return Platform(name), rest
