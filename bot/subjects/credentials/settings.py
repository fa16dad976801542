"""``[credentials.NAME]``: what is looked after; ``[expiry]``: how often, and when somebody is reminded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

from pydantic import Field

from slipway.bot.core.problems import Problem, one_of, shown
from slipway.bot.core.settings import Duration, Settings
from slipway.bot.core.settings_table import SettingsTable, TableShape
from slipway.bot.subjects.credentials.delivery.addresses import Form, SinkAddress
from slipway.bot.subjects.credentials.thresholds import WrittenThreshold, in_days

LIFETIME = timedelta(days=180)
"""How long a new secret of an application lives, where nobody says."""

_OFTEN, _SELDOM = timedelta(minutes=5), timedelta(days=1)
_LONGEST, _PATIENT, _SLOW = timedelta(days=730), timedelta(days=90), timedelta(minutes=10)

_EARLIEST = date(1990, 1, 1)
"""What is earlier was left unset by some program, as in the documents of Microsoft Graph."""

_CLIENT_ID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", re.ASCII)
_ADDRESS = re.compile(r"(?:[\w.-]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})", re.ASCII)


class SourceKind(StrEnum):
    """Where an entry's credentials are found; each is the name of the key that says which."""

    APPLICATION = "application"
    USER = "user"
    ENDPOINT = "endpoint"
    CERTIFICATE = "certificate"
    CHAT = "chat"
    DATE = "expires"
    AGE = "made"


