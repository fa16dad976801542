"""The end of a clean-up: what the galleries list, compared with what was deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.core.concurrency import side_by_side
from slipway.bot.core.steps import Step
from slipway.bot.core.waiting import Polling
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.steps import DeleteVersion, DisableVersion

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.subjects.images.announcing.store import AnnouncementStore


class CleanupConfirmation:
    """Looks whether what a clean-up deleted is gone from the listings, too, and forgets that it was announced.

    Args:
        clouds: which have the definitions.
        polling: how long a listing may lag behind.
        announcements: what was announced; None where nothing is.
    """

    def __init__(
        self, clouds: Clouds, polling: Polling, announcements: AnnouncementStore | None = None
    ) -> None:
        self._clouds = clouds
        self._polling = polling
        self._announcements = announcements

    async def __call__(self, done: Sequence[Step]) -> str:
        """A sentence that names what is listed still, or again; empty where nothing of it is.

        Raises:
            CloudError: a listing cannot be read.
        """
        removed = [step for step in done if isinstance(step, (DeleteVersion, DisableVersion))]
        if removed and self._announcements is not None:
            # One that is brought back, or uploaded again, is announced again before it goes.
            await self._announcements.forget([step.pin for step in removed])
        deleted = [step for step in removed if isinstance(step, DeleteVersion)]
        left = await self._polling.until(lambda: self._listed(deleted), lambda listed: not listed)
        if not left:
            return ""
        what = "1 version is" if len(left) == 1 else f"{len(left)} versions are"
        return f"{what} listed still, or again: {join_names([step.named for step in left])}."

    async def _listed(self, deleted: Sequence[DeleteVersion]) -> list[DeleteVersion]:
        by_definition: dict[tuple[str, str], list[DeleteVersion]] = {}
        for step in deleted:
            by_definition.setdefault((step.cloud, step.definition), []).append(step)
        names = await side_by_side({key: self._names(*key) for key in by_definition})
        return [step for key, steps in by_definition.items() for step in steps if step.version in names[key]]

    async def _names(self, cloud: str, definition: str) -> set[str]:
        listing = await self._clouds.get(IMAGE_VERSIONS, cloud).versions(definition)
        return {str(each.number) for each in listing} | {each.name for each in listing.unreadable}
