"""Carrying out changes to versions: look first, change, look again."""

from __future__ import annotations

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import ImageVersion, VersionNumber, VersionState
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS, ImageVersions
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.steps import StepDone
from slipway.bot.core.times import Clock
from slipway.bot.core.waiting import Polling
from slipway.bot.subjects.images.retention import Rule
from slipway.bot.subjects.images.settings import RetentionSettings
from slipway.bot.subjects.images.steps import DeleteVersion, SetExcluded, VersionStep
from slipway.bot.subjects.images.versions import (
    has_ended,
    is_excluded_everywhere,
    is_promoted,
    is_promoted_everywhere,
    latest_by_region,
    protection,
)


class SetExcludedExecutor:
    """Carries out :class:`slipway.bot.subjects.images.steps.SetExcluded`.

    Only a Succeeded version is promoted; a Failed one may still be taken back, for that is when it must be.
    """

    def __init__(self, clouds: Clouds, polling: Polling | None = None) -> None:
        self._clouds = clouds
        self._polling = polling or Polling()

    async def observe(self, step: SetExcluded, token: str) -> StepDone | None:
        """Done already if the flag is as wished everywhere and nothing is under way.

        A version that is being updated towards the wish (we died while it was) is waited for by acting; a
        Failed one is written again even where its flag looks right, for the write before may have ended
        halfway.

        Raises:
            CloudError: CONFLICT where the version is gone, going, or in no state for the change.
        """
        found = await self._look(step)
        if found is None:
            raise _conflict(step, f"{step.named} is not there any more.")
        wished = _as_wished(step, found)
        if found.state is VersionState.SUCCEEDED:
            return _flag_done(step, already=True) if wished else None
        ours = found.state is VersionState.UPDATING and wished
        if ours or (found.state is VersionState.FAILED and step.excluded):
            return None
        raise _conflict(step, f"{step.named} is {found.state.value}, not Succeeded, so it was left as it is.")

    async def act(self, step: SetExcluded, token: str) -> None:
        """Write the flag; the adapter waits for the end of it."""
        gallery = _gallery(self._clouds, step)
        number = VersionNumber.parse(step.version)
        await gallery.set_promoted(step.definition, number, promoted=not step.excluded)

    async def verify(self, step: SetExcluded, token: str) -> StepDone:
        """Read the version until it shows the flag, or time is up.

        Raises:
            CloudError: UNVERIFIED where the flag cannot be seen.
        """
        found = await self._polling.until(
            lambda: self._look(step), lambda seen: seen is None or _is_so(step, seen)
        )
        if found is None or not _is_so(step, found):
            wish = "excluded from latest" if step.excluded else "promoted"
            raise CloudError(
                CloudErrorKind.UNVERIFIED,
                cloud=step.cloud,
                sentence=f"{_gallery(self._clouds, step).title} took the change, but {step.named} "
                f"does not show as {wish}.",
            )
        return _flag_done(step, already=False)

    async def _look(self, step: SetExcluded) -> ImageVersion | None:
        return await _look(self._clouds, step)


