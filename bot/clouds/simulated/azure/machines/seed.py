"""What there is for machines at the start: regions with their sizes and quotas, networks, firewalls, rights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class SeedSize:
    """A size of machines. ``restricted``: whether this subscription cannot have it."""

    name: str
    family: str
    cores: int = 2
    architecture: str = "x64"
    restricted: bool = False


@dataclass(frozen=True)
class SeedRule:
    """An inbound rule of a security group."""

    name: str
    sources: tuple[str, ...]
    ports: tuple[str, ...] = ("22",)
    allows: bool = True
    priority: int = 100
    protocol: str = "Tcp"


@dataclass(frozen=True)
class SeedSecurityGroup:
    """A network security group; its default rules come by themselves."""

    name: str
    location: str
    rules: tuple[SeedRule, ...] = ()


@dataclass(frozen=True)
class SeedNetwork:
    """A virtual network with subnets, by name; each with the name of its security group, if it has one."""

    name: str
    location: str
    subnets: Mapping[str, str | None] = field(default_factory=lambda: {"default": None})


_SSH = (SeedRule("ssh", ("203.0.113.0/24", "198.51.100.7")),)
_USUAL_ACTIONS = ("*",)


@dataclass(frozen=True)
class SeedMachines:
    """Where machines can be made.

    Attributes:
        group: the resource group.
        sizes: what each region sells.
        cores: how many vCPUs of a family a region allows.
        region_cores: how many of all families.
        actions: what the caller may do, as a role names it; ``not_actions`` of that it may not.
    """

    group: str = "slipway-machines"
    locations: tuple[str, ...] = ("eastus", "westeurope")
    sizes: tuple[SeedSize, ...] = (
        SeedSize("Standard_B2s", "standardBSFamily"),
        SeedSize("Standard_D4s_v5", "standardDSv5Family", 4),
        SeedSize("Standard_B2pts_v2", "standardBpsv2Family", 2, "Arm64"),
        SeedSize("Standard_M8ms", "standardMSFamily", 8, restricted=True),
    )
    cores: int = 10
    region_cores: int = 20
    networks: tuple[SeedNetwork, ...] = (
        SeedNetwork("machines-eastus", "eastus"),
        SeedNetwork("machines-westeurope", "westeurope"),
    )
    security_groups: tuple[SeedSecurityGroup, ...] = (
        SeedSecurityGroup("ssh-eastus", "eastus", _SSH),
        SeedSecurityGroup("ssh-westeurope", "westeurope", _SSH),
        SeedSecurityGroup("open-eastus", "eastus", (SeedRule("ssh", ("*",)),)),
        SeedSecurityGroup("closed-eastus", "eastus"),
    )
    actions: tuple[str, ...] = _USUAL_ACTIONS
    not_actions: tuple[str, ...] = ()


_DEFAULT_RULES = (
    ("AllowVnetInBound", 65000, "VirtualNetwork", "VirtualNetwork", "Allow", "Inbound"),
    ("AllowAzureLoadBalancerInBound", 65001, "AzureLoadBalancer", "*", "Allow", "Inbound"),
    ("DenyAllInBound", 65500, "*", "*", "Deny", "Inbound"),
    ("AllowVnetOutBound", 65000, "VirtualNetwork", "VirtualNetwork", "Allow", "Outbound"),
    ("AllowInternetOutBound", 65001, "*", "Internet", "Allow", "Outbound"),
    ("DenyAllOutBound", 65500, "*", "*", "Deny", "Outbound"),
)
"""Name, priority, source, destination, access, direction. Source: “Network security groups”, default rules."""


def size_document(size: SeedSize, location: str) -> dict[str, Any]:
    """A size as the listing of a region's shows it; all values of capabilities are texts."""
    known = {
        "vCPUs": str(size.cores),
        "HyperVGenerations": "V1,V2" if size.architecture == "x64" else "V2",
        "MemoryGB": str(2 * size.cores),
        "CpuArchitectureType": size.architecture,
        "vCPUsAvailable": str(size.cores),
    }
    restriction = {
        "type": "Location",
        "values": [location],
        "restrictionInfo": {"locations": [location]},
        "reasonCode": "NotAvailableForSubscription",
    }
    return {
        "resourceType": "virtualMachines",
        "name": size.name,
        "tier": "Standard",
        "size": size.name.partition("_")[2],
        "family": size.family,
        "locations": [location],
        "locationInfo": [{"location": location, "zones": ["2", "1", "3"]}],
        "capabilities": [{"name": name, "value": value} for name, value in known.items()],
        "restrictions": [restriction] if size.restricted else [],
    }


