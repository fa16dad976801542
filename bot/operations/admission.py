"""What is not proposed, and does not begin, though it was planned well: it is frozen, or others work on the same."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.bot.config.policies.settings import PolicySettings, WhenLocked
from slipway.bot.core.errors import UserError
from slipway.bot.operations.freezing.gate import FreezeGate
from slipway.bot.operations.locking.store import LockStore
from slipway.bot.operations.locking.words import LockWords
from slipway.bot.operations.model import Plan, UnknownStep
from slipway.bot.operations.registry import SubjectRegistry


class Admission:
    """Asked before a plan is proposed, and again before it begins.

    Args:
        registry: says what steps touch.
        policies: whether one waits for another or is refused, by kind of operation.
        locks: which operation works on what.
        words: says it.
        freezes: whether anything is frozen.
    """

    def __init__(
        self,
        registry: SubjectRegistry,
        policies: Mapping[str, PolicySettings],
        locks: LockStore,
        words: LockWords,
        freezes: FreezeGate,
    ) -> None:
        self._freezes = freezes
        self._registry = registry
        self._policies = policies
        self._locks = locks
        self._words = words

    async def check(self, plan: Plan) -> None:
        """See that a plan may be proposed now.

        Raises:
            FrozenError: it would change what is frozen.
            UserError: another operation works on the same, and such operations do not wait for that.
        """
        await self._freezes.check(plan)
        found = await self._in_the_way(plan)
        if found is not None:
            sentence, operation_id = found
            raise UserError(f"{sentence} Nothing was proposed.", hint=f"op {operation_id}")

    async def refusal(self, plan: Plan, operation_id: str) -> str:
        """Why an operation of this id may not begin now, and does not wait for that either, as a sentence; empty
        where it may, or waits."""
        found = await self._in_the_way(plan, operation_id)
        return "" if found is None else found[0]

    async def frozen(self, plan: Plan) -> str:
        """Why nothing of a plan may be done now, as a sentence without its full stop; empty where it may be."""
        found = await self._freezes.look(plan)
        return "" if found is None else self._freezes.words.why(found)

    async def _in_the_way(self, plan: Plan, operation_id: str = "") -> tuple[str, str] | None:
        settings = self._policies.get(plan.kind)
        if settings is None or settings.when_locked is WhenLocked.WAIT:
            return None
        targets = {
            target
            for step in plan.steps
            if not isinstance(step, UnknownStep)
            for target in self._registry.touches(step)
        }
        claims = await self._locks.on(targets)
        others = [each for each in claims if each.held and each.operation_id != operation_id]
        if not others:
            return None
        holder = await self._words.holder(others[0], targets)
        return f"This is not done while another operation is at it: {holder}.", others[0].operation_id
