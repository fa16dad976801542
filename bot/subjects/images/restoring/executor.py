"""Carrying out that a version comes back."""

from __future__ import annotations

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import ImageVersion, VersionNumber, VersionState
from slipway.bot.clouds.ports.image_removal import DeletedVersion, DisablesVersions, KeepsDeletedVersions
from slipway.bot.clouds.ports.image_versions import VersionAbsentError
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.steps import StepDone
from slipway.bot.core.waiting import Polling
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.restoring.requests import Away
from slipway.bot.subjects.images.restoring.steps import RestoreVersion
from slipway.bot.subjects.images.step_version import conflict, gallery_of, look_at
from slipway.bot.subjects.images.versions import is_excluded_everywhere


class RestoreVersionExecutor:
    """Carries out :class:`.steps.RestoreVersion`.

    A version that is there and promoted counts as half restored: its cloud brings it back as it was, so a run that
    was cut off goes on with taking it out of latest. That somebody else restored and promoted it is found before a
    run begins, by its plan.

    Args:
        clouds: one of them keeps the version.
        polling: how long it may take to show.
    """

    def __init__(self, clouds: Clouds, polling: Polling | None = None) -> None:
        self._clouds = clouds
        self._polling = polling or Polling()

    async def observe(self, step: RestoreVersion, token: str) -> StepDone | None:
        """Done already if it is a candidate, in each region that kept it.

        Raises:
            CloudError: CONFLICT where it is neither there nor kept any more.
        """
        found = await look_at(self._clouds, step)
        if found is not None:
            back = _is_candidate(found) and not await self._lacking(step, found)
            return _done(step, already=True) if back else None
        kept = await self._kept(step)
        if all(str(each.number) != step.version for each in kept):
            raise conflict(
                step, f"{step.named} is not kept by its cloud any more, and cannot be brought back."
            )
        return None

    async def act(self, step: RestoreVersion, token: str) -> None:
        """Bring it back; the adapter waits for the end of it."""
        gallery, number = gallery_of(self._clouds, step), VersionNumber.parse(step.version)
        try:
            if step.away is Away.DISABLED and isinstance(gallery, DisablesVersions):
                await gallery.restore_version(step.definition, number)
                return
            if step.away is Away.DELETED and isinstance(gallery, KeepsDeletedVersions):
                await gallery.undelete_version(step.definition, number)
                return
        except VersionAbsentError as gone:
            raise conflict(
                step, f"{step.named} is gone for good, and cannot be brought back: {gone.sentence}"
            ) from gone
        raise conflict(step, f"{gallery.title} cannot restore {step.named}, and nothing was done.")

    async def verify(self, step: RestoreVersion, token: str) -> StepDone:
        """Look until it is a candidate, or time is up.

        Raises:
            CloudError: UNVERIFIED where it is not there, or not only a candidate.
        """
        title = gallery_of(self._clouds, step).title
        try:
            found = await self._polling.until(
                lambda: look_at(self._clouds, step), lambda seen: seen is not None and _is_candidate(seen)
            )
        except CloudError as blind:
            raise blind.after(f"{title} took the order to {step.title}") from blind
        if found is None or not _is_candidate(found):
            stands = "is not there" if found is None else f"is {found.state_title}"
            if found is not None and found.launch_regions:
                stands += " and may be latest; `revoke` takes it out of latest"
            raise CloudError(
                CloudErrorKind.UNVERIFIED,
                cloud=step.cloud,
                sentence=f"{title} took the order to restore {step.named}, and it {stands}.",
            )
        if lacking := await self._lacking(step, found):
            where = join_names(lacking, len(lacking))
            raise CloudError(
                CloudErrorKind.UNVERIFIED,
                cloud=step.cloud,
                sentence=f"{title} took the order to restore {step.named}, and still keeps it in {where}.",
            )
        return _done(step, already=False)

    async def _kept(self, step: RestoreVersion) -> tuple[DeletedVersion, ...]:
        gallery = gallery_of(self._clouds, step)
        return (
            await gallery.deleted_versions(step.definition)
            if isinstance(gallery, KeepsDeletedVersions)
            else ()
        )

    async def _lacking(self, step: RestoreVersion, found: ImageVersion) -> tuple[str, ...]:
        """The regions where a version that was deleted is kept still, though it is back in others."""
        kept = await self._kept(step) if step.away is Away.DELETED else ()
        return tuple(region for each in kept for region in each.lacking(found))


def _is_candidate(version: ImageVersion) -> bool:
    return version.state is VersionState.SUCCEEDED and is_excluded_everywhere(version)


def _done(step: RestoreVersion, *, already: bool) -> StepDone:
    return StepDone(
        summary=f"{step.named} {'was a candidate already' if already else 'is a candidate again'}.",
        already=already,
        facts={"definition": step.definition, "version": step.version},
    )
