"""Where Azure is, and by which credential to ask. Decided without the SDK, so a mistake is told at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

from pydantic import SecretStr

from slipway.bot.clouds.azure.account import CLOUD_NAME
from slipway.bot.clouds.azure.settings import ENVIRONMENT, AzureSettings
from slipway.bot.core.errors import ConfigError
from slipway.bot.core.secret_files import SecretFile

PUBLIC = "https://management.azure.com"
"""Azure Resource Manager of the public cloud."""


@dataclass(frozen=True)
class ClientSecret:
    """A service principal's secret, and the file where another one may stand later; None for none."""

    tenant_id: str
    client_id: str
    secret: SecretStr
    file: SecretFile | None = None


@dataclass(frozen=True)
class Anonymous:
    """None at all: for a simulator on the loopback, over plain http."""


@dataclass(frozen=True)
class DefaultChain:
    """azure-identity looks for credentials by itself: workload or managed identity, ``az login``, …

    Attributes:
        environment: whether a service principal in the environment's ``AZURE_…`` variables counts: they are those of
            the unnamed account.
        client_id: which identity of the machine, where it has several; only where the environment does not count.
    """

    environment: bool = True
    client_id: str | None = None


Credential = ClientSecret | Anonymous | DefaultChain


@dataclass(frozen=True)
class Access:
    """The base URL of Azure Resource Manager, and the credential to ask with."""

    base_url: str
    credential: Credential

    @property
    def scope(self) -> str:
        """The scope to ask tokens for."""
        return f"{self.base_url}/.default"


def choose_access(
    settings: AzureSettings,
    environ: Mapping[str, str],
    table: str = CLOUD_NAME,
    files: Mapping[str, SecretFile] = MappingProxyType({}),
) -> Access:
    """Where to go, and by which credential. ``table`` is the account, such as ``azure.staging``; ``files`` are those
    that its secrets are in.

    Settings win over the environment, which is the unnamed account's alone. No token is ever sent over plain http,
    which the check of the settings lets be used for this machine alone.

    Raises:
        ConfigError: half of a service principal is configured.
    """
    base_url = PUBLIC if settings.endpoint is None else settings.endpoint.rstrip("/")
    if urlsplit(base_url).scheme == "http":
        return Access(base_url, Anonymous())
    unnamed = table == CLOUD_NAME
    secret = settings.client_secret.get_secret_value() if settings.client_secret else None
    given = {"tenant_id": settings.tenant_id, "client_id": settings.client_id, "client_secret": secret}
    found = {
        key: value or (_first(environ, ENVIRONMENT[key]) if unnamed else None) for key, value in given.items()
    }
    if all(found.values()):
        credential = ClientSecret(
            found["tenant_id"] or "",
            found["client_id"] or "",
            SecretStr(found["client_secret"] or ""),
            files.get("client_secret"),
        )
        return Access(base_url, credential)
    if found["client_secret"]:
        raise ConfigError(
            tuple(
                f"{table}.{key}: missing, though a client secret is given; set it"
                + (f", or {ENVIRONMENT[key][0]}" if unnamed else "")
                for key, value in found.items()
                if not value
            )
        )
    if unnamed:
        return Access(base_url, DefaultChain())
    if settings.tenant_id:
        raise ConfigError((f"{table}.client_secret: {missing_secret(table)}",))
    return Access(base_url, DefaultChain(environment=False, client_id=settings.client_id))


def missing_secret(table: str) -> str:
    """What to say where a named account has a tenant and no secret: it would work as somebody else."""
    variable = f"SLIPWAY_{table}_client_secret".replace(".", "_").replace("-", "_").upper()
    return (
        "missing, though tenant_id is given; name its file with client_secret_file, or put it into the environment "
        f"variable {variable}"
    )


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((environ[name] for name in names if environ.get(name)), None)
