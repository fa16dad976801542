"""What the Azure adapter declares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from slipway.bot.clouds.azure.access import missing_secret
from slipway.bot.clouds.azure.account import CLOUD_NAME
from slipway.bot.clouds.azure.graph.adapter import AzureApplications
from slipway.bot.clouds.azure.graph.rotation import AzureSecretRotation
from slipway.bot.clouds.azure.images.gallery import AzureGallery
from slipway.bot.clouds.azure.machines.adapter import AzureMachines
from slipway.bot.clouds.azure.probe import probe, rights
from slipway.bot.clouds.azure.rights.roles import policy
from slipway.bot.clouds.azure.settings import ENVIRONMENT, AzureSettings
from slipway.bot.clouds.azure.vault.adapter import AzureSecretStore
from slipway.bot.clouds.capabilities import Capability, Port
from slipway.bot.clouds.declaration import CloudContext, CloudDeclaration
from slipway.bot.clouds.ports.app_credentials import APP_CREDENTIALS
from slipway.bot.clouds.ports.credential_rotation import CREDENTIAL_ROTATION
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.clouds.ports.machines import MACHINES
from slipway.bot.clouds.ports.secret_stores import SECRET_STORE
from slipway.bot.core.addresses import check_address
from slipway.bot.core.errors import ConfigError
from slipway.bot.core.problems import Problem, shown

_REGION = re.compile(r"[a-z][a-z0-9]{2,40}", re.ASCII)
_GROUP = re.compile(r"[\w().-]{0,89}[\w()-]")
_GALLERY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._]{0,78}[A-Za-z0-9])?")
"""Names as Azure allows them:
https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules."""

_PUBLIC_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,119}")
"""A prefix of the owner's choice, and what Azure adds to that (“Share images using a community gallery”)."""

_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def _open(settings: AzureSettings, context: CloudContext) -> Mapping[Capability[Any], Port]:
    for name in context.families:
        why = "a gallery says itself which versions it has; name an [aws] account, or leave the family out"
        raise ConfigError((f"family.{name}.cloud: {why}",))
    gallery = AzureGallery(settings, context)
    directory = AzureApplications(settings, context)
    ports: dict[Capability[Any], Port] = {
        IMAGE_VERSIONS: gallery,
        APP_CREDENTIALS: directory,
        CREDENTIAL_ROTATION: AzureSecretRotation(settings, directory),
        SECRET_STORE: AzureSecretStore(settings, context),
    }
    if settings.machines_group is None:
        if context.descriptions:
            raise ConfigError((f"{context.name}.machines_group: {_no_group(context)}",))
        return ports
    return {**ports, MACHINES: AzureMachines(settings, context, gallery)}


def _no_group(context: CloudContext) -> str:
    return (
        f"missing, though the profile {next(iter(context.descriptions))} launches machines there; write the name of "
        "the resource group for them"
    )


def _lacks(settings: AzureSettings) -> frozenset[Capability[Any]]:
    return frozenset({MACHINES}) if settings.machines_group is None else frozenset()


def _check(settings: AzureSettings, _secrets: bool) -> Iterator[Problem]:
    if settings.machines_group is not None and not settings.regions:
        yield Problem("regions", 'missing; write where machines are launched, like ["eastus"]')
    if settings.machines_group is None and settings.regions:
        yield Problem(
            "machines_group", "missing, though regions are given; write the resource group for machines"
        )
    for name in settings.public_names:
        if not _PUBLIC_NAME.fullmatch(name):
            like = "like Fedora-5e266ba4-2250-406d-adad-5d73860d958f"
            yield Problem("public_names", f"{shown(name)} is no public name of a gallery; write it {like}")
    for region in settings.regions:
        if not _REGION.fullmatch(region):
            yield Problem("regions", f"{shown(region)} is no region; write it like eastus")
    for key in ("endpoint", "graph_endpoint", "login_endpoint"):
        address = getattr(settings, key)
        if address is not None:
            yield from check_address(key, address)
    if settings.client_secret is not None and not (settings.tenant_id and settings.client_id):
        yield Problem("", "a client secret needs tenant_id and client_id beside it; add them")


def _warnings(settings: AzureSettings) -> Iterator[Problem]:
    ids = {"subscription_id": settings.subscription_id, "client_id": settings.client_id or ""}
    if settings.tenant_id and "." not in settings.tenant_id:  # a tenant may go by its domain, too
        ids["tenant_id"] = settings.tenant_id
    for key, value in ids.items():
        if value and not _UUID.fullmatch(value):
            right = "write it with 32 digits and letters from a to f, in groups of 8, 4, 4, 4 and 12"
            yield Problem(key, f"{shown(value)} cannot be Azure's id; {right}")
    for key, group in (
        ("resource_group", settings.resource_group),
        ("machines_group", settings.machines_group),
    ):
        if group is not None and not _GROUP.fullmatch(group):
            right = "that is at most 90 letters, digits and - _ . ( ), with no . at the end"
            yield Problem(key, f"{shown(group)} cannot be a resource group's name; {right}")
    if not _GALLERY.fullmatch(settings.gallery):
        right = "that is at most 80 letters and digits, with . or _ between them"
        yield Problem("gallery", f"{shown(settings.gallery)} cannot be a gallery's name; {right}")


def _check_accounts(accounts: Mapping[str, AzureSettings], _all: frozenset[str]) -> Iterator[Problem]:
    """A named account without its secret would work as whoever the machine is logged in as."""
    for name, settings in accounts.items():
        if name != CLOUD_NAME and settings.tenant_id and settings.client_secret is None:
            yield Problem(f"{name}.client_secret", missing_secret(name))


def _describe(settings: AzureSettings) -> str:
    at = f" at {settings.endpoint}" if settings.endpoint else ""
    return f"gallery {settings.gallery} in {settings.resource_group}{at}"


CLOUD = CloudDeclaration(
    name=CLOUD_NAME,
    settings=AzureSettings,
    provides=(IMAGE_VERSIONS, MACHINES, APP_CREDENTIALS, CREDENTIAL_ROTATION, SECRET_STORE),
    lacks=_lacks,
    open=_open,
    check=_check,
    warnings=_warnings,
    check_accounts=_check_accounts,
    describe=_describe,
    label=lambda settings: f"gallery {settings.gallery}",
    probe=probe,
    policy=policy,
    rights=rights,
    environment=ENVIRONMENT,
)
