"""What a gallery may offer besides: to have its cloud itself refuse to delete a version, whoever asks.

A protection is marked as this Slipway's when it is put on, so that no other is ever lifted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, runtime_checkable

from slipway.bot.clouds.model import ImageVersion, VersionNumber
from slipway.bot.clouds.ports.image_versions import Guard


@dataclass(frozen=True, slots=True)
class ProtectionSeen:
    """How one version is protected from deletion.

    Attributes:
        on: whether its cloud refuses to delete it wherever it is.
        ours: whether anything of that is this Slipway's own, which it may lift.
        others: whether somebody else protects it, somewhere at least; that stays.
        obstacle: why it cannot be protected as configured, as the rest of a sentence; empty where it can.
    """

    on: bool = False
    ours: bool = False
    others: bool = False
    obstacle: str = ""


@runtime_checkable
class ProtectsVersions(Protocol):
    """A gallery whose versions can be protected from deletion."""

    @property
    def protection_title(self) -> str:
        """By what versions are protected here, in a few words for a card."""
        ...

    @property
    def protection_cooldown(self) -> timedelta:
        """So long after a protection is lifted, the cloud still refuses to delete."""
        ...

    async def protections(self, versions: Sequence[ImageVersion]) -> tuple[ProtectionSeen, ...]:
        """How each of these is protected, in their order; by calls that are as many for one as for thousands, where
        they are of one definition.

        Raises:
            CloudError: that cannot be read.
        """
        ...

    async def protect_version(
        self, definition: str, number: VersionNumber, *, guard: Guard | None = None
    ) -> tuple[str, ...]:
        """Protect a version from deletion wherever it is. What is protected already, by whomever, is left as it is.

        Each try begins with a look at the version, which ``guard`` is shown. What else of the version is seen to be
        other afterwards is returned, a line each.
        """
        ...

    async def lift_protection(
        self, definition: str, number: VersionNumber, *, guard: Guard | None = None
    ) -> tuple[str, ...]:
        """Lift this Slipway's own protection of a version, and no other; none is no error. As
        :meth:`protect_version`."""
        ...
