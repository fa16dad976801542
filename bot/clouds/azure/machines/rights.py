"""Whether a role allows what a launch takes, by Azure's listing of what the caller may do. Pure.

Source: REST reference, “Permissions - List For Resource”; “Understand Azure role definitions”: an action counts where
one role names it, a star standing for any text, and does not take it away again itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from slipway.bot.clouds.azure.account import AzureAccount

ON_GROUP = (
    "Microsoft.Compute/virtualMachines/write",
    "Microsoft.Compute/virtualMachines/delete",
    "Microsoft.Compute/disks/write",
    "Microsoft.Network/networkInterfaces/write",
    "Microsoft.Network/networkInterfaces/join/action",
)
"""What making a machine takes in the resource group it is made in."""

WITH_ADDRESS = (
    "Microsoft.Network/publicIPAddresses/write",
    "Microsoft.Network/publicIPAddresses/join/action",
)
"""And there, where it gets a public address."""

WITH_SCHEDULE = ("Microsoft.DevTestLab/schedules/write",)
"""And there, where Azure is to stop it by the clock."""

WITH_DEPLOYMENT = (
    "Microsoft.Resources/deployments/read",
    "Microsoft.Resources/deployments/write",
)
"""And there, where a template spec makes it."""

ON_SPEC = ("Microsoft.Resources/templateSpecs/versions/read",)

ON_SUBNET = ("Microsoft.Network/virtualNetworks/subnets/join/action",)
ON_SECURITY_GROUP = ("Microsoft.Network/networkSecurityGroups/join/action",)
ON_IMAGE = ("Microsoft.Compute/galleries/images/versions/read",)


def lacking(wanted: Sequence[str], permissions: Iterable[object], account: AzureAccount) -> tuple[str, ...]:
    """Those of the wanted actions that no permission allows.

    Raises:
        CloudError: UNEXPECTED_ANSWER where a permission cannot be read.
    """
    allowed = [_read(each, account) for each in permissions]
    return tuple(
        action
        for action in wanted
        if not any(_fits(action, gives) and not _fits(action, takes) for gives, takes in allowed)
    )


def _read(permission: object, account: AzureAccount) -> tuple[list[str], list[str]]:
    match permission:
        case {"actions": list(gives), "notActions": list(takes)}:
            return [str(each) for each in gives], [str(each) for each in takes]
        case {"actions": list(gives)}:
            return [str(each) for each in gives], []
        case _:
            raise account.unexpected_answer(
                f"{account.title} listed what Slipway may do in a way that cannot be read."
            )


def _fits(action: str, patterns: Iterable[str]) -> bool:
    return any(
        re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), action, re.IGNORECASE) for pattern in patterns
    )
