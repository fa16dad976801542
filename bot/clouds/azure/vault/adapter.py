"""Secrets in Azure Key Vault, as the port wants them. A secret is named by its address:
``https://VAULT.vault.azure.net/secrets/NAME``.

A vault stages nothing: its newest version is what readers get, and a newest version that is disabled would keep them
from any. So a commit sets a version, and putting back sets the value before once more and disables ours.

Source: Key Vault REST reference, “Set Secret”, “Get Secret”, “Update Secret”.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from slipway.bot.clouds.azure.access import Anonymous, choose_access
from slipway.bot.clouds.azure.account import CLOUD_NAME, AzureAccount
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.declaration import CloudContext
from slipway.bot.clouds.ports.secret_stores import SecretValue
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.loading import LIBRARY_IMPORT

if TYPE_CHECKING:
    from slipway.bot.clouds.azure.vault.client import Held, VaultClient

_ADDRESS = re.compile(r"(https://[A-Za-z0-9.-]+(?::\d{1,5})?)/secrets/([0-9A-Za-z-]{1,127})/?", re.ASCII)
"""Source: “Azure Key Vault keys, secrets and certificates overview”, object identifiers and their names."""

_KEY_TAG = "slipway-key"
"""The tag by which a version says which credential it holds: the source's id of it."""


@dataclass(frozen=True)
class VaultAccount(AzureAccount):
    """An Azure account as errors of Key Vault speak of it; what a vault answers says nothing of Resource Manager."""

    @property
    def title(self) -> str:
        """What people call it in a sentence; a named account by its name, too."""
        return "Key Vault" if self.name == CLOUD_NAME else f"Key Vault ({self.name})"


class AzureSecretStore:
    """Fulfils :class:`slipway.bot.clouds.ports.secret_stores.SecretStore`.

    Args:
        settings: ``[azure]`` or ``[azure.NAME]``, whose credential asks.
        context: the adapter's name, and where credentials are looked for that the settings leave out.
        make: makes the client of a vault by its address; None for the usual one. Called in a thread.

    Raises:
        ConfigError: the credentials cannot be used.
    """

    def __init__(
        self,
        settings: AzureSettings,
        context: CloudContext,
        *,
        make: Callable[[str], VaultClient] | None = None,
    ) -> None:
        self._settings = settings
        self._context = context
        self._account = VaultAccount(context.name, fence=context.fence)
        self._access = choose_access(settings, context.environ, context.name, context.secret_files)
        self._make = make or self._usual
        self._opening = asyncio.Lock()
        self._clients: dict[str, VaultClient] = {}

    async def look(self, name: str) -> None:
        """Read what is there, as a delivery does before it; whether it may be set, shows when it is."""
        vault, secret = self._parts(name)
        await (await self._client(vault)).current(secret)

    async def stage(self, name: str, value: SecretValue) -> StagedValue:
        """Read what readers get now, so that it can be put back."""
        vault, secret = self._parts(name)
        client = await self._client(vault)
        return StagedValue(client, secret, value, await client.current(secret))

    async def close(self) -> None:
        """Let go of connections."""
        async with self._opening:
            clients, self._clients = self._clients, {}
            for client in clients.values():
                await client.close()

    def _parts(self, name: str) -> tuple[str, str]:
        found = _ADDRESS.fullmatch(name)
        if found is None:
            sentence = (
                "A secret in Key Vault is named like https://uploads.vault.azure.net/secrets/uploader-secret."
            )
            raise self._account.error(CloudErrorKind.CONFIGURATION, sentence)
        return found[1], found[2]

    async def _client(self, vault: str) -> VaultClient:
        async with self._opening:
            if vault not in self._clients:
                self._clients[vault] = await asyncio.to_thread(self._make, vault)
            return self._clients[vault]

    def _usual(self, vault: str) -> VaultClient:
        if isinstance(self._access.credential, Anonymous):  # what is tried out reaches no real vault
            sentence = f"[{self._account.name}] is a simulator, which has no login for {self._account.title}."
            raise self._account.error(CloudErrorKind.CONFIGURATION, sentence)
        with LIBRARY_IMPORT:
            from slipway.bot.clouds.azure.identity import sdk_credential
            from slipway.bot.clouds.azure.vault.client import VaultClient

        return VaultClient(
            vault,
            sdk_credential(self._access, self._settings.max_attempts),
            self._account,
            timeout=self._settings.timeout.total_seconds(),
            attempts=self._settings.max_attempts,
            sleep=self._context.sleep,
        )


@dataclass
class StagedValue:
    """A value that is to be set, and what readers get before.

    Attributes:
        client: the vault.
        name: of the secret there.
        value: itself.
        before: what readers get; None for nothing.
        version: ours, once it was made.
    """

    client: VaultClient
    name: str
    value: SecretValue
    before: Held | None
    version: str = field(default="", init=False)

    async def commit(self) -> None:
        """Make a version of it."""
        self.version = await self.client.set(
            self.name,
            self.value.text.get_secret_value(),
            expires_on=self.value.ends_at,
            tags={_KEY_TAG: self.value.key},
        )

    async def undo(self) -> bool:
        """Set the value before once more, and disable ours; where there was none to read, disable ours.

        Where nobody knows whether ours was made, and it is not there, it may come yet: that cannot be put back.
        """
        version = self.version or await self._found()
        if not version:
            return False
        before = self.before
        if before is None or before.value is None:
            await self.client.disable(self.name, version)
            return True
        await self.client.set(self.name, before.value, **before.described)
        with suppress(CloudError):  # nobody is given it any more, and its credential is about to go
            await self.client.disable(self.name, version)
        return True

    async def discard(self) -> None:
        """Nothing was put there."""

    async def _found(self) -> str:
        """Our version, where it is the newest; empty where it is not."""
        now = await self.client.current(self.name)
        ours = now is not None and (now.described.get("tags") or {}).get(_KEY_TAG) == self.value.key
        return now.version if now is not None and ours else ""
