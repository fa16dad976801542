"""Descriptions of slipway.toml as templates, and where in Azure what they name is."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.machines import calls
from slipway.bot.clouds.azure.machines.calls import MachineCalls
from slipway.bot.clouds.azure.machines.documents import MachinePlace
from slipway.bot.clouds.azure.machines.preflight import LaunchChecks
from slipway.bot.clouds.azure.machines.sizes import Size
from slipway.bot.clouds.machine_description import MachineDescription
from slipway.bot.clouds.machine_model import Backstop, LaunchSpec, Template
from slipway.bot.core.errors import CloudErrorKind, UserError


class DescribedTemplates:
    """The account's descriptions.

    Args:
        account: for errors.
        machine_calls: knows where the resource group is.
        checks: tells what sizes are.
        gallery_id: the gallery whose versions machines are launched from.
        descriptions: by the names of their profiles.
    """

    def __init__(
        self,
        account: AzureAccount,
        machine_calls: MachineCalls,
        checks: LaunchChecks,
        gallery_id: str,
        descriptions: Mapping[str, MachineDescription],
    ) -> None:
        self._account = account
        self._calls = machine_calls
        self._checks = checks
        self._gallery_id = gallery_id
        self._descriptions = descriptions
        self._sizes: dict[tuple[str, str], Size] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, in order."""
        return tuple(sorted(self._descriptions))

    @property
    def scheduled(self) -> bool:
        """Whether any has Azure stop its machines by the clock."""
        return any(each.auto_shutdown for each in self._descriptions.values())

    async def template(self, name: str, version: int | str | None, region: str) -> Template:
        """A description as a template.

        Raises:
            UserError: it is not as it was at this version any more.
            CloudError: NOT_FOUND where there is none; CONFIGURATION where the region has no such size.
        """
        described = self._description(name)
        if version is not None and version != described.version:
            raise UserError(
                f"The machines of {name} are described otherwise by now; ask for the launch again."
            )
        size = await self._size(region, described.size)
        return Template(
            id=name,
            name=name,
            version=described.version,
            instance_type=size.name,
            architectures=(size.architecture,),
            user_data=described.user_data.encode(),
            fixed=fixed(described.at(region)),
            backstop=Backstop.CLOUD_SCHEDULE if described.auto_shutdown else None,
        )

    def pinned(self, spec: LaunchSpec, region: str) -> MachineDescription:
        """The description that a launch was planned with, in the words of the region.

        Raises:
            CloudError: CONFLICT where it is another one by now.
        """
        described = self._description(spec.template_id)
        if described.version != spec.template_version:
            raise self._account.error(
                CloudErrorKind.CONFLICT,
                f"The machines of {spec.template_id} are described otherwise by now, so nothing was launched.",
            )
        return described.at(region)

    def place(self, spec: LaunchSpec, described: MachineDescription, region: str) -> MachinePlace:
        """Where a launch of machines that are described so is."""
        definition, _, number = spec.image_id.partition("/")
        group = described.security_group
        return MachinePlace(
            region=region,
            subnet=self._subnet_id(described.subnet),
            security_group=group
            and (group if "/" in group else self._calls.id(calls.SECURITY_GROUPS, group)),
            image=f"{self._gallery_id}/images/{definition}/versions/{number}",
        )

    def _subnet_id(self, subnet: str) -> str:
        if subnet.startswith("/"):
            return subnet
        network, _, name = subnet.partition("/")
        return self._calls.id(calls.NETWORKS, network, "subnets", name)

    def _description(self, name: str) -> MachineDescription:
        found = self._descriptions.get(name)
        if found is None:
            raise self._account.error(
                CloudErrorKind.NOT_FOUND, f"No profile {name} describes machines for {self._account.title}."
            )
        return found

    async def _size(self, region: str, name: str) -> Size:
        """A size; what was found once does not change."""
        found = self._sizes.get((region, name)) or await self._checks.size(region, name)
        if found is None:
            raise self._account.error(
                CloudErrorKind.CONFIGURATION,
                f"{self._account.title} has no machines of the size {name} in {region}.",
            )
        self._sizes[region, name] = found
        return found


def fixed(described: MachineDescription) -> tuple[tuple[str, str], ...]:
    """What a description fixes, as labelled words."""
    size = "as the image has it" if described.os_disk_gib is None else f"{described.os_disk_gib} GiB"
    return (
        ("Subnet", described.subnet.rpartition("/virtualNetworks/")[2].replace("/subnets/", "/")),
        ("Security group", (described.security_group or "the subnet's alone").rpartition("/")[2]),
        ("Public address", "yes" if described.public_address else "no"),
        ("Disk", f"{size}, {described.os_disk_type}"),
    )
