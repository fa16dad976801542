"""Why the service would refuse to make a machine. Pure, but for what it is told there is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from slipway.bot.clouds.simulated.azure.errors import ArmError, location_not_available
from slipway.bot.clouds.simulated.azure.machines import errors
from slipway.bot.clouds.simulated.azure.machines.seed import SeedMachines, SeedSize
from slipway.bot.clouds.simulated.azure.regions import AVAILABLE, short_name

Document = dict[str, Any]

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?")
_FORBIDDEN_USERS = frozenset({"admin", "administrator", "root", "guest", "user", "test", "a"})
"""Some of those that Azure takes no machine with. Source: FAQ about Linux machines."""

_GALLERY_IMAGE = re.compile(
    r".*/galleries/[^/]+/images/(?P<definition>[^/]+)(?:/versions/(?P<version>[^/]+))?", re.IGNORECASE
)


def check_body(name: str, body: Document, seed: SeedMachines) -> None:
    """Refuse a body that lacks something, or a value that cannot be.

    Raises:
        ArmError: the service would refuse it.
    """
    if _NAME.fullmatch(name) is None:
        raise errors.invalid_parameter("vmName", name)
    location = body.get("location")
    if not isinstance(location, str):
        raise errors.missing_parameter("location")
    if short_name(location) not in seed.locations:
        raise location_not_available(location, "virtualMachines", AVAILABLE)
    properties = body.get("properties") or {}
    for part in ("hardwareProfile", "storageProfile", "networkProfile"):
        if part not in properties:
            raise errors.missing_parameter(part)
    if properties["storageProfile"].get("osDisk", {}).get("createOption") == "Attach":
        return
    _check_login(properties.get("osProfile"))


def _check_login(login: object) -> None:
    if not isinstance(login, dict):
        raise errors.missing_parameter("osProfile")
    user = login.get("adminUsername")
    if not user:
        raise errors.missing_parameter("adminUsername")
    if str(user).casefold() in _FORBIDDEN_USERS:
        raise ArmError(400, "InvalidParameter", "The Admin Username specified is not allowed.")
    keys = ((login.get("linuxConfiguration") or {}).get("ssh") or {}).get("publicKeys") or []
    if not keys and not login.get("adminPassword"):
        raise errors.missing_parameter("linuxConfiguration.ssh.publicKeys")
    for key in keys:
        if not re.match(r"(?:ssh-rsa|ssh-ed25519) AAAA[A-Za-z0-9+/=]+", str(key.get("keyData"))):
            raise errors.invalid_parameter("linuxConfiguration.ssh.publicKeys.keyData", "***")


def size_of(body: Document, seed: SeedMachines) -> SeedSize:
    """The size that is asked for; refused where the region does not have it for this subscription."""
    wanted = str(body["properties"]["hardwareProfile"].get("vmSize"))
    location = short_name(body["location"])
    for size in seed.sizes:
        if size.name.casefold() == wanted.casefold():
            if size.restricted:
                raise errors.size_not_available(size.name, location)
            return size
    raise errors.unknown_size(wanted, location)


def check_image(body: Document, is_there: Callable[[str, str | None, str], bool], gallery: str) -> None:
    """Refuse a gallery's image that is not in the region; ``is_there`` knows definition, version and region."""
    named = (body["properties"]["storageProfile"].get("imageReference") or {}).get("id")
    if not named or not str(named).casefold().startswith(gallery.casefold()):
        return
    found = _GALLERY_IMAGE.fullmatch(str(named))
    location = short_name(body["location"])
    if found is None or not is_there(found["definition"], found["version"], location):
        raise errors.image_not_there(str(named), location)


def check_references(this: str, body: Document, there: Mapping[str, str]) -> None:
    """Refuse what names a subnet, a security group or an interface that is not there, in the machine's region.

    Args:
        this: the machine's id.
        body: what was sent.
        there: the region of everything that can be named, by id in small letters.
    """
    location = short_name(body["location"])
    network = body["properties"]["networkProfile"]
    named = [str(each.get("id")) for each in network.get("networkInterfaces") or ()]
    for interface in network.get("networkInterfaceConfigurations") or ():
        properties = interface.get("properties") or {}
        group = properties.get("networkSecurityGroup") or {}
        named += [str(group["id"])] if "id" in group else []
        for each in properties.get("ipConfigurations") or ():
            named.append(str((each.get("properties") or {}).get("subnet", {}).get("id")))
    if not named:
        raise errors.missing_parameter("networkInterfaces")
    for each in named:
        if there.get(each.casefold()) != location:
            raise errors.reference_not_found(each, this)
