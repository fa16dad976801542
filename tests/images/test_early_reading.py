"""When a clean-up reads the clouds' locks: as soon as it is known that something would go."""

from __future__ import annotations

import asyncio

import pytest

from slipway.bot.clouds.model import Lock, VersionListing
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.cleaning_up.planner import CleanupPlanner
from slipway.bot.subjects.images.requests import Cleanup
from tests.images.builders import POLICY, MemoryGallery, candidates
from tests.support.azure import ARM, X64
from tests.support.clock import NOW
from tests.support.clouds import galleries

EMERGENCY = 20.0  # seconds until a test that hangs is ended


class SlowGallery(MemoryGallery):
    """Answers the listing of one definition only when its locks have been asked for."""

    def __init__(self, *, locks_end: bool) -> None:
        super().__init__(*candidates(9), *candidates(9, definition=ARM))
        self.asked_for_locks = asyncio.Event()
        self.locks_end = locks_end
        self.reading_ended = asyncio.Event()

    async def versions(self, definition: str) -> VersionListing:
        if definition == ARM:
            await self.asked_for_locks.wait()
        return await super().versions(definition)

    async def locks(self) -> tuple[Lock, ...]:
        self.asked_for_locks.set()
        try:
            if not self.locks_end:
                await asyncio.Event().wait()
        finally:
            self.reading_ended.set()
        return (Lock("frozen", ARM),)


async def test_locks_are_read_while_listings_are_still_on_their_way() -> None:
    gallery = SlowGallery(locks_end=True)
    async with asyncio.timeout(EMERGENCY):
        draft = await CleanupPlanner(Catalogue(galleries(gallery)), POLICY).plan(Cleanup(), NOW)
    assert {step.title for step in draft.steps} == {f"delete 43.1.0 of {X64}", f"delete 43.2.0 of {X64}"}


async def test_a_listing_that_fails_ends_the_reading_of_locks() -> None:
    gallery = SlowGallery(locks_end=False)
    gallery.failing = {ARM: CloudError(CloudErrorKind.REFUSED, cloud="azure", sentence="no")}
    async with asyncio.timeout(EMERGENCY):
        with pytest.raises(CloudError):
            await CleanupPlanner(Catalogue(galleries(gallery)), POLICY).plan(Cleanup(), NOW)
    assert gallery.reading_ended.is_set()
