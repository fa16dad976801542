"""What launches left behind: interfaces, addresses, disks and schedules without their machine, and machines that were
never made.

What is made with a machine goes with it, but for what a failure of Azure's, or somebody's change, leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.machines import calls, names
from slipway.bot.clouds.azure.machines.calls import Api, MachineCalls
from slipway.bot.clouds.azure.machines.reading import Thing, read_things
from slipway.bot.clouds.azure.regions import normalise_region
from slipway.bot.clouds.machine_model import Instance, InstanceState, Leftover
from slipway.bot.core.errors import CloudError, CloudErrorKind

_MACHINE = "half-built machine"

_KINDS: Mapping[str, Api] = {
    "network interface": calls.INTERFACES,
    "public address": calls.ADDRESSES,
    "disk": calls.DISKS,
    "shutdown schedule": calls.SCHEDULES,
    _MACHINE: calls.MACHINES,
}


@dataclass(frozen=True)
class Leftovers:
    """Finds and removes them.

    Attributes:
        account: for errors.
        calls: asks Azure.
        deployment: whose they are.
        cloud: the adapter's name.
        schedules: whether machines get schedules here.
    """

    account: AzureAccount
    calls: MachineCalls
    deployment: str
    cloud: str
    schedules: bool

    async def found(
        self, machines: Sequence[Instance], parts: Mapping[str, Iterable[object]]
    ) -> tuple[Leftover, ...]:
        """What of these parts belongs to none of the machines, and goes with no other part.

        Args:
            machines: all of this deployment, gone ones included, as they are after the parts were listed.
            parts: documents by kind.
        """
        living = {machine.id for machine in machines}
        tokens = {machine.id: machine.tags.get(names.TOKEN_TAG, "") for machine in machines}
        halves = [
            Leftover(machine.id, _MACHINE, machine.region, tokens[machine.id], cloud=self.cloud)
            for machine in machines
            if machine.state is InstanceState.SHUTTING_DOWN and machine.end is not None
        ]
        alone = [
            Leftover(
                thing.name,
                kind,
                normalise_region(thing.location),
                (thing.tags or {}).get(names.TOKEN_TAG, ""),
                cloud=self.cloud,
            )
            for kind, documents in parts.items()
            for thing in read_things(documents, f"a {kind}", self.account)
            if self._is_ours(thing) and not thing.goes_with_another
            if names.owner_of(thing.name, self.deployment) not in living
        ]
        return (*halves, *alone)

    async def parts(self) -> Mapping[str, Iterable[object]]:
        """Everything in the group that may be part of a machine, by kind."""
        kinds = [
            kind for kind in _KINDS if kind != _MACHINE and (self.schedules or kind != "shutdown schedule")
        ]
        listed = await asyncio.gather(
            *(self.calls.list(self.calls.id(_KINDS[kind]), _KINDS[kind], f"every {kind}") for kind in kinds)
        )
        return dict(zip(kinds, listed, strict=True))

    async def remove(self, leftover: Leftover) -> None:
        """Delete one for good; one that is gone already is no error.

        Raises:
            CloudError: CONFLICT where it belongs to a machine by now, or is not this deployment's.
        """
        api = _KINDS[leftover.kind]
        action = f"remove the {leftover.kind} {leftover.id}"
        path = self.calls.id(api, leftover.id)
        try:
            document = await self.calls.read(path, api, action)
        except CloudError as error:
            if error.kind is CloudErrorKind.NOT_FOUND:
                return
            raise
        (thing,) = read_things([document], f"a {leftover.kind}", self.account)
        if not self._is_ours(thing) or await self._is_used(leftover, document):
            raise self.account.error(
                CloudErrorKind.CONFLICT,
                f"{self.account.title} was not asked to {action}: it belongs to a machine, or to somebody else.",
            )
        await self.calls.change("DELETE", path, api, action)

    def _is_ours(self, thing: Thing) -> bool:
        """Whether this deployment made it: by its tag, or where things are made without one, by its name."""
        tagged = (thing.tags or {}).get(names.DEPLOYMENT_TAG)
        if tagged is not None:
            return tagged == self.deployment
        return names.owner_of(thing.name, self.deployment) is not None

    async def _is_used(self, leftover: Leftover, document: Mapping[str, Any]) -> bool:
        if leftover.kind == _MACHINE:
            return str((document.get("properties") or {}).get("provisioningState", "")).casefold() != "failed"
        owner = names.owner_of(leftover.id, self.deployment)
        if document.get("managedBy") or (document.get("properties") or {}).get("virtualMachine"):
            return True
        if owner is None:
            return False
        try:
            await self.calls.read(
                self.calls.id(calls.MACHINES, owner), calls.MACHINES, f"show the machine {owner}"
            )
        except CloudError as error:
            if error.kind is CloudErrorKind.NOT_FOUND:
                return False
            raise
        return True
