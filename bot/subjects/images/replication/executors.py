"""Carrying out how a version gets into its regions."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import ImageVersion, ReplicationState, VersionNumber, VersionState
from slipway.bot.clouds.ports.image_versions import (
    IMAGE_VERSIONS,
    RegionalReplication,
    VersionAbsentError,
    WantedRegion,
)
from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy
from slipway.bot.core.steps import StepDone
from slipway.bot.core.times import Clock, format_duration, format_time
from slipway.bot.core.waiting import Polling
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.replication.states import copy_in_words, missing_copies
from slipway.bot.subjects.images.replication.steps import AwaitCopies, Bake, LeaveRegions, ReplicateVersion
from slipway.bot.subjects.images.replication.waits import WaitStore
from slipway.bot.subjects.images.step_version import conflict
from slipway.bot.subjects.images.versions import is_excluded_everywhere

RETRIES = 2
"""So often a copy that failed is made again before it is told."""

_PASSING = frozenset(
    {
        CloudErrorKind.UNREACHABLE,
        CloudErrorKind.BROKEN,
        CloudErrorKind.TIMED_OUT,
        CloudErrorKind.THROTTLED,
    }
)
"""What may be over at the next look: a wait of hours does not end by one of these."""

UTC = ZoneInfo("UTC")

CopyStep = ReplicateVersion | AwaitCopies | LeaveRegions


class Copier:
    """Looks at copies, and has them made.

    Args:
        clouds: one of them has the version.
    """

    def __init__(self, clouds: Clouds) -> None:
        self._clouds = clouds

    def title(self, step: CopyStep) -> str:
        """What people call the step's cloud."""
        return self._clouds.get(IMAGE_VERSIONS, step.cloud).title

    async def look(self, step: CopyStep) -> ImageVersion:
        """The version as it is now.

        Raises:
            CloudError: it cannot be read; CONFLICT where it is gone, or going, or taken back though it is owed.
        """
        gallery = self._clouds.get(IMAGE_VERSIONS, step.cloud)
        try:
            found = await gallery.version(step.definition, VersionNumber.parse(step.version))
        except VersionAbsentError as error:
            raise conflict(step, f"{step.named} is not there any more.") from error
        if found.state is VersionState.DELETING:
            raise conflict(step, f"{step.named} is being deleted.")
        if not isinstance(step, LeaveRegions) and step.owed and is_excluded_everywhere(found):
            raise conflict(step, f"{step.named} was taken back, so nothing is owed of it any more.")
        return found

    async def leave(self, step: LeaveRegions) -> None:
        """Take a version off regions.

        Raises:
            CloudError: as the port has it; CONFLICT where a copy there did not fail.
        """
        gallery = self._clouds.get(IMAGE_VERSIONS, step.cloud)
        if not isinstance(gallery, RegionalReplication):
            raise conflict(step, f"{gallery.title} does not copy versions to regions by itself.")
        await gallery.end_replication(
            step.definition,
            VersionNumber.parse(step.version),
            step.regions,
            guard=lambda found: _only_failed(step, found),
        )

    async def begin(self, step: ReplicateVersion | AwaitCopies) -> None:
        """Have copies made.

        Raises:
            CloudError: as the port has it; CONFLICT where the cloud copies nothing by itself.
        """
        gallery = self._clouds.get(IMAGE_VERSIONS, step.cloud)
        if not isinstance(gallery, RegionalReplication):
            raise conflict(step, f"{gallery.title} does not copy versions to regions by itself.")
        wanted = [WantedRegion(name, step.replicas, excluded=step.owed) for name in step.regions]
        await gallery.begin_replication(step.definition, VersionNumber.parse(step.version), wanted)


class ReplicateVersionExecutor:
    """Carries out :class:`.steps.ReplicateVersion`."""

    def __init__(self, copier: Copier) -> None:
        self._copier = copier

    async def observe(self, step: ReplicateVersion, token: str) -> StepDone | None:
        """Done already if every region is among its targets, and no copy failed."""
        found = await self._copier.look(step)
        return _taken(step, already=True) if _is_asked_for(step, found) else None

    async def act(self, step: ReplicateVersion, token: str) -> None:
        """Have the cloud begin."""
        await self._copier.begin(step)

    async def verify(self, step: ReplicateVersion, token: str) -> StepDone:
        """See that the regions are among its targets.

        Raises:
            CloudError: UNVERIFIED where they are not.
        """
        found = await self._copier.look(step)
        if not {region.name for region in found.regions} >= set(step.regions):
            sentence = (
                f"{self._copier.title(step)} took the change, but {step.named} does not show its regions."
            )
            raise CloudError(CloudErrorKind.UNVERIFIED, cloud=step.cloud, sentence=sentence)
        return _taken(step, already=False)


