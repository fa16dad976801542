"""One vault by azure-keyvault-secrets, which answers its challenge and sends a token to no other host.

Imports it, so it is imported at the first call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
from azure.core.exceptions import AzureError, HttpResponseError
from azure.keyvault.secrets.aio import SecretClient

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.sdk_errors import translate_errors
from slipway.bot.clouds.azure.transport import PacedTransport
from slipway.bot.clouds.azure.vault.refusals import DISABLED, refusal
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.waiting import Sleep

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

API_VERSION = "7.4"
"""Of Key Vault's data plane; every cloud has it."""

_INNER = re.compile(r'"inner[Ee]rror"\s*:\s*\{\s*"code"\s*:\s*"([A-Za-z]+)"')

_ONCE: dict[str, Any] = {"retry_connect": 0, "retry_read": 0}
"""Of a change: what may have been done already is not done again behind our back."""

_NOT_DONE = frozenset({400, 401, 403, 404, 409, 413, 429})
"""Statuses of a request that surely changed nothing."""


@dataclass(frozen=True)
class Held:
    """What readers of a name get now.

    Attributes:
        version: which version it is; empty where that is not told, since it is disabled.
        value: itself; None where it is disabled.
        described: what stands beside it, as it is given when it is set.
    """

    version: str
    value: str | None = field(repr=False)
    described: dict[str, Any] = field(default_factory=dict)


class VaultClient:
    """Reads and sets secrets of one vault. Made in a thread; used on one event loop.

    Args:
        url: the vault.
        credential: to ask with; closed with this.
        account: for errors.
        timeout: seconds for the making of a connection, and for each wait for bytes.
        attempts: how often each request is tried.
        sleep: lets time pass between tries.
        options: of the SDK's client; tests name their authority.
    """

    def __init__(
        self,
        url: str,
        credential: AsyncTokenCredential,
        account: AzureAccount,
        *,
        timeout: float,
        attempts: int,
        sleep: Sleep,
        **options: Any,
    ) -> None:
        self._account = account
        self._credential = credential
        verify = {name: options.pop(name) for name in ("connection_verify",) if name in options}
        self._client = SecretClient(
            url,
            credential,
            api_version=API_VERSION,
            transport=PacedTransport(
                sleep, account.fence, connection_timeout=timeout, read_timeout=timeout, **verify
            ),
            retry_total=attempts - 1,
            **options,
        )

    async def current(self, name: str) -> Held | None:
        """What readers of a name get; None where there is none, or one that was deleted.

        Raises:
            CloudError: it cannot be read.
        """
        try:
            with self._told("show the secret"):
                found = await self._client.get_secret(name)
        except CloudError as error:
            if error.kind is CloudErrorKind.NOT_FOUND:
                return None
            if error.code == DISABLED:
                return Held("", None)
            raise
        described = {
            "content_type": found.properties.content_type,
            "tags": found.properties.tags,
            "expires_on": found.properties.expires_on,
            "not_before": found.properties.not_before,
        }
        return Held(found.properties.version or "", found.value, described)

    async def set(self, name: str, value: str, **described: Any) -> str:
        """Make a version that readers get from now on; its id.

        Raises:
            CloudError: it was not made; where it is ``doubtful``, it may have been.
        """
        with self._told("keep the new version", changes=True):
            made = await self._client.set_secret(name, value, **described, **_ONCE)
        return made.properties.version or ""

    async def disable(self, name: str, version: str) -> None:
        """Have nobody read a version any more.

        Raises:
            CloudError: it was not done.
        """
        with self._told("disable a version", changes=True):
            await self._client.update_secret_properties(name, version, enabled=False, **_ONCE)

    async def close(self) -> None:
        """Let go of connections, the credential's own included."""
        await self._client.close()
        await self._credential.close()

    @contextmanager
    def _told(self, action: str, *, changes: bool = False) -> Iterator[None]:
        told: CloudError | None = None
        try:
            with translate_errors(self._account, action):
                yield
        except CloudError as error:
            told = refusal(self._account, action, _inner(error), error, _body(error))
            told.doubtful = changes and _is_doubtful(error.__cause__)
        if told is not None:  # without the SDK's own error, whose request and answer may hold a secret
            told.__cause__ = told.__context__ = None
            raise told


def _inner(error: CloudError) -> str:
    """The code within Key Vault's error, which says more than its own; empty for none."""
    found = _INNER.search(_body(error))
    return found[1] if found else ""


def _body(error: CloudError) -> str:
    """Key Vault's error as it came; empty where there was no answer."""
    cause = error.__cause__
    return (
        cause.response.text() if isinstance(cause, HttpResponseError) and cause.response is not None else ""
    )


def _is_doubtful(cause: BaseException | None) -> bool:
    """Whether a change may have been made all the same."""
    if isinstance(cause, HttpResponseError) and cause.status_code in _NOT_DONE:
        return False
    return isinstance(cause, AzureError) and not isinstance(
        cause.inner_exception, aiohttp.ClientConnectorError
    )
