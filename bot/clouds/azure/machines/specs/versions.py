"""Template specs as templates: which version counts, what it fixes, and whether it is still as it was planned with.

A profile names one as ``spec:GROUP/NAME``, or with a version behind: ``spec:GROUP/NAME/1.0``.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.machines import calls
from slipway.bot.clouds.azure.machines.calls import MachineCalls
from slipway.bot.clouds.azure.machines.preflight import LaunchChecks
from slipway.bot.clouds.azure.machines.specs.contract import SIZE, SpecTemplate, UnfitTemplateError
from slipway.bot.clouds.azure.machines.templates import fixed
from slipway.bot.clouds.machine_description import DiskType, MachineDescription
from slipway.bot.clouds.machine_model import LaunchSpec, Template
from slipway.bot.core.errors import CloudErrorKind, UserError

PREFIX = "spec:"

_SAMPLE = {
    "machineName": "vm-000000000000-1",
    "imageId": "/an/image",
    "tags": {"slipway": "sample"},
    "adminUsername": "fedora",
    "sshPublicKey": "ssh-ed25519 AAAA",
    "customData": base64.b64encode(b"#cloud-config\n").decode("ascii"),
}
"""What a template is read with before there is a launch."""


def is_spec(name: str) -> bool:
    """Whether a profile's template is a template spec."""
    return name.startswith(PREFIX)


class SpecTemplates:
    """The template specs of an account's subscription.

    Args:
        account: for errors.
        machine_calls: asks Azure.
        checks: tells what sizes are.
    """

    def __init__(self, account: AzureAccount, machine_calls: MachineCalls, checks: LaunchChecks) -> None:
        self._account = account
        self._calls = machine_calls
        self._checks = checks

    async def template(self, name: str, version: int | str | None, region: str) -> Template:
        """A spec as a template, at the version that a plan pinned, or that the profile names, or else its newest.

        Raises:
            UserError: it is not as it was at this version any more, or Slipway makes no machines by it.
            CloudError: NOT_FOUND where there is none; it cannot be read.
        """
        found = await self.find(name, version)
        if version is not None and found.pinned != version:
            raise UserError(f"The template {name} is another one by now; ask for the launch again.")
        described = self.described(name, found, region, None)
        size = await self._checks.size(region, described.size)
        if size is None:
            raise self._account.error(
                CloudErrorKind.CONFIGURATION,
                f"{self._account.title} has no machines of the size {described.size} in {region}.",
            )
        return Template(
            id=name,
            name=name,
            version=found.pinned,
            instance_type=size.name,
            architectures=(size.architecture,),
            user_data=found.user_data,
            fixed=fixed(described),
        )

    async def pinned(self, spec: LaunchSpec) -> SpecTemplate:
        """The template that a launch was planned with.

        Raises:
            CloudError: CONFLICT where it is another one by now.
        """
        found = await self.find(spec.template_id, spec.template_version)
        if found.pinned != spec.template_version:
            raise self._account.error(
                CloudErrorKind.CONFLICT,
                f"The template {spec.template_id} is another one by now, so nothing was launched.",
            )
        return found

    def described(self, name: str, found: SpecTemplate, region: str, size: str | None) -> MachineDescription:
        """What its machines are like, in the words of a description; ``size`` is one that was chosen.

        Raises:
            UserError: Slipway makes no machines by it.
        """
        if size is not None and not found.sizeable:
            raise UserError(
                f"The template {name} fixes the type of its machines: it has no parameter {SIZE}.",
                hint="profiles",
            )
        chosen = {} if size is None else {SIZE: size}
        try:
            _ = found.user_data  # raises where it cannot be read
            machine = found.machine({**_SAMPLE, **chosen, "location": region}, self._calls.group)
            return _described(machine)
        except UnfitTemplateError as error:
            raise UserError(
                f"Slipway makes no machines by the template {name} ({found.version}): it {error}.",
                hint="profiles",
            ) from error

    async def find(self, name: str, version: int | str | None) -> SpecTemplate:
        """A version of a spec, read.

        Raises:
            CloudError: NOT_FOUND where there is none; it cannot be read.
        """
        group, _, rest = name.removeprefix(PREFIX).partition("/")
        spec, _, named = rest.partition("/")
        path = (
            f"{self._calls.subscription}/resourceGroups/{quote(group, safe='')}"
            f"/providers/{calls.SPECS.type}/{quote(spec, safe='')}/versions"
        )
        wanted = named or (str(version).partition("@")[0] if version is not None else "")
        if not wanted:
            wanted = await self._newest(name, path)
        document = await self._calls.read(
            f"{path}/{quote(wanted, safe='')}", calls.SPECS, f"show the template {name} ({wanted})"
        )
        match document:
            case {"id": str(link), "name": str(called), "properties": {"mainTemplate": dict(template)}}:
                return SpecTemplate(link, called, template)
        raise self._account.unexpected_answer(
            f"{self._account.title} was asked to show the template {name} and gave an answer that cannot be read."
        )

    async def _newest(self, name: str, path: str) -> str:
        """The version that was made last."""
        listed = await self._calls.list(path, calls.SPECS, f"the versions of the template {name}")
        made = [(_made_at(each), str(each.get("name"))) for each in listed if isinstance(each, dict)]
        if not made:
            raise self._account.error(
                CloudErrorKind.NOT_FOUND, f"The template {name} has no version in {self._account.title}."
            )
        return max(made)[1]


def _made_at(version: Mapping[str, Any]) -> str:
    return str((version.get("systemData") or {}).get("createdAt") or "")


def _described(machine: Mapping[str, Any]) -> MachineDescription:
    try:
        properties = machine["properties"]
        disk = properties["storageProfile"]["osDisk"]
        (interface,) = properties["networkProfile"]["networkInterfaceConfigurations"]
        (address,) = interface["properties"]["ipConfigurations"]
        group = interface["properties"].get("networkSecurityGroup")
        return MachineDescription(
            size=properties["hardwareProfile"]["vmSize"],
            subnet=address["properties"]["subnet"]["id"],
            security_group=group and group["id"],
            public_address="publicIPAddressConfiguration" in address["properties"],
            os_disk_gib=disk.get("diskSizeGB"),
            os_disk_type=DiskType((disk.get("managedDisk") or {}).get("storageAccountType", DiskType.HDD)),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnfitTemplateError("describes its machine in a way that Slipway cannot show") from error
