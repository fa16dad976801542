"""What applications of a directory log in with: secrets and certificates, as their dates and ids. Never a secret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NoReturn, Protocol

from slipway.bot.clouds.capabilities import Capability
from slipway.bot.core.errors import UserError


class AppCredentialKind(StrEnum):
    """What an application logs in with."""

    SECRET = "secret"  # noqa: S105 - a word
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class AppCredential:
    """One secret or certificate of an application.

    Attributes:
        id: the directory's own id of it, by which it is removed.
        kind: which of the two.
        label: what somebody called it; empty where nobody did, and no name: two may have the same.
        starts_at: from when it counts; None where the directory does not say.
        ends_at: until when; None where the directory does not say, or says nothing that can be a date.
    """

    id: str
    kind: AppCredentialKind
    label: str
    starts_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Application:
    """An application of the directory.

    Attributes:
        id: the directory's id of the object, by which its credentials are changed.
        client_id: by which it logs in.
        name: what people call it; two may have the same.
        credentials: all that it can log in with.
    """

    id: str
    client_id: str
    name: str
    credentials: tuple[AppCredential, ...]


class AppCredentials(Protocol):
    """A directory of applications."""

    async def applications(self) -> Sequence[Application]:
        """All applications of the directory, by name: whole, or an error.

        Raises:
            CloudError: they cannot be read.
        """
        ...

    async def application(self, client_id: str) -> Application:
        """One of them, which takes no right to read the others.

        Raises:
            CloudError: it cannot be read; NOT_FOUND where the directory has none.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class NoDirectory:
    """Fulfils :class:`AppCredentials` where no account has a directory."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def applications(self) -> Sequence[Application]:
        """Raises UserError."""
        self._refuse()

    async def application(self, client_id: str) -> Application:
        """Raises UserError."""
        self._refuse()

    async def close(self) -> None:
        """Holds nothing to let go of."""

    def _refuse(self) -> NoReturn:
        where = f"[{self._name}]" if self._name else "[azure]"
        raise UserError(
            f"No applications can be looked at: slipway.toml has no table {where} of a directory."
        )


APP_CREDENTIALS: Capability[AppCredentials] = Capability("credentials of applications", NoDirectory)