class LeaveRegionsExecutor:
    """Carries out :class:`.steps.LeaveRegions`. A copy that is complete by now is kept.

    Args:
        copier: looks at copies.
        polling: how long it may take to show.
    """

    def __init__(self, copier: Copier, polling: Polling) -> None:
        self._copier = copier
        self._polling = polling

    async def observe(self, step: LeaveRegions, token: str) -> StepDone | None:
        """Done already if it is in none of the regions, and well.

        Raises:
            CloudError: CONFLICT where it is promoted, or its copy there is not one that failed.
        """
        found = await self._copier.look(step)
        if _has_left(step, found):
            return _left(step, already=True)
        if found.state is not VersionState.UPDATING:
            _only_failed(step, found)
        return None

    async def act(self, step: LeaveRegions, token: str) -> None:
        """Take it off; the adapter waits for the end of it."""
        await self._copier.leave(step)

    async def verify(self, step: LeaveRegions, token: str) -> StepDone:
        """Look until it is so, or time is up.

        Raises:
            CloudError: UNVERIFIED where it is not.
        """
        found = await self._polling.until(lambda: self._copier.look(step), lambda seen: _has_left(step, seen))
        if not _has_left(step, found):
            where = join_names(step.regions, len(step.regions))
            raise CloudError(
                CloudErrorKind.UNVERIFIED,
                cloud=step.cloud,
                sentence=f"{self._copier.title(step)} took the change, but {step.named} is {found.state_title}, or "
                f"still in {where}.",
            )
        return _left(step, already=False)


class AwaitCopiesExecutor:
    """Carries out :class:`.steps.AwaitCopies`. A copy that fails is made again, some times.

    Args:
        copier: looks at copies.
        waits: when the step began.
        clock: the present.
    """

    def __init__(self, copier: Copier, waits: WaitStore, clock: Clock) -> None:
        self._copier = copier
        self._waits = waits
        self._clock = clock

    async def observe(self, step: AwaitCopies, token: str) -> StepDone | None:
        """Done if every copy is complete."""
        found = await self._copier.look(step)
        return _there(step, already=True) if _complete(step, found) else None

    async def act(self, step: AwaitCopies, token: str) -> None:
        """Note when it began."""
        await self._waits.begin(token, self._clock())

    async def waiting(self, step: AwaitCopies, token: str) -> str:
        """How far each copy is.

        Raises:
            CloudError: a copy failed that was made again often enough, they took too long, or the version is gone.
        """
        wait = await self._waits.begin(token, self._clock())
        too_long = self._clock() - wait.begun_at > timedelta(seconds=step.within)
        try:
            found = await self._copier.look(step)
            failed = [
                name
                for name, copy in missing_copies(found, step.regions).items()
                if copy is None or copy.state is ReplicationState.FAILED
            ]
            broken = failed or found.state is VersionState.FAILED
            if broken and found.state is not VersionState.UPDATING and wait.tries < RETRIES:
                await self._copier.begin(step)
                await self._waits.tried(token)
                again = join_names(failed, len(failed)) if failed else "its regions"
                return f"the copies of {step.named} to {again} failed, and are made again"
        except CloudError as error:
            if error.kind not in _PASSING or too_long:
                raise
            return f"how far the copies of {step.named} are is not known: {error.words}"
        if _complete(step, found):
            return ""
        if broken and found.state is not VersionState.UPDATING:
            raise self._given_up(step, found, f"were made {RETRIES + 1} times and are not complete")
        if too_long:
            spent = format_duration(timedelta(seconds=step.within))
            raise self._given_up(step, found, f"are not complete after {spent}")
        held = {region.name: region.replication for region in found.regions}
        words = [copy_in_words(name, held.get(name)) for name in sorted(step.regions)]
        return f"copies of {step.named}: {'; '.join(words)}"

    async def verify(self, step: AwaitCopies, token: str) -> StepDone:
        """They are."""
        return _there(step, already=False)

    def _given_up(self, step: AwaitCopies, found: ImageVersion, why: str) -> CloudError:
        away = missing_copies(found, step.regions)
        copies = join_names([copy_in_words(*each) for each in away.items()], len(away)) or found.state_title
        options = " ".join(f"--without {region}" for region in away)
        if step.owed:
            left = "It goes on being latest where it is."
        else:
            waived = f" With a reason, it is promoted elsewhere: `{options}`." if options else ""
            left = f"It was not promoted. What is complete stays.{waived}"
        return CloudError(
            CloudErrorKind.UNVERIFIED,
            cloud=step.cloud,
            sentence=f"The copies of {step.named} {why}: {copies}. {left}",
            remedy=Remedy(f"images {step.pin.ref}"),
        )


