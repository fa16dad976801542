"""Announcing removals and forgetting that: look first, store, look again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.steps import StepDone
from slipway.bot.core.times import Clock
from slipway.bot.subjects.images.announcing.model import Announcement
from slipway.bot.subjects.images.announcing.steps import AnnounceRemoval, ForgetAnnouncement

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.subjects.images.announcing.store import AnnouncementStore


class AnnounceRemovalExecutor:
    """Carries out :class:`.steps.AnnounceRemoval`.

    Args:
        store: where announcements are kept.
        clock: the present.
    """

    def __init__(self, store: AnnouncementStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def observe(self, step: AnnounceRemoval, token: str) -> StepDone | None:
        """Done already if this very step announced it, or another one that counts."""
        found = await self._store.find(step.pin)
        if found is None or not found.counts(step.published, self._clock()):
            return None
        return _announced(step, found, already=found.key != token)

    async def act(self, step: AnnounceRemoval, token: str) -> None:
        """Announce it: its time begins now."""
        now = self._clock()
        await self._store.announce(
            Announcement(
                cloud=step.cloud,
                definition=step.definition,
                version=step.version,
                published=step.published,
                rule=step.rule.value,
                at=now,
                until=now + timedelta(seconds=step.seconds),
                key=token,
            )
        )

    async def verify(self, step: AnnounceRemoval, token: str) -> StepDone:
        """Look again.

        Raises:
            CloudError: UNVERIFIED where it is not there.
        """
        found = await self._store.find(step.pin)
        if found is None or found.key != token:
            raise _not_so(step.cloud, f"That {step.named} goes was stored, and is not there.")
        return _announced(step, found, already=False)


class ForgetAnnouncementExecutor:
    """Carries out :class:`.steps.ForgetAnnouncement`.

    Args:
        store: where announcements are kept.
    """

    def __init__(self, store: AnnouncementStore) -> None:
        self._store = store

    async def observe(self, step: ForgetAnnouncement, token: str) -> StepDone | None:
        """Done already if nothing is announced of it."""
        return _forgotten(step, already=True) if await self._store.find(step.pin) is None else None

    async def act(self, step: ForgetAnnouncement, token: str) -> None:
        """Forget it."""
        await self._store.forget([step.pin])

    async def verify(self, step: ForgetAnnouncement, token: str) -> StepDone:
        """Look again.

        Raises:
            CloudError: UNVERIFIED where it is still there.
        """
        if await self._store.find(step.pin) is not None:
            raise _not_so(step.cloud, f"That {step.named} goes was taken back, and is still there.")
        return _forgotten(step, already=False)


def _announced(step: AnnounceRemoval, found: Announcement, *, already: bool) -> StepDone:
    until = f"{found.until:%Y-%m-%d %H:%M} UTC"
    return StepDone(
        summary=f"{step.named} is announced to go, not before {until}: {step.reason}.",
        already=already,
        facts={
            "definition": step.definition,
            "version": step.version,
            "rule": step.rule.value,
            "until": found.until.isoformat(),
        },
    )


def _forgotten(step: ForgetAnnouncement, *, already: bool) -> StepDone:
    return StepDone(
        summary=f"{step.named} is not announced {'' if already else 'any more '}to go: {step.words}.",
        already=already,
        facts={"definition": step.definition, "version": step.version},
    )


def _not_so(cloud: str, sentence: str) -> CloudError:
    return CloudError(CloudErrorKind.UNVERIFIED, cloud=cloud, sentence=sentence)
