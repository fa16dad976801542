"""The settings that every installation has, whatever it does. The other tables are declared by whom they belong to,
and become fields of a class that :mod:`slipway.bot.config.schema` builds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar, cast
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, BeforeValidator, Field, PrivateAttr, model_validator

from slipway.bot.chat.model import Platform
from slipway.bot.config.document import STATE_DIR
from slipway.bot.config.http_settings import HttpSettings
from slipway.bot.config.policies.settings import EnvironmentSettings, PolicySettings
from slipway.bot.core.errors import DeclarationError
from slipway.bot.core.secret_files import SecretFile
from slipway.bot.core.settings import Duration, Settings, Zone
from slipway.bot.core.settings_table import PersonKey, SettingsTable, TableShape
from slipway.bot.core.totp import TotpSecret

SettingsT = TypeVar("SettingsT", bound=Settings)


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
    room: str = Field(
        "",
        description="where what is asked for outside of a room gets its card, like matrix:!abc:example.org",
    )


class PersonSettings(Settings):
    """``[[person]]``: one human, with every account they have.

    Subjects add keys, such as the accounts from which SSH keys come.
    """

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
    local_users: tuple[str, ...] = ()  # users of the bot's machine who speak as them by `slipway say`
    totp_secret: TotpSecret | None = None  # what their authenticator app and Slipway share

    def texts(self, key: PersonKey) -> tuple[str, ...]:
        """What stands under a key that a subject declares."""
        found: tuple[str, ...] = getattr(self, key.name, ())
        return found


class RoleSettings(Settings):
    """``[roles.NAME]``: the rights that holders have; ``read`` is every reading command, ``*`` is all.

    Chat platforms with user groups add a key each, such as ``slack_groups``.
    """

    may: tuple[str, ...] = Field(
        description='the commands that holders may use as a list, like ["read", "launch"]'
    )

    def groups(self, key: str) -> tuple[str, ...]:
        """The user groups of a platform whose members hold the role, by the platform's key."""
        found: tuple[str, ...] = getattr(self, key, ()) if key else ()
        return found


class StepUpSettings(Settings):
    """``[step_up]``: the codes that some presses take."""

    window: int = Field(1, ge=0, le=4)  # how many codes before and after the present one count
    open_for: Duration = Field(  # how long a code is waited for once somebody pressed
        timedelta(minutes=5),
        ge=timedelta(minutes=1),
        le=timedelta(minutes=30),
        description="1 to 30 minutes, like 5m",
    )


class EmergencySettings(Settings):
    """``[emergency]``: who may let what run without the approvals that it takes. Nobody, where it is not written."""

    people: tuple[str, ...] = Field((), description='persons by their ids as a list, like ["alice", "bob"]')
    kinds: tuple[str, ...] = Field(
        (), description='kinds of operation as a list, like ["promote", "rollback"]'
    )
    step_up: bool = False  # whether it always takes a code of whoever asks
    in_freeze: bool = False  # whether it passes freezes, too


class Missed(StrEnum):
    """What happens to a tick that fell into a time when the bot was down."""

    CATCH_UP = "catch-up"  # run once, however many were missed
    SKIP = "skip"  # say that it was skipped


class ScheduleMode(StrEnum):
    """What becomes of a change that a schedule asks for."""

    POLICY = "policy"  # as [policy.KIND] says
    RUN = "run"  # it runs at once, unless the plan itself demands an approval
    ASK = "ask"  # a card asks for approval, by one person at least
    REPORT = "report"  # it is only told what there is to do, as with --dry-run


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
    mode: ScheduleMode = ScheduleMode.POLICY
    jitter: Duration | None = Field(
        None,
        ge=timedelta(minutes=1),
        le=timedelta(days=1),
        description="a minute to a day, like 10m",
    )
    missed: Missed = Missed.CATCH_UP
    max_late: Duration = Field(  # what is older is reported, never run
        timedelta(days=2), validation_alias=AliasChoices("max_late", "missed_within")
    )
    quiet: bool = False  # say nothing when there is nothing to do
    enabled: bool = True


