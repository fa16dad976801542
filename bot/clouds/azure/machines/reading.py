"""ARM's JSON of machines, and of what belongs to them, read into the model. Pure.

Whatever does not look as documented is an error, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictStr, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.documents import Name, cannot_be_read, place_of
from slipway.bot.clouds.azure.error_codes import kind_of
from slipway.bot.clouds.azure.regions import normalise_region
from slipway.bot.clouds.machine_model import Health, HealthState, Instance, InstanceEnd, InstanceState
from slipway.bot.core.errors import CloudErrorKind

_VERSION_ID = re.compile(r".*/images/([^/]+)/versions/([^/]+)", re.IGNORECASE)


class Part(BaseModel):
    """Part of a document of ARM's: what else it has is passed over."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


def _texts(value: object) -> object:
    """Tags as texts: one without a value is there, and empty."""
    if not isinstance(value, dict):
        return value
    return {name: "" if text is None else text for name, text in value.items()}


Tags = Annotated[dict[StrictStr, StrictStr] | None, BeforeValidator(_texts)]


class _Ref(Part):
    id: Name


class _Status(Part):
    code: StrictStr
    message: StrictStr | None = None


class _Agent(Part):
    statuses: tuple[_Status, ...] = ()


class View(Part):
    """What a machine is doing: its instance view."""

    statuses: tuple[_Status, ...] = ()
    vm_agent: _Agent | None = None


class _Hardware(Part):
    vm_size: StrictStr = ""


class _ImageReference(Part):
    id: StrictStr | None = None


class _Storage(Part):
    image_reference: _ImageReference | None = None


class _Network(Part):
    network_interfaces: tuple[_Ref, ...] | None = None


class _MachineProperties(Part):
    provisioning_state: StrictStr = ""
    hardware_profile: _Hardware = _Hardware()
    storage_profile: _Storage | None = None
    network_profile: _Network | None = None
    instance_view: View | None = None
    time_created: datetime


class Machine(Part):
    """A machine as ARM shows it."""

    id: Name
    name: Name
    location: StrictStr
    tags: Tags = None
    properties: _MachineProperties


class _AddressProperties(Part):
    ip_address: StrictStr | None = None
    ip_configuration: _Ref | None = None


class Address(Part):
    """A public address."""

    id: Name
    name: Name
    location: StrictStr = ""
    tags: Tags = None
    properties: _AddressProperties


class _ConfigurationProperties(Part):
    private_ip_address: StrictStr | None = Field(None, alias="privateIPAddress")
    public_ip_address: _Ref | None = Field(None, alias="publicIPAddress")


class _Configuration(Part):
    properties: _ConfigurationProperties


class _InterfaceProperties(Part):
    ip_configurations: tuple[_Configuration, ...] = ()
    virtual_machine: _Ref | None = None


class Interface(Part):
    """A network interface."""

    id: Name
    name: Name
    location: StrictStr = ""
    tags: Tags = None
    properties: _InterfaceProperties


class _ThingProperties(Part):
    ip_configuration: _Ref | None = None


class Thing(Part):
    """Anything that may be left behind, as far as it says whose it is."""

    id: Name
    name: Name
    location: StrictStr = ""
    tags: Tags = None
    managed_by: StrictStr | None = None
    properties: _ThingProperties = _ThingProperties()

    @property
    def goes_with_another(self) -> bool:
        """Whether it is an address that an interface uses: it cannot be deleted, and goes with that."""
        return self.properties.ip_configuration is not None


class _Viewed(Part):
    instance_view: View | None = None


class _StatusOnly(Part):
    id: Name
    properties: _Viewed


@dataclass(frozen=True)
class Addresses:
    """Under which address each machine is reached, by the machine's id in small letters."""

    by_machine: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, interfaces: Iterable[Interface], addresses: Iterable[Address]) -> Addresses:
        """Public ones where there are any, or else private ones."""
        public = {each.id.casefold(): each.properties.ip_address or "" for each in addresses}
        found: dict[str, str] = {}
        for interface in interfaces:
            if interface.properties.virtual_machine is None:
                continue
            machine = interface.properties.virtual_machine.id.casefold()
            for each in interface.properties.ip_configurations:
                known = each.properties.public_ip_address
                shown = public.get(known.id.casefold(), "") if known else ""
                found[machine] = shown or found.get(machine) or each.properties.private_ip_address or ""
        return cls(found)


_MACHINE = TypeAdapter(Machine)
_THING = TypeAdapter(Thing)
_ADDRESS = TypeAdapter(Address)
_INTERFACE = TypeAdapter(Interface)
_STATUS_ONLY = TypeAdapter(_StatusOnly)


def read(adapter: TypeAdapter[Any], document: object, what: str, account: AzureAccount) -> Any:
    """A document of this shape.

    Raises:
        CloudError: UNEXPECTED_ANSWER where a field is missing or of another type.
    """
    try:
        return adapter.validate_python(document)
    except ValidationError as error:
        raise cannot_be_read(what, place_of(error), account) from error


def read_machine(document: object, account: AzureAccount) -> Machine:
    """One machine; UNEXPECTED_ANSWER where it is none."""
    machine: Machine = read(_MACHINE, document, "a machine", account)
    return machine


