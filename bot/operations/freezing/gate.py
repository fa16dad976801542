"""The one place that asks whether something is frozen: before a plan is proposed, before it begins, and before each
of its steps."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from slipway.bot.config.settings import FreezeWindowSettings
from slipway.bot.core.errors import UserError
from slipway.bot.core.steps import Reach
from slipway.bot.core.times import Clock
from slipway.bot.operations.freezing.calendar import current
from slipway.bot.operations.freezing.model import (
    Concern,
    FreezeState,
    Frozen,
    Unreadable,
    frozen,
)
from slipway.bot.operations.freezing.store import FreezeStore
from slipway.bot.operations.freezing.words import FreezeWords
from slipway.bot.operations.model import Plan, UnknownStep
from slipway.bot.operations.registry import SubjectRegistry
from slipway.bot.people import People


class FrozenError(UserError):
    """Something is not proposed, as it would change what is frozen."""


class FreezeGate:
    """Asks.

    Args:
        store: what people said.
        windows: the calendar of the configuration.
        go_on: kinds of operation that go on in a freeze that somebody said.
        registry: says what steps touch.
        people: with the roles by which one may pass a window.
        words: says it.
        clock: the present.
        emergencies_pass: whether no freeze is about what was asked for in an emergency.
    """

    def __init__(
        self,
        store: FreezeStore,
        windows: Sequence[FreezeWindowSettings],
        go_on: Collection[str],
        registry: SubjectRegistry,
        people: People,
        words: FreezeWords,
        clock: Clock,
        *,
        emergencies_pass: bool = False,
    ) -> None:
        self._emergencies_pass = emergencies_pass
        self.store = store
        self.words = words
        self._windows = tuple(windows)
        self._go_on = frozenset(go_on)
        self._registry = registry
        self._people = people
        self._clock = clock

    async def look(self, plan: Plan) -> Frozen | None:
        """Why a plan may change nothing now; None where it may.

        Raises:
            StorageError: as :meth:`.FreezeStore.read`.
        """
        if not changes_clouds(plan) or self._passes(plan):
            return None
        return self._judge(await self.store.read(), self.concern(plan))

    async def of(self, concern: Concern) -> Frozen | None:
        """The same of what is not planned yet."""
        return self._judge(await self.store.read(), concern)

    def known(self, plan: Plan) -> Frozen | None:
        """As :meth:`look`, by what was read last: for cards."""
        return (
            self._judge(self.store.known, self.concern(plan))
            if changes_clouds(plan) and not self._passes(plan)
            else None
        )

    def in_short(self, plan: Plan) -> str:
        """Why a plan does not begin if it is approved, as a sentence; empty where it does."""
        found = self.known(plan)
        return "" if found is None else f"{self.words.why(found)}."

    async def all(self) -> tuple[Frozen, ...]:
        """All that is frozen now, whatever it is about."""
        state, now = await self.store.read(), self._clock()
        if isinstance(state, Unreadable):
            return (state, *current(self._windows, now))
        return (*(each for each in state if each.holds(now)), *current(self._windows, now))

    def _judge(self, state: FreezeState, concern: Concern) -> Frozen | None:
        now = self._clock()
        return frozen(now, current(self._windows, now), state, concern, self._go_on)

    def _passes(self, plan: Plan) -> bool:
        return self._emergencies_pass and bool(plan.policy.emergency)

    def concern(self, plan: Plan) -> Concern:
        """As much of a plan as decides whether a freeze is about it: the whole, where a part of it is. One that says
        nowhere in which account it changes something could do so in any."""
        known = [step for step in plan.steps if not isinstance(step, UnknownStep)]
        targets = [target for step in known for target in step.policy_targets]
        clouds = {str(cloud) for step in known if (cloud := getattr(step, "cloud", ""))}
        clouds |= {target.cloud for target in targets if target.cloud}
        names = {part for step in known for name in self._registry.touches(step) for part in _names_in(name)}
        names |= {name for target in targets if target.name for name in (target.name, str(target))}
        person = self._people.by_id(plan.requester)
        return Concern(
            kind=plan.kind,
            requester=plan.requester,
            roles=frozenset(person.roles if person is not None else ()),
            clouds=frozenset(clouds),
            names=frozenset(names),
            unknown=len(known) < len(plan.steps) or not clouds,
        )

    async def check(self, plan: Plan) -> None:
        """See that a plan may be proposed now.

        Raises:
            FrozenError: it would change what is frozen.
        """
        found = await self.look(plan)
        if found is not None:
            raise FrozenError(
                f"{self.words.why(found)}. Nothing was proposed; with `--dry-run` you may see what it would do.",
                hint="status",
            )


def changes_clouds(plan: Plan) -> bool:
    """Whether a plan changes more than what Slipway itself remembers; what nobody here knows could."""
    return any(step.REACH is Reach.OUTSIDE for step in plan.steps)


def _names_in(touched: str) -> tuple[str, ...]:
    """What a name such as ``definition azure:fedora-cloud-43-x64`` names: with its account, and without."""
    whole = touched.partition(" ")[2]
    return whole, whole.partition(":")[2] or whole
