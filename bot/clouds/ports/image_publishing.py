"""What a gallery may offer besides, where letting a version be latest is more than a flag of that version.

Asked for by ``isinstance``: where a gallery does not offer it, nothing stands in the way and nothing else changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from slipway.bot.clouds.model import ImageVersion


@dataclass(frozen=True)
class Besides:
    """Something that changes beside a version, in one region.

    Attributes:
        what: what it is, such as ``Parameter /fedora/latest``.
        region: where.
        move: ``old → new``.
        lags: whether the version's promotion is not whole without it. Otherwise it was done once, with the promotion,
            and somebody may have changed it since.
    """

    what: str
    region: str
    move: str
    lags: bool = True


@dataclass(frozen=True)
class PublishingPreview:
    """What it means to let one version be latest, or to take it back, beside the version itself.

    Attributes:
        obstacles: why the cloud would refuse, whole sentences; empty where nothing speaks against it.
        besides: what else changes, or lags behind where the version is as wished already.
        notes: what is not known, whole sentences.
    """

    obstacles: tuple[str, ...] = ()
    besides: tuple[Besides, ...] = ()
    notes: tuple[str, ...] = ()


def joined(previews: Iterable[PublishingPreview]) -> PublishingPreview:
    """Several as one; what several say is said once."""
    held = tuple(previews)
    return PublishingPreview(
        tuple(dict.fromkeys(each for preview in held for each in preview.obstacles)),
        tuple(dict.fromkeys(each for preview in held for each in preview.besides)),
        tuple(dict.fromkeys(each for preview in held for each in preview.notes)),
    )


@runtime_checkable
class PreviewsPublishing(Protocol):
    """A gallery that looks before a promotion whether it would be refused, and says what it changes besides."""

    async def previews(
        self, versions: Sequence[ImageVersion], *, promoted: bool
    ) -> tuple[PublishingPreview, ...]:
        """What :meth:`.image_versions.ImageVersions.set_promoted` would mean for each of these, in their order, once
        it is done with all of them.

        Where a version is as wished already, ``besides`` is what has not come after it: empty if all has.

        Raises:
            CloudError: something that has to be known cannot be read.
        """
        ...
