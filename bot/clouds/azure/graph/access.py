"""Where Microsoft Graph is for an account, and how errors speak of it. Knows no SDK."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

from slipway.bot.clouds.azure.access import PUBLIC, Access, Anonymous, choose_access
from slipway.bot.clouds.azure.account import CLOUD_NAME, AzureAccount
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.core.secret_files import SecretFile

PUBLIC_GRAPH = "https://graph.microsoft.com"

PUBLIC_LOGIN = "https://login.microsoftonline.com"

_BY_MANAGEMENT = {
    PUBLIC: PUBLIC_GRAPH,
    "https://management.usgovcloudapi.net": "https://graph.microsoft.us",
    "https://management.chinacloudapi.cn": "https://microsoftgraph.chinacloudapi.cn",
}
"""Microsoft Graph of each national cloud, by its Resource Manager. Source: “National cloud deployments” of Graph's
documentation."""

_LOGINS = {
    "https://management.usgovcloudapi.net": "https://login.microsoftonline.us",
    "https://management.chinacloudapi.cn": "https://login.partner.microsoftonline.cn",
}
"""Entra's token service of each other national cloud. Source: azure-identity, ``AzureAuthorityHosts``."""


@dataclass(frozen=True)
class GraphAccount(AzureAccount):
    """An Azure account as errors of Microsoft Graph speak of it. What Graph answers says nothing of Resource Manager,
    so it is noted in a contact of its own."""

    @property
    def title(self) -> str:
        """What people call it in a sentence; a named account by its name, too."""
        return "Microsoft Graph" if self.name == CLOUD_NAME else f"Microsoft Graph ({self.name})"


def login_url(settings: AzureSettings) -> str:
    """Where tokens are asked for."""
    if settings.login_endpoint is not None:
        return settings.login_endpoint.rstrip("/")
    return _LOGINS.get((settings.endpoint or PUBLIC).rstrip("/"), PUBLIC_LOGIN)


def graph_access(
    settings: AzureSettings,
    environ: Mapping[str, str],
    name: str,
    files: Mapping[str, SecretFile] = MappingProxyType({}),
) -> Access:
    """Where Microsoft Graph is, and by which credential to ask: the account's own.

    A simulator that stands for Azure stands for Graph, too: nothing that is tried out reaches the real one.

    Raises:
        ConfigError: half of a service principal is configured.
    """
    account = choose_access(settings, environ, name, files)
    if settings.graph_endpoint is None and isinstance(account.credential, Anonymous):
        return account
    base = (settings.graph_endpoint or _BY_MANAGEMENT.get(account.base_url, PUBLIC_GRAPH)).rstrip("/")
    if urlsplit(base).scheme == "http":
        return Access(base, Anonymous())
    if isinstance(account.credential, Anonymous):  # only Resource Manager is simulated
        account = choose_access(settings.model_copy(update={"endpoint": None}), environ, name, files)
    return Access(base, account.credential)
