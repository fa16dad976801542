"""Making a successor: made, tried, delivered. One step, for its secret is told once and stands in memory alone.

Readers get nothing that was not tried. Whatever fails, the one before works on, and what was made is taken away again
or named. Where the process dies in between, nobody knows the secret any more: what was made is found by its label or
by the ids noted before, taken away, and made again. If readers may have it already, it goes only once they have the
next one, where there is room for both. What only may be ours is told, and stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.ports.credential_rotation import (
    CLOCKS,
    CREDENTIAL_ROTATION,
    CredentialRotation,
    FreshKey,
    HeldKey,
)
from slipway.bot.core.errors import CloudError, CloudErrorKind, UserError
from slipway.bot.core.steps import StepDone
from slipway.bot.core.times import Clock, format_date
from slipway.bot.core.uptime import ReadUptime, system_uptime
from slipway.bot.core.waiting import Polling
from slipway.bot.subjects.credentials.delivery.deliver import commit_all, discard_all, prepare_all
from slipway.bot.subjects.credentials.delivery.model import Delivery, NotDeliveredError, Sink
from slipway.bot.subjects.credentials.rotating.ledger import Rotation, RotationLedger
from slipway.bot.subjects.credentials.rotating.proving import PASSING, prove
from slipway.bot.subjects.credentials.rotating.steps import StageSuccessor

TRIES = 3
"""So often it is tried before it is a person's problem."""


def _log() -> Any:
    """The log, whose library takes longer to load than a declaration may."""
    import structlog

    return structlog.get_logger(__name__)


@dataclass(frozen=True)
class Workshop:
    """What rotations work with.

    Attributes:
        clouds: have the accounts.
        ledger: what is kept of rotations.
        sinks: makes an entry's sinks.
        clock: the present.
        polling: how long it is tried whether a new one works, and how long to wait between tries.
        uptime: the machine's, for waits during which its clock is set.
    """

    clouds: Clouds
    ledger: RotationLedger
    sinks: Callable[[str], Sequence[Sink]]
    clock: Clock
    polling: Polling
    uptime: ReadUptime = system_uptime

    def port(self, account: str) -> CredentialRotation:
        """An account's credentials."""
        return self.clouds.get(CREDENTIAL_ROTATION, account)