def instance(machine: Machine, view: View | None, addresses: Addresses, cloud: str) -> Instance:
    """The machine in the model's words."""
    state, end = state_of(machine, view)
    image = machine.properties.storage_profile and machine.properties.storage_profile.image_reference
    found = _VERSION_ID.fullmatch(image.id) if image and image.id else None
    return Instance(
        id=machine.name,
        image_id=f"{found[1]}/{found[2]}" if found else (image.id or "" if image else ""),
        instance_type=machine.properties.hardware_profile.vm_size,
        state=state,
        region=normalise_region(machine.location),
        launched_at=_utc(machine.properties.time_created),
        address=addresses.by_machine.get(machine.id.casefold(), ""),
        tags=machine.tags or {},
        end=end,
        cloud=cloud,
    )


_POWER = {
    "starting": InstanceState.PENDING,
    "running": InstanceState.RUNNING,
    "stopping": InstanceState.SHUT_DOWN,
    "stopped": InstanceState.SHUT_DOWN,
    "deallocating": InstanceState.STOPPING,
    "deallocated": InstanceState.STOPPED,
}
"""By ``PowerState/…``. Source: “States and billing status of Azure Virtual Machines”."""


def state_of(machine: Machine, view: View | None) -> tuple[InstanceState, InstanceEnd | None]:
    """What it is doing, and why it never came up where that is so.

    A machine that Azure failed to make has no power state: it is as good as gone, and left behind.
    """
    provisioning = machine.properties.provisioning_state.casefold()
    if provisioning == "deleting":
        return InstanceState.SHUTTING_DOWN, None
    if provisioning == "creating":
        return InstanceState.PENDING, None
    power = power_state(view)
    if power in _POWER:
        return _POWER[power], None
    if provisioning == "failed":
        return InstanceState.SHUTTING_DOWN, failure(view)
    return InstanceState.PENDING, None


def power_state(view: View | None) -> str:
    """Such as ``running`` or ``deallocated``; empty where Azure does not say."""
    for status in view.statuses if view else ():
        kind, _, word = status.code.casefold().partition("/")
        if kind == "powerstate":
            return word
    return ""


def failure(view: View | None) -> InstanceEnd:
    """Why a machine was not made: ``ProvisioningState/failed/AllocationFailed`` and Azure's words."""
    for status in view.statuses if view else ():
        kind, _, rest = status.code.partition("/")
        word, _, code = rest.partition("/")
        if (kind.casefold(), word.casefold()) == ("provisioningstate", "failed"):
            message = status.message or ""
            known = kind_of(code, message) or CloudErrorKind.BROKEN
            return InstanceEnd(known, message or code or "Azure failed to make it", code)
    return InstanceEnd(CloudErrorKind.BROKEN, "Azure failed to make it")


def health(machine: Machine, view: View | None) -> Health:
    """Whether it came up, by what Azure's agent in it says.

    An image without the agent never says; that it was made is no proof that it boots.
    """
    if machine.properties.provisioning_state.casefold() == "failed":
        return Health(HealthState.FAILED, failure(view).reason)
    codes = {status.code.casefold() for status in (view.vm_agent.statuses if view and view.vm_agent else ())}
    return Health(HealthState.PASSED if "provisioningstate/succeeded" in codes else HealthState.UNKNOWN)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def read_things(documents: Iterable[object], what: str, account: AzureAccount) -> list[Thing]:
    """Resources of any kind, as far as they say whose they are."""
    return [read(_THING, each, what, account) for each in documents]


def read_addresses(
    interfaces: Iterable[object], addresses: Iterable[object], machines: Container[str], account: AzureAccount
) -> Addresses:
    """Under which address each of these machines is reached, by the listings of both; ``machines`` are ids in small
    letters. What belongs to others is passed over, however odd."""
    held: list[Interface] = [
        read(_INTERFACE, each, "a network interface", account)
        for each in interfaces
        if _machine_of(each) in machines
    ]
    used = {
        known.id.casefold()
        for interface in held
        for each in interface.properties.ip_configurations
        if (known := each.properties.public_ip_address)
    }
    return Addresses.of(
        held,
        [read(_ADDRESS, each, "a public address", account) for each in addresses if _id_of(each) in used],
    )


def _id_of(document: object) -> str:
    """The id of a document in small letters; empty where it has none."""
    match document:
        case {"id": str(name)}:
            return name.casefold()
        case _:
            return ""


def _machine_of(interface: object) -> str:
    """The id of the machine that an interface is of, in small letters; empty where there is none."""
    match interface:
        case {"properties": {"virtualMachine": machine}}:
            return _id_of(machine)
        case _:
            return ""


def read_views(
    documents: Iterable[object], machines: Container[str], account: AzureAccount
) -> Mapping[str, View]:
    """What these machines are doing, by their ids in small letters; others are passed over, however odd."""
    found = [
        read(_STATUS_ONLY, each, "the state of a machine", account)
        for each in documents
        if _id_of(each) in machines
    ]
    return {
        each.id.casefold(): each.properties.instance_view for each in found if each.properties.instance_view
    }
