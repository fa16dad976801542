"""Carrying out changes to versions: look first, change, look again."""

from __future__ import annotations

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import ImageVersion, VersionNumber, VersionState
from slipway.bot.clouds.ports.image_versions import IMAGE_VERSIONS, ImageVersions, VersionAbsentError
from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy
from slipway.bot.core.steps import StepDone
from slipway.bot.core.times import Clock, system_clock
from slipway.bot.core.waiting import Polling
from slipway.bot.subjects.images.formatting import join_names
from slipway.bot.subjects.images.history import RollbackHistory
from slipway.bot.subjects.images.retention import KeepReason, Rule, retention
from slipway.bot.subjects.images.settings import RetentionSettings
from slipway.bot.subjects.images.steps import DeleteVersion, FlagReason, SetExcluded, VersionStep
from slipway.bot.subjects.images.versions import (
    has_ended,
    is_blocked,
    is_excluded_everywhere,
    is_promoted,
    is_promoted_everywhere,
    newest_latest,
    protection,
)


class SetExcludedExecutor:
    """Carries out :class:`slipway.bot.subjects.images.steps.SetExcluded`.

    Only a Succeeded version is promoted; a Failed one may still be taken back, for that is when it must be, and
    one that is promoted already may have its failed update made again. A promotion looks again at all that it rests
    on, whatever was looked at when the run began: with many definitions hours can lie between.

    Args:
        clouds: one of them has the version.
        history: what was rolled back; None where nothing is known of that.
        polling: how long a change may take to show.
        clock: the present, for ends of life.
    """

    def __init__(
        self,
        clouds: Clouds,
        polling: Polling | None = None,
        *,
        history: RollbackHistory | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self._clouds = clouds
        self._polling = polling or Polling()
        self._history = history
        self._clock = clock

    async def observe(self, step: SetExcluded, token: str) -> StepDone | None:
        """Done already if the flag is as wished everywhere and nothing is under way.

        A version that is being updated towards the wish (we died while it was) is waited for by acting; a
        Failed one is written again even where its flag looks right, for the write before may have ended
        halfway.

        Raises:
            CloudError: CONFLICT where the version is gone, going, or in no state for the change, or where what
                a promotion rests on does not hold any more.
        """
        found = await self._look(step)
        if found is None:
            raise _conflict(step, f"{step.named} is not there any more.")
        wished = _as_wished(step, found)
        if found.state is VersionState.SUCCEEDED and wished:
            return _flag_done(step, already=True)
        if found.state is VersionState.UPDATING and wished:
            return None
        self._guard(step, found)
        if not step.excluded:
            problem = await self._overtaken(step, found)
            if problem:
                raise _conflict(step, f"{step.named} {problem}; it was not promoted.")
        return None

    async def act(self, step: SetExcluded, token: str) -> None:
        """Write the flag; the adapter waits for the end of it.

        Raises:
            CloudError: UNVERIFIED where the flag is set, and something else of the version is other than before.
        """
        changed = await _gallery(self._clouds, step).set_promoted(
            step.definition,
            VersionNumber.parse(step.version),
            promoted=not step.excluded,
            guard=lambda found: self._guard(step, found),
        )
        if changed:
            done = await self.verify(step, token)
            raise CloudError(
                CloudErrorKind.UNVERIFIED,
                cloud=step.cloud,
                sentence=f"{done.summary} But while it was changed, something else of it changed, too, which nobody "
                f"asked for here: {join_names(changed, shown=len(changed))}. Look whether that is right.",
                remedy=Remedy(f"images {step.pin.ref}"),
            )

    def _guard(self, step: SetExcluded, found: ImageVersion) -> None:
        """Refuse to write where the version itself does not allow it; asked right before each write."""
        # A Failed one that is promoted already launches all the same: its update may be made again.
        again = found.state is VersionState.FAILED and (step.excluded or _as_wished(step, found))
        if found.state is not VersionState.SUCCEEDED and not again:
            raise _conflict(
                step, f"{step.named} is {found.state_title}, not Succeeded, so it was left as it is."
            )
        if not step.excluded and found.end_of_life is not None and has_ended(found, self._clock()):
            raise _conflict(
                step,
                f"{step.named} reached its end of life on {found.end_of_life:%Y-%m-%d}; it was not promoted.",
            )

    async def _overtaken(self, step: SetExcluded, found: ImageVersion) -> str | None:
        """Why the version is not to be promoted any more, though nothing is wrong with it; the rest of a sentence."""
        named = step.why is FlagReason.NAMED
        if self._history is not None and await self._history.taken_back_since(
            step.pin, step.rollbacks, named=named
        ):
            return "was rolled back after this was planned"
        if step.why is FlagReason.NEWEST_CANDIDATE:
            versions = await _gallery(self._clouds, step).versions(step.definition)
            top = newest_latest(each for each in versions if each.number != found.number)
            if top is not None and top.number > found.number:
                return f"is not the newest any more: {top.number} was promoted meanwhile"
        return None

    async def verify(self, step: SetExcluded, token: str) -> StepDone:
        """Read the version until it shows the flag, or time is up.

        Raises:
            CloudError: UNVERIFIED where the flag cannot be seen.
        """
        title = _gallery(self._clouds, step).title
        try:
            found = await self._polling.until(
                lambda: self._look(step), lambda seen: seen is None or _is_so(step, seen)
            )
        except CloudError as blind:
            raise blind.after(f"{title} took the order to {step.title}") from blind
        if found is None or not _is_so(step, found):
            wish = "excluded from latest" if step.excluded else "promoted"
            raise CloudError(
                CloudErrorKind.UNVERIFIED,
                cloud=step.cloud,
                sentence=f"{title} took the change, but {step.named} does not show as {wish}.",
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
        self._guard(step, found)
        problem = await self._not_due(step, found)
        if problem:
            raise _conflict(step, f"{step.named} {problem}; it was not deleted.")
        return None

    async def act(self, step: DeleteVersion, token: str) -> None:
        """Delete it; the adapter waits for the end of it."""
        await _gallery(self._clouds, step).delete_version(
            step.definition,
            VersionNumber.parse(step.version),
            guard=lambda found: self._guard(step, found),
        )

    async def verify(self, step: DeleteVersion, token: str) -> StepDone:
        """Look until it is certain that there is no such version, or time is up.

        Raises:
            CloudError: UNVERIFIED where it is still there, or still listed.
        """
        title = _gallery(self._clouds, step).title
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
        return _delete_done(step, already=False)

    async def _seen(self, step: DeleteVersion) -> ImageVersion | CloudError | None:
        """What is seen of the version; the error where its cloud contradicts itself, as a listing may lag behind."""
        try:
            return await _look(self._clouds, step)
        except CloudError as error:
            if error.kind is CloudErrorKind.UNVERIFIED:
                return error
            raise

    def _guard(self, step: DeleteVersion, found: ImageVersion) -> None:
        """Refuse to delete what the version itself speaks against; asked right before each deletion."""
        problem = self._problem(step, found)
        if problem:
            raise _conflict(step, f"{step.named} {problem}; it was not deleted.")

    def _problem(self, step: DeleteVersion, found: ImageVersion) -> str | None:
        """Why the version itself must not be deleted, as the rest of a sentence about it."""
        protected = protection(found, self._policy.owner)
        if protected is not None:
            return f"is protected now: {protected.value}"
        if found.state is not VersionState.SUCCEEDED:
            return f"is {found.state_title}, not Succeeded"
        if step.rule is Rule.END_OF_LIFE and not has_ended(found, self._clock()):
            return "has not reached its end of life: the date was changed"
        if is_blocked(found, self._clock()):
            return f"is kept: {KeepReason.BLOCKED.value}"
        if not step.promoted and is_promoted(found):
            return "has been promoted since it was chosen"
        return None

    async def _not_due(self, step: DeleteVersion, found: ImageVersion) -> str | None:
        """Why no rule removes it any more, as the rest of a sentence about it.

        Asks for a listing, unless the version's own end of life is the reason: the other rules count.
        """
        if step.rule is Rule.END_OF_LIFE:
            return None
        listing = await _gallery(self._clouds, step).versions(step.definition)
        if all(each.number != found.number for each in listing):
            return "is not listed among the versions of its definition"
        decided = retention(listing.versions, self._clock(), self._policy, in_doubt=bool(listing.unreadable))
        kept = next((each for each in decided.kept if each.version.number == found.number), None)
        if kept is None:
            return None
        if kept.why is KeepReason.LATEST:
            return "has become latest since it was chosen"
        return f"is not due any more: {kept.why.value}"


def _gallery(clouds: Clouds, step: VersionStep) -> ImageVersions:
    return clouds.get(IMAGE_VERSIONS, step.cloud)


async def _look(clouds: Clouds, step: VersionStep) -> ImageVersion | None:
    """A version as it is now; None only where it is certain that there is none."""
    try:
        return await _gallery(clouds, step).version(step.definition, VersionNumber.parse(step.version))
    except VersionAbsentError:
        return None


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
