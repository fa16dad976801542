"""Setting what a version's flag says: look first, change, look again."""

from __future__ import annotations

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import ImageVersion, VersionNumber, VersionState
from slipway.bot.clouds.ports.image_publishing import PreviewsPublishing
from slipway.bot.clouds.ports.image_versions import RegionalReplication
from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy
from slipway.bot.core.steps import StepDone
from slipway.bot.core.times import Clock, system_clock
from slipway.bot.core.waiting import Polling
from slipway.bot.subjects.images.formatting import format_regions, join_names
from slipway.bot.subjects.images.history import RollbackHistory
from slipway.bot.subjects.images.holds.model import HoldReader, Holds, NothingHeld
from slipway.bot.subjects.images.replication.resolving import tell_latest
from slipway.bot.subjects.images.replication.states import copy_in_words, missing_copies
from slipway.bot.subjects.images.rules.gathering import PromotionRules
from slipway.bot.subjects.images.step_version import conflict, gallery_of, look_at, replaced
from slipway.bot.subjects.images.steps import FlagReason, SetExcluded
from slipway.bot.subjects.images.versions import (
    has_ended,
    is_excluded_everywhere,
    is_promoted_everywhere,
    newest_latest,
)

_NEWEST = (FlagReason.NEWEST_CANDIDATE, FlagReason.NEWEST_NOT_ROLLED_BACK, FlagReason.DUE)
"""Chosen since nothing newer is promoted; whichever was passed over for it, that is to be so still."""