def _moment(value: object) -> object:
    """A time of the calendar: TOML's own, or its text; a date alone is its first moment."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"“{value}” is no time; write it like 2026-10-20T09:00") from None
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time())
    return value


Moment = Annotated[datetime, BeforeValidator(_moment)]
"""Written as ``2026-10-20T09:00``, with a zone or in that of its table."""


class FreezeWindowSettings(Settings):
    """``[[freeze]]``: a time in which nothing changes, once or again and again."""

    name: str = Field(
        pattern=r"^[a-z][a-z0-9-]{0,39}$",
        description="lowercase letters, digits and dashes, a letter first, like f44-final",
    )
    reason: str = ""  # shown to those who are kept waiting
    zone: Zone = ZoneInfo("UTC")
    begins: Moment | None = Field(None, description="a time, like 2026-10-20T09:00")
    ends: Moment | None = Field(None, description="a time, like 2026-10-27T18:00")
    cron: str = Field("", description="when it begins, as minute hour day month weekday, like 0 18 * * fri")
    lasts: Duration | None = Field(
        None, ge=timedelta(minutes=1), le=timedelta(days=31), description="up to 31 days, like 2d12h"
    )
    kinds: tuple[str, ...] = ()  # of operations, such as promote; empty: all
    clouds: tuple[str, ...] = ()  # accounts, such as azure.staging; empty: all
    patterns: tuple[str, ...] = ()  # of what is changed, such as Fedora-Cloud-44-*; empty: all
    may_pass: tuple[str, ...] = ()  # persons and roles that it keeps from nothing

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        once, again = (self.begins, self.ends), (self.cron or None, self.lasts)
        both = all(once) != all(again) and any(once) != any(again)
        if not both:
            raise ValueError("a freeze has begins and ends, or else cron and lasts")
        return self

    @model_validator(mode="after")
    def _in_its_zone(self) -> Self:
        if self.begins is None or self.ends is None:
            return self
        for name in ("begins", "ends"):
            moment = getattr(self, name)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=self.zone)
            object.__setattr__(self, name, moment.astimezone(UTC))
        if self.ends <= self.begins:
            raise ValueError("it ends before it begins")
        return self


class FreezesSettings(Settings):
    """``[freezes]``: what counts for a freeze that somebody says by `!freeze`."""

    go_on: tuple[str, ...] = ()  # kinds of operation that it is not about, such as expire
    rooms: tuple[str, ...] = ()  # where its begin and its end are told; empty: everywhere


class AuditSettings(Settings):
    """``[audit]``: when and where the audit trail's head is told, and where each entry goes as it is written."""

    cron: str = Field("0 6 * * *", description="when, as minute hour day month weekday, like 0 6 * * *")
    zone: Zone = ZoneInfo("UTC")
    room: str = Field("", description="where to post, like matrix:!abc:example.org")
    file: Path | None = None  # outside state_dir: whoever can change the trail must not be able to change it
    entries_file: Path | None = None  # every entry, a line of JSON each
    syslog: str = Field("", description="where a syslog is, like unix:/dev/log or tls://logs.example.org")
    syslog_ca: Path | None = None  # whom to believe instead of the system's own authorities


class HousekeepingSettings(Settings):
    """``[housekeeping]``: how long things are remembered. The audit trail and the operations are kept for ever."""

    keep_workflows: Duration = Field(
        timedelta(days=90), ge=timedelta(days=1), description="at least a day, like 90d"
    )
    keep_messages: Duration = Field(
        timedelta(days=365), ge=timedelta(days=1), description="at least a day, like 365d"
    )


ROLE = "role:"
"""What whom a problem is for begins with where that is a role; without, it is a person's id."""


class ProblemSettings(Settings):
    """``[problems]``: where what is wrong is told, and whom it is for."""

    room: str = Field("", description="where to post, like matrix:!abc:example.org")
    owner: str = Field("", description='a person\'s id, like "alice", or a role, like "releng"')
    acknowledged_for: Duration = Field(
        timedelta(days=3), gt=timedelta(0), le=timedelta(days=30), description="up to 30 days, like 3d"
    )


