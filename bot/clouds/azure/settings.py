"""``[azure]`` and ``[azure.NAME]``: one Azure Compute Gallery each, and where machines of its images are launched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from pydantic import Field

from slipway.bot.core.secret_text import Token
from slipway.bot.core.settings import Duration, Settings

ENVIRONMENT: Mapping[str, tuple[str, ...]] = {
    "subscription_id": ("AZURE_SUBSCRIPTION_ID",),
    "tenant_id": ("AZURE_TENANT_ID", "AZURE_TENANT"),
    "client_id": ("AZURE_CLIENT_ID",),
    "client_secret": ("AZURE_CLIENT_SECRET", "AZURE_SECRET"),
}
"""Variables by field, in order of preference: those of azure-identity's EnvironmentCredential, then those of
Fedora's cloud image uploader, which has its own names."""


class ProtectionBy(StrEnum):
    """What keeps a version from being deleted where it is to be protected."""

    END_OF_LIFE = "end-of-life"
    LOCK = "lock"


class AzureSettings(Settings):
    """One Azure Compute Gallery. Credentials from here, or azure-identity's own chain.

    Machines are launched into ``machines_group``, in ``regions``; where that is not given, none are.
    """

    subscription_id: str = Field(
        description="the subscription's id (or set AZURE_SUBSCRIPTION_ID in the environment)"
    )
    resource_group: str = Field(description="the name of the resource group that holds the gallery")
    gallery: str = Field(description="the gallery's name")
    public_names: tuple[str, ...] = Field(
        (), description="the public names of the gallery, where it is a community gallery, as a list"
    )
    machines_group: str | None = Field(
        None, min_length=1, description="the name of the resource group in which machines are launched"
    )
    regions: tuple[str, ...] = Field((), description='where machines are launched, like ["eastus"]')
    endpoint: str | None = None
    graph_endpoint: str | None = None
    login_endpoint: str | None = None
    tenant_id: str | None = None
    client_id: str | None = None
    client_secret: Token | None = None
    timeout: Duration = timedelta(seconds=30)
    operation_timeout: Duration = timedelta(hours=1)  # long-running operations
    max_attempts: int = Field(4, ge=1, le=10)
    parallel_listings: int = Field(16, ge=1, le=64)
    protection: ProtectionBy = Field(
        ProtectionBy.END_OF_LIFE, description='"end-of-life" or "lock": what protects what is latest'
    )
