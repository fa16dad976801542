"""What the subject of images has of announcing removals: its steps, which stand in plans of clean-ups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slipway.bot.operations.declarations import StepKind, SubjectContext
from slipway.bot.operations.watches import Watch, WatchHost
from slipway.bot.subjects.images.announcing.executors import (
    AnnounceRemovalExecutor,
    ForgetAnnouncementExecutor,
)
from slipway.bot.subjects.images.announcing.steps import AnnounceRemoval, ForgetAnnouncement

if TYPE_CHECKING:
    from slipway.bot.subjects.images.announcing.store import AnnouncementStore
    from slipway.bot.subjects.images.services import ImageServices

STEPS: tuple[StepKind[Any, ImageServices], ...] = (
    StepKind(
        step=AnnounceRemoval,
        executor=lambda services: AnnounceRemovalExecutor(services.announcements, services.clock),
        touches=lambda step: step.touched,
        targets=lambda step: (step.target,),
    ),
    StepKind(
        step=ForgetAnnouncement,
        executor=lambda services: ForgetAnnouncementExecutor(services.announcements),
        touches=lambda step: step.touched,
        targets=lambda step: (step.target,),
    ),
)


async def _look(services: ImageServices, _host: WatchHost) -> None:
    await services.announcements.look()


WATCHES: tuple[Watch[ImageServices], ...] = (Watch("announcements", (), _look),)


def announcement_store(context: SubjectContext) -> AnnouncementStore:
    """Where announcements are kept."""
    # With a database: not for `slipway check`.
    from slipway.bot.subjects.images.announcing.store import AnnouncementStore

    return AnnouncementStore(context.database, context.clock, context.uptime)
