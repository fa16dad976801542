"""Tries the connection to Azure, for `slipway doctor`: what is there, as whom, and what to do if not."""

from __future__ import annotations

import os
from datetime import timedelta

from slipway.bot.clouds.azure.access import Access, Anonymous, ClientSecret, choose_access
from slipway.bot.clouds.azure.account import CLOUD_NAME, AzureAccount
from slipway.bot.clouds.azure.images.gallery import AzureGallery
from slipway.bot.clouds.azure.rights.trying import rights as compared_rights
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.capabilities import Adapter
from slipway.bot.clouds.clock_check import clock_check
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.clouds.rights import Usage
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.probes import Check, Finding, reach

_TOKENS = "login.microsoftonline.com"
"""Where tokens come from, unless AZURE_AUTHORITY_HOST names another place."""

_TOLERATED = timedelta(minutes=5)
"""Between a token's times and Azure's. Source: Microsoft.IdentityModel's reference,
``TokenValidationParameters.DefaultClockSkew``: 300 seconds."""

LINKS = {
    "EnvironmentCredential": "the service principal or user of the AZURE_… variables in the environment",
    "WorkloadIdentityCredential": "the workload identity{identity}, by the token in {file}",
    "ManagedIdentityCredential": "the managed identity{identity} of this machine",
    "SharedTokenCacheCredential": "a login in the token cache that Microsoft's programs share",
    "VisualStudioCodeCredential": "the login in Visual Studio Code",
    "AzureCliCredential": "the login of azure-cli (`az login`)",
    "AzurePowerShellCredential": "the login of Azure PowerShell (`Connect-AzAccount`)",
    "AzureDeveloperCliCredential": "the login of the Azure Developer CLI (`azd auth login`)",
}
"""The links of azure-identity's chain, by their classes. Source: its reference, “DefaultAzureCredential Class”."""

_MAY_NOT = frozenset({"AuthorizationFailed", "LinkedAuthorizationFailed"})


async def probe(settings: AzureSettings, adapter: Adapter) -> Finding:
    """How many image definitions and machines there are, and as whom that was found out."""
    access = choose_access(settings, os.environ, adapter.name)
    gallery = adapter.port(IMAGE_VERSIONS)

    def who() -> str:  # which credentials were found is known once they were asked for a token
        return _who(access, gallery.credential_link if isinstance(gallery, AzureGallery) else "")

    try:
        found = len(await gallery.definitions())
        running = len(await adapter.port(MACHINES).instances()) if settings.machines_group else None
    except CloudError as error:
        return Finding.of_error(adapter.name, error, _next(error, access, adapter.name, who()), by=who())
    detail = f"{found} image definition{'s' if found != 1 else ''} in the gallery"
    if running is not None:
        detail += f", {running} machine{'s' if running != 1 else ''} in {settings.machines_group}"
    clock = clock_check("Azure", adapter.contact.platform_clock.ahead, _TOLERATED)
    return Finding(adapter.name, detail, by=who(), parts=(clock,))


async def rights(settings: AzureSettings, adapter: Adapter, usage: Usage) -> Check:
    """Whether Slipway may do what it is configured to.

    Raises:
        CloudError: Azure cannot be reached.
    """
    gallery = adapter.port(IMAGE_VERSIONS)
    assert isinstance(gallery, AzureGallery)  # noqa: S101 - the declaration opened it
    account = AzureAccount(adapter.name, adapter.contact)
    return await compared_rights(settings, gallery, usage, account)


def _who(access: Access, link: str) -> str:
    match access.credential:
        case Anonymous():
            return ""  # a simulator asks for nothing
        case ClientSecret(tenant, client, _):
            return f"the client {client} of the tenant {tenant}"
        case chain:
            known = chain.client_id or (os.environ.get("AZURE_CLIENT_ID") if chain.environment else None)
            words = LINKS.get(
                link, "what azure-identity finds by itself: this machine's identity{identity}, or `az login`"
            )
            file = os.environ.get("AZURE_FEDERATED_TOKEN_FILE", "")
            return words.format(identity=f" {known}" if known else "", file=file)


def _next(error: CloudError, access: Access, name: str, who: str) -> str:
    """What whoever runs Slipway does about it; empty where the sentence says it."""
    if error.kind in (CloudErrorKind.UNREACHABLE, CloudErrorKind.TIMED_OUT):
        if isinstance(access.credential, Anonymous):
            return reach(access.base_url)
        return reach(access.base_url, os.environ.get("AZURE_AUTHORITY_HOST") or _TOKENS)
    if error.kind in (CloudErrorKind.CONFIGURATION, CloudErrorKind.NOT_FOUND):
        return (
            f"look at {name}.subscription_id, {name}.resource_group, {name}.gallery and {name}.machines_group"
        )
    if error.kind is not CloudErrorKind.REFUSED:
        return ""
    if error.code in _MAY_NOT:
        whom = who or "whom Slipway is there"
        return (
            f"assign the role of deploy/azure-role.json to {whom}, or what `slipway permissions azure` prints"
        )
    if isinstance(access.credential, ClientSecret):
        return (
            f"look at {name}.tenant_id and {name}.client_id, and put a valid secret into {name}.client_secret"
        )
    variable = f"SLIPWAY_{name}_CLIENT_SECRET".replace(".", "_").replace("-", "_").upper()
    others = ", or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET" if name == CLOUD_NAME else ""
    return (
        f"set {name}.tenant_id and {name}.client_id, and {variable} or {name}.client_secret_file{others}; or give "
        "this machine a managed identity"
    )
