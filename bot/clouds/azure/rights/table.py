"""The one table of what the adapter's calls take in Azure. ``deploy/azure-*.json`` and `slipway permissions azure`
are made of it, `slipway doctor` compares it with what Azure says that Slipway may do, and tests hold it to the calls.

Source of the actions: “Azure permissions” in the reference of Azure RBAC, by resource provider.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from slipway.bot.clouds.rights import Purpose


class Scope(StrEnum):
    """Where a right has to be given."""

    GALLERY = "gallery"
    MACHINES = "machines"  # the resource group of machines_group
    SUBSCRIPTION = "subscription"
    ELSEWHERE = "elsewhere"  # on what profiles name, such as a subnet, or on a vault


class Role(StrEnum):
    """The roles that hold them, by the example in ``deploy/``."""

    IMAGES = "azure-role.json"
    LOCKS = "azure-lock-role.json"
    VAULT = "azure-vault-role.json"


@dataclass(frozen=True)
class Right:
    """One action.

    Attributes:
        action: as a role names it.
        scope: where it has to be given.
        purposes: what it is for; it is asked for where any of that is done.
        role: the role that has it.
    """

    action: str
    scope: Scope
    purposes: tuple[Purpose, ...]
    role: Role = Role.IMAGES


def _rights(scope: Scope, purpose: Purpose, *actions: str, role: Role = Role.IMAGES) -> tuple[Right, ...]:
    return tuple(Right(action, scope, (purpose,), role) for action in actions)


RIGHTS = (
    *_rights(
        Scope.GALLERY,
        Purpose.IMAGES,
        "Microsoft.Compute/galleries/read",
        "Microsoft.Compute/galleries/images/read",
        "Microsoft.Compute/galleries/images/versions/read",
        "Microsoft.Compute/galleries/images/versions/write",
        "Microsoft.Compute/galleries/images/versions/delete",
    ),
    *_rights(Scope.SUBSCRIPTION, Purpose.IMAGES, "Microsoft.Compute/locations/capsOperations/read"),
    *_rights(Scope.GALLERY, Purpose.IMAGES, "Microsoft.Authorization/locks/read"),
    Right("Microsoft.Compute/virtualMachines/read", Scope.SUBSCRIPTION, (Purpose.IMAGES, Purpose.LAUNCH)),
    *_rights(Scope.SUBSCRIPTION, Purpose.IMAGES, "Microsoft.Compute/virtualMachineScaleSets/read"),
    *_rights(
        Scope.MACHINES,
        Purpose.LAUNCH,
        "Microsoft.Compute/virtualMachines/write",
        "Microsoft.Compute/virtualMachines/delete",
        "Microsoft.Compute/virtualMachines/start/action",
        "Microsoft.Compute/virtualMachines/deallocate/action",
        "Microsoft.Compute/virtualMachines/retrieveBootDiagnosticsData/action",
    ),
    *_rights(
        Scope.SUBSCRIPTION,
        Purpose.LAUNCH,
        "Microsoft.Compute/locations/operations/read",
        "Microsoft.Compute/locations/usages/read",
        "Microsoft.Compute/skus/read",
    ),
    *_rights(
        Scope.MACHINES,
        Purpose.LAUNCH,
        "Microsoft.Compute/disks/read",
        "Microsoft.Compute/disks/write",
        "Microsoft.Compute/disks/delete",
        "Microsoft.Network/networkInterfaces/read",
        "Microsoft.Network/networkInterfaces/write",
        "Microsoft.Network/networkInterfaces/delete",
        "Microsoft.Network/networkInterfaces/join/action",
        "Microsoft.Network/publicIPAddresses/read",
        "Microsoft.Network/publicIPAddresses/write",
        "Microsoft.Network/publicIPAddresses/delete",
        "Microsoft.Network/publicIPAddresses/join/action",
    ),
    *_rights(
        Scope.ELSEWHERE,
        Purpose.LAUNCH,
        "Microsoft.Network/virtualNetworks/subnets/read",
        "Microsoft.Network/virtualNetworks/subnets/join/action",
        "Microsoft.Network/networkSecurityGroups/read",
        "Microsoft.Network/networkSecurityGroups/join/action",
    ),
    *_rights(
        Scope.MACHINES,
        Purpose.LAUNCH,
        "Microsoft.DevTestLab/schedules/read",
        "Microsoft.DevTestLab/schedules/write",
        "Microsoft.DevTestLab/schedules/delete",
        "Microsoft.Insights/metrics/read",
    ),
    *_rights(Scope.SUBSCRIPTION, Purpose.AUTHORS, "Microsoft.Insights/eventtypes/values/read"),
    *_rights(Scope.MACHINES, Purpose.LAUNCH, "Microsoft.Resources/tags/write"),
    *_rights(
        Scope.MACHINES,
        Purpose.SPEC,
        "Microsoft.Resources/deployments/read",
        "Microsoft.Resources/deployments/write",
    ),
    *_rights(Scope.ELSEWHERE, Purpose.SPEC, "Microsoft.Resources/templateSpecs/versions/read"),
    *_rights(Scope.MACHINES, Purpose.LAUNCH, "Microsoft.Authorization/permissions/read"),
    *_rights(
        Scope.GALLERY,
        Purpose.PROTECT,
        "Microsoft.Authorization/locks/write",
        "Microsoft.Authorization/locks/delete",
        role=Role.LOCKS,
    ),
    *_rights(
        Scope.ELSEWHERE,
        Purpose.DELIVER,
        "Microsoft.KeyVault/vaults/secrets/getSecret/action",
        "Microsoft.KeyVault/vaults/secrets/setSecret/action",
        "Microsoft.KeyVault/vaults/secrets/update/action",
        role=Role.VAULT,
    ),
)
"""All of them, in the order of the examples in ``deploy/``."""


TITLES = {
    Role.IMAGES: (
        "Slipway image keeper",
        "Promote, roll back and delete versions of the images of a gallery, and run machines of them.",
    ),
    Role.LOCKS: (
        "Slipway lock keeper",
        'Put locks on versions of the images of a gallery, and take them off: for protection = "lock".',
    ),
    Role.VAULT: (
        "Slipway secret deliverer",
        "Put new versions of secrets into a key vault, read what they replace, and put that back.",
    ),
}
"""Name and description of each role."""

DATA_ROLES = frozenset({Role.VAULT})
"""Roles whose actions are about data, and not about resources."""
