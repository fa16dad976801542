"""Sizes of machines: what they run, whether they can be had, and how much of a quota they take. Pure.

Source: REST reference, “Resource Skus - List” (all values of capabilities are texts) and “Usage - List”.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import StrictStr, TypeAdapter

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.machines.reading import Part, read
from slipway.bot.clouds.machine_model import QuotaUse

_CORES = "cores"
"""The quota of a region over all families."""

_UNIT = "vCPUs"


class _Capability(Part):
    name: StrictStr
    value: StrictStr


class _Restriction(Part):
    type: StrictStr = ""
    reason_code: StrictStr = ""


class _Sku(Part):
    resource_type: StrictStr
    name: StrictStr
    family: StrictStr = ""
    capabilities: tuple[_Capability, ...] = ()
    restrictions: tuple[_Restriction, ...] = ()


class _Named(Part):
    value: StrictStr
    localized_value: StrictStr = ""


class _Usage(Part):
    name: _Named
    current_value: float
    limit: float


_SKU = TypeAdapter(_Sku)
_USAGE = TypeAdapter(_Usage)


@dataclass(frozen=True)
class Size:
    """A size of machines in a region.

    Attributes:
        architecture: as the gallery writes it, ``x64`` or ``Arm64``.
        cores: how many vCPUs a machine counts; None where Azure does not say.
        family: whose quota it counts against.
        refused: why this subscription cannot have it there, in Azure's word; empty where it can.
    """

    name: str
    architecture: str
    cores: int | None
    family: str
    refused: str


def find_size(skus: Iterable[object], wanted: str, account: AzureAccount) -> Size | None:
    """The size of this name among all that a region sells; None where it sells none."""
    for each in skus:
        # Disks and much else stand in the same listing, in shapes of their own.
        match each:
            case {"resourceType": "virtualMachines", "name": str(name)} if (
                name.casefold() == wanted.casefold()
            ):
                pass
            case _:
                continue
        sku: _Sku = read(_SKU, each, "a machine size", account)
        known = {capability.name: capability.value for capability in sku.capabilities}
        cores = known.get("vCPUs", "")
        whole = [limit for limit in sku.restrictions if limit.type.casefold() == "location"]
        return Size(
            name=sku.name,
            architecture=known.get("CpuArchitectureType") or "x64",
            cores=int(cores) if cores.isdecimal() else None,
            family=sku.family,
            refused=whole[0].reason_code or "restricted" if whole else "",
        )
    return None


def quotas(usages: Iterable[object], size: Size, count: int, account: AzureAccount) -> tuple[QuotaUse, ...]:
    """The quotas that machines of this size count against: the family's and the region's."""
    needed = float((size.cores or 0) * count)
    found = []
    for each in usages:
        usage: _Usage = read(_USAGE, each, "a quota", account)
        if usage.name.value.casefold() in (_CORES, size.family.casefold()):
            title = usage.name.localized_value or usage.name.value
            found.append(QuotaUse(title, usage.current_value, usage.limit, needed, _UNIT))
    return tuple(found)
