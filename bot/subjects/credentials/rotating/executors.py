"""What comes after a successor is delivered: waiting, making the former inactive, taking it away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from slipway.bot.clouds.ports.credential_rotation import HeldKey
from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy
from slipway.bot.core.steps import StepDone
from slipway.bot.core.times import format_date
from slipway.bot.subjects.credentials.rotating.grace import GraceNotes
from slipway.bot.subjects.credentials.rotating.ledger import Rotation
from slipway.bot.subjects.credentials.rotating.staging import Workshop
from slipway.bot.subjects.credentials.rotating.steps import (
    AwaitGrace,
    PauseKey,
    RemoveKey,
    RotationStep,
    WaitedFor,
)

_AT_ONCE = 60.0
"""Seconds between two looks at what lasts; less than that is not worth one."""

_MARGIN = 0.1
"""Seconds, by which a pause may seem shorter to the clock of the machine than it was."""


class GraceExecutor:
    """Carries out :class:`.steps.AwaitGrace`: since when it waits, the ledger knows."""

    def __init__(self, workshop: Workshop) -> None:
        self._shop = workshop

    async def observe(self, step: AwaitGrace, token: str) -> StepDone | None:
        """Done once the time is over.

        Raises:
            CloudError: CONFLICT where nothing is kept of what it waits for.
        """
        if self._shop.clock() < await self._until(step, token):
            return None
        return StepDone(summary=f"{step.name} was left alone beside its successor for as long as agreed.")

    async def act(self, step: AwaitGrace, token: str) -> None:
        """Nothing is changed; what is over within a minute is waited for here."""
        left = (await self._until(step, token) - self._shop.clock()).total_seconds()
        if 0 < left < _AT_ONCE:
            await self._shop.polling.sleep(left + _MARGIN)

    async def waiting(self, step: AwaitGrace, token: str) -> str:
        """Until when it waits."""
        until = await self._until(step, token)
        return "" if self._shop.clock() >= until else f"for its users, until {until:%Y-%m-%d %H:%M} UTC"

    async def verify(self, step: AwaitGrace, token: str) -> StepDone:
        """See that the time is over.

        Raises:
            CloudError: UNVERIFIED where it is not.
        """
        done = await self.observe(step, token)
        if done is None:
            sentence = f"{step.name} was not left alone for as long as agreed."
            raise CloudError(CloudErrorKind.UNVERIFIED, cloud=step.account, sentence=sentence)
        return done

    async def _until(self, step: AwaitGrace, token: str) -> datetime:
        rotation = await self._shop.ledger.about(step.entry, step.credential)
        since = None
        if rotation is not None:
            since = rotation.staged_at if step.after is WaitedFor.STAGED else rotation.paused_at
        if since is None:
            raise _conflict(step, f"Nothing is known of a successor of {step.name}, so it stays.")
        name = f"{step.entry} {step.credential} {step.after}"
        notes = GraceNotes(self._shop.ledger.memory, self._shop.uptime)
        began = await notes.began(name, token, since, self._shop.clock())
        return began + timedelta(seconds=step.seconds)


class PauseExecutor:
    """Carries out :class:`.steps.PauseKey`, where another one lives and nothing used this one lately."""

    def __init__(self, workshop: Workshop) -> None:
        self._shop = workshop

    async def observe(self, step: PauseKey, token: str) -> StepDone | None:
        """Done already if it is inactive, or gone.

        Raises:
            CloudError: CONFLICT where it is still used, or nothing is in its place.
        """
        keys = await self._shop.port(step.account).keys(step.holder)
        found = _held(step, keys)
        if found is None or not found.active:
            await self._note(step)
            return _paused(step, gone=found is None)
        rotation = await self._shop.ledger.about(step.entry, step.credential)
        _check_successor(step, keys, rotation, self._shop.clock())
        _check_unused(step, found, rotation, self._shop.clock())
        return None

    async def act(self, step: PauseKey, token: str) -> None:
        """Make it inactive."""
        await self._shop.port(step.account).deactivate(step.holder, step.key)

    async def verify(self, step: PauseKey, token: str) -> StepDone:
        """Look until it is inactive.

        Raises:
            CloudError: UNVERIFIED where it is not.
        """
        port = self._shop.port(step.account)
        keys = await self._shop.polling.until(
            lambda: port.keys(step.holder), lambda seen: not _is_active(step, seen)
        )
        if _is_active(step, keys):
            raise _unseen(step, "is accepted still")
        await self._note(step)
        return _paused(step, gone=False).model_copy(update={"already": False})

    async def _note(self, step: PauseKey) -> None:
        rotation = await self._shop.ledger.about(step.entry, step.credential)
        if rotation is None:  # it is taken away by itself, with no rotation before
            now = self._shop.clock()
            rotation = Rotation(name=step.name, token="", noted_at=now, staged_at=now)
        if rotation.paused_at is None:
            noted = rotation.model_copy(update={"paused_at": self._shop.clock()})
            await self._shop.ledger.keep(step.entry, step.credential, noted)


class RemoveExecutor:
    """Carries out :class:`.steps.RemoveKey`, where another one lives, or this one has ended.

    Args:
        workshop: what rotations work with.
        hasten: has the watch look soon, so that no reminder stands of what is gone.
    """

    def __init__(self, workshop: Workshop, hasten: Callable[[], None]) -> None:
        self._shop = workshop
        self._hasten = hasten

    async def observe(self, step: RemoveKey, token: str) -> StepDone | None:
        """Done already if it is gone.

        Raises:
            CloudError: CONFLICT where nothing is in its place.
        """
        keys = await self._shop.port(step.account).keys(step.holder)
        found = _held(step, keys)
        if found is None:
            await self._forget(step)
            return _removed(step, already=True)
        now = self._shop.clock()
        if found.lives(now):
            _check_successor(step, keys, await self._shop.ledger.about(step.entry, step.credential), now)
        return None

    async def act(self, step: RemoveKey, token: str) -> None:
        """Take it away, after whatever its rotation made that nobody heard of."""
        port = self._shop.port(step.account)
        rotation = await self._shop.ledger.about(step.entry, step.credential)
        if rotation is not None and rotation.made:
            for each in rotation.strays(await port.keys(step.holder), labels=port.labels):
                await port.remove(step.holder, each.id)
        await port.remove(step.holder, step.key)

    async def verify(self, step: RemoveKey, token: str) -> StepDone:
        """Look until it is gone.

        Raises:
            CloudError: UNVERIFIED where it is not.
        """
        port = self._shop.port(step.account)
        keys = await self._shop.polling.until(
            lambda: port.keys(step.holder), lambda seen: _held(step, seen) is None
        )
        if _held(step, keys) is not None:
            raise _unseen(step, "is there still")
        await self._forget(step)
        return _removed(step, already=False)

    async def _forget(self, step: RemoveKey) -> None:
        """The rotation is over; what it left behind is kept."""
        self._hasten()
        await self._shop.ledger.note_removed(step.entry, step.key)
        rotation = await self._shop.ledger.about(step.entry, step.credential)
        if rotation is not None and not rotation.left:
            await self._shop.ledger.keep(step.entry, step.credential, None)


def _held(step: RotationStep, keys: Sequence[HeldKey]) -> HeldKey | None:
    return next((each for each in keys if each.id == step.key), None)


def _is_active(step: RotationStep, keys: Sequence[HeldKey]) -> bool:
    found = _held(step, keys)
    return found is not None and found.active


def _check_successor(
    step: RotationStep, keys: Sequence[HeldKey], rotation: Rotation | None, now: datetime
) -> None:
    """Refuse to take away the last one that works, or one whose own successor does not work any more."""
    others = [each for each in keys if each.id != step.key and each.lives(now)]
    made = rotation.made if rotation is not None and rotation.staged_at is not None else ""
    if not others:
        raise _conflict(step, f"There is nothing in the place of {step.name} any more, so it stays.")
    if made and not any(each.id == made for each in others):
        raise _conflict(step, f"The successor of {step.name} is not there any more, so it stays.")


def _check_unused(step: RotationStep, found: HeldKey, rotation: Rotation | None, now: datetime) -> None:
    """Refuse to take away what is used beside its successor, in the second half of the time left for that."""
    since = rotation.staged_at if rotation is not None and rotation.made else None
    if since is None or found.used_at is None or found.used_at <= since + (now - since) / 2:
        return
    raise _conflict(
        step,
        f"{step.name} was used on {format_date(found.used_at)}, after its successor was delivered, so it stays: "
        "something has not taken that up.",
        Remedy(f"credential remove {step.name}", "once nothing uses it any more"),
    )


def _conflict(step: RotationStep, sentence: str, remedy: Remedy | None = None) -> CloudError:
    remedy = remedy or Remedy(f"credentials {step.entry}", "to see what is there")
    return CloudError(CloudErrorKind.CONFLICT, cloud=step.account, sentence=sentence, remedy=remedy)


def _unseen(step: RotationStep, how: str) -> CloudError:
    sentence = f"The change was taken, and {step.name} {how}."
    return CloudError(CloudErrorKind.UNVERIFIED, cloud=step.account, sentence=sentence)


def _paused(step: PauseKey, *, gone: bool) -> StepDone:
    summary = f"{step.name} is gone." if gone else f"{step.name} is inactive, which can be taken back."
    return StepDone(summary=summary, already=True, facts={"credential": step.credential})


def _removed(step: RemoveKey, *, already: bool) -> StepDone:
    return StepDone(
        summary=f"{step.name} is gone from its source.",
        already=already,
        facts={"credential": step.credential},
    )
