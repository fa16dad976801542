"""What there is of machines: they are made, stopped, started and deleted, with all that is theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from slipway.bot.clouds.simulated.azure.machines import documents, errors, rules
from slipway.bot.clouds.simulated.azure.machines.parts import (
    ADDRESSES,
    DISKS,
    INTERFACES,
    MACHINES,
    Parts,
)
from slipway.bot.clouds.simulated.azure.machines.seed import SeedSize
from slipway.bot.clouds.simulated.azure.machines.template_specs import TemplateSpecs
from slipway.bot.clouds.simulated.azure.operations import LongRunningOperation, Outcome, Terms, ends_at
from slipway.bot.clouds.simulated.azure.regions import short_name
from slipway.bot.clouds.simulated.azure.resource import Document, Resource
from slipway.bot.clouds.simulated.azure.seed import Seed
from slipway.bot.clouds.simulated.azure.state import GalleryState
from slipway.bot.clouds.simulated.consoles import console_text
from slipway.bot.clouds.simulated.faults import FaultKind

_NO_TERMS = Terms()


@dataclass
class Machine(Resource):
    """A machine, and what tests may set of it.

    Attributes:
        power: such as ``running``; empty before it was ever made.
        failed: code and words of why it could not be made.
        console: what it wrote to its console.
        metrics: by name, one value for each five minutes.
        running: the operation that changes it.
    """

    size: SeedSize
    power: str = ""
    failed: tuple[str, str] | None = None
    console: bytes = b""
    metrics: dict[str, list[float]] = field(default_factory=dict)
    running: LongRunningOperation | None = None

    @property
    def counts(self) -> bool:
        """Whether it counts against quotas: one that is deallocated does not."""
        return self.power != "deallocated" and self.failed is None


class MachinesState(Parts):
    """One resource group with machines.

    Args:
        seed: what there is; names the subscription and the gallery.
        gallery: knows which images are where.
        clock: the present moment.
        polls: how often an operation is seen running before it ends.
    """

    def __init__(
        self, seed: Seed, gallery: Callable[[], GalleryState], clock: Callable[[], datetime], polls: int
    ) -> None:
        super().__init__(seed.machines, seed.subscription_id, clock)
        self._gallery = gallery
        self._gallery_id = seed.gallery_id
        self._polls = polls
        self.machines: dict[str, Machine] = {}
        self.sent: list[Document] = []
        """The bodies by which machines were made."""
        self.silent = False
        """Whether no machine's agent reports: their images lack one."""
        self.specs = TemplateSpecs(seed.subscription_id, clock)
        self.operations: dict[str, LongRunningOperation] = {}
        self._effects: dict[str, Callable[[], None]] = {}

    def machine(self, name: str, *, looks: bool = True) -> Machine:
        """One machine, or 404; looking at it advances its operation."""
        found = self.machines.get(name.casefold())
        if found is not None and looks and found.running is not None:
            self._advance(found.running)
            found = self.machines.get(name.casefold())
        if found is None:
            raise errors.not_found(MACHINES, name, self.seed.group)
        return found

    def all_machines(self) -> list[Machine]:
        """All machines; looking at them advances their operations."""
        for machine in tuple(self.machines.values()):
            if machine.running is not None:
                self._advance(machine.running)
        return list(self.machines.values())

    def view(self, machine: Machine) -> Document:
        """What a machine is doing."""
        return documents.instance_view(
            machine.document, machine.power, machine.failed, self._clock(), silent=self.silent
        )

    def used(self, location: str, family: str | None = None) -> int:
        """How many vCPUs are used in a region, of a family or of all."""
        return sum(
            machine.size.cores
            for machine in self.machines.values()
            if machine.counts
            and machine.document["location"] == location
            and family in (None, machine.size.family)
        )

    def put(
        self, name: str, body: Document, *, if_none_match: str | None, terms: Terms = _NO_TERMS
    ) -> tuple[Machine, LongRunningOperation, bool]:
        """Make a machine, or change its tags; the flag says that it was made."""
        known = self.machines.get(name.casefold())
        if known is not None:
            if known.state == "Deleting":
                raise errors.being_deleted(name)
            if if_none_match == "*":
                raise errors.there_already()
            known.document["tags"] = dict(body.get("tags") or {})
            return known, self._start(known, terms, lambda: None), False
        rules.check_body(name, body, self.seed)
        size = rules.size_of(body, self.seed)
        rules.check_image(body, self._has_image, self._gallery_id)
        rules.check_references(self.id(MACHINES, name), body, self._regions())
        self._check_quota(size, short_name(body["location"]))
        self.sent.append(body)
        machine = self._make(name, body, size)
        if terms.outcome is not Outcome.SUCCEEDED:
            return machine, self._start(machine, terms, lambda: self._fail(machine, terms)), True
        return machine, self._start(machine, terms, lambda: self._come_up(machine)), True

    def patch(self, name: str, body: Document) -> Machine:
        """Change a machine's tags."""
        machine = self.machine(name, looks=False)
        if "tags" in body:
            machine.document["tags"] = dict(body["tags"] or {})
        return machine

    def merge_tags(self, name: str, tags: Document) -> Document:
        """Add tags to a machine, or change them; all that it has now."""
        machine = self.machine(name, looks=False)
        machine.document["tags"] = {**machine.document["tags"], **tags}
        return dict(machine.document["tags"])

    def act(self, name: str, power: str, terms: Terms = _NO_TERMS) -> LongRunningOperation:
        """Have a machine become ``running``, ``stopped`` or ``deallocated``."""
        machine = self.machine(name, looks=False)
        if machine.state == "Deleting":
            raise errors.being_deleted(name)
        if power == "running" and machine.power == "deallocated":
            self._check_quota(machine.size, machine.document["location"])
        passing = {"running": "starting", "stopped": "stopping", "deallocated": "deallocating"}[power]
        if terms.fault is not FaultKind.NOT_DONE and machine.power != power:
            machine.power, machine.state = passing, "Updating"

        def end() -> None:
            machine.power, machine.state = power, "Succeeded"

        return self._start(machine, terms, end)

    def delete(self, name: str, terms: Terms = _NO_TERMS) -> LongRunningOperation | None:
        """Start deleting a machine; None where there is none."""
        machine = self.machines.get(name.casefold())
        if machine is None:
            return None
        if machine.state == "Deleting" and machine.running is not None:
            return machine.running
        if terms.fault is not FaultKind.NOT_DONE:
            machine.state = "Deleting"
        return self._start(machine, terms, lambda: self._remove(machine))

    def delete_thing(self, kind: str, name: str) -> LongRunningOperation | None:
        """Delete an interface, address, disk or schedule that nothing uses; None where there is none."""
        if not self.remove(kind, name):
            return None
        now = self._clock()
        running = LongRunningOperation(self._next(), (kind, name), True, now, None, now, ended=now)
        self.operations[running.id] = running
        return running

    def operation(self, operation_id: str) -> LongRunningOperation:
        """One operation, or 404; looking at it advances it."""
        running = self.operations.get(operation_id)
        if running is None:
            raise errors.not_found("Microsoft.Compute/locations/operations", operation_id, self.seed.group)
        self._advance(running)
        return running

    def _make(self, name: str, body: Document, size: SeedSize) -> Machine:
        now = self._clock()
        this = self.id(MACHINES, name)
        document = documents.machine_document(body, this, self._next(), self.group_id, now)
        shown = document["properties"]
        network = body["properties"]["networkProfile"]
        location = document["location"]
        for sent in network.get("networkInterfaceConfigurations") or ():
            shown["networkProfile"]["networkInterfaces"].append(self._interface(sent, this, location))
        for sent in network.get("networkInterfaces") or ():
            attached = self.thing(INTERFACES, str(sent["id"]).rpartition("/")[2])
            attached["properties"]["virtualMachine"] = {"id": this}
            shown["networkProfile"]["networkInterfaces"].append(dict(sent))
        system = shown["storageProfile"]["osDisk"]
        disk = self.id(DISKS, system["name"])
        self.things[DISKS][system["name"].casefold()] = documents.disk_document(
            disk, location, system, this, now
        )
        machine = Machine(document, size)
        self.machines[name.casefold()] = machine
        return machine

    def _interface(self, sent: Document, machine: str, location: str) -> Document:
        number = next(self._numbers)
        suffix = f"{number:08x}"
        this = self.id(INTERFACES, f"{sent['name']}-{suffix}")
        wanted = sent["properties"]["ipConfigurations"][0]["properties"].get("publicIPAddressConfiguration")
        address = None
        if wanted is not None:
            address = self.id(ADDRESSES, f"{wanted['name']}-{suffix}")
            self.things[ADDRESSES][address.rpartition("/")[2].casefold()] = {
                **documents.address_document(
                    address, location, wanted, this, f"192.0.2.{number % 250 + 1}", self._etag()
                ),
                "_goes": (wanted.get("properties") or {}).get("deleteOption") == "Delete",
            }
        self.things[INTERFACES][this.rpartition("/")[2].casefold()] = documents.interface_document(
            this, location, sent, machine, address, f"10.0.0.{number % 250 + 4}", self._etag()
        )
        kept = (
            {"deleteOption": sent["properties"]["deleteOption"]}
            if "deleteOption" in sent["properties"]
            else {}
        )
        return {"id": this, "properties": {"primary": bool(sent["properties"].get("primary", True)), **kept}}

    def _come_up(self, machine: Machine) -> None:
        system = machine.document["properties"]["storageProfile"]["osDisk"]
        system["managedDisk"]["id"] = self.id(DISKS, system["name"])
        machine.state, machine.power = "Succeeded", "running"
        machine.console = machine.console or console_text(machine.name).encode()

    def _fail(self, machine: Machine, terms: Terms) -> None:
        machine.state = "Failed"
        machine.failed = (
            terms.code or "InternalOperationError",
            terms.message or "The operation did not succeed.",
        )

    def _remove(self, machine: Machine) -> None:
        """Delete a machine, and of what is its own what goes with it; the rest is let go of."""
        del self.machines[machine.name.casefold()]
        properties = machine.document["properties"]
        for each in properties["networkProfile"]["networkInterfaces"]:
            name = each["id"].rpartition("/")[2]
            found = self.things[INTERFACES].get(name.casefold())
            if found is None:
                continue
            found["properties"].pop("virtualMachine", None)
            if each.get("properties", {}).get("deleteOption") == "Delete":
                self._drop(INTERFACES, name)
        system = properties["storageProfile"]["osDisk"]
        disk = self.things[DISKS].get(system["name"].casefold())
        if disk is not None:
            disk["managedBy"], disk["properties"]["diskState"] = "", "Unattached"
            del disk["managedBy"]
            if system["deleteOption"] == "Delete":
                self._drop(DISKS, system["name"])

    def _start(self, machine: Machine, terms: Terms, end: Callable[[], None]) -> LongRunningOperation:
        now = self._clock()
        endless = terms.fault is FaultKind.NEVER_END
        running = LongRunningOperation(
            id=self._next(),
            key=(MACHINES, machine.name.casefold()),
            deletes=machine.state == "Deleting",
            started=now,
            looks=None if endless else self._polls,
            due=ends_at(now, None, terms),
            terms=terms,
        )
        self.operations[running.id] = running
        machine.running = running
        self._effects[running.id] = end
        if running.looks == 0:
            self._end(running)
        return running

    def _advance(self, running: LongRunningOperation) -> None:
        if running.ends_now(self._clock()):
            self._end(running)

    def _end(self, running: LongRunningOperation) -> None:
        running.ended = self._clock()
        machine = self.machines.get(running.key[1])
        if machine is not None and machine.running is running:
            machine.running = None
        effect = self._effects.pop(running.id)
        if running.effective:
            effect()

    def _check_quota(self, size: SeedSize, location: str) -> None:
        for family, limit in ((size.family, self.seed.cores), (None, self.seed.region_cores)):
            used = self.used(location, family)
            if used + size.cores > limit:
                raise errors.quota_exceeded(family or "Total Regional", location, limit, used, size.cores)

    def _has_image(self, definition: str, version: str | None, location: str) -> bool:
        gallery = self._gallery()
        if version is None:
            return gallery.latest(definition, location) is not None
        record = gallery.versions.get(definition.casefold(), {}).get(version.casefold())
        if record is None or record.state != "Succeeded":
            return False
        profile = record.document["properties"].get("publishingProfile") or {}
        return any(short_name(each["name"]) == location for each in profile.get("targetRegions") or ())
