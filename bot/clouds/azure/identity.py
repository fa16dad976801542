"""Azure's credentials as the SDK takes them. Imports azure-identity: only what is imported late may import this."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog
from azure.identity.aio import ClientSecretCredential, DefaultAzureCredential

from slipway.bot.clouds.azure.access import Access, Anonymous, ClientSecret, DefaultChain
from slipway.bot.core.secret_files import SecretFile, Stamp

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, AccessTokenInfo
    from azure.core.credentials_async import AsyncTokenCredential
    from pydantic import SecretStr

log = structlog.get_logger(__name__)


class NoCredential:
    """Stands where the SDK insists on a credential; there is no token to get."""

    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        """Never to be called."""
        raise AssertionError("a token was asked for where none may go")

    async def close(self) -> None:
        """Nothing to let go of."""

    async def __aenter__(self) -> NoCredential:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to let go of."""


class RenewedSecret:
    """A client secret in a file, read again once another one stands there: by whoever asks for a token next.

    What cannot be read is passed over: the secret before works on, or the token service says that it does not.

    Args:
        make: makes the SDK's credential of a secret.
        secret: the one that was read at the start.
        file: where it was read.
    """

    def __init__(
        self, make: Callable[[str], ClientSecretCredential], secret: SecretStr, file: SecretFile
    ) -> None:
        self._make = make
        self._text = secret.get_secret_value()
        self._file = file
        self._stamp: Stamp = None
        self._made = [make(self._text)]  # the last one counts; those before may be in the middle of a request
        self._looking = asyncio.Lock()

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A token, by the secret that stands in the file now."""
        return await (await self._current()).get_token(*scopes, **options)

    async def get_token_info(self, *scopes: str, **options: Any) -> AccessTokenInfo:
        """As :meth:`get_token`, with more about it."""
        return await (await self._current()).get_token_info(*scopes, **options)

    async def close(self) -> None:
        """Let go of connections."""
        for each in self._made:
            await each.close()

    async def __aenter__(self) -> RenewedSecret:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _current(self) -> ClientSecretCredential:
        async with self._looking:
            stamp = await asyncio.to_thread(self._file.stamp)
            if stamp != self._stamp:
                await self._read_again(stamp)
            return self._made[-1]

    async def _read_again(self, stamp: Stamp) -> None:
        try:
            text = await asyncio.to_thread(self._file.read)
        except ValueError as error:
            log.warning("a secret cannot be read again; the one before is used", why=str(error))
            return
        self._stamp = stamp
        if text != self._text:
            self._text = text
            self._made.append(self._make(text))
            log.info("a client secret was replaced in its file, and is taken up")


def sdk_credential(access: Access, attempts: int) -> AsyncTokenCredential:
    """The credential to ask with; ``attempts`` bound each of its own requests for a token."""
    match access.credential:
        case Anonymous():
            return NoCredential()
        case ClientSecret(tenant, client, secret, file):
            again = attempts - 1
            bounds = {
                "retry_total": again,
                "retry_connect": again,
                "retry_read": again,
                "retry_status": again,
            }

            def made(text: str) -> ClientSecretCredential:
                return ClientSecretCredential(tenant, client, text, **bounds)

            return made(secret.get_secret_value()) if file is None else RenewedSecret(made, secret, file)
        case DefaultChain(environment=True):
            return DefaultAzureCredential()
        case DefaultChain(client_id=client_id):
            return DefaultAzureCredential(
                exclude_environment_credential=True, managed_identity_client_id=client_id
            )
