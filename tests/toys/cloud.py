"""A cloud of images as a newcomer would add one: its declaration, its settings, its adapter; and the cloud itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import Field, SecretStr

from slipway.bot.clouds.capabilities import Adapter, Capability, Port
from slipway.bot.clouds.declaration import CloudContext, CloudDeclaration
from slipway.bot.clouds.model import Definition, ImageVersion, Lock, VersionListing, VersionNumber
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS, Guard, VersionAbsentError
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.probes import Finding
from slipway.bot.core.problems import Problem
from slipway.bot.core.settings import Settings

Shelves = dict[str, dict[VersionNumber, ImageVersion]]
"""Versions by definition and number."""

WAREHOUSES: dict[str, Shelves] = {}
"""What the cloud holds, by address: a real newcomer would find it on the network."""


class ToyCloudSettings(Settings):
    """``[toycloud]`` and ``[toycloud.NAME]``: one warehouse each."""

    address: str = Field(description="the warehouse, like toys.example.org")
    token: SecretStr | None = None


class ToyImages:
    """Image versions in a warehouse."""

    def __init__(self, settings: ToyCloudSettings, context: CloudContext) -> None:
        self._address = settings.address
        self._name = context.name

    @property
    def title(self) -> str:
        """What people call it."""
        return "Toycloud"

    async def definitions(self) -> tuple[Definition, ...]:
        """All image definitions, by name."""
        return tuple(Definition(name, cloud=self._name) for name in sorted(self._shelves))

    async def versions(self, definition: str) -> VersionListing:
        """All versions of one definition."""
        return VersionListing(
            [replace(each, cloud=self._name) for each in self._shelves[definition].values()]
        )

    async def version(self, definition: str, number: VersionNumber) -> ImageVersion:
        """One version as it is now."""
        found = self._shelves[definition].get(number)
        if found is None:
            raise VersionAbsentError(cloud=self._name, sentence=f"Toycloud has no {definition} {number}.")
        return replace(found, cloud=self._name)

    async def set_promoted(
        self, definition: str, number: VersionNumber, *, promoted: bool, guard: Guard | None = None
    ) -> tuple[str, ...]:
        """Let a version be latest, or not."""
        shelf = self._shelves[definition]
        if guard is not None:
            guard(shelf[number])
        shelf[number] = replace(shelf[number], excluded=not promoted)
        return ()

    async def delete_version(
        self, definition: str, number: VersionNumber, *, guard: Guard | None = None
    ) -> None:
        """Throw a version away."""
        shelf = self._shelves[definition]
        if guard is not None and number in shelf:
            guard(shelf[number])
        shelf.pop(number, None)

    async def locks(self) -> tuple[Lock, ...]:
        """Warehouses have none."""
        return ()

    def why_impossible(self, number: VersionNumber) -> str:
        """A warehouse takes any number."""
        return ""

    async def close(self) -> None:
        """Holds nothing to let go of."""

    @property
    def _shelves(self) -> Shelves:
        if self._address not in WAREHOUSES:
            sentence = f"Toycloud ({self._name}) does not answer at {self._address}."
            raise CloudError(CloudErrorKind.UNREACHABLE, cloud=self._name, sentence=sentence)
        return WAREHOUSES[self._address]


def _open(settings: ToyCloudSettings, context: CloudContext) -> Mapping[Capability[Any], Port]:
    return {IMAGE_VERSIONS: ToyImages(settings, context)}


def _check(settings: ToyCloudSettings, _secrets: bool) -> Iterator[Problem]:
    if "/" in settings.address:
        yield Problem("address", f'"{settings.address}" is a path; write a name like toys.example.org')


async def _probe(_settings: ToyCloudSettings, adapter: Adapter) -> Finding:
    try:
        found = await adapter.port(IMAGE_VERSIONS).definitions()
    except CloudError as error:
        return Finding.of_error(adapter.name, error)
    return Finding(adapter.name, f"{len(found)} image definitions in the warehouse")


TOYCLOUD = CloudDeclaration(
    name="toycloud",
    settings=ToyCloudSettings,
    provides=(IMAGE_VERSIONS,),
    open=_open,
    check=_check,
    describe=lambda settings: f"warehouse at {settings.address}",
    label=lambda settings: f"warehouse {settings.address}",
    probe=_probe,
    environment={"token": ("TOYS_TOKEN",)},
)