class SlipwaySettings(Settings):
    """slipway.toml as a whole: what is here, and a field for each declared table."""

    name: str = Field(  # names this deployment in tags
        "slipway",
        pattern=r"^[a-z][a-z0-9-]{0,31}$",
        description="lowercase letters, digits and dashes, a letter first, like slipway",
    )
    state_dir: Path = STATE_DIR
    zone: Zone = ZoneInfo("UTC")
    log_format: Literal["console", "json"] = "console"
    commands: CommandSettings = CommandSettings()
    person: tuple[PersonSettings, ...] = ()
    roles: dict[str, RoleSettings] = Field(default_factory=dict)
    environment: dict[str, EnvironmentSettings] = Field(default_factory=dict)
    policy: dict[str, PolicySettings] = Field(default_factory=dict)
    step_up: StepUpSettings = StepUpSettings()
    emergency: EmergencySettings = EmergencySettings()
    schedule: tuple[ScheduleSettings, ...] = ()
    freeze: tuple[FreezeWindowSettings, ...] = ()
    freezes: FreezesSettings = FreezesSettings()
    problems: ProblemSettings = ProblemSettings()
    audit: AuditSettings = AuditSettings()
    housekeeping: HousekeepingSettings = HousekeepingSettings()
    http: HttpSettings = HttpSettings()

    _secret_sources: dict[str, str] = PrivateAttr(default_factory=dict)
    _secret_files: dict[str, SecretFile] = PrivateAttr(default_factory=dict)

    def table(self, table: SettingsTable[SettingsT]) -> SettingsT:
        """A table that is always there, if only with its defaults."""
        found = self._declared(table, TableShape.SINGLE)
        assert isinstance(found, table.model)  # noqa: S101 - the schema built the field from the declaration
        return found

    def optional(self, table: SettingsTable[SettingsT]) -> SettingsT | None:
        """A table, or None where slipway.toml does not have it."""
        found = self._declared(table, TableShape.OPTIONAL, TableShape.SINGLE)
        assert found is None or isinstance(found, table.model)  # noqa: S101 - as above
        return found

    def named(self, table: SettingsTable[SettingsT]) -> Mapping[str, SettingsT]:
        """Tables by their names, in the order of slipway.toml; of accounts, by ``azure``, ``azure.NAME``."""
        found = self._declared(table, TableShape.NAMED, TableShape.ACCOUNTS)
        return cast("Mapping[str, SettingsT]", found)

    def _declared(self, table: SettingsTable[SettingsT], *shapes: TableShape) -> object:
        if table.shape not in shapes:
            raise ValueError(f"the table {table.name} is {table.shape}, and was asked for as another")
        if not hasattr(self, table.name):
            raise DeclarationError(f"Nobody declares the settings table {table.name} that is asked for here.")
        return getattr(self, table.name)

    @property
    def secret_sources(self) -> Mapping[str, str]:
        """Where each secret came from (``matrix.password`` → ``the file /etc/…``); never a value."""
        return self._secret_sources

    def secret_files(self, table: str) -> Mapping[str, SecretFile]:
        """The files of the secrets of a table such as ``azure.staging``, by their fields, where they are in files."""
        prefix = f"{table}."
        found = {
            key.removeprefix(prefix): file
            for key, file in self._secret_files.items()
            if key.startswith(prefix)
        }
        return {name: file for name, file in found.items() if "." not in name}

    def with_secret_sources(
        self, sources: Mapping[str, str], files: Mapping[str, SecretFile] | None = None
    ) -> SlipwaySettings:
        """The same settings, remembering where their secrets came from."""
        copy = self.model_copy()
        copy._secret_sources = dict(sources)
        copy._secret_files = dict(files or {})
        return copy


def split_address(text: str) -> tuple[Platform, str]:
    """Split ``platform:id``, as identities and rooms are written in the configuration.

    Raises:
        ValueError: nothing stands before or behind the colon.
    """
    name, colon, rest = text.partition(":")
    if not (name and colon and rest):
        raise ValueError(f"“{text}” is not platform:id")
    return Platform(name), rest


def rights_of(roles: Iterable[str], settings: SlipwaySettings) -> frozenset[str]:
    """The rights that somebody with these roles holds; roles that do not exist give none."""
    held = (settings.roles[role].may for role in roles if role in settings.roles)
    return frozenset(right for rights in held for right in rights)
