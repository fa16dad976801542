"""What speaks for or against an image, as whoever is about to use it is shown.

An interface for the subject of images to fulfil, and for every other to ask.
"""

from __future__ import annotations

from typing import Protocol

from slipway.bot.clouds.machine_model import MachineImage
from slipway.bot.core.interfaces import Interface


class ImageEvidence(Protocol):
    """Tells what is recorded about images."""

    async def of(self, image: MachineImage) -> tuple[str, ...]:
        """What is recorded about an image, a few words each, the newest first; empty where nothing is."""
        ...


class NoImageEvidence:
    """Where nothing is recorded about any image."""

    async def of(self, _image: MachineImage) -> tuple[str, ...]:
        """Nothing."""
        return ()


IMAGE_EVIDENCE: Interface[ImageEvidence] = Interface("evidence about images", NoImageEvidence())
