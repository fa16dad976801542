"""How machines, and what is made with them, are shown. Pure.

Sources: recorded answers of 2021 and 2026 for a machine and its interface; the reference for what no recording shows.
"""

from __future__ import annotations

import copy
from datetime import datetime
from typing import Any

from slipway.bot.clouds.simulated.azure.times import arm_time

Document = dict[str, Any]

_AGENT = "2.15.1.3"


def machine_document(body: Document, this: str, machine_id: str, group: str, now: datetime) -> Document:
    """What a new machine is, from what was sent: secrets are left out, and what was not said is written out."""
    sent = copy.deepcopy(body["properties"])
    disk = sent["storageProfile"].get("osDisk", {})
    name = this.rpartition("/")[2]
    named = disk.get("name") or f"{name}_OsDisk_1_{machine_id.replace('-', '')}"
    system = {
        "osType": disk.get("osType", "Linux"),
        "name": named,
        "createOption": disk.get("createOption", "FromImage"),
        "caching": disk.get("caching", "ReadWrite"),
        "managedDisk": {
            "storageAccountType": disk.get("managedDisk", {}).get("storageAccountType", "Premium_LRS")
        },
        "deleteOption": disk.get("deleteOption", "Detach"),
        "diskSizeGB": disk.get("diskSizeGB", 30),
    }
    shown: Document = {
        "hardwareProfile": sent["hardwareProfile"],
        "provisioningState": "Creating",
        "vmId": machine_id,
        "storageProfile": {
            "imageReference": sent["storageProfile"].get("imageReference", {}),
            "osDisk": system,
            "dataDisks": [],
        },
        "osProfile": _login(sent.get("osProfile", {})),
        "securityProfile": sent.get("securityProfile") or {"securityType": "Standard"},
        "networkProfile": {"networkInterfaces": []},
        **({"diagnosticsProfile": sent["diagnosticsProfile"]} if "diagnosticsProfile" in sent else {}),
        "timeCreated": arm_time(now),
    }
    return {
        "name": name,
        "id": this,
        "type": "Microsoft.Compute/virtualMachines",
        "location": body["location"].replace(" ", "").lower(),
        "tags": dict(body.get("tags") or {}),
        "properties": shown,
        "etag": '"1"',
    }


def _login(sent: Document) -> Document:
    hidden = {key: value for key, value in sent.items() if key not in ("adminPassword", "customData")}
    linux = {
        **sent.get("linuxConfiguration", {}),
        "provisionVMAgent": True,
        "patchSettings": {"patchMode": "ImageDefault", "assessmentMode": "ImageDefault"},
    }
    return {
        **hidden,
        "linuxConfiguration": linux,
        "secrets": [],
        "allowExtensionOperations": True,
        "requireGuestProvisionSignal": True,
    }


def instance_view(
    document: Document, power: str, failed: tuple[str, str] | None, now: datetime, *, silent: bool = False
) -> Document:
    """What the machine is doing; a power state has no time, and a machine that was never made has none. The agent of
    one that is silent never reported."""
    properties = document["properties"]
    at = arm_time(now)
    state = properties["provisioningState"]
    if failed is not None:
        code, message = failed
        first: Document = {
            "code": f"ProvisioningState/failed/{code}",
            "level": "Error",
            "displayStatus": "Provisioning failed",
            "message": message,
            "time": at,
        }
    else:
        word = state.lower()
        told = "Provisioning succeeded" if word == "succeeded" else state
        first = {"code": f"ProvisioningState/{word}", "level": "Info", "displayStatus": told, "time": at}
    view: Document = {
        "disks": [
            {"name": properties["storageProfile"]["osDisk"]["name"], "statuses": [_succeeded(at)]},
        ],
        "hyperVGeneration": "V2",
        "statuses": [first],
    }
    if power:
        view["statuses"].append(
            {"code": f"PowerState/{power}", "level": "Info", "displayStatus": f"VM {power}"}
        )
    if power == "running":
        agent = {
            "code": "ProvisioningState/succeeded",
            "level": "Info",
            "displayStatus": "Ready",
            "message": "Guest Agent is running",
            "time": at,
        }
        if silent:
            agent = {
                "code": "ProvisioningState/Unavailable",
                "level": "Warning",
                "displayStatus": "Not Ready",
                "message": "VM status blob is found but not yet populated.",
                "time": at,
            }
        view = {
            "computerName": properties["osProfile"].get("computerName", document["name"]),
            "osName": "fedora",
            "osVersion": "43",
            "vmAgent": {"vmAgentVersion": _AGENT, "statuses": [agent], "extensionHandlers": []},
            **view,
        }
    return view


