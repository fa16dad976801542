"""Carrying out changes to people's keys: look first, store or forget, look again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slipway.bot.core.errors import CloudError, CloudErrorKind
from slipway.bot.core.steps import StepDone
from slipway.bot.core.times import Clock
from slipway.bot.subjects.machines.keys.model import SshKey, read_account
from slipway.bot.subjects.machines.keys.public_key import read_key
from slipway.bot.subjects.machines.keys.steps import ForgetKey, StoreKey

if TYPE_CHECKING:  # the database behind it takes most of a second, and `slipway check` needs none
    from slipway.bot.subjects.machines.keys.repository import Keys


class StoreKeyExecutor:
    """Carries out :class:`.steps.StoreKey`."""

    def __init__(self, keys: Keys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    async def observe(self, step: StoreKey, token: str) -> StepDone | None:
        """Done already if the person has it."""
        return _stored(step, already=True) if await self._has(step) else None

    async def act(self, step: StoreKey, token: str) -> None:
        """Store it."""
        now = self._clock()
        await self._keys.add(
            SshKey(
                person=step.person,
                key=read_key(step.line),
                account=read_account(step.account) if step.account else None,
                account_id=step.account_id,
                added_at=now,
                checked_at=now,
            )
        )

    async def verify(self, step: StoreKey, token: str) -> StepDone:
        """Look again.

        Raises:
            CloudError: UNVERIFIED where it is not there.
        """
        if not await self._has(step):
            raise _not_so(f"{step.fingerprint} was stored, and is not there.")
        return _stored(step, already=False)

    async def _has(self, step: StoreKey) -> bool:
        return await self._keys.find(step.person, step.fingerprint) is not None


class ForgetKeyExecutor:
    """Carries out :class:`.steps.ForgetKey`."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def observe(self, step: ForgetKey, token: str) -> StepDone | None:
        """Done already if the person does not have it."""
        return None if await self._has(step) else _forgotten(step, already=True)

    async def act(self, step: ForgetKey, token: str) -> None:
        """Forget it."""
        await self._keys.remove(step.person, step.fingerprint)

    async def verify(self, step: ForgetKey, token: str) -> StepDone:
        """Look again.

        Raises:
            CloudError: UNVERIFIED where it is still there.
        """
        if await self._has(step):
            raise _not_so(f"{step.fingerprint} was removed, and is still there.")
        return _forgotten(step, already=False)

    async def _has(self, step: ForgetKey) -> bool:
        return await self._keys.find(step.person, step.fingerprint) is not None


def _stored(step: StoreKey, *, already: bool) -> StepDone:
    return StepDone(
        summary=f"{step.fingerprint} {'was there already' if already else 'is added'}.",
        already=already,
        facts={"fingerprint": step.fingerprint},
    )


def _forgotten(step: ForgetKey, *, already: bool) -> StepDone:
    return StepDone(
        summary=f"{step.fingerprint} {'was gone already' if already else 'is removed'}.",
        already=already,
        facts={"fingerprint": step.fingerprint},
    )


def _not_so(sentence: str) -> CloudError:
    return CloudError(CloudErrorKind.UNVERIFIED, cloud="keys", sentence=sentence)