def usage_document(name: str, title: str, used: int, limit: int) -> dict[str, Any]:
    """How much of a quota is used."""
    return {
        "limit": limit,
        "unit": "Count",
        "currentValue": used,
        "name": {"value": name, "localizedValue": title},
    }


def security_group_document(group: SeedSecurityGroup, base: str) -> dict[str, Any]:
    """A security group with the rules that everyone has."""
    this = f"{base}/networkSecurityGroups/{group.name}"
    rules = [
        _rule(
            this,
            "securityRules",
            rule.name,
            rule.priority,
            rule.allows,
            rule.sources,
            rule.ports,
            rule.protocol,
        )
        for rule in group.rules
    ]
    defaults = [
        {
            "name": name,
            "id": f"{this}/defaultSecurityRules/{name}",
            "properties": {
                "provisioningState": "Succeeded",
                "protocol": "*",
                "sourcePortRange": "*",
                "destinationPortRange": "*",
                "sourceAddressPrefix": source,
                "destinationAddressPrefix": destination,
                "access": access,
                "priority": priority,
                "direction": direction,
            },
        }
        for name, priority, source, destination, access, direction in _DEFAULT_RULES
    ]
    return {
        "name": group.name,
        "id": this,
        "type": "Microsoft.Network/networkSecurityGroups",
        "location": group.location,
        "properties": {
            "provisioningState": "Succeeded",
            "securityRules": rules,
            "defaultSecurityRules": defaults,
        },
    }


def _rule(
    group: str,
    kind: str,
    name: str,
    priority: int,
    allows: bool,
    sources: tuple[str, ...],
    ports: tuple[str, ...],
    protocol: str,
) -> dict[str, Any]:
    return {
        "name": name,
        "id": f"{group}/{kind}/{name}",
        "properties": {
            "provisioningState": "Succeeded",
            "protocol": protocol,
            "sourcePortRange": "*",
            "destinationAddressPrefix": "*",
            **_one_or_several("destinationPortRange", "destinationPortRanges", ports),
            **_one_or_several("sourceAddressPrefix", "sourceAddressPrefixes", sources),
            "access": "Allow" if allows else "Deny",
            "priority": priority,
            "direction": "Inbound",
        },
    }


def _one_or_several(one: str, several: str, values: tuple[str, ...]) -> dict[str, Any]:
    if len(values) == 1:
        return {one: values[0], several: []}
    return {several: list(values)}


def network_document(network: SeedNetwork, base: str) -> dict[str, Any]:
    """A network with its subnets."""
    this = f"{base}/virtualNetworks/{network.name}"
    return {
        "name": network.name,
        "id": this,
        "type": "Microsoft.Network/virtualNetworks",
        "location": network.location,
        "properties": {
            "provisioningState": "Succeeded",
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [_subnet(this, base, name, group) for name, group in network.subnets.items()],
        },
    }


def _subnet(network: str, base: str, name: str, group: str | None) -> dict[str, Any]:
    guarded = {"networkSecurityGroup": {"id": f"{base}/networkSecurityGroups/{group}"}} if group else {}
    return {
        "name": name,
        "id": f"{network}/subnets/{name}",
        "type": "Microsoft.Network/virtualNetworks/subnets",
        "properties": {"provisioningState": "Succeeded", "addressPrefix": "10.0.0.0/24", **guarded},
    }
