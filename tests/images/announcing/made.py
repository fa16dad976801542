"""Announcements in memory, and clean-ups that are planned and carried out with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from slipway.bot.core.steps import Draft, Step
from slipway.bot.subjects.images.announcing.model import Announcement, Announcements
from slipway.bot.subjects.images.announcing.steps import AnnounceRemoval, ForgetAnnouncement
from slipway.bot.subjects.images.catalogue import Catalogue
from slipway.bot.subjects.images.cleaning_up.planner import CleanupPlanner
from slipway.bot.subjects.images.cleaning_up.settings import RetentionSettings
from slipway.bot.subjects.images.holds.model import HoldReader
from slipway.bot.subjects.images.requests import Cleanup
from slipway.bot.subjects.images.steps import DeleteVersion
from tests.images.builders import MemoryGallery
from tests.support.clock import DAY, NOW
from tests.support.clouds import galleries

THREE_DAYS = 3 * DAY
ANNOUNCING = RetentionSettings(announce=THREE_DAYS)
"""What is kept by default, and announced three days before it goes."""


class MemoryAnnouncements:
    """Fulfils the reader, and does what steps do to announcements."""

    def __init__(self, made: Iterable[Announcement] = ()) -> None:
        self.made = {each.subject: each for each in made}

    async def read(self) -> Announcements:
        return Announcements(self.made.values())

    def carry_out(self, steps: Sequence[Step], gallery: MemoryGallery, now: datetime) -> None:
        """Do what a plan says, to the announcements and to the gallery."""
        for step in steps:
            subject = (
                (step.cloud, step.definition.casefold(), step.version)
                if isinstance(step, (AnnounceRemoval, ForgetAnnouncement, DeleteVersion))
                else None
            )
            assert subject is not None, step
            if isinstance(step, AnnounceRemoval):
                until = now + timedelta(seconds=step.seconds)
                self.made[subject] = Announcement(
                    step.cloud,
                    step.definition,
                    step.version,
                    step.published,
                    step.rule.value,
                    now,
                    until,
                    "key",
                )
                continue
            del self.made[subject]
            if isinstance(step, DeleteVersion):
                held = gallery.held[step.definition]
                gallery.held[step.definition] = {
                    number: each for number, each in held.items() if str(number) != step.version
                }

    def move(self, by: timedelta) -> None:
        """Have all been announced later, as by a clock that was ahead."""
        self.made = {
            subject: replace(each, at=each.at + by, until=each.until + by)
            for subject, each in self.made.items()
        }


async def planned(
    gallery: MemoryGallery,
    announced: MemoryAnnouncements,
    now: datetime = NOW,
    *,
    request: Cleanup | None = None,
    policy: RetentionSettings = ANNOUNCING,
    holds: HoldReader | None = None,
) -> Draft[Cleanup]:
    """A clean-up, planned."""
    planner = CleanupPlanner(Catalogue(galleries(gallery)), policy, holds, announcements=announced)
    return await planner.plan(request or Cleanup(), now)


def titles(draft: Draft[Cleanup]) -> list[str]:
    """What a plan does."""
    return [step.title for step in draft.steps]