class DeleteVersionExecutor:
    """Carries out :class:`.steps.DeleteVersion`, unless the version itself stopped deserving it.

    Its place among the others is the plan's: that was compared when the run began.

    Args:
        clouds: one of them has the version.
        policy: whose versions may be deleted.
        clock: the present, for rule 1.
        polling: how long a deletion may take to show.
    """

    def __init__(
        self,
        clouds: Clouds,
        policy: RetentionSettings,
        clock: Clock,
        polling: Polling | None = None,
    ) -> None:
        self._clouds = clouds
        self._policy = policy
        self._clock = clock
        self._polling = polling or Polling()

    async def observe(self, step: DeleteVersion, token: str) -> StepDone | None:
        """Done already if it is gone; one that is being deleted is waited for by acting.

        Raises:
            CloudError: CONFLICT where the rule that chose the version does not hold any more, or something
                protects it now.
        """
        found = await _look(self._clouds, step)
        if found is None:
            return _delete_done(step, already=True)
        if found.state is VersionState.DELETING:
            return None
        problem = self._problem(step, found) or await self._taken_up(step, found)
        if problem:
            raise _conflict(step, f"{step.named} {problem}; it was not deleted.")
        return None

    async def act(self, step: DeleteVersion, token: str) -> None:
        """Delete it; the adapter waits for the end of it."""
        gallery = _gallery(self._clouds, step)
        await gallery.delete_version(step.definition, VersionNumber.parse(step.version))

    async def verify(self, step: DeleteVersion, token: str) -> StepDone:
        """Look until the version cannot be found, or time is up.

        Raises:
            CloudError: UNVERIFIED where it is still there.
        """
        found = await self._polling.until(lambda: _look(self._clouds, step), lambda seen: seen is None)
        if found is not None:
            raise CloudError(
                CloudErrorKind.UNVERIFIED,
                cloud=step.cloud,
                sentence=f"{_gallery(self._clouds, step).title} took the deletion, but {step.named} is still there, "
                f"in state {found.state.value}.",
            )
        return _delete_done(step, already=False)

    def _problem(self, step: DeleteVersion, found: ImageVersion) -> str | None:
        """Why the version itself must not be deleted, as the rest of a sentence about it."""
        protected = protection(found, self._policy.owner)
        if protected is not None:
            return f"is protected now: {protected.value}"
        if found.state is not VersionState.SUCCEEDED:
            return f"is {found.state.value}, not Succeeded"
        if step.rule is Rule.END_OF_LIFE and not has_ended(found, self._clock()):
            return "has not reached its end of life: the date was changed"
        if not step.promoted and is_promoted(found):
            return "has been promoted since it was chosen"
        return None

    async def _taken_up(self, step: DeleteVersion, found: ImageVersion) -> str | None:
        """Whether a promoted version of a rolling definition became latest since it was chosen.

        Asks for a listing, so only where it can matter: rule 1 may take a latest, and rule 2 takes none.
        """
        if step.rule is not Rule.ROLLING or not is_promoted(found):
            return None
        versions = await _gallery(self._clouds, step).versions(step.definition)
        if any(each.number == found.number for each in latest_by_region(versions).values()):
            return "has become latest since it was chosen"
        return None


def _gallery(clouds: Clouds, step: VersionStep) -> ImageVersions:
    return clouds.get(IMAGE_VERSIONS, step.cloud)


async def _look(clouds: Clouds, step: VersionStep) -> ImageVersion | None:
    """A version as it is now; None where there is none."""
    try:
        return await _gallery(clouds, step).version(step.definition, VersionNumber.parse(step.version))
    except CloudError as error:
        if error.kind is CloudErrorKind.NOT_FOUND:
            return None
        raise


def _is_so(step: SetExcluded, version: ImageVersion) -> bool:
    return version.state is VersionState.SUCCEEDED and _as_wished(step, version)


def _as_wished(step: SetExcluded, version: ImageVersion) -> bool:
    return is_excluded_everywhere(version) if step.excluded else is_promoted_everywhere(version)


def _conflict(step: VersionStep, sentence: str) -> CloudError:
    return CloudError(CloudErrorKind.CONFLICT, cloud=step.cloud, sentence=sentence)


def _flag_done(step: SetExcluded, *, already: bool) -> StepDone:
    state = "excluded from latest" if step.excluded else "promoted"
    return StepDone(
        summary=f"{step.named} {'was' if already else 'is'} {state}{' already' if already else ''}.",
        already=already,
        facts={"definition": step.definition, "version": step.version, "excluded": step.excluded},
    )


def _delete_done(step: DeleteVersion, *, already: bool) -> StepDone:
    return StepDone(
        summary=f"{step.named} {'was gone already' if already else 'is deleted'}.",
        already=already,
        facts={"definition": step.definition, "version": step.version, "rule": step.rule.value},
    )
