"""What the subject of images has of copies in regions: a kind of operation, steps, settings, what looks after them.

And lines of `slipway check`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.operations.declarations import OperationKind, PolicyDefaults, StepKind
from slipway.bot.operations.watches import Watch, WatchHost
from slipway.bot.subjects.images.replication.requests import RegionRetry
from slipway.bot.subjects.images.replication.settings import REPLICATION
from slipway.bot.subjects.images.replication.steps import (
    AwaitCopies,
    Bake,
    LeaveRegions,
    ReplicateVersion,
)

if TYPE_CHECKING:
    from slipway.bot.subjects.images.services import ImageServices

TABLES = (REPLICATION,)

KINDS: tuple[OperationKind[Any, ImageServices], ...] = (
    OperationKind(
        request=RegionRetry,
        planner=lambda services: services.replication.retrying(services.history),
        arguments=lambda request: (request.definition,),
        # What it does was agreed to with the promotion that left it out: its card says that nobody is asked again.
        policy=PolicyDefaults(approvals=0),
        needs=IMAGE_VERSIONS,
        right="region.retry",
    ),
)


async def _look(services: ImageServices, host: WatchHost) -> None:
    await services.replication.watch.look(host)


WATCHES: tuple[Watch[ImageServices], ...] = (Watch("regions", ("region.retry",), _look),)

STEPS: tuple[StepKind[Any, ImageServices], ...] = (
    StepKind(
        step=ReplicateVersion,
        executor=lambda services: services.replication.replicating(),
        touches=lambda step: step.touched,
        targets=lambda step: (step.target,),
    ),
    StepKind(
        step=LeaveRegions,
        executor=lambda services: services.replication.leaving(),
        touches=lambda step: step.touched,
        targets=lambda step: (step.target,),
    ),
    StepKind(
        step=AwaitCopies,
        executor=lambda services: services.replication.awaiting(),
        touches=lambda _step: (),
    ),
    StepKind(
        step=Bake,
        executor=lambda services: services.replication.baking(),
        touches=lambda _step: (),
    ),
)


def summary(settings: SlipwaySettings) -> Iterator[str]:
    """The lines of `slipway check`."""
    for pattern, wanted in settings.named(REPLICATION).items():
        waves = f", in waves {', '.join(wave.name for wave in wanted.waves)}" if wanted.waves else ""
        yield f"replication {pattern}: {', '.join(wanted.regions)}{waves}"
