"""Azure's machines in an episode: those of its deployment, Azure's log of what was changed, and what strangers do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from slipway.bot.clouds.azure.machines.documents import Login, MachinePlace, machine_document
from slipway.bot.clouds.machine_description import MachineDescription
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.azure.machines.parts import NETWORKS
from slipway.bot.clouds.simulated.azure.machines.seed import SeedMachines
from slipway.bot.clouds.simulated.azure.machines.state import Machine
from tests.reliability.machines import EpisodeMachines, MachineAction, MachineWrite
from tests.support.ssh_keys import ed25519

ROOM = SeedMachines(cores=100_000, region_cores=100_000)
"""Quotas that no episode reaches."""

PROFILES: Mapping[str, Mapping[str, Any]] = {
    "cloudy": {
        "cloud": "azure",
        "max_count": 3,
        "machine": {
            "size": "Standard_B2s",
            "subnet": "machines-{region}/default",
            "security_group": "ssh-{region}",
        },
    },
    "specified": {"cloud": "azure", "max_count": 3, "template": "spec:templates/small"},
}
"""How people launch there: by a description, and by a template spec."""

ACCOUNT = {"machines_group": "slipway-machines", "regions": ["eastus", "westeurope"]}
"""``[azure]`` beside the gallery's own."""

_SPEC = Path(__file__).parents[2] / "deploy" / "azure-machine-spec.json"
_BYSTANDER = "somebody-else-s"
_STATES = {"running": "running", "deallocated": "stopped"}
_WRITES = (
    (MachineAction.END, "DELETE", re.compile(r"/virtualMachines/(?P<target>[^/]+)$")),
    (MachineAction.STOP, "POST", re.compile(r"/virtualMachines/(?P<target>[^/]+)/deallocate$")),
    (MachineAction.START, "POST", re.compile(r"/virtualMachines/(?P<target>[^/]+)/start$")),
    (
        MachineAction.REMOVE,
        "DELETE",
        re.compile(r"/(?:disks|networkInterfaces|publicIPAddresses|schedules)/(?P<target>[^/]+)$"),
    ),
)


class _EverMade(dict[str, Machine]):
    """Azure's machines; those that are gone from it are kept beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.ever: list[Machine] = []

    def __setitem__(self, name: str, machine: Machine) -> None:
        super().__setitem__(name, machine)
        self.ever.append(machine)


class AzureEpisodeMachines(EpisodeMachines):
    """Machines in the account of an episode's own gallery.

    Args:
        azure: Azure.
        deployment: the episode's.
    """

    def __init__(self, azure: SimulatedAzure, deployment: str) -> None:
        super().__init__()
        self._azure = azure
        self._deployment = deployment
        self._made = azure.machines.machines = _EverMade()
        azure.machines.specs.add("templates", "small", "1.0", json.loads(_SPEC.read_text("utf-8")))

    def start(self, definition: str, version: str) -> None:
        """Let somebody else have a machine beside the bot's, from this version."""
        state = self._azure.machines
        place = MachinePlace(
            region="eastus",
            subnet=f"{state.id(NETWORKS, 'machines-eastus')}/subnets/default",
            security_group=None,
            image=f"{self._azure.seed.gallery_id}/images/{definition}/versions/{version}",
        )
        described = MachineDescription(size="Standard_B2s", subnet="machines-eastus/default")
        body = machine_document(
            _BYSTANDER,
            place,
            described,
            Login("fedora", (ed25519(1),)),
            size=described.size,
            user_data=b"",
            tags={"slipway:owner": "alice"},
        )
        state.put(_BYSTANDER, body, if_none_match=None)
        while state.machine(_BYSTANDER).running is not None:
            pass  # a look is what brings it on
        self.bystander = _BYSTANDER

    async def all(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            each.name: {"state": self._state_of(each), "tags": dict(each.document["tags"])}
            for each in self._made.ever
            if each.document["tags"].get("slipway") == self._deployment or each.name == self.bystander
        }

    def launched(self) -> Sequence[str]:
        """Every machine that was ever launched there for the bot."""
        return [each.name for each in self._made.ever if each.name != self.bystander]

    async def terminate(self, machine: str) -> None:
        self._azure.machines.delete(machine)
        self.ended_by_strangers.add(machine)

    def writes(self) -> Sequence[MachineWrite]:
        return tuple(
            MachineWrite(action, found["target"])
            for entry in tuple(self._azure.requests)
            for action, method, path in _WRITES
            if entry.method == method and (found := path.search(entry.path)) is not None
        )

    def _state_of(self, machine: Machine) -> str:
        there = self._made.get(machine.name.casefold()) is machine
        return _STATES.get(machine.power, machine.power or "pending") if there else "terminated"
