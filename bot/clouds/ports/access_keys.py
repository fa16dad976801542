"""The access keys of a cloud's users, as far as they can be read. Never a secret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, Protocol

from slipway.bot.clouds.capabilities import Capability
from slipway.bot.core.errors import UserError


@dataclass(frozen=True, slots=True)
class AccessKey:
    """One access key.

    Attributes:
        id: the cloud's own id of it, which is no secret.
        user: whose it is, by the user's name in the cloud.
        active: whether it is accepted.
        created_at: when it was made.
        used_at: when it was used last, as far as the cloud knows by now: it may lag by hours. None for never.
        used_for: the service for which; empty for none.
    """

    id: str
    user: str
    active: bool
    created_at: datetime
    used_at: datetime | None
    used_for: str


class AccessKeys(Protocol):
    """An account with users who have access keys."""

    async def users(self) -> Sequence[str]:
        """The names of all users: whole, or an error.

        Raises:
            CloudError: they cannot be read.
        """
        ...

    async def keys(self, user: str) -> Sequence[AccessKey]:
        """A user's keys, the inactive ones included, the oldest first: whole, or an error.

        Raises:
            CloudError: they cannot be read; NOT_FOUND where there is no such user.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class NoUsers:
    """Fulfils :class:`AccessKeys` where no account has any."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def users(self) -> Sequence[str]:
        """Raises UserError."""
        self._refuse()

    async def keys(self, user: str) -> Sequence[AccessKey]:
        """Raises UserError."""
        self._refuse()

    async def close(self) -> None:
        """Holds nothing to let go of."""

    def _refuse(self) -> NoReturn:
        where = f"[{self._name}]" if self._name else "[aws]"
        raise UserError(f"No access keys can be looked at: slipway.toml has no table {where} of users.")


ACCESS_KEYS: Capability[AccessKeys] = Capability("access keys", NoUsers)
