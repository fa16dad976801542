"""What is sent to make a machine: one document, with all that belongs to it. Pure.

Everything that is made with a machine goes with it (``deleteOption``), which Azure's defaults would keep.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slipway.bot.clouds.azure.machines import names
from slipway.bot.clouds.machine_description import MachineDescription

_NETWORK_API = "2022-11-01"
"""By which version of Microsoft.Network a machine's interface is made. Source: ``NetworkApiVersion`` of Compute."""


@dataclass(frozen=True)
class MachinePlace:
    """Where a machine is made.

    Attributes:
        region: its region.
        subnet: the subnet's id.
        security_group: the id of the security group before its interface; None for the subnet's alone.
        image: the id of the gallery's version.
    """

    region: str
    subnet: str
    security_group: str | None
    image: str


@dataclass(frozen=True)
class Login:
    """Who gets in: the user that Azure makes, and their public keys, a line each."""

    user: str
    keys: tuple[str, ...]


def machine_document(
    name: str,
    place: MachinePlace,
    described: MachineDescription,
    login: Login,
    *,
    size: str,
    user_data: bytes,
    tags: Mapping[str, str],
) -> dict[str, Any]:
    """The body of the request that makes a machine of this name."""
    profile: dict[str, Any] = {
        "computerName": name,
        "adminUsername": login.user,
        "linuxConfiguration": {
            "disablePasswordAuthentication": True,
            "ssh": {
                "publicKeys": [
                    {"path": f"/home/{login.user}/.ssh/authorized_keys", "keyData": key} for key in login.keys
                ]
            },
        },
    }
    if user_data:
        profile["customData"] = base64.b64encode(user_data).decode("ascii")
    return {
        "location": place.region,
        "tags": dict(tags),
        "properties": {
            "hardwareProfile": {"vmSize": size},
            "storageProfile": {
                "imageReference": {"id": place.image},
                "osDisk": _disk(name, described),
            },
            "osProfile": profile,
            "networkProfile": {
                "networkApiVersion": _NETWORK_API,
                "networkInterfaceConfigurations": [_interface(name, place, described, tags)],
            },
            # What a machine writes to its console is kept in Azure's own storage.
            "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
        },
    }


def schedule_document(machine_id: str, region: str, at: datetime, tags: Mapping[str, str]) -> dict[str, Any]:
    """The body of an auto-shutdown schedule; ``at`` is a moment in UTC, of which the time of day counts."""
    return {
        "location": region,
        "tags": dict(tags),
        "properties": {
            "status": "Enabled",
            "taskType": "ComputeVmShutdownTask",
            "dailyRecurrence": {"time": f"{at:%H%M}"},
            "timeZoneId": "UTC",
            "notificationSettings": {"status": "Disabled"},
            "targetResourceId": machine_id,
        },
    }


def _disk(name: str, described: MachineDescription) -> dict[str, Any]:
    disk: dict[str, Any] = {
        "name": names.disk_name(name),
        "caching": "ReadWrite",
        "createOption": "FromImage",
        "deleteOption": "Delete",
        "managedDisk": {"storageAccountType": described.os_disk_type.value},
    }
    return disk if described.os_disk_gib is None else {**disk, "diskSizeGB": described.os_disk_gib}


def _interface(
    name: str, place: MachinePlace, described: MachineDescription, tags: Mapping[str, str]
) -> dict[str, Any]:
    address: dict[str, Any] = {"primary": True, "subnet": {"id": place.subnet}}
    if described.public_address:
        address["publicIPAddressConfiguration"] = {
            "name": names.address_name(name),
            "sku": {"name": "Standard", "tier": "Regional"},
            "tags": dict(tags),
            "properties": {
                "deleteOption": "Delete",
                "publicIPAddressVersion": "IPv4",
                "publicIPAllocationMethod": "Static",
            },
        }
    properties: dict[str, Any] = {
        "primary": True,
        "deleteOption": "Delete",
        "ipConfigurations": [{"name": "primary", "properties": address}],
    }
    if place.security_group is not None:
        properties["networkSecurityGroup"] = {"id": place.security_group}
    return {"name": names.interface_name(name), "tags": dict(tags), "properties": properties}
