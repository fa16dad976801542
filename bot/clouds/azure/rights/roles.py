"""The roles of what a configuration does, made from the table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from slipway.bot.clouds.azure.rights.table import DATA_ROLES, RIGHTS, TITLES, Right, Role, Scope
from slipway.bot.clouds.azure.settings import AzureSettings, ProtectionBy
from slipway.bot.clouds.rights import Policy, Purpose, Usage

EXAMPLE_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


def used(settings: AzureSettings, usage: Usage) -> Usage:
    """What is done with an account, by its own settings besides: the gallery always, machines where there is a group,
    and locks only where these protect."""
    names = {**usage.names, Purpose.IMAGES: ()}
    if settings.protection is not ProtectionBy.LOCK:
        names.pop(Purpose.PROTECT, None)
    if settings.machines_group is None:
        names.pop(Purpose.LAUNCH, None)
    else:
        names[Purpose.LAUNCH] = ()
    return Usage(usage.account, usage.deployment, names, usage.families)


def wanted(settings: AzureSettings, usage: Usage) -> tuple[Right, ...]:
    """The rights that are asked for."""
    done = used(settings, usage)
    return tuple(right for right in RIGHTS if done.has(right.purposes))


def policy(settings: AzureSettings, usage: Usage, _account: str = "") -> Policy:
    """The least that an account's identity has to be allowed: a role definition for each kind of place."""
    rights = wanted(settings, usage)
    documents = tuple(
        definition(role, [right for right in rights if right.role is role], settings.subscription_id)
        for role in Role
        if any(right.role is role for right in rights)
    )
    gallery = f"the gallery {settings.gallery} in {settings.resource_group}"
    notes = [
        "Make each with `az role definition create --role-definition FILE`, and assign it to Slipway's identity.",
        f"Assign “{TITLES[Role.IMAGES][0]}” at {gallery}.",
    ]
    if settings.machines_group is not None:
        notes.append(
            f"Assign it also at the resource group {settings.machines_group}, and at the networks that profiles name."
        )
    at_subscription = sorted(right.action for right in rights if right.scope is Scope.SUBSCRIPTION)
    notes.append(f"At the subscription itself counts: {', '.join(at_subscription)}.")
    if any(right.role is Role.VAULT for right in rights):
        notes.append(f"Assign “{TITLES[Role.VAULT][0]}” at each key vault that takes secrets.")
    if Purpose.LIST_CREDENTIALS in usage.names or Purpose.ROTATE in usage.names:
        notes.append("Applications are Microsoft Graph's: docs/credentials.md names the permissions there.")
    return Policy("Azure role definition", documents, tuple(notes))


def definition(role: Role, rights: Iterable[Right], subscription: str) -> dict[str, Any]:
    """A role definition as azure-cli takes it."""
    name, description = TITLES[role]
    actions = [right.action for right in rights]
    data = role in DATA_ROLES
    return {
        "Name": name,
        "IsCustom": True,
        "Description": description,
        "Actions": [] if data else actions,
        "NotActions": [],
        "DataActions": actions if data else [],
        "NotDataActions": [],
        "AssignableScopes": [f"/subscriptions/{subscription}"],
    }


def example(role: Role) -> dict[str, Any]:
    """What an example in ``deploy/`` holds."""
    return definition(role, [right for right in RIGHTS if right.role is role], EXAMPLE_SUBSCRIPTION)
