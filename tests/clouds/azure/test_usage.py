"""What uses a gallery's versions, by the simulated Resource Manager's listings of machines and scale sets."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.images.usage import MACHINES, SCALE_SETS, read_uses
from slipway.bot.clouds.model import VersionNumber
from slipway.bot.clouds.ports.image_usage import ImageUse
from slipway.bot.clouds.simulated.faults import Fault, FaultKind
from slipway.bot.core.errors import CloudError
from tests.support.azure import X64, azure_harness
from tests.support.clock import NOW

GALLERY = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/Fedora"
NUMBER = VersionNumber.parse("43.1.0")


def machine(reference: Any, name: str = "vm-1") -> dict[str, Any]:
    path = f"/subscriptions/s/resourceGroups/shop/providers/Microsoft.Compute/virtualMachines/{name}"
    return {"id": path, "name": name, "properties": {"storageProfile": {"imageReference": reference}}}


def scale_set(reference: Any, name: str = "web") -> dict[str, Any]:
    profile = {"storageProfile": {"imageReference": reference}}
    path = f"/subscriptions/s/resourceGroups/shop/providers/Microsoft.Compute/virtualMachineScaleSets/{name}"
    return {"id": path, "name": name, "properties": {"virtualMachineProfile": profile}}


def uses(entry: dict[str, Any]) -> list[ImageUse]:
    kind = SCALE_SETS if "virtualMachineScaleSets" in entry["id"] else MACHINES
    return list(read_uses([entry], kind, GALLERY, AzureAccount()))


@pytest.mark.parametrize(
    "reference",
    [
        {"id": f"{GALLERY}/images/{X64}/versions/43.1.0"},
        {"id": f"{GALLERY}/images/{X64}/versions/43.1.0".upper()},
        {"id": f"{GALLERY}/images/{X64}", "exactVersion": "43.1.0"},
        {"communityGalleryImageId": f"/CommunityGalleries/Fedora-5e266ba4/Images/{X64}/Versions/43.1.0"},
        {"sharedGalleryImageId": f"/SharedGalleries/unique-Fedora/Images/{X64}/Versions/43.1.0"},
    ],
)
def test_a_machine_uses_the_version_that_it_names(reference: dict[str, str]) -> None:
    (found,) = uses(machine(reference))
    assert (found.definition.casefold(), found.number) == (X64.casefold(), NUMBER)
    assert found.by == "machine vm-1 of shop"


@pytest.mark.parametrize("path", [f"{GALLERY}/images/{X64}", f"{GALLERY}/images/{X64}/versions/latest"])
def test_a_scale_set_without_a_version_uses_what_is_latest(path: str) -> None:
    (found,) = uses(scale_set({"id": path}))
    assert (found.number, found.by) == (None, "scale set web of shop, which launches the latest")


@pytest.mark.parametrize(
    "reference",
    [
        None,
        {
            "publisher": "Canonical",
            "offer": "ubuntu",
            "sku": "24_04",
            "version": "latest",
            "exactVersion": "24.04.2",
        },
        {"id": f"{GALLERY}Other/images/{X64}/versions/43.1.0"},
        {"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/mine"},
    ],
)
def test_what_is_of_no_version_of_the_gallery_uses_none(reference: Any) -> None:
    assert uses(machine(reference)) == []
    assert uses(scale_set(reference)) == []


def test_a_scale_set_without_a_profile_uses_none() -> None:
    entry = scale_set(None)
    entry["properties"] = {"orchestrationMode": "Flexible"}
    assert uses(entry) == []


@pytest.mark.parametrize(
    "entry",
    [
        {"id": "x"},
        machine("text"),
        machine({"id": 7}),
        machine({"id": f"{GALLERY}/images/{X64}/versions/newest"}),
        machine({"id": f"{GALLERY}/images/{X64}", "exactVersion": 7}),
    ],
)
def test_what_cannot_be_read_is_an_error_and_never_nothing(entry: dict[str, Any]) -> None:
    with pytest.raises(CloudError, match="in a way that cannot be read"):
        list(read_uses([entry], MACHINES, GALLERY, AzureAccount()))


async def test_two_listings_tell_of_the_whole_subscription_and_a_refusal_is_an_error() -> None:
    async with azure_harness() as here:
        (listing,) = [each for each in await here.gallery.definitions() if each.name == X64]
        some = (await here.gallery.versions(listing.name)).versions[0]
        (path,) = set((await here.gallery.image_ids(some)).values())
        for number in range(120):  # more than a page
            name = f"web{number}"
            here.azure.machines.things["Microsoft.Compute/virtualMachineScaleSets"][name] = scale_set(
                {"id": path.id}, name
            )
        found = await here.gallery.usage(NOW)
        assert {(each.definition, each.number) for each in found} == {(X64, some.number)}
        assert len(found) == 120
        here.azure.faults.add(Fault(kind=FaultKind.REFUSE, match="*virtualMachineScaleSets*"))
        with pytest.raises(CloudError, match="scale sets of the subscription"):
            await here.gallery.usage(NOW)
