"""Where Azure is, and how to prove who is asking. Decided without the SDK, so a mistake is told at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import SecretStr

from slipway.bot.config.settings import AzureSettings
from slipway.bot.core.errors import ConfigError

PUBLIC = "https://management.azure.com"
"""Azure Resource Manager of the public cloud."""

_NAMES = {
    "tenant_id": ("AZURE_TENANT_ID", "AZURE_TENANT"),
    "client_id": ("AZURE_CLIENT_ID",),
    "client_secret": ("AZURE_CLIENT_SECRET", "AZURE_SECRET"),
}
"""Environment names in order of preference: azure-identity's own, then those of Fedora's uploader."""


@dataclass(frozen=True)
class ClientSecret:
    """A service principal's secret."""

    tenant_id: str
    client_id: str
    secret: SecretStr


@dataclass(frozen=True)
class Tokenless:
    """Nobody asks who we are: a double on the loopback, over plain http."""


@dataclass(frozen=True)
class DefaultChain:
    """azure-identity looks for credentials by itself: workload or managed identity, ``az login``, …"""


Proof = ClientSecret | Tokenless | DefaultChain


@dataclass(frozen=True)
class Access:
    """The base URL of Azure Resource Manager, and the proof it is given."""

    base_url: str
    proof: Proof

    @property
    def scope(self) -> str:
        """The scope to ask tokens for."""
        return f"{self.base_url}/.default"


def decide(settings: AzureSettings, environ: Mapping[str, str]) -> Access:
    """Where to go, and with which proof.

    Settings win over the environment. Plain http is for the loopback alone, and no token is ever sent there.

    Raises:
        ConfigError: the endpoint is no usable URL, or half of a service principal is configured.
    """
    base_url = PUBLIC if settings.endpoint is None else settings.endpoint.rstrip("/")
    if _plain_loopback(base_url):
        return Access(base_url, Tokenless())
    secret = settings.client_secret.get_secret_value() if settings.client_secret else None
    given = {"tenant_id": settings.tenant_id, "client_id": settings.client_id, "client_secret": secret}
    found = {key: value or _first(environ, _NAMES[key]) for key, value in given.items()}
    if all(found.values()):
        proof = ClientSecret(
            found["tenant_id"] or "", found["client_id"] or "", SecretStr(found["client_secret"] or "")
        )
        return Access(base_url, proof)
    if found["client_secret"]:
        raise ConfigError(
            tuple(
                f"azure.{key}: missing, though a client secret is given; set it, or {_NAMES[key][0]}"
                for key, value in found.items()
                if not value
            )
        )
    return Access(base_url, DefaultChain())


def _plain_loopback(url: str) -> bool:
    """Whether the URL is plain http on this machine; a usable https URL is not.

    Raises:
        ConfigError: neither.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        usable = bool(host) and parts.port != 0
    except ValueError:
        usable, host, parts = False, "", urlsplit("")
    if not usable or parts.scheme not in ("http", "https") or parts.username or parts.query or parts.fragment:
        raise ConfigError((f"azure.endpoint: “{url}” is not a URL; write it like {PUBLIC}",))
    if parts.scheme == "https":
        return False
    if not _loopback(host):
        raise ConfigError(
            (f"azure.endpoint: {host} would be spoken to unencrypted; use https, http is for this machine",)
        )
    return True


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((environ[name] for name in names if environ.get(name)), None)
