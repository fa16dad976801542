"""What a template has to be like for Slipway to make machines by it. Pure.

It makes one machine, of the name, the image and with the tags that Slipway gives it; what belongs to the machine is
made with it and goes with it. So machines are told from others, and ended one by one, as all others are.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from slipway.bot.clouds.azure.machines import names
from slipway.bot.clouds.azure.machines.documents import Login, MachinePlace
from slipway.bot.clouds.azure.machines.specs.expressions import Scope, UnknownExpressionError

REQUIRED = (
    "machineName",
    "location",
    "imageId",
    "tags",
    "adminUsername",
    "sshPublicKey",
    "customData",
)
"""Parameters that Slipway gives, and that a template has to have."""

SIZE = "machineSize"
"""A parameter that a template may have: then profiles can let people choose the size."""

_MACHINE = "Microsoft.Compute/virtualMachines"
_DIGITS = 12
_NO_USER_DATA = b"#cloud-config\n"
"""Azure refuses custom data that is empty."""

_DELETE = "delete"


class UnfitTemplateError(ValueError):
    """A template that Slipway makes no machines by; the text says why, as the rest of a sentence that names it."""


@dataclass(frozen=True)
class SpecTemplate:
    """The template of one version of a spec.

    Attributes:
        link: the version's id.
        version: its name.
        template: the template itself.
    """

    link: str
    version: str
    template: Mapping[str, Any]

    @property
    def pinned(self) -> str:
        """Its version as plans hold it: with its digest, because Azure lets a version be written anew."""
        canonical = json.dumps(self.template, sort_keys=True, separators=(",", ":"))
        return f"{self.version}@{sha256(canonical.encode()).hexdigest()[:_DIGITS]}"

    @property
    def sizeable(self) -> bool:
        """Whether the size can be chosen."""
        return SIZE.casefold() in self._declared()

    @property
    def user_data(self) -> bytes:
        """What it has cloud-init do where nobody says otherwise: the default of ``customData``.

        Raises:
            UnfitTemplateError: it is no base64.
        """
        default = self._declared().get("customdata", {}).get("defaultValue") or ""
        try:
            return base64.b64decode(default, validate=True)
        except (TypeError, ValueError):
            raise UnfitTemplateError("has a customData whose default is no base64") from None

    def machine(self, parameters: Mapping[str, Any], group: str) -> Mapping[str, Any]:
        """The one machine that it makes of these parameters.

        Raises:
            UnfitTemplateError: it is not as it has to be.
        """
        declared = self._declared()
        lacking = [name for name in REQUIRED if name.casefold() not in declared]
        if lacking:
            raise UnfitTemplateError(f"has no parameter {' and no parameter '.join(lacking)}")
        given = {name.casefold(): value for name, value in parameters.items()}
        known = {name: each["defaultValue"] for name, each in declared.items() if "defaultValue" in each}
        if unknown := sorted(declared.keys() - known.keys() - given.keys()):
            raise UnfitTemplateError(f"wants {' and '.join(unknown)}, which Slipway does not give")
        variables = {name.casefold(): each for name, each in (self.template.get("variables") or {}).items()}
        resources = self.template.get("resources")
        if isinstance(resources, Mapping):  # Bicep writes them by their symbolic names
            resources = list(resources.values())
        if not isinstance(resources, list) or len(resources) != 1 or not isinstance(resources[0], Mapping):
            raise UnfitTemplateError("does not make one machine and nothing else")
        try:
            machine = Scope(given, known, variables, group).value(dict(resources[0]))
        except UnknownExpressionError as error:
            raise UnfitTemplateError(f"holds {error}, which Slipway cannot work out") from error
        try:
            wrong = next(_mistakes(machine, parameters), "")
        except (AttributeError, KeyError, TypeError) as error:
            raise UnfitTemplateError("describes its machine in a way that cannot be read") from error
        if wrong:
            raise UnfitTemplateError(wrong)
        return dict(machine)

    def _declared(self) -> Mapping[str, Any]:
        found = self.template.get("parameters")
        return {name.casefold(): each for name, each in found.items()} if isinstance(found, dict) else {}


def spec_parameters(
    machine: str,
    place: MachinePlace,
    login: Login,
    user_data: bytes,
    tags: Mapping[str, str],
    *,
    size: str | None,
) -> dict[str, Any]:
    """What a template is given for one machine. Of several keys, Azure gets the first: cloud-init has all."""
    given = {
        "machineName": machine,
        "location": place.region,
        "imageId": place.image,
        "tags": dict(tags),
        "adminUsername": login.user,
        "sshPublicKey": login.keys[0],
        "customData": base64.b64encode(user_data or _NO_USER_DATA).decode("ascii"),
    }
    return given if size is None else {**given, SIZE: size}


def _mistakes(machine: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a machine, each as the rest of a sentence."""
    if str(machine["type"]).casefold() != _MACHINE.casefold() or "copy" in machine or "condition" in machine:
        yield "does not make one machine and nothing else"
    properties = machine["properties"]
    storage, login = properties["storageProfile"], properties["osProfile"]
    as_given = {
        "machineName": machine["name"],
        "location": machine["location"],
        "tags": machine["tags"],
        "imageId": storage["imageReference"]["id"],
        "adminUsername": login["adminUsername"],
        "customData": login["customData"],
    }
    for name, value in as_given.items():
        if value != given[name]:
            yield f"does not use the parameter {name} as it is"
    if given["sshPublicKey"] not in (
        each["keyData"] for each in login["linuxConfiguration"]["ssh"]["publicKeys"]
    ):
        yield "does not use the parameter sshPublicKey as it is"
    if storage.get("dataDisks"):
        yield "adds disks of its own, which Slipway does not take away"
    yield from _left_behind("disk", storage["osDisk"]["name"], storage["osDisk"], given)
    network = properties["networkProfile"]
    if network.get("networkInterfaces") or not network["networkInterfaceConfigurations"]:
        yield "does not have its machine make the network interface (networkInterfaceConfigurations)"
    for interface in network["networkInterfaceConfigurations"]:
        yield from _left_behind("network interface", interface["name"], interface["properties"], given)
        for each in interface["properties"]["ipConfigurations"]:
            address = each["properties"].get("publicIPAddressConfiguration")
            if address is not None:
                yield from _left_behind("public address", address["name"], address["properties"], given)


def _left_behind(
    what: str, name: str, properties: Mapping[str, Any], given: Mapping[str, Any]
) -> Iterator[str]:
    """Whether something would stay when its machine goes, or could not be told from others' by its name then."""
    if str(properties.get("deleteOption")).casefold() != _DELETE:
        yield f"does not have the {what} deleted with its machine (deleteOption)"
    if not names.is_part(name, given["machineName"]):
        yield f"does not name the {what} as the machine with -nic, -ip or -os behind it"
