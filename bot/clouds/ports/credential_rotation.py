"""Making another credential beside the one that is used, seeing that it works, and taking the former away.

Whoever holds them is an application of a directory, by its client id, or a cloud's user, by name. A secret is told
once, when it is made, and stands in memory alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn, Protocol

from pydantic import SecretStr

from slipway.bot.clouds.capabilities import Capability
from slipway.bot.core.errors import UserError

CLOCKS = timedelta(minutes=15)
"""By how much a cloud's clock may be ahead of ours: what was just made there has begun."""


@dataclass(frozen=True, slots=True)
class HeldKey:
    """One of a holder's secrets or access keys, by what the cloud tells of it: never the secret.

    Attributes:
        id: the cloud's own id of it, by which it is taken away.
        label: what it was called when it was made; empty where the cloud keeps no such word.
        active: whether it is accepted, but for its dates.
        made_at: since when it counts; None where the cloud does not say.
        ends_at: until when; None for no end, or one that the cloud does not say.
        used_at: when it was used last, some hours late; None for never, or where the cloud does not say.
    """

    id: str
    label: str
    active: bool
    made_at: datetime | None
    ends_at: datetime | None
    used_at: datetime | None

    def lives(self, now: datetime) -> bool:
        """Whether somebody can log in with it now."""
        begun = self.made_at is None or self.made_at <= now + CLOCKS
        return self.active and begun and (self.ends_at is None or now < self.ends_at)


@dataclass(frozen=True, slots=True)
class FreshKey:
    """What was just made, with its secret.

    Attributes:
        id: as :attr:`HeldKey.id`.
        login: what is given beside the secret: the client id, the id of the access key.
        secret: told this once.
        ends_at: until when it works; None for no end.
    """

    id: str
    login: str
    secret: SecretStr
    ends_at: datetime | None


class CredentialRotation(Protocol):
    """An account in which credentials are made and taken away.

    Attributes:
        most: so many a holder has room for; None for no bound that matters.
        labels: whether it keeps what a credential is called, by which one is known again whose making was cut off;
            without, a log of the cloud's may tell (:meth:`makers`).
        pauses: whether one can be made inactive before it is taken away.
    """

    most: int | None
    labels: bool
    pauses: bool

    async def keys(self, holder: str) -> Sequence[HeldKey]:
        """All that a holder has, the oldest first: whole, or an error.

        Raises:
            CloudError: they cannot be read; NOT_FOUND where there is no such holder.
        """
        ...

    async def create(self, holder: str, label: str, ends_at: datetime | None) -> FreshKey:
        """Make one. It is not known again by asking twice: made twice, there are two.

        Raises:
            CloudError: it was not made, or nobody knows; QUOTA where there is no room.
        """
        ...

    async def makers(self, holder: str, since: datetime) -> Mapping[str, str]:
        """Where it keeps no ``labels``: under which label each was made since then, by ids, as a log of the cloud's
        tells; empty for what was made under none. What the log does not tell, or not yet, is not in it."""
        ...

    async def accepts(self, holder: str, fresh: FreshKey) -> bool:
        """Log in with it, afresh: whether it is accepted. A cloud takes a while to know a new one everywhere.

        Raises:
            CloudError: that could not be tried, or it logs in as somebody else (CONFLICT).
        """
        ...

    async def deactivate(self, holder: str, key: str) -> None:
        """Have it accepted no more, in a way that can be taken back; only where it ``pauses``.

        Raises:
            CloudError: it was not done.
        """
        ...

    async def remove(self, holder: str, key: str) -> None:
        """Take it away for good. What is gone already is done.

        Raises:
            CloudError: it was not done.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class NoRotation:
    """Fulfils :class:`CredentialRotation` where no account has any."""

    most: int | None = None
    labels = False
    pauses = False

    def __init__(self, name: str) -> None:
        self._name = name

    async def keys(self, holder: str) -> Sequence[HeldKey]:
        """Raises UserError."""
        self._refuse()

    async def create(self, holder: str, label: str, ends_at: datetime | None) -> FreshKey:
        """Raises UserError."""
        self._refuse()

    async def makers(self, holder: str, since: datetime) -> Mapping[str, str]:
        """Raises UserError."""
        self._refuse()

    async def accepts(self, holder: str, fresh: FreshKey) -> bool:
        """Raises UserError."""
        self._refuse()

    async def deactivate(self, holder: str, key: str) -> None:
        """Raises UserError."""
        self._refuse()

    async def remove(self, holder: str, key: str) -> None:
        """Raises UserError."""
        self._refuse()

    async def close(self) -> None:
        """Holds nothing to let go of."""

    def _refuse(self) -> NoReturn:
        where = f"table [{self._name}]" if self._name else "account"
        raise UserError(f"No credential can be rotated: slipway.toml has no {where} that can do that.")


CREDENTIAL_ROTATION: Capability[CredentialRotation] = Capability("rotation of credentials", NoRotation)
