"""What machines are like, written down in slipway.toml: for clouds that keep no launch templates of their own.

A table of a subject whose class is a :class:`DescribesMachines` hands its description to the account that it names:
there it is a template like any other, by the table's name.
"""

from __future__ import annotations

import json
from enum import StrEnum
from hashlib import sha256

from pydantic import Field

from slipway.bot.core.settings import Settings

_VERSION_DIGITS = 12


class DiskType(StrEnum):
    """What the disk of a machine is made of."""

    HDD = "Standard_LRS"
    SSD = "StandardSSD_LRS"
    SSD_IN_ZONES = "StandardSSD_ZRS"
    PREMIUM = "Premium_LRS"
    PREMIUM_IN_ZONES = "Premium_ZRS"


class MachineDescription(Settings):
    """``[profiles.NAME.machine]``: all that a launch template would fix."""

    size: str = Field(
        min_length=1, pattern=r"^[A-Za-z0-9_-]+$", description="the machine's size, like Standard_B2s"
    )
    subnet: str = Field(
        pattern=r"^[^/]+/[^/]+$|^/subscriptions/.+/subnets/[^/]+$",
        description="the subnet, as NETWORK/SUBNET of the machines' resource group, or its whole id",
    )
    security_group: str | None = Field(
        None,
        pattern=r"^[^/]+$|^/subscriptions/.+/networkSecurityGroups/[^/]+$",
        description="a network security group of the machines' resource group, or its whole id",
    )
    public_address: bool = True
    os_disk_gib: int | None = Field(None, ge=1, le=4095)
    os_disk_type: DiskType = DiskType.SSD
    # Handed to cloud-init as it stands. Secrets do not belong there: whoever may read the machine can read it.
    user_data: str = ""
    # A schedule of Azure's own that stops a machine each day at the hour at which its whole life ends.
    auto_shutdown: bool = False

    @property
    def version(self) -> str:
        """The beginning of its digest: another one for every other description."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return sha256(canonical.encode()).hexdigest()[:_VERSION_DIGITS]

    def at(self, region: str) -> MachineDescription:
        """The same with ``{region}`` filled in, which networks are named by where there are several regions."""
        group = self.security_group
        return self.model_copy(
            update={
                "subnet": self.subnet.replace("{region}", region),
                "security_group": None if group is None else group.replace("{region}", region),
            }
        )


class DescribesMachines(Settings):
    """A table of slipway.toml that may hold a description, and says in which account it counts."""

    # The table of the account in which it launches: aws, azure, aws.NAME, and so on. Profiles that were written
    # before there was a second cloud do not say it, and mean aws.
    cloud: str = "aws"
    machine: MachineDescription | None = None
