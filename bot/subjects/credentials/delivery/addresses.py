"""How slipway.toml says where a secret goes: ``file:/etc/uploader/secret``, ``command+json:/usr/bin/push web``,
``vault:https://uploads.vault.azure.net/secrets/uploader``, ``secretsmanager@aws.staging:uploader``."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class SinkKind(StrEnum):
    """What a secret is put into."""

    VAULT = "vault"  # Azure Key Vault
    SECRETS_MANAGER = "secretsmanager"  # AWS Secrets Manager
    FILE = "file"
    COMMAND = "command"


class Form(StrEnum):
    """How what is delivered is written."""

    SECRET = "secret"  # noqa: S105 - the secret alone, without a line break
    JSON = "json"  # an object with id, secret, key_id and ends_at
    AWS = "aws"  # a file of credentials as AWS's tools read it, with the profile default


_CLOUDS = {SinkKind.VAULT: "azure", SinkKind.SECRETS_MANAGER: "aws"}
"""Whose accounts have such places."""

_TITLES = {SinkKind.VAULT: "Key Vault", SinkKind.SECRETS_MANAGER: "Secrets Manager"}

_WRITTEN = re.compile(rf"({'|'.join(SinkKind)})(?:@([\w.-]+))?(?:\+({'|'.join(Form)}))?:(\S.*)", re.ASCII)

_IN_VAULT = re.compile(
    r"https://[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?/secrets/([0-9A-Za-z-]{1,127})", re.ASCII
)
"""Source: Key Vault's documentation, “Object identifiers”: no version, as the newest one is what readers get."""

_IN_SECRETS_MANAGER = re.compile(
    r"(?:arn:[\w-]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:)?([\w/+=.@-]{1,512})", re.ASCII
)
"""A name, or an ARN. Source: Secrets Manager API reference, “CreateSecret”, ``Name``."""


@dataclass(frozen=True)
class SinkAddress:
    """One place for a secret.

    Attributes:
        kind: what sort of place it is.
        place: where: a path, a command line, a secret's name or address.
        form: how the secret is written; None for what suits it.
        account: the cloud's account that has the place; empty where it is in no cloud.
    """

    kind: SinkKind
    place: str
    form: Form | None = None
    account: str = ""

    @classmethod
    def parse(cls, text: str) -> SinkAddress:
        """Read one.

        Raises:
            ValueError: it is none; a sentence that completes “… is no place for a secret: ”.
        """
        found = _WRITTEN.fullmatch(text.strip())
        if found is None:
            raise ValueError(
                "write it like file:/etc/uploader/secret, command:/usr/local/bin/push uploader, "
                "vault:https://uploads.vault.azure.net/secrets/uploader or secretsmanager:uploader"
            )
        kind, account = SinkKind(found[1]), found[2] or _CLOUDS.get(SinkKind(found[1]), "")
        address = cls(kind, found[4], Form(found[3]) if found[3] else None, account)
        if kind is SinkKind.FILE and not address.path.is_absolute():
            raise ValueError("a file is named from the root on, like file:/etc/uploader/secret")
        if kind is SinkKind.COMMAND and not Path(address.words[0]).is_absolute():
            raise ValueError("a command is named from the root on, like command:/usr/local/bin/push uploader")
        if kind is SinkKind.VAULT and _IN_VAULT.fullmatch(address.place) is None:
            raise ValueError(
                "a secret in Key Vault is named by its address without a version, like "
                "vault:https://uploads.vault.azure.net/secrets/uploader"
            )
        if kind is SinkKind.SECRETS_MANAGER and _IN_SECRETS_MANAGER.fullmatch(address.place) is None:
            raise ValueError(
                "a secret in Secrets Manager is named by its name or ARN, like secretsmanager:uploader"
            )
        _check_account(kind, found[2] or "")
        return address

    @property
    def can_undo(self) -> bool:
        """Whether what was there before can be put back."""
        return self.kind is not SinkKind.COMMAND

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.place)

    @property
    def words(self) -> tuple[str, ...]:
        """The command and its arguments. No shell reads them.

        Raises:
            ValueError: a quotation mark has no other.
        """
        return tuple(shlex.split(self.place))

    @property
    def title(self) -> str:
        """What people call it, in rooms where no whole path belongs: ``the file secret``."""
        match self.kind:
            case SinkKind.FILE:
                return f"the file {self.path.name}"
            case SinkKind.COMMAND:
                return f"the command {Path(self.words[0]).name}"
            case SinkKind.VAULT | SinkKind.SECRETS_MANAGER:
                pattern = _IN_VAULT if self.kind is SinkKind.VAULT else _IN_SECRETS_MANAGER
                found = pattern.fullmatch(self.place)
                return f"the {_TITLES[self.kind]} secret {found[1] if found else self.place}"


def _check_account(kind: SinkKind, account: str) -> None:
    cloud = _CLOUDS.get(kind)
    if account and cloud is None:
        raise ValueError(f"a {kind} is in no cloud; leave @{account} out")
    if account and account != cloud and not account.startswith(f"{cloud}."):
        raise ValueError(f"{_TITLES[kind]} is looked for in an account like {cloud} or {cloud}.staging")
