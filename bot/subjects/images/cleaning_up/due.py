"""Whether a version still deserves to go, asked right before it is disabled or deleted."""

from __future__ import annotations

from datetime import datetime

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.model import ImageVersion, VersionState
from slipway.bot.clouds.ports.image_versions import Guard
from slipway.bot.core.times import Clock
from slipway.bot.subjects.images.cleaning_up.retention import KeepReason, Rule, retention
from slipway.bot.subjects.images.cleaning_up.settings import RetentionSettings
from slipway.bot.subjects.images.holds.model import HoldReader, NothingHeld
from slipway.bot.subjects.images.replication.looking import with_copies_in
from slipway.bot.subjects.images.step_version import conflict, gallery_of, replaced
from slipway.bot.subjects.images.steps import LiftProtection, RemovalStep
from slipway.bot.subjects.images.usage.guarding import used_guard
from slipway.bot.subjects.images.usage.reading import UsageReader
from slipway.bot.subjects.images.versions import has_ended, is_blocked, is_promoted, protection


class RemovalChecks:
    """What speaks against the removal of one version by now; shared by all removals of a run.

    Args:
        clouds: one of them has the version.
        policy: whose versions may be removed.
        clock: the present, for rule 1 and for the ends of holds.
        holds: what must not be removed; None where nobody can hold anything.
        usage: what uses versions; shared by all, so that hundreds of removals ask once.
        prefix: of command lines.
    """

    def __init__(
        self,
        clouds: Clouds,
        policy: RetentionSettings,
        clock: Clock,
        holds: HoldReader | None = None,
        usage: UsageReader | None = None,
        prefix: str = "",
    ) -> None:
        self.prefix = prefix
        self._clouds = clouds
        self._policy = policy
        self._clock = clock
        self._holds = holds or NothingHeld()
        self._usage = usage or UsageReader(clouds, policy.spare_launched_within, clock)

    def now(self) -> datetime:
        """The present."""
        return self._clock()

    def disabled_until(self, found: ImageVersion) -> datetime | None:
        """Until when clean-ups leave a version disabled that one of them disabled; None for every other."""
        return None if found.disabled_since is None else found.disabled_since + self._policy.keep_disabled

    async def look(self, step: RemovalStep, found: ImageVersion) -> None:
        """Refuse what must not go any more: the version itself, holds, and the rule that chose it.

        Raises:
            CloudError: CONFLICT where the rule that chose the version does not hold any more, or something
                protects it now.
        """
        await self._holds.read()
        self.check(step, found)
        problem = await self._not_due(step, found)
        if problem:
            raise conflict(step, f"{step.named} {problem}; it was not {step.verb}.")

    async def before_removal(self, step: RemovalStep) -> Guard:
        """What refuses a version that is in use by now, or that :meth:`check` refuses by the holds of now.

        It is to be shown the version right before the removal.

        Raises:
            CloudError: CONFLICT where what is in use cannot be told; the cloud's own.
        """
        refuse_used = await used_guard(self._clouds, self._usage, step)
        await self._holds.read()

        def refuse(found: ImageVersion) -> None:
            refuse_used(found)
            self.check(step, found)

        return refuse

    def check(self, step: RemovalStep, found: ImageVersion) -> None:
        """Refuse to delete what the version itself speaks against; asked right before each deletion."""
        held = self._holds.known.on(step.pin, self._clock())
        if held:
            what = str(step.pin.ref) if held[0].whole else step.named
            words = self._holds.known.words(held[0])
            raise conflict(step, f"{what} is held by {words}, so nothing held was {step.verb}.")
        problem = self._problem(step, found)
        if problem:
            raise conflict(step, f"{step.named} {problem}; it was not {step.verb}.")

    def _problem(self, step: RemovalStep, found: ImageVersion) -> str | None:
        """Why the version itself must not be deleted, as the rest of a sentence about it."""
        if other := replaced(found, step.published):
            return other
        protected = protection(found, self._policy.owner)
        if protected is not None:
            return f"is protected now: {protected.value}"
        wanted = VersionState.DISABLED if step.rule is Rule.DISABLED else VersionState.SUCCEEDED
        if found.state is not wanted:
            return f"is {found.state_title}, not {wanted}"
        if step.rule is Rule.END_OF_LIFE and not has_ended(found, self._clock()):
            return "has not reached its end of life: the date was changed"
        if is_blocked(found, self._clock()) and not (found.kept_by_us and isinstance(step, LiftProtection)):
            return f"is kept: {KeepReason.BLOCKED.value}"
        if not step.promoted and is_promoted(found):
            return "has been promoted since it was chosen"
        return None

    async def _not_due(self, step: RemovalStep, found: ImageVersion) -> str | None:
        """Why no rule removes it any more, as the rest of a sentence about it.

        Asks for a listing, unless the version's own end of life is the reason: the other rules count.
        """
        if step.rule is Rule.END_OF_LIFE:
            return None
        listing = await gallery_of(self._clouds, step).versions(step.definition)
        if all(each.number != found.number for each in listing):
            return "is not listed among the versions of its definition"
        if is_promoted(found):
            listing = await with_copies_in(gallery_of(self._clouds, step), step.definition, listing)
        decided = retention(listing.versions, self._clock(), self._policy, in_doubt=bool(listing.unreadable))
        kept = next((each for each in decided.kept if each.version.number == found.number), None)
        if kept is None:
            return None
        if kept.why is KeepReason.LATEST:
            return "has become latest since it was chosen"
        return f"is not due any more: {kept.why.value}"
