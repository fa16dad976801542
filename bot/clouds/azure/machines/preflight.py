"""What is known of a launch before it: rights, quotas, and from where SSH is reached."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.machines import calls, firewall, rights
from slipway.bot.clouds.azure.machines.calls import Api, MachineCalls
from slipway.bot.clouds.azure.machines.documents import MachinePlace
from slipway.bot.clouds.azure.machines.sizes import Size, find_size, quotas
from slipway.bot.clouds.machine_description import MachineDescription
from slipway.bot.clouds.machine_model import LaunchSpec, Permission, Preflight, QuotaUse, SshAccess
from slipway.bot.core.errors import CloudError, CloudErrorKind

T = TypeVar("T")

_BLIND = frozenset({CloudErrorKind.UNREACHABLE, CloudErrorKind.TIMED_OUT})
"""Azure cannot be asked at all: then nothing is known, and nothing said."""


@dataclass(frozen=True)
class _Wanted:
    scope: str
    actions: tuple[str, ...]


class LaunchChecks:
    """Asks what would become of a launch. Changes nothing.

    Args:
        account: for errors.
        machine_calls: asks Azure.
    """

    def __init__(self, account: AzureAccount, machine_calls: MachineCalls) -> None:
        self._account = account
        self._calls = machine_calls

    async def size(self, region: str, name: str) -> Size | None:
        """The size of this name; None where the region does not sell it."""
        calls_ = self._calls
        found = await calls_.list(
            f"{calls_.subscription}/providers/{calls.SKUS.type}",
            calls.SKUS,
            f"the machine sizes of {region}",
            **{"$filter": f"location eq '{region}'"},
        )
        return find_size(found, name, self._account)

    async def preflight(
        self, spec: LaunchSpec, place: MachinePlace, described: MachineDescription, *, link: str = ""
    ) -> Preflight:
        """What is known; what cannot be found out is called so. ``link`` is the version of a template spec.

        Raises:
            CloudError: Azure cannot be reached.
        """
        name = spec.instance_type or described.size
        permission, size, ssh = await asyncio.gather(
            _tried(self._lacking(place, described, link)),
            _tried(self.size(place.region, name)),
            _tried(self._ssh(place, described)),
        )
        lacking: Sequence[str] = () if isinstance(permission, CloudError) else permission
        refused = size.refused if isinstance(size, Size) else ""
        why = [f"the role lacks {' and '.join(lacking)}"] if lacking else []
        if size is None:
            why.append(f"{place.region} does not have machines of the size {name}")
        if refused:
            why.append(f"this subscription cannot have {name} in {place.region} ({refused})")
        if isinstance(permission, CloudError):
            why.append(permission.sentence.rstrip("."))
        known = Permission.UNKNOWN if isinstance(permission, CloudError) else Permission.GRANTED
        return Preflight(
            permission=Permission.DENIED if lacking or refused or size is None else known,
            why="; ".join(why),
            ssh=ssh if isinstance(ssh, SshAccess) else None,
            ssh_unknown=ssh.sentence if isinstance(ssh, CloudError) else "",
            quotas=await self._quotas(place.region, size, spec.count) if isinstance(size, Size) else (),
        )

    async def _quotas(self, region: str, size: Size, count: int) -> tuple[QuotaUse, ...]:
        path = f"{self._calls.subscription}/providers/Microsoft.Compute/locations/{region}/usages"
        used = await _tried(
            self._calls.list(path, Api("Microsoft.Compute/usages", calls.COMPUTE), f"the quotas of {region}")
        )
        if isinstance(used, CloudError):
            return ()
        return quotas(used, size, count, self._account)

    async def _lacking(
        self, place: MachinePlace, described: MachineDescription, link: str
    ) -> tuple[str, ...]:
        on_group: tuple[str, ...] = rights.ON_GROUP
        if described.public_address:
            on_group += rights.WITH_ADDRESS
        if described.auto_shutdown:
            on_group += rights.WITH_SCHEDULE
        if link:
            on_group += rights.WITH_DEPLOYMENT
        wanted = [
            _Wanted(self._calls.group, on_group),
            _Wanted(place.subnet, rights.ON_SUBNET),
            _Wanted(place.image, rights.ON_IMAGE),
        ]
        if place.security_group is not None:
            wanted.append(_Wanted(place.security_group, rights.ON_SECURITY_GROUP))
        if link:
            wanted.append(_Wanted(link, rights.ON_SPEC))
        found = await asyncio.gather(*(self._lacking_at(each) for each in wanted))
        return tuple(dict.fromkeys(action for each in found for action in each))

    async def _lacking_at(self, wanted: _Wanted) -> tuple[str, ...]:
        allowed = await self._calls.list(
            f"{wanted.scope}/providers/{calls.PERMISSIONS.type}",
            calls.PERMISSIONS,
            "what Slipway's identity may do",
        )
        return rights.lacking(wanted.actions, allowed, self._account)

    async def _ssh(self, place: MachinePlace, described: MachineDescription) -> SshAccess:
        subnet = await self._calls.read(place.subnet, calls.NETWORKS, "show the subnet of the profile")
        around = (subnet.get("properties") or {}).get("networkSecurityGroup") or {}
        ids = dict.fromkeys(filter(None, (around.get("id"), place.security_group)))
        groups: list[Mapping[str, Any]] = [
            await self._calls.read(each, calls.SECURITY_GROUPS, "show the security group of the profile")
            for each in ids
        ]
        try:
            return firewall.ssh_access(groups, public_address=described.public_address)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._account.unexpected_answer(
                f"{self._account.title} described a security group in a way that cannot be read."
            ) from error


async def _tried(work: Awaitable[T]) -> T | CloudError:
    """What came of it, or why it is not known.

    Raises:
        CloudError: Azure cannot be reached.
    """
    try:
        return await work
    except CloudError as error:
        if error.kind in _BLIND:
            raise
        return error
