"""Carrying out that a version is protected from deletion, and that this is lifted again."""

from __future__ import annotations

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import ImageVersion, VersionNumber, VersionState
from slipway.bot.clouds.ports.image_protection import ProtectionSeen, ProtectsVersions
from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy
from slipway.bot.core.steps import StepDone
from slipway.bot.core.times import format_duration
from slipway.bot.core.waiting import Polling
from slipway.bot.subjects.images.cleaning_up.due import RemovalChecks
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.step_version import conflict, gallery_of, look_at
from slipway.bot.subjects.images.steps import LiftProtection, ProtectVersion, VersionStep
from slipway.bot.subjects.images.versions import is_promoted


class _Protections:
    """Looks how the version of a step is protected."""

    def __init__(self, clouds: Clouds, polling: Polling) -> None:
        self._clouds = clouds
        self._polling = polling

    def gallery(self, step: VersionStep) -> ProtectsVersions:
        """What protects it.

        Raises:
            CloudError: CONFLICT where its cloud cannot.
        """
        gallery = gallery_of(self._clouds, step)
        if not isinstance(gallery, ProtectsVersions):
            raise conflict(step, f"{gallery.title} cannot protect versions from deletion; nothing was done.")
        return gallery

    async def of(self, step: VersionStep, version: ImageVersion) -> ProtectionSeen:
        """How a version is protected that was just looked at."""
        (seen,) = await self.gallery(step).protections([version])
        return seen

    async def look(self, step: VersionStep) -> ProtectionSeen | None:
        """How it is protected now; None where it is not there."""
        version = await look_at(self._clouds, step)
        return None if version is None else await self.of(step, version)

    async def verified(self, step: VersionStep, *, on: bool) -> ProtectionSeen | None:
        """How it is protected once that shows; None where the version is not there.

        Raises:
            CloudError: UNVERIFIED where it does not show.
        """

        def shows(seen: ProtectionSeen | None) -> bool:
            return seen is not None and seen.on if on else seen is None or not seen.ours

        title = gallery_of(self._clouds, step).title
        try:
            seen = await self._polling.until(lambda: self.look(step), shows)
        except CloudError as blind:
            raise blind.after(f"{title} took the order to {step.title}") from blind
        if not shows(seen):
            state = "does not show as protected" if on else "is still protected"
            raise CloudError(
                CloudErrorKind.UNVERIFIED,
                cloud=step.cloud,
                sentence=f"{title} took the change, but {step.named} {state}.",
            )
        return seen

    def check_only_wanted(self, step: VersionStep, changed: tuple[str, ...], done: str) -> None:
        """Tell what else of the version changed.

        Raises:
            CloudError: UNVERIFIED where something did.
        """
        if changed:
            raise CloudError(
                CloudErrorKind.UNVERIFIED,
                cloud=step.cloud,
                sentence=f"{done} But while it was changed, something else of it changed, too, which nobody asked "
                f"for here: {join_names(changed, shown=len(changed))}. Look whether that is right.",
                remedy=Remedy(f"images {step.pin.ref}"),
            )


class ProtectVersionExecutor:
    """Carries out :class:`slipway.bot.subjects.images.steps.ProtectVersion`: only of what is promoted.

    Args:
        clouds: one of them has the version.
        polling: how long a change may take to show.
    """

    def __init__(self, clouds: Clouds, polling: Polling | None = None) -> None:
        self._clouds = clouds
        self._protections = _Protections(clouds, polling or Polling())

    async def observe(self, step: ProtectVersion, token: str) -> StepDone | None:
        """Done already where it is protected, by whomever.

        Raises:
            CloudError: CONFLICT where it is not there, or not promoted.
        """
        found = await look_at(self._clouds, step)
        if found is None:
            raise conflict(step, f"{step.named} is not there any more.")
        if (await self._protections.of(step, found)).on:
            return _protected(step, already=True)
        if found.state is not VersionState.UPDATING:  # an update of ours is waited for by acting
            _check_promoted(step, found)
        return None

    async def act(self, step: ProtectVersion, token: str) -> None:
        """Protect it.

        Raises:
            CloudError: UNVERIFIED where something else of it changed, too.
        """
        changed = await self._protections.gallery(step).protect_version(
            step.definition,
            VersionNumber.parse(step.version),
            guard=lambda found: _check_promoted(step, found),
        )
        self._protections.check_only_wanted(step, changed, f"{step.named} is protected from deletion.")

    async def verify(self, step: ProtectVersion, token: str) -> StepDone:
        """See that it is."""
        await self._protections.verified(step, on=True)
        return _protected(step, already=False)


class LiftProtectionExecutor:
    """Carries out :class:`slipway.bot.subjects.images.steps.LiftProtection`, unless the version itself stopped
    deserving to be removed.

    Args:
        clouds: one of them has the version.
        checks: what speaks against its removal by now.
        polling: how long a change may take to show.
    """

    def __init__(self, clouds: Clouds, checks: RemovalChecks, polling: Polling | None = None) -> None:
        self._clouds = clouds
        self._checks = checks
        self._protections = _Protections(clouds, polling or Polling())

    async def observe(self, step: LiftProtection, token: str) -> StepDone | None:
        """Done already where nothing of Slipway's own protects it.

        Raises:
            CloudError: CONFLICT where the version is not to be removed any more.
        """
        found = await look_at(self._clouds, step)
        if found is None:
            return StepDone(summary=f"{step.named} was gone already.", already=True)
        if not (await self._protections.of(step, found)).ours:
            return StepDone(summary=f"{step.named} was not protected by Slipway any more.", already=True)
        if found.state is not VersionState.UPDATING:
            await self._checks.look(step, found)
        return None

    async def act(self, step: LiftProtection, token: str) -> None:
        """Lift it, unless something uses the version by now.

        Raises:
            CloudError: UNVERIFIED where something else of it changed, too.
        """
        guard = await self._checks.before_removal(step)
        changed = await self._protections.gallery(step).lift_protection(
            step.definition, VersionNumber.parse(step.version), guard=guard
        )
        self._protections.check_only_wanted(step, changed, f"The protection of {step.named} is lifted.")

    async def verify(self, step: LiftProtection, token: str) -> StepDone:
        """See that it is, and say from when the version can be deleted."""
        seen = await self._protections.verified(step, on=False)
        cooldown = self._protections.gallery(step).protection_cooldown
        title = gallery_of(self._clouds, step).title
        after = f" {title} keeps it for {format_duration(cooldown)} more." if cooldown else ""
        if seen is not None and seen.others:
            after = " Somebody else protects it, too, and that stays."
        return StepDone(summary=f"The protection of {step.named} from deletion is lifted.{after}")


def _check_promoted(step: ProtectVersion, found: ImageVersion) -> None:
    """Refuse to protect what is not promoted: where the promotion before it failed, there is nothing to protect."""
    if not is_promoted(found):
        raise conflict(step, f"{step.named} is not promoted, so it was not protected.")


def _protected(step: ProtectVersion, *, already: bool) -> StepDone:
    return StepDone(
        summary=f"{step.named} {'was protected' if already else 'is protected'} from deletion"
        f"{' already' if already else ''}.",
        already=already,
    )
