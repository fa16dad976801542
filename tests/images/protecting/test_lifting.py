"""Lifting a protection: not of what came into use after the plan."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from slipway.bot.clouds.model import ImageVersion, VersionNumber
from slipway.bot.clouds.ports.image_protection import ProtectionSeen
from slipway.bot.clouds.ports.image_usage import ImageUse
from slipway.bot.clouds.ports.image_versions import Guard
from slipway.bot.core.errors import CloudError
from slipway.bot.subjects.images.cleaning_up.due import RemovalChecks
from slipway.bot.subjects.images.cleaning_up.retention import Rule
from slipway.bot.subjects.images.protecting.executors import LiftProtectionExecutor
from slipway.bot.subjects.images.steps import LiftProtection
from tests.images.builders import POLICY, MemoryGallery, candidates
from tests.support.azure import X64
from tests.support.clock import NOW, POLL_AT_ONCE
from tests.support.clouds import galleries

OLD = "43.1.0"
STEP = LiftProtection(
    definition=X64, version=OLD, rule=Rule.CANDIDATES, promoted=False, limit=7, cloud="azure"
)


class Gallery(MemoryGallery):
    """Nine candidates, the oldest of which Slipway protects."""

    protection_title = "a lock"
    protection_cooldown = timedelta()

    def __init__(self) -> None:
        super().__init__(*candidates(9))
        self.uses: list[ImageUse] = []
        self.protected = {VersionNumber.parse(OLD)}

    async def usage(self, launched_since: datetime) -> tuple[ImageUse, ...]:
        return tuple(self.uses)

    async def protections(self, versions: Sequence[ImageVersion]) -> tuple[ProtectionSeen, ...]:
        return tuple(
            ProtectionSeen(on=each.number in self.protected, ours=each.number in self.protected)
            for each in versions
        )

    async def protect_version(
        self, definition: str, number: VersionNumber, *, guard: Guard | None = None
    ) -> tuple[str, ...]:
        raise NotImplementedError

    async def lift_protection(
        self, definition: str, number: VersionNumber, *, guard: Guard | None = None
    ) -> tuple[str, ...]:
        assert guard is not None
        guard(await self.version(definition, number))
        self.protected.discard(number)
        return ()


async def lift(gallery: Gallery) -> None:
    clouds = galleries(gallery)
    executor = LiftProtectionExecutor(clouds, RemovalChecks(clouds, POLICY, lambda: NOW), POLL_AT_ONCE)
    assert await executor.observe(STEP, "token") is None
    await executor.act(STEP, "token")
    await executor.verify(STEP, "token")


async def test_it_is_lifted_where_nothing_speaks_for_the_version() -> None:
    gallery = Gallery()
    await lift(gallery)
    assert not gallery.protected


async def test_what_came_into_use_after_the_plan_stays_protected() -> None:
    gallery = Gallery()
    gallery.uses = [ImageUse(X64, VersionNumber.parse(OLD), "scale set web of shop")]
    with pytest.raises(CloudError) as caught:
        await lift(gallery)
    assert caught.value.sentence == (
        f"{OLD} of {X64} is in use by scale set web of shop; it was not taken out of its protection."
    )
    assert gallery.protected
