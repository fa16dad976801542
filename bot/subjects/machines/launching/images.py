"""Finding the one image that somebody means."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from slipway.bot.clouds.machine_model import MachineImage
from slipway.bot.clouds.ports.machines import Machines
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.subjects.machines.launching.alike import alike_images

_SHOWN = 5

_GALLERY_VERSION = re.compile(r"[^/]+/[0-9]+\.[0-9]+\.[0-9]+", re.ASCII)
"""A version of a gallery's definition, as people write it everywhere."""


class NoSuchImageError(UserError):
    """No image fits what was asked for."""


async def find_image(places: Sequence[tuple[str, Machines]], wanted: str) -> MachineImage:
    """The image that :func:`find_image_in` finds in the first of these places that has it; where ids look like what
    is wanted is looked first, so that an account that cannot be read keeps nobody from an image of another one.

    Args:
        places: accounts by their names, each as seen from a region where to look.
        wanted: as people name it.

    Raises:
        UserError: as there; where no account has it, as the first one says it.
        CloudError: one that was asked cannot be read.
    """
    nowhere: NoSuchImageError | None = None
    for name, machines in sorted(places, key=lambda place: not place[1].could_be_image_id(wanted)):
        try:
            return await find_image_in(machines, wanted, name)
        except NoSuchImageError as error:
            nowhere = nowhere or error
    if nowhere is None:
        raise NoSuchImageError(f"There is no image {wanted}.", hint="profiles")
    if _GALLERY_VERSION.fullmatch(wanted) and not any(each.could_be_image_id(wanted) for _, each in places):
        raise NoSuchImageError(
            f"{wanted} is written like a version in a gallery, and what you may launch here is called otherwise.",
            hint=nowhere.hint,
        )
    raise nowhere


async def find_image_in(machines: Machines, wanted: str, account: str) -> MachineImage:
    """The image of this id or exact name, or the only one that a pattern or the beginning of a name fits.

    Images that cannot be launched are passed over where others fit too.

    Raises:
        UserError: none, with the nearest names; several, with some of them; or it cannot be launched.
        CloudError: the cloud cannot be read.
    """
    if machines.could_be_image_id(wanted):
        found = await _by_id(machines, wanted, account)
    else:
        found = _by_name(await machines.images(), wanted, machines, account)
    if not found.launchable:
        raise UserError(f"The image {found.name} ({found.id}) is {found.state}, so it cannot be launched.")
    return found


async def _by_id(machines: Machines, image_id: str, account: str) -> MachineImage:
    try:
        return await machines.image(image_id)
    except CloudError as error:
        if error.kind is not CloudErrorKind.NOT_FOUND:
            raise
    raise NoSuchImageError(
        f"There is no image {image_id} of the configured owners in {machines.region}.",
        nearest=alike_images(_launchable(await machines.images()), image_id, _SHOWN),
        hint=_listing(machines, account),
        given=image_id,
    )


def _by_name(images: Sequence[MachineImage], wanted: str, machines: Machines, account: str) -> MachineImage:
    fitting = _fitting(images, wanted)
    usable = [image for image in fitting if image.launchable] or fitting
    if len(usable) == 1:
        return usable[0]
    if not usable:
        raise NoSuchImageError(
            f"There is no image {wanted} in {machines.region}.",
            nearest=alike_images(_launchable(images), wanted, _SHOWN),
            hint=_listing(machines, account),
            given=wanted,
        )
    newest = sorted(usable, key=_age, reverse=True)
    names = [image.name for image in newest]
    alike = len(set(names)) < len(names)  # owners may use one name twice: then only ids tell them apart
    raise UserError(
        f"{wanted} could be any of {len(usable)} images; name one of them, or its id.",
        nearest=tuple(image.id if alike else image.name for image in newest[:_SHOWN]),
        more=max(0, len(newest) - _SHOWN),
        hint=_listing(machines, account, wanted),
        given=wanted,
    )


def _listing(machines: Machines, account: str, *pattern: str) -> str:
    """The command that shows what there is."""
    region = ("--region", machines.region) if len(machines.regions) > 1 else ()
    return shlex.join(("images", *pattern, "--cloud", account, *region))


def _launchable(images: Sequence[MachineImage]) -> list[MachineImage]:
    """What may be offered: nobody is to be sent on to an image that is refused next."""
    return [image for image in images if image.launchable]


def _fitting(images: Sequence[MachineImage], wanted: str) -> list[MachineImage]:
    """Images by the strictest reading that fits any: the name, the name without case, pattern, beginning."""
    folded = wanted.casefold()
    for fits in (
        lambda name: name == wanted,
        lambda name: name.casefold() == folded,
        lambda name: fnmatchcase(name.casefold(), folded),
        lambda name: name.casefold().startswith(folded),
    ):
        found = [image for image in images if fits(image.name)]
        if found:
            return found
    return []


def _age(image: MachineImage) -> tuple[datetime, str]:
    return image.created_at or datetime.min.replace(tzinfo=UTC), image.name
