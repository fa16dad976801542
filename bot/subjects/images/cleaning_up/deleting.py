"""Carrying out the end of a removal: a version is deleted."""

from __future__ import annotations

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import ImageVersion, VersionNumber, VersionState
from slipway.bot.clouds.ports.image_removal import KeepsDeletedVersions
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.steps import StepDone
from slipway.bot.core.waiting import Polling
from slipway.bot.subjects.images.cleaning_up.due import RemovalChecks
from slipway.bot.subjects.images.step_version import gallery_of, look_at
from slipway.bot.subjects.images.steps import DeleteVersion, way_back


class DeleteVersionExecutor:
    """Carries out :class:`.steps.DeleteVersion`, unless the version itself stopped deserving it.

    Its place among the others is the plan's: that was compared when the run began.

    Args:
        clouds: one of them has the version.
        checks: what speaks against a removal by now.
        polling: how long a deletion may take to show.
    """

    def __init__(
        self,
        clouds: Clouds,
        checks: RemovalChecks,
        polling: Polling | None = None,
    ) -> None:
        self._clouds = clouds
        self._polling = polling or Polling()
        self._checks = checks

    async def observe(self, step: DeleteVersion, token: str) -> StepDone | None:
        """Done already if it is gone; one that is being deleted is waited for by acting.

        Raises:
            CloudError: CONFLICT where the rule that chose the version does not hold any more, or something
                protects it now.
        """
        found = await look_at(self._clouds, step)
        if found is None:
            return _done(step, already=True)
        if found.state is VersionState.DELETING:
            return None
        await self._checks.look(step, found)
        return None

    async def act(self, step: DeleteVersion, token: str) -> None:
        """Delete it unless something uses it by now; the adapter waits for the end of it."""
        guard = await self._checks.before_removal(step)
        await gallery_of(self._clouds, step).delete_version(
            step.definition,
            VersionNumber.parse(step.version),
            guard=guard,
        )

    async def verify(self, step: DeleteVersion, token: str) -> StepDone:
        """Look until it is certain that there is no such version, or time is up.

        Raises:
            CloudError: UNVERIFIED where it is still there, or still listed.
        """
        title = gallery_of(self._clouds, step).title
        try:
            found = await self._polling.until(lambda: self._seen(step), lambda seen: seen is None)
        except CloudError as blind:
            raise blind.after(f"{title} took the order to {step.title}") from blind
        if isinstance(found, CloudError):
            raise found
        if found is not None:
            raise CloudError(
                CloudErrorKind.UNVERIFIED,
                cloud=step.cloud,
                sentence=f"{title} took the deletion, but {step.named} is still there, "
                f"in state {found.state_title}.",
            )
        done = _done(step, already=False)
        return done.model_copy(update={"summary": f"{done.summary}{await self._way_back(step)}"})

    async def _way_back(self, step: DeleteVersion) -> str:
        """By which command it comes back and until when, as a sentence behind a blank; empty where it does not, or
        that cannot be read now: then nothing is promised."""
        gallery = gallery_of(self._clouds, step)
        if not isinstance(gallery, KeepsDeletedVersions):
            return ""
        try:
            kept_for = await gallery.deleted_kept_for()
        except CloudError:
            return ""
        if kept_for is None:
            return ""
        return way_back(step, self._checks.now() + kept_for, self._checks.prefix)

    async def _seen(self, step: DeleteVersion) -> ImageVersion | CloudError | None:
        """What is seen of the version; the error where its cloud contradicts itself, as a listing may lag behind."""
        try:
            return await look_at(self._clouds, step)
        except CloudError as error:
            if error.kind is CloudErrorKind.UNVERIFIED:
                return error
            raise


def _done(step: DeleteVersion, *, already: bool) -> StepDone:
    return StepDone(
        summary=f"{step.named} {'was gone already' if already else 'is deleted'}.",
        already=already,
        facts={"definition": step.definition, "version": step.version, "rule": step.rule.value},
    )