class BakeExecutor:
    """Carries out :class:`.steps.Bake`.

    Args:
        waits: when the step began.
        clock: the present.
    """

    def __init__(self, waits: WaitStore, clock: Clock) -> None:
        self._waits = waits
        self._clock = clock

    async def observe(self, step: Bake, token: str) -> StepDone | None:
        """There is nothing to see; a wait that began before is taken up."""
        return None

    async def act(self, step: Bake, token: str) -> None:
        """Note when it began."""
        await self._waits.begin(token, self._clock())

    async def waiting(self, step: Bake, token: str) -> str:
        """Until when it takes."""
        wait = await self._waits.begin(token, self._clock())
        end = wait.begun_at + timedelta(seconds=step.seconds)
        return f"wave {step.wave} bakes until {format_time(end, UTC)}" if self._clock() < end else ""

    async def verify(self, step: Bake, token: str) -> StepDone:
        """It is over."""
        return StepDone(summary=f"Wave {step.wave} has baked.")


def _is_asked_for(step: ReplicateVersion, found: ImageVersion) -> bool:
    held = {region.name: region for region in found.regions}
    return found.state is not VersionState.FAILED and all(
        name in held
        and (held[name].replicas or 1) >= (step.replicas or 1)
        and ((copy := held[name].replication) is None or copy.state is not ReplicationState.FAILED)
        for name in step.regions
    )


def _has_left(step: LeaveRegions, found: ImageVersion) -> bool:
    here = {region.name for region in found.regions}
    return found.state is VersionState.SUCCEEDED and not here & set(step.regions)


def _only_failed(step: LeaveRegions, found: ImageVersion) -> None:
    """Refuse to take off a region what launches there, or may.

    Raises:
        CloudError: CONFLICT then.
    """
    sound = sorted(
        region.name
        for region in found.regions
        if region.name in step.regions
        and (region.replication is None or region.replication.state is not ReplicationState.FAILED)
    )
    if sound or not is_excluded_everywhere(found):
        why = (
            "is promoted by now"
            if not sound
            else f"has a copy in {join_names(sorted(sound))} that did not fail"
        )
        raise conflict(step, f"{step.named} {why}; it was left where it is.")


def _left(step: LeaveRegions, *, already: bool) -> StepDone:
    where = join_names(step.regions, len(step.regions))
    return StepDone(
        summary=f"{step.named} {'was' if already else 'is'} taken off {where}{' already' if already else ''}.",
        already=already,
        facts={"regions": list(step.regions)},
    )


def _complete(step: AwaitCopies, found: ImageVersion) -> bool:
    return found.state is VersionState.SUCCEEDED and not missing_copies(found, step.regions)


def _taken(step: ReplicateVersion, *, already: bool) -> StepDone:
    where = join_names(step.regions, len(step.regions))
    begun = "is being copied already, or is there" if already else "is being copied"
    return StepDone(
        summary=f"{step.named} {begun}: {where}.", already=already, facts={"regions": list(step.regions)}
    )


def _there(step: AwaitCopies, *, already: bool) -> StepDone:
    where = join_names(step.regions, len(step.regions))
    verb = "were complete already" if already else "are complete"
    return StepDone(
        summary=f"The copies of {step.named} {verb} in {where}.",
        already=already,
        facts={"regions": list(step.regions)},
    )
