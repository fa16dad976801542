"""What is made with machines, or has to be there for them: disks, interfaces, addresses, networks, schedules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Any

from slipway.bot.clouds.simulated.azure.machines import documents, errors
from slipway.bot.clouds.simulated.azure.machines.seed import (
    SeedMachines,
    network_document,
    security_group_document,
)
from slipway.bot.clouds.simulated.azure.regions import short_name

Document = dict[str, Any]

MACHINES = "Microsoft.Compute/virtualMachines"
SCALE_SETS = "Microsoft.Compute/virtualMachineScaleSets"
DISKS = "Microsoft.Compute/disks"
INTERFACES = "Microsoft.Network/networkInterfaces"
ADDRESSES = "Microsoft.Network/publicIPAddresses"
NETWORKS = "Microsoft.Network/virtualNetworks"
SECURITY_GROUPS = "Microsoft.Network/networkSecurityGroups"
SCHEDULES = "Microsoft.DevTestLab/schedules"


class Parts:
    """One resource group, but for its machines.

    Args:
        seed: what there is from the start.
        subscription: its id.
        clock: the present moment.
    """

    def __init__(self, seed: SeedMachines, subscription: str, clock: Callable[[], datetime]) -> None:
        self.seed = seed
        self.group_id = f"/subscriptions/{subscription}/resourceGroups/{seed.group}"
        self._clock = clock
        self._numbers = count(1)
        self.things: dict[str, dict[str, Document]] = {
            kind: {}
            for kind in (SCALE_SETS, DISKS, INTERFACES, ADDRESSES, NETWORKS, SECURITY_GROUPS, SCHEDULES)
        }
        network = f"{self.group_id}/providers/Microsoft.Network"
        for each in seed.networks:
            self.things[NETWORKS][each.name.casefold()] = network_document(each, network)
        for group in seed.security_groups:
            self.things[SECURITY_GROUPS][group.name.casefold()] = security_group_document(group, network)

    def id(self, kind: str, name: str) -> str:
        """The id of a resource of the group."""
        return f"{self.group_id}/providers/{kind}/{name}"

    def thing(self, kind: str, name: str) -> Document:
        """A resource of another kind, or 404."""
        found = self.things[kind].get(name.casefold())
        if found is None:
            raise errors.not_found(kind, name, self.seed.group)
        return found

    def put_schedule(self, name: str, body: Document) -> Document:
        """Keep a schedule."""
        stored = {
            "name": name,
            "id": self.id(SCHEDULES, name),
            "type": SCHEDULES,
            "location": body.get("location", ""),
            "tags": dict(body.get("tags") or {}),
            "properties": {
                **body.get("properties", {}),
                "createdDate": self._clock().isoformat(),
                "provisioningState": "Succeeded",
            },
        }
        self.things[SCHEDULES][name.casefold()] = stored
        return stored

    def put_thing(self, kind: str, name: str, body: Document) -> None:
        """Make an address or an interface by itself, as a template asks for them."""
        number, this, location = next(self._numbers), self.id(kind, name), short_name(body["location"])
        if kind == ADDRESSES:
            address = f"192.0.2.{number % 250 + 1}"
            made = documents.address_document(this, location, body, None, address, self._etag())
        else:
            inner = body["properties"]["ipConfigurations"][0]["properties"]
            named = inner.get("publicIPAddress", {}).get("id")
            private = f"10.0.0.{number % 250 + 4}"
            made = documents.interface_document(this, location, body, None, named, private, self._etag())
            if named:
                public = self.thing(ADDRESSES, named.rpartition("/")[2])
                public["properties"]["ipConfiguration"] = {
                    "id": made["properties"]["ipConfigurations"][0]["id"]
                }
        self.things[kind][name.casefold()] = made

    def remove(self, kind: str, name: str) -> bool:
        """Take something away that nothing uses; False where there is none.

        Raises:
            ArmError: something uses it.
        """
        found = self.things[kind].get(name.casefold())
        if found is None:
            return False
        properties = found["properties"]
        if kind == INTERFACES and "virtualMachine" in properties:
            raise errors.interface_in_use(found["id"], properties["virtualMachine"]["id"])
        if kind == ADDRESSES and "ipConfiguration" in properties:
            raise errors.address_in_use(found["id"], properties["ipConfiguration"]["id"])
        if kind == DISKS and found.get("managedBy"):
            raise errors.disk_in_use(name, found["managedBy"])
        self._drop(kind, name)
        return True

    def _drop(self, kind: str, name: str) -> None:
        found = self.things[kind].pop(name.casefold())
        if kind != INTERFACES:
            return
        for configuration in found["properties"]["ipConfigurations"]:
            named = configuration["properties"].get("publicIPAddress", {}).get("id", "").rpartition("/")[2]
            address = self.things[ADDRESSES].get(named.casefold())
            if address is not None:
                address["properties"].pop("ipConfiguration", None)
                if address.get("_goes"):
                    self._drop(ADDRESSES, named)

    def _regions(self) -> dict[str, str]:
        """Where everything is that a machine can name."""
        found = {}
        for document in self.things[NETWORKS].values():
            for subnet in document["properties"]["subnets"]:
                found[subnet["id"].casefold()] = document["location"]
        for kind in (SECURITY_GROUPS, INTERFACES):
            for document in self.things[kind].values():
                found[document["id"].casefold()] = document["location"]
        return found

    def _next(self) -> str:
        return f"{next(self._numbers):08x}-0000-4000-8000-0000000000fe"

    def _etag(self) -> str:
        return f'W/"{self._next()}"'