class StageExecutor:
    """Carries out :class:`.steps.StageSuccessor`."""

    def __init__(self, workshop: Workshop) -> None:
        self._shop = workshop

    async def observe(self, step: StageSuccessor, token: str) -> StepDone | None:
        """Done already if this very step delivered it, and its source accepts it."""
        rotation = await self._shop.ledger.about(step.entry, step.credential)
        if rotation is None or rotation.token != token or rotation.staged_at is None:
            return None
        keys = await self._shop.port(step.account).keys(step.holder)
        there = any(each.id == rotation.made and each.active for each in keys)
        return _done(step, rotation, already=True) if there else None

    async def act(self, step: StageSuccessor, token: str) -> None:
        """Make it, try it, deliver it; some tries, where what failed may be over at the next."""
        for number in range(1, TRIES + 1):
            try:
                await self._once(step, token)
            except (CloudError, UserError) as error:
                again = isinstance(error, CloudError) and error.kind in PASSING and not _is_kept(error)
                left = await self._failed(step, token, error)
                if not again or number == TRIES:
                    raise _told(error, step, left) from error
                await self._shop.polling.sleep(self._shop.polling.pause)
            else:
                return

    async def verify(self, step: StageSuccessor, token: str) -> StepDone:
        """See that it is there.

        Raises:
            CloudError: UNVERIFIED where it is not.
        """
        done = await self._shop.polling.until(
            lambda: self.observe(step, token), lambda seen: seen is not None
        )
        if done is None:
            sentence = f"The successor of {step.name} was delivered, and its source does not show it."
            raise CloudError(CloudErrorKind.UNVERIFIED, cloud=step.account, sentence=sentence)
        return done.model_copy(update={"already": False})

    async def _once(self, step: StageSuccessor, token: str) -> None:
        port, ledger = self._shop.port(step.account), self._shop.ledger
        before = await ledger.about(step.entry, step.credential)
        later = await self._clear(step, port, before)
        known = await port.keys(step.holder)
        now = self._shop.clock()
        rotation = Rotation(
            name=step.name,
            token=token,
            known=tuple(each.id for each in known),
            noted_at=now,
            failures=before.failures if before is not None else 0,
            problem=before.problem if before is not None else "",
            left=tuple(each.id for each in later),
            unheard=True,
        )
        await ledger.keep(step.entry, step.credential, rotation)
        ends_at = now + timedelta(seconds=step.lifetime) if step.lifetime is not None else None
        try:
            fresh = await port.create(step.holder, token, ends_at)
        except CloudError as error:
            heard = rotation.model_copy(update={"unheard": error.doubtful})
            await ledger.keep(step.entry, step.credential, heard)
            raise
        rotation = rotation.model_copy(update={"made": fresh.id, "unheard": False})
        await ledger.keep(step.entry, step.credential, rotation)
        await self._hand_over(step, port, fresh, rotation)
        left = await self._removed(step, port, later)
        staged = {"staged_at": self._shop.clock(), "failures": 0, "problem": "", "left": left}
        await ledger.keep(step.entry, step.credential, rotation.model_copy(update=staged))

    async def _hand_over(
        self, step: StageSuccessor, port: CredentialRotation, fresh: FreshKey, rotation: Rotation
    ) -> None:
        """See that it works, and that every sink can take it; then put it into all of them."""
        delivery = Delivery(fresh.login, fresh.secret, fresh.id, fresh.ends_at)
        prepared = await prepare_all(self._shop.sinks(step.entry), delivery)
        try:
            await prove(port, step.holder, fresh, self._shop.polling)
            kept = rotation.model_copy(update={"delivering": True})
            await self._shop.ledger.keep(step.entry, step.credential, kept)
        except BaseException:
            await discard_all(prepared)
            raise
        await commit_all(prepared)

    async def _clear(
        self, step: StageSuccessor, port: CredentialRotation, before: Rotation | None
    ) -> list[HeldKey]:
        """Take away what a former try made to nothing; what readers may have is given back, to go later.

        Raises:
            UserError: something may be what a former try made, and nothing tells.
        """
        if before is None:
            return []
        keys = await port.keys(step.holder)
        unused = before.unused(keys, labels=port.labels)
        unused += await self._told_ours(step, port, before, before.doubtful(keys, labels=port.labels))
        full = port.most is not None and len(keys) >= port.most
        if before.delivering and not full:
            return unused
        for each in unused:
            _log().info("taking away a credential that came to nothing", entry=step.entry, key=each.id)
            await port.remove(step.holder, each.id)
        return []

    async def _told_ours(
        self, step: StageSuccessor, port: CredentialRotation, before: Rotation, doubtful: Sequence[HeldKey]
    ) -> list[HeldKey]:
        """Those of them that are ours, by the cloud's log."""
        if not doubtful:
            return []
        makers = await port.makers(step.holder, before.noted_at - CLOCKS)
        unknown = [each.id for each in doubtful if each.id not in makers]
        if unknown:
            ids = " and ".join(unknown)
            raise UserError(
                f"{ids} came to {step.holder} as Slipway asked for a key and got no answer, was never used, and "
                "may be Slipway's or somebody else's: nothing tells yet. If nobody else made it, remove it; or "
                "rotate again in a quarter of an hour, if Slipway may look into CloudTrail.",
                hint=f"credentials {step.entry}",
            )
        return [each for each in doubtful if makers[each.id] == before.token]

    async def _removed(
        self, step: StageSuccessor, port: CredentialRotation, keys: Sequence[HeldKey]
    ) -> tuple[str, ...]:
        """Take away what readers have no more; the ids of what stays all the same."""
        left = []
        for each in keys:
            try:
                await port.remove(step.holder, each.id)
            except CloudError as error:
                _log().warning("a former successor stays", entry=step.entry, key=each.id, why=error.sentence)
                left.append(each.id)
        return tuple(left)

    async def _failed(
        self, step: StageSuccessor, token: str, error: CloudError | UserError
    ) -> tuple[str, ...]:
        """Take away what was made, if nobody can have it; note why it failed; the ids of what is left over."""
        ledger, port = self._shop.ledger, self._shop.port(step.account)
        rotation = await ledger.about(step.entry, step.credential)
        if (
            rotation is None or rotation.token != token
        ):  # nothing was made, and what is kept is of another one
            rotation = rotation or Rotation(name=step.name, token=token, noted_at=self._shop.clock())
            noted = {"failures": rotation.failures + 1, "problem": error.sentence}
            await ledger.keep(step.entry, step.credential, rotation.model_copy(update=noted))
            return rotation.left
        kept = _is_kept(error)
        left: tuple[str, ...] = ()
        try:
            unused = rotation.unused(await port.keys(step.holder), labels=port.labels)
        except (CloudError, UserError) as unseen:
            _log().warning("what is left over could not be looked at", entry=step.entry, why=str(unseen))
            left = tuple(filter(None, (rotation.made, *rotation.left)))
        else:
            stays = [each for each in unused if kept or each.id in rotation.left]
            gone = [each for each in unused if each not in stays]
            left = (*(each.id for each in stays), *await self._removed(step, port, gone))
        changed = {
            "failures": rotation.failures + 1,
            "problem": error.sentence,
            "left": left,
            "made": "",
            "delivering": kept or bool(rotation.left),
            "staged_at": None,
        }
        await ledger.keep(step.entry, step.credential, rotation.model_copy(update=changed))
        return left


def _is_kept(error: CloudError | UserError) -> bool:
    """Whether readers have what was made all the same."""
    return isinstance(error, NotDeliveredError) and bool(error.kept)


def _told(error: CloudError | UserError, step: StageSuccessor, left: Sequence[str]) -> CloudError | UserError:
    """The error, with what works on and what is left over."""
    words = f"{error.sentence} {step.name} works on."
    if isinstance(error, NotDeliveredError) and error.kept:
        there = "may be" if error.doubtful else "is"
        words += f" The new one {there} in {' and '.join(error.kept)} already, so it stays, and works, too."
    if left:
        words += f" Left over at its source: {', '.join(left)}; the next rotation takes that away."
    if isinstance(error, UserError):
        return UserError(words, hint=error.hint)
    told = CloudError(
        error.kind,
        cloud=error.cloud,
        sentence=words,
        code=error.code,
        reason=error.reason,
        remedy=error.remedy,
    )
    told.retry_after = error.retry_after
    return told


def _done(step: StageSuccessor, rotation: Rotation, *, already: bool) -> StepDone:
    staged, where = format_date(rotation.staged_at), " and ".join(step.sinks)
    left = f" Left over at its source: {', '.join(rotation.left)}." if rotation.left else ""
    return StepDone(
        summary=f"{step.name} has a successor since {staged}, which works and is in {where}.{left}",
        already=already,
        facts={"credential": step.credential, "successor": rotation.made},
    )
