"""Errors that compute and network give about machines: status, code, words. Sources stand at each."""

from __future__ import annotations

from slipway.bot.clouds.simulated.azure.errors import ArmError


def missing_parameter(name: str) -> ArmError:
    """Recorded 2017."""
    return ArmError(400, "InvalidParameter", f"Required parameter '{name}' is missing (null).", name)


def invalid_parameter(name: str, value: str) -> ArmError:
    """Known words of compute; the code is recorded."""
    return ArmError(
        400, "InvalidParameter", f"The value {value} provided for parameter {name} is not valid.", name
    )


def unknown_size(size: str, location: str) -> ArmError:
    """A size that the region does not sell. (The words are reported.)"""
    return ArmError(
        400,
        "InvalidParameter",
        f"The value {size} provided for the VM size is not valid. The valid sizes in the current region are: … "
        f"({location}).",
    )


def size_not_available(size: str, location: str) -> ArmError:
    """The words are reported of a deployment; that a request by itself answers 409 is a guess of the records'."""
    return ArmError(
        409,
        "SkuNotAvailable",
        f"The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: {size}' is "
        f"currently not available in location '{location}'. Please try another size or deploy to a different "
        "location or different zone. See https://aka.ms/azureskunotavailable for details.",
    )


def quota_exceeded(family: str, location: str, limit: int, used: int, needed: int) -> ArmError:
    """Status and code are recorded with older words; these are documented."""
    return ArmError(
        409,
        "OperationNotAllowed",
        f"Operation could not be completed as it results in exceeding approved {family} Cores quota. Additional "
        f"details - Deployment Model: Resource Manager, Location: {location}, Current Limit: {limit}, Current "
        f"Usage: {used}, Additional Required: {needed}, (Minimum) New Limit Required: {used + needed}. Submit a "
        "request for Quota increase at https://aka.ms/ProdportalCRP/#blade/...",
    )


def image_not_there(image: str, location: str) -> ArmError:
    """Documented."""
    return ArmError(
        404,
        "GalleryImageNotFound",
        f"The gallery image {image} is not available in {location} region. Please contact image owner to replicate "
        "to this region, or change your requested region.",
    )


def reference_not_found(named: str, by: str) -> ArmError:
    """Something that a machine names is not there. (Microsoft's page on InvalidResourceReference.)"""
    return ArmError(
        400,
        "InvalidResourceReference",
        f"Resource {named} referenced by resource {by} was not found. Please make sure that the referenced resource "
        "exists, and that both resources are in the same region.",
    )


def there_already() -> ArmError:
    """If-None-Match met something. (No 412 of compute is recorded; the form is that of another provider's.)"""
    return ArmError(
        412,
        "PreconditionFailed",
        "The condition '*' in the If-None-Match header was not satisfied.",
    )


def being_deleted(name: str) -> ArmError:
    """The words are those that compute has for all that is marked so."""
    return ArmError(
        409,
        "OperationNotAllowed",
        f"Operation is not allowed on VM '{name}' since the VM is marked for deletion. You can only retry the Delete "
        "operation (or wait for an ongoing one to complete).",
    )


def interface_in_use(interface: str, machine: str) -> ArmError:
    """Microsoft's page on deleting network interfaces."""
    return ArmError(
        400,
        "NicInUse",
        f"Network Interface {interface} is used by existing resource {machine}. In order to delete the network "
        "interface, it must be dissociated from the resource.",
    )


def address_in_use(address: str, user: str) -> ArmError:
    """Microsoft's page on InUsePublicIPAddressCannotBeDeleted."""
    return ArmError(
        400,
        "PublicIPAddressCannotBeDeleted",
        f"Public IP address {address} can not be deleted since it is still allocated to resource {user}.",
    )


def disk_in_use(disk: str, machine: str) -> ArmError:
    """Microsoft's page on disks that are attached."""
    return ArmError(409, "OperationNotAllowed", f"Disk {disk} is attached to VM {machine}.")


def no_diagnostics() -> ArmError:
    """Boot diagnostics were not asked for. (Neither code nor words are documented.)"""
    return ArmError(409, "OperationNotAllowed", "Boot diagnostics is not enabled on the VM.")


def not_found(kind: str, name: str, group: str) -> ArmError:
    """Recorded 2020; ``kind`` has its provider, as ``Microsoft.Network/networkInterfaces``."""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found. For more details please go to "
        "https://aka.ms/ARMResourceNotFoundFix",
    )
