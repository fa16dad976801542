"""Secrets of applications, made and taken away by Microsoft Graph, and tried at Entra's token service.

Source: Microsoft Graph v1.0 reference, “application: addPassword” and “application: removePassword”.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pydantic import BaseModel, Field, SecretStr, StrictStr

from slipway.bot.clouds.azure.access import PUBLIC, Anonymous, ClientSecret
from slipway.bot.clouds.azure.graph.access import login_url
from slipway.bot.clouds.azure.graph.adapter import AzureApplications
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.ports.app_credentials import AppCredentialKind
from slipway.bot.clouds.ports.credential_rotation import FreshKey, HeldKey
from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy
from slipway.bot.core.loading import LIBRARY_IMPORT

_LABEL = 120  # letters of a display name, as Entra's own pages take

_POLICY = "AsPerAppPolicy"
"""How the codes of a tenant's policy for applications end, which forbids secrets or bounds their life."""


class _Fresh(BaseModel):
    """What is read of the answer to addPassword, the only one with a secret."""

    keyId: StrictStr = Field(min_length=1)  # noqa: N815 - as Graph writes it
    secretText: SecretStr = Field(min_length=1)  # noqa: N815 - as above


def _fresh(body: bytes) -> _Fresh | None:
    try:
        return _Fresh.model_validate_json(body)
    except ValueError:
        return None


class AzureSecretRotation:
    """Fulfils :class:`slipway.bot.clouds.ports.credential_rotation.CredentialRotation` for applications.

    Args:
        settings: ``[azure]`` or ``[azure.NAME]``.
        directory: reads applications, and lends its connections.
    """

    most: int | None = None
    labels = True
    pauses = False

    def __init__(self, settings: AzureSettings, directory: AzureApplications) -> None:
        self._settings = settings
        self._directory = directory
        self._account = directory.account

    async def keys(self, holder: str) -> Sequence[HeldKey]:
        """The application's secrets; certificates are none."""
        found = await self._directory.application(holder)
        held = [
            HeldKey(each.id, each.label, True, each.starts_at, each.ends_at, None)
            for each in found.credentials
            if each.kind is AppCredentialKind.SECRET
        ]
        return sorted(held, key=lambda each: (each.made_at or datetime.min.replace(tzinfo=UTC), each.id))

    async def create(self, holder: str, label: str, ends_at: datetime | None) -> FreshKey:
        """Add a secret; it counts at once."""
        wanted = {"displayName": label[:_LABEL]}
        if ends_at is not None:
            wanted["endDateTime"] = ends_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with _TellsPolicy(self._directory):
            body = await self._directory.change(
                holder, "addPassword", {"passwordCredential": wanted}, f"add a secret to {holder}"
            )
        fresh = _fresh(body)
        if fresh is None:  # nothing of the answer is told, nor of the error: they may hold the secret
            raise self._account.unexpected_answer(
                f"{self._account.title} added a secret to {holder} and did not say which."
            )
        return FreshKey(fresh.keyId, holder, fresh.secretText, ends_at)

    async def makers(self, holder: str, since: datetime) -> Mapping[str, str]:
        """Labels tell it."""
        return {}

    async def accepts(self, holder: str, fresh: FreshKey) -> bool:
        """Ask for a token with it."""
        with LIBRARY_IMPORT:
            from slipway.bot.clouds.azure.graph.login import LoginClient

        access = self._directory.access
        simulated = isinstance(access.credential, Anonymous)
        client = LoginClient(
            access.base_url if simulated else login_url(self._settings),
            self._tenant(simulated=simulated),
            self._account,
            self._settings.timeout.total_seconds(),
            direct=simulated,
        )
        scope = f"{(self._settings.endpoint or PUBLIC).rstrip('/')}/.default"
        return await client.accepts(holder, fresh.secret, scope)

    async def deactivate(self, holder: str, key: str) -> None:
        """Never to be called: Entra knows no inactive secret."""
        raise AssertionError("a secret of an application cannot be made inactive")

    async def remove(self, holder: str, key: str) -> None:
        """Remove a secret by its id."""
        try:
            await self._directory.change(
                holder, "removePassword", {"keyId": key}, f"remove a secret of {holder}"
            )
        except CloudError:
            if any(each.id == key for each in await self.keys(holder)):
                raise

    async def close(self) -> None:
        """Holds nothing of its own: the directory is closed by itself."""

    def _tenant(self, *, simulated: bool) -> str:
        credential = self._directory.access.credential
        if isinstance(credential, ClientSecret):
            return credential.tenant_id
        if self._settings.tenant_id:
            return self._settings.tenant_id
        if simulated:
            return "simulated"
        where = f"[{self._account.name}] does not say in which tenant; write tenant_id"
        sentence = f"The new secret cannot be tried: {where}."
        raise self._account.error(CloudErrorKind.CONFIGURATION, sentence)


class _TellsPolicy:
    """Says of a refusal by the tenant's policy for applications that it is one."""

    def __init__(self, directory: AzureApplications) -> None:
        self._account = directory.account

    def __enter__(self) -> None:
        """Nothing to begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if not isinstance(error, CloudError) or not error.code.endswith(_POLICY):
            return
        told = self._account.error(
            CloudErrorKind.CONFIGURATION,
            f"The tenant's policy for applications forbids secrets, or such a lifetime ({error.code}).",
            error.code,
            error.reason,
        )
        told.remedy = Remedy(when="once lifetime in [credentials] is short enough, or the policy allows it")
        raise told from error
