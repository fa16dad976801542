"""Carrying out the first step of a boot test: its machine is launched, once for one token."""

from __future__ import annotations

from slipway.bot.core.steps import StepDone
from slipway.bot.core.times import Clock
from slipway.bot.subjects.machines.launching.executor import LaunchExecutor, LaunchLedger
from slipway.bot.subjects.machines.leases.model import ReservationState
from slipway.bot.subjects.machines.steps import LaunchMachines
from slipway.bot.subjects.machines.testing.steps import LaunchForTest
from slipway.bot.subjects.machines.testing.terms import launch_of, until_of


class LaunchForTestExecutor:
    """Carries out :class:`.steps.LaunchForTest`, as any launch is.

    The time of its machine begins when it is asked for first, and each later try asks for the same, as clouds demand
    of one token.

    Args:
        launches: launches, and calls reservations by their tokens.
        ledger: where launches are noted.
        clock: the present.
    """

    def __init__(self, launches: LaunchExecutor, ledger: LaunchLedger, clock: Clock) -> None:
        self._launches = launches
        self._ledger = ledger
        self._clock = clock

    async def observe(self, step: LaunchForTest, token: str) -> StepDone | None:
        """As :meth:`.launching.executor.LaunchExecutor.observe`."""
        return await self._launches.observe(await self._launch(step, token), token)

    async def act(self, step: LaunchForTest, token: str) -> None:
        """As :meth:`.launching.executor.LaunchExecutor.act`."""
        await self._launches.act(await self._launch(step, token), token)

    async def verify(self, step: LaunchForTest, token: str) -> StepDone:
        """As :meth:`.launching.executor.LaunchExecutor.verify`."""
        return await self._launches.verify(await self._launch(step, token), token)

    async def _launch(self, step: LaunchForTest, token: str) -> LaunchMachines:
        claim = await self._ledger.leases.reservation(token)
        if claim is not None and claim.state is not ReservationState.RELEASED:
            return launch_of(step, claim.lease_ends_at)
        return launch_of(step, until_of(step, self._clock()))
