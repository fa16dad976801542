"""Carrying out the first half of a removal: a version is disabled, and could be brought back."""

from __future__ import annotations

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import ImageVersion, VersionNumber, VersionState
from slipway.bot.clouds.ports.image_removal import DisablesVersions
from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.steps import StepDone
from slipway.bot.core.waiting import Polling
from slipway.bot.subjects.images.cleaning_up.due import RemovalChecks
from slipway.bot.subjects.images.step_version import conflict, gallery_of, look_at
from slipway.bot.subjects.images.steps import DisableVersion, way_back


class DisableVersionExecutor:
    """Carries out :class:`.steps.DisableVersion`, unless the version itself stopped deserving it, as one that is
    deleted is looked at.

    Args:
        clouds: one of them has the version.
        checks: what speaks against a removal by now.
        polling: how long it may take to show.
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

    async def observe(self, step: DisableVersion, token: str) -> StepDone | None:
        """Done already if it is disabled, or gone.

        Raises:
            CloudError: CONFLICT where the rule that chose it does not hold any more, or something protects it now.
        """
        found = await look_at(self._clouds, step)
        if found is None:
            return _done(step, "is gone", already=True)
        if _is_disabled(found):
            return _done(step, "was disabled", already=True, way_back=self._way_back(step, found))
        await self._checks.look(step, found)
        return None

    async def act(self, step: DisableVersion, token: str) -> None:
        """Disable it wherever it is."""
        gallery = gallery_of(self._clouds, step)
        if not isinstance(gallery, DisablesVersions):
            raise conflict(step, f"{gallery.title} cannot disable {step.named}, and nothing was done.")
        guard = await self._checks.before_removal(step)
        await gallery.disable_version(
            step.definition,
            VersionNumber.parse(step.version),
            guard=guard,
        )

    async def verify(self, step: DisableVersion, token: str) -> StepDone:
        """Look until it is disabled, or time is up.

        Raises:
            CloudError: UNVERIFIED where it is not.
        """
        title = gallery_of(self._clouds, step).title
        try:
            found = await self._polling.until(
                lambda: look_at(self._clouds, step), lambda seen: seen is not None and _is_disabled(seen)
            )
        except CloudError as blind:
            raise blind.after(f"{title} took the order to {step.title}") from blind
        if found is None or not _is_disabled(found):
            raise CloudError(
                CloudErrorKind.UNVERIFIED,
                cloud=step.cloud,
                sentence=f"{title} took the change, but {step.named} does not show as disabled.",
            )
        return _done(step, "is disabled", already=False, way_back=self._way_back(step, found))

    def _way_back(self, step: DisableVersion, found: ImageVersion) -> str:
        """By which command it comes back, and until when a clean-up leaves it that."""
        until = self._checks.disabled_until(found)
        return "" if until is None else way_back(step, until, self._checks.prefix)


def _is_disabled(version: ImageVersion) -> bool:
    """Whether it is out of use, and a later clean-up can tell since when."""
    return version.state is VersionState.DISABLED and version.disabled_since is not None


def _done(step: DisableVersion, what: str, *, already: bool, way_back: str = "") -> StepDone:
    return StepDone(
        summary=f"{step.named} {what}{' already' if already else ''}.{way_back}",
        already=already,
        facts={"definition": step.definition, "version": step.version, "rule": step.rule.value},
    )