class SetExcludedExecutor:
    """Carries out :class:`slipway.bot.subjects.images.steps.SetExcluded`.

    Only a Succeeded version is promoted; a Failed one may still be taken back, for that is when it must be, and
    one that is promoted already may have its failed update made again. A promotion looks again at all that it rests
    on, whatever was looked at when the run began: with many definitions hours can lie between.

    Args:
        clouds: one of them has the version.
        history: what was rolled back; None where nothing is known of that.
        rules: what must hold of a version that is promoted; None where nothing must.
        polling: how long a change may take to show.
        holds: what must not be promoted; None where nobody can hold anything.
        clock: the present, for ends of life and of holds.
    """

    def __init__(
        self,
        clouds: Clouds,
        polling: Polling | None = None,
        *,
        history: RollbackHistory | None = None,
        holds: HoldReader | None = None,
        rules: PromotionRules | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self._clouds = clouds
        self._polling = polling or Polling()
        self._history = history
        self._holds = holds or NothingHeld()
        self._rules = rules
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
            raise conflict(step, f"{step.named} is not there any more.")
        wished = _as_wished(step, found)
        if found.state is VersionState.SUCCEEDED and wished and await self._settled(step, found):
            return await self._done(step, found, already=True)
        if found.state is VersionState.UPDATING and wished:
            return None
        holds = await self._holds.read()
        self._guard(step, found)
        if not step.excluded:
            problem = _not_reached(step, found) or await self._overtaken(step, found, holds)
            if problem:
                raise conflict(step, f"{step.named} {problem}; it was not promoted.")
        return None

    async def _settled(self, step: SetExcluded, found: ImageVersion) -> bool:
        """Whether all that belongs to the change has come after the version's own flag."""
        gallery = gallery_of(self._clouds, step)
        if not isinstance(gallery, PreviewsPublishing):
            return True
        (preview,) = await gallery.previews([found], promoted=not step.excluded)
        return not preview.besides

    async def act(self, step: SetExcluded, token: str) -> None:
        """Write the flag; the adapter waits for the end of it.

        Raises:
            CloudError: UNVERIFIED where the flag is set, and something else of the version is other than before.
        """
        await self._holds.read()
        changed = await self._write(step)
        if changed:
            done = await self.verify(step, token)
            raise CloudError(
                CloudErrorKind.UNVERIFIED,
                cloud=step.cloud,
                sentence=f"{done.summary} But while it was changed, something else of it changed, too, which nobody "
                f"asked for here: {join_names(changed, shown=len(changed))}. Look whether that is right.",
                remedy=Remedy(f"images {step.pin.ref}"),
            )

    async def _write(self, step: SetExcluded) -> tuple[str, ...]:
        gallery, number = gallery_of(self._clouds, step), VersionNumber.parse(step.version)
        promoted = not step.excluded
        if not step.regions:
            return await gallery.set_promoted(
                step.definition, number, promoted=promoted, guard=lambda found: self._guard(step, found)
            )
        if not isinstance(gallery, RegionalReplication):
            raise conflict(step, f"{gallery.title} does not promote versions in single regions.")
        return await gallery.set_promoted_in(
            step.definition,
            number,
            step.regions,
            promoted=promoted,
            guard=lambda found: self._guard(step, found),
        )

    def _guard(self, step: SetExcluded, found: ImageVersion) -> None:
        """Refuse to write where the version itself does not allow it; asked right before each write."""
        # A Failed one that is promoted already launches all the same: its update may be made again.
        again = found.state is VersionState.FAILED and (step.excluded or _as_wished(step, found))
        if found.state is not VersionState.SUCCEEDED and not again:
            raise conflict(
                step, f"{step.named} is {found.state_title}, not Succeeded, so it was left as it is."
            )
        if step.excluded:
            return
        if other := replaced(found, step.published):
            raise conflict(step, f"{step.named} {other}; it was not promoted.")
        if found.end_of_life is not None and has_ended(found, self._clock()):
            raise conflict(
                step,
                f"{step.named} reached its end of life on {found.end_of_life:%Y-%m-%d}; it was not promoted.",
            )
        held = self._holds.known.why_held(step.pin, self._clock())
        if held and not _as_wished(step, found):
            raise conflict(step, f"{step.named} {held}; it was not promoted.")

    async def _overtaken(self, step: SetExcluded, found: ImageVersion, holds: Holds) -> str | None:
        """Why the version is not to be promoted any more, though nothing is wrong with it; the rest of a sentence."""
        named = step.why is FlagReason.NAMED
        if self._history is not None and await self._history.taken_back_since(
            step.pin, step.rollbacks, named=named
        ):
            return "was rolled back after this was planned"
        if self._rules is not None and not _as_wished(step, found):
            broken = await self._rules.why_not(
                step.pin, found, step.overridden, self._clock(), accepted=step.against, holds=holds
            )
            if broken:
                return broken
        if step.why in _NEWEST:
            versions = await gallery_of(self._clouds, step).versions(step.definition)
            top = newest_latest(each for each in versions if each.number != found.number)
            if top is not None and top.number > found.number:
                return f"is not the newest any more: {top.number} was promoted meanwhile"
        return None

    async def verify(self, step: SetExcluded, token: str) -> StepDone:
        """Read the version until it shows the flag, or time is up.

        Raises:
            CloudError: UNVERIFIED where the flag cannot be seen.
        """
        title = gallery_of(self._clouds, step).title
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
        return await self._done(step, found, already=False)

    async def _done(self, step: SetExcluded, found: ImageVersion, *, already: bool) -> StepDone:
        """That it is so, with what latest resolves to now, region by region: looked at after a rollback as after a
        promotion, and where a process died before it could look."""
        sentence, facts = await tell_latest(gallery_of(self._clouds, step), found)
        done = _flag_done(step, already=already)
        return done.model_copy(
            update={"summary": f"{done.summary} {sentence}", "facts": {**done.facts, **facts}}
        )

    async def _look(self, step: SetExcluded) -> ImageVersion | None:
        return await look_at(self._clouds, step)


def _is_so(step: SetExcluded, version: ImageVersion) -> bool:
    return version.state is VersionState.SUCCEEDED and _as_wished(step, version)


def _not_reached(step: SetExcluded, version: ImageVersion) -> str | None:
    """Why a version is not where it has to be before it is promoted, as the rest of a sentence; None where it is."""
    away = missing_copies(version, step.needs)
    if away:
        copies = join_names([copy_in_words(*each) for each in away.items()], len(away))
        return f"is not in every region where it is to be promoted: {copies}"
    before = set(step.after) - version.launch_regions
    return f"is not promoted in {format_regions(sorted(before))}, which comes first" if before else None


def _as_wished(step: SetExcluded, version: ImageVersion) -> bool:
    if step.regions:
        return version.launch_regions >= set(step.regions)
    return is_excluded_everywhere(version) if step.excluded else is_promoted_everywhere(version)


def _flag_done(step: SetExcluded, *, already: bool) -> StepDone:
    state = "excluded from latest" if step.excluded else "promoted"
    if step.regions:
        state += f" in {format_regions(step.regions)}"
    return StepDone(
        summary=f"{step.named} {'was' if already else 'is'} {state}{' already' if already else ''}.",
        already=already,
        facts={"definition": step.definition, "version": step.version, "excluded": step.excluded},
    )
