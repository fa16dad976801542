"""A cloud's place for secrets, such as a key vault: a value is staged, then shown to its readers, or put back.

A value stands in memory alone on its way there, and no error holds any of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, Protocol

from pydantic import SecretStr

from slipway.bot.clouds.capabilities import Capability
from slipway.bot.core.errors import UserError


@dataclass(frozen=True, slots=True)
class SecretValue:
    """What is to be kept under a name.

    Attributes:
        text: itself, as readers shall get it.
        key: whose it is, by the source's id of it: the same one twice is the same delivery.
        ends_at: until when it works; None for no end.
    """

    text: SecretStr
    key: str
    ends_at: datetime | None


class StagedSecret(Protocol):
    """A value that is ready. Until :meth:`commit` whoever reads there gets the one before."""

    async def commit(self) -> None:
        """Have readers get it.

        Raises:
            CloudError: they do not; where it is ``doubtful``, they may.
        """
        ...

    async def undo(self) -> bool:
        """After :meth:`commit`: have readers get the one before again; False where that cannot be done.

        Raises:
            CloudError: it was not done.
        """
        ...

    async def discard(self) -> None:
        """Instead of :meth:`commit`: take away what was staged, where something was.

        Raises:
            CloudError: it was not done. Nobody reads it, all the same.
        """
        ...


class SecretStore(Protocol):
    """Where an account keeps secrets, each under a name that is known there."""

    async def look(self, name: str) -> None:
        """See that a value can be put under this name, as far as that shows without putting one there.

        Raises:
            CloudError: it cannot.
        """
        ...

    async def stage(self, name: str, value: SecretValue) -> StagedSecret:
        """Make a value ready.

        Raises:
            CloudError: it cannot be kept there.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class NoSecretStore:
    """Fulfils :class:`SecretStore` where no account has any."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def look(self, name: str) -> None:
        """Raises UserError."""
        self._refuse()

    async def stage(self, name: str, value: SecretValue) -> StagedSecret:
        """Raises UserError."""
        self._refuse()

    async def close(self) -> None:
        """Holds nothing to let go of."""

    def _refuse(self) -> NoReturn:
        where = f"table [{self._name}]" if self._name else "account"
        raise UserError(f"No secret can be kept there: slipway.toml has no {where} that keeps secrets.")


SECRET_STORE: Capability[SecretStore] = Capability("places for secrets", NoSecretStore)