class CredentialSettings(Settings):
    """``[credentials.NAME]``: one credential, or several of a kind. Of the keys of :class:`SourceKind` it has one."""

    owner: str = Field(
        min_length=1, description='whom reminders call: a person by their id, or a role, like "releng"'
    )
    application: str = ""  # a client id, or a pattern of names
    user: str = ""  # a user's name, or a pattern of names
    endpoint: str = ""  # host:port
    certificate: Path | None = None  # a file of PEM
    chat: str = ""  # a platform
    expires: date | None = None
    made: date | None = None
    cloud: str = ""  # the account that has the application or user
    max_age: Duration | None = None  # of what has no end of its own
    kept_in: str = Field("", max_length=200, description="where the secret is kept, in a few words")
    used_by: str = Field("", max_length=200, description="what uses it, in a few words")
    remind: tuple[WrittenThreshold, ...] = Field(  # empty: as [expiry] says
        (), description='how long before its end, like ["30d", "7d"] or ["33%", "1d"]'
    )
    deliver: tuple[str, ...] = ()  # where a new secret is put; empty for: it is not rotated
    deliver_timeout: Duration = timedelta(seconds=30)
    lifetime: Duration | None = None  # of a new secret of an application
    grace: Duration = timedelta(days=1)  # how long the former stays beside its successor

    @property
    def sources(self) -> tuple[SourceKind, ...]:
        """The keys that say where it is found."""
        return tuple(kind for kind in SourceKind if getattr(self, kind.value) not in ("", None))

    @property
    def source(self) -> SourceKind:
        """Where it is found; there is one in a configuration that was checked."""
        return self.sources[0]

    @property
    def account(self) -> str:
        """The cloud's account to look in."""
        return self.cloud or ("azure" if self.source is SourceKind.APPLICATION else "aws")

    @property
    def sinks(self) -> tuple[SinkAddress, ...]:
        """Where a new secret is put, in the order of slipway.toml."""
        return tuple(SinkAddress.parse(each) for each in self.deliver)

    @property
    def holder(self) -> str:
        """Whose credentials are rotated: an application's client id, or a user; empty where none are."""
        held = {SourceKind.APPLICATION: self.application, SourceKind.USER: self.user}
        name = held.get(self.source, "")
        return name if self.deliver and not is_pattern(name) else ""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of ``endpoint``."""
        host, _, port = self.endpoint.rpartition(":")
        return host.strip("[]"), int(port)


class ExpirySettings(Settings):
    """``[expiry]``."""

    every: Duration = timedelta(hours=6)
    remind: tuple[WrittenThreshold, ...] = Field(
        in_days(30, 14, 7, 3, 1),
        min_length=1,
        description='how long before the end, like ["30d", "7d"] or ["33%", "1d"]',
    )
    key_age: Duration = timedelta(days=90)  # of access keys, which have no end of their own


def is_pattern(text: str) -> bool:
    """Whether a name stands for many."""
    return any(sign in text for sign in "*?[")


def check_credential(entry: CredentialSettings, _secrets: bool) -> Iterator[Problem]:
    """What is wrong with one entry."""
    keys = [kind.value for kind in SourceKind]
    if len(entry.sources) != 1:
        said = "nothing says where it is found" if not entry.sources else "it can be found in one place only"
        yield Problem("", f"{said}; write {one_of(keys)}")
        return
    source = entry.source
    if entry.application and not (is_pattern(entry.application) or _CLIENT_ID.fullmatch(entry.application)):
        right = "write the application's client id, or a pattern of names like slipway-*"
        yield Problem("application", f"{shown(entry.application)} is a name, and others may have it; {right}")
    if entry.endpoint:
        found = _ADDRESS.fullmatch(entry.endpoint)
        if found is None or not 0 < int(found[1]) < 65536:
            yield Problem("endpoint", f"{shown(entry.endpoint)} is no address; write it like example.org:443")
    if entry.cloud and source not in (SourceKind.APPLICATION, SourceKind.USER):
        yield Problem("cloud", f"what is found by {source} is in no cloud; leave it out")
    if entry.max_age is not None and source not in (SourceKind.USER, SourceKind.AGE):
        yield Problem("max_age", f"what is found by {source} has an end of its own; leave it out")
    yield from check_rotation(entry, source)
    for key in (SourceKind.DATE, SourceKind.AGE):
        day = getattr(entry, key.value)
        if day is not None and day < _EARLIEST:
            yield Problem(key.value, f"{day} is no day that anybody means; write it like 2027-06-30")
    if entry.made is not None and entry.max_age is None:
        yield Problem("max_age", "missing, beside made; write how old it may become, like 365d")


def check_rotation(entry: CredentialSettings, source: SourceKind) -> Iterator[Problem]:
    """What is wrong with where new secrets go, and for how long."""
    rotates = source in (SourceKind.APPLICATION, SourceKind.USER)
    if entry.deliver and not rotates:
        yield Problem("deliver", f"what is found by {source} cannot be rotated; leave it out")
    elif entry.deliver and not entry.holder:
        whose = "one application by its client id" if source is SourceKind.APPLICATION else "one user"
        yield Problem("deliver", f"a pattern stands for several, and a secret is one's; name {whose}")
    yield from _check_places(entry, source)
    if entry.lifetime is not None and source is not SourceKind.APPLICATION:
        yield Problem("lifetime", f"what is found by {source} is given no end; leave it out")
    elif entry.lifetime is not None and not entry.grace < entry.lifetime <= _LONGEST:
        yield Problem("lifetime", "longer than grace, and 730d at most")
    if entry.grace > _PATIENT:
        yield Problem("grace", "90d at most")
    if not timedelta(seconds=1) <= entry.deliver_timeout <= _SLOW:
        yield Problem("deliver_timeout", "from 1s to 10m")


def _check_places(entry: CredentialSettings, source: SourceKind) -> Iterator[Problem]:
    for text in entry.deliver:
        try:
            address = SinkAddress.parse(text)
        except ValueError as error:
            yield Problem("deliver", f"{shown(text)} is no place for a secret: {error}")
            continue
        wrong = Form.AWS if source is SourceKind.APPLICATION else Form.SECRET
        if address.form is wrong:
            said = (
                "is for access keys"
                if wrong is Form.AWS
                else "leaves out the id of an access key; write json or aws"
            )
            yield Problem("deliver", f"{shown(text)}: the form {wrong} {said}")
    if len(set(entry.deliver)) < len(entry.deliver):
        yield Problem("deliver", "it names a place twice")


def check_clouds(entries: Mapping[str, CredentialSettings], accounts: frozenset[str]) -> Iterator[Problem]:
    """Entries that look in an account that is not configured."""
    for name, entry in entries.items():
        yield from _check_stores(name, entry, accounts)
        looks = entry.sources in ((SourceKind.APPLICATION,), (SourceKind.USER,))
        if looks and entry.account not in accounts:
            yield Problem(
                f"credentials.{name}.cloud",
                f"it is looked for in {entry.account}, and there is no [{entry.account}]",
            )


def _check_stores(name: str, entry: CredentialSettings, accounts: frozenset[str]) -> Iterator[Problem]:
    for text in entry.deliver:
        try:
            account = SinkAddress.parse(text).account
        except ValueError:  # told already
            continue
        if account and account not in accounts:
            said = f"{shown(text)} is in {account}, and there is no [{account}]"
            yield Problem(f"credentials.{name}.deliver", said)


def check_expiry(table: ExpirySettings, _secrets: bool) -> Iterator[Problem]:
    """Seldomer than once a day, the last reminders would come late."""
    if not _OFTEN <= table.every <= _SELDOM:
        yield Problem("every", "from 5m to 1d")


CREDENTIALS = SettingsTable(
    name="credentials",
    model=CredentialSettings,
    shape=TableShape.NAMED,
    summary="credentials that are looked after: where they are found, whose they are, where they are kept",
    check=check_credential,
    check_accounts=check_clouds,
    named_people=lambda entry: (("owner", entry.owner),),
)

EXPIRY = SettingsTable(
    name="expiry",
    model=ExpirySettings,
    shape=TableShape.SINGLE,
    summary="how often credentials are looked at, and when their owners are reminded",
    check=check_expiry,
)