def _succeeded(at: str) -> Document:
    return {
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "displayStatus": "Provisioning succeeded",
        "time": at,
    }


def interface_document(
    this: str,
    location: str,
    sent: Document,
    machine: str | None,
    address: str | None,
    private: str,
    etag: str,
) -> Document:
    """The interface that a machine's configuration asks for."""
    properties = sent["properties"]
    configuration = properties["ipConfigurations"][0]
    inner = configuration["properties"]
    reached = {"publicIPAddress": {"id": address}} if address else {}
    guarded = (
        {"networkSecurityGroup": properties["networkSecurityGroup"]}
        if "networkSecurityGroup" in properties
        else {}
    )
    return {
        "name": this.rpartition("/")[2],
        "id": this,
        "etag": etag,
        "tags": dict(sent.get("tags") or {}),
        "properties": {
            "provisioningState": "Succeeded",
            "resourceGuid": f"{this.rpartition('/')[2]}-guid",
            "ipConfigurations": [
                {
                    "name": configuration["name"],
                    "id": f"{this}/ipConfigurations/{configuration['name']}",
                    "etag": etag,
                    "type": "Microsoft.Network/networkInterfaces/ipConfigurations",
                    "properties": {
                        "provisioningState": "Succeeded",
                        "privateIPAddress": private,
                        "privateIPAllocationMethod": "Dynamic",
                        **reached,
                        "subnet": inner["subnet"],
                        "primary": True,
                        "privateIPAddressVersion": "IPv4",
                    },
                }
            ],
            "dnsSettings": {
                "dnsServers": [],
                "appliedDnsServers": [],
                "internalDomainNameSuffix": "example.bx.internal.cloudapp.net",
            },
            "macAddress": "00-0D-3A-00-00-01",
            "enableAcceleratedNetworking": False,
            "vnetEncryptionSupported": False,
            "enableIPForwarding": False,
            **guarded,
            "primary": True,
            **({"virtualMachine": {"id": machine}} if machine else {}),
            "hostedWorkloads": [],
            "tapConfigurations": [],
            "nicType": "Standard",
            "allowPort25Out": False,
            "auxiliaryMode": "None",
        },
        "type": "Microsoft.Network/networkInterfaces",
        "location": location,
        "kind": "Regular",
    }


def address_document(
    this: str, location: str, sent: Document, interface: str | None, address: str, etag: str
) -> Document:
    """The public address that a machine's configuration asks for."""
    properties = sent.get("properties", {})
    return {
        "name": this.rpartition("/")[2],
        "id": this,
        "etag": etag,
        "location": location,
        "tags": dict(sent.get("tags") or {}),
        "properties": {
            "provisioningState": "Succeeded",
            "ipAddress": address,
            "publicIPAddressVersion": properties.get("publicIPAddressVersion", "IPv4"),
            "publicIPAllocationMethod": properties.get("publicIPAllocationMethod", "Dynamic"),
            "idleTimeoutInMinutes": 4,
            "ipTags": [],
            **({"ipConfiguration": {"id": f"{interface}/ipConfigurations/primary"}} if interface else {}),
        },
        "type": "Microsoft.Network/publicIPAddresses",
        "sku": sent.get("sku", {"name": "Basic", "tier": "Regional"}),
    }


def disk_document(this: str, location: str, shown: Document, machine: str, now: datetime) -> Document:
    """The disk of a machine's system; it takes nothing over from the machine's tags."""
    return {
        "name": this.rpartition("/")[2],
        "id": this,
        "type": "Microsoft.Compute/disks",
        "location": location,
        "managedBy": machine,
        "sku": {"name": shown["managedDisk"]["storageAccountType"], "tier": "Standard"},
        "properties": {
            "osType": shown["osType"],
            "creationData": {"createOption": "FromImage"},
            "diskSizeGB": shown["diskSizeGB"],
            "timeCreated": arm_time(now),
            "provisioningState": "Succeeded",
            "diskState": "Attached",
        },
    }
