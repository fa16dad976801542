"""Planning to take away what is left over: what has ended, or counts no more, and what has a successor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from slipway.bot.core.errors import UserError
from slipway.bot.core.steps import Draft
from slipway.bot.core.text import nearest
from slipway.bot.core.times import format_date
from slipway.bot.subjects.credentials.model import ROTATED, Credential, CredentialKind, State
from slipway.bot.subjects.credentials.rotating.requests import Remove
from slipway.bot.subjects.credentials.rotating.steps import (
    AwaitGrace,
    PauseKey,
    RemoveKey,
    RotationStep,
    WaitedFor,
)
from slipway.bot.subjects.credentials.settings import SourceKind
from slipway.bot.subjects.credentials.standing import standing

if TYPE_CHECKING:
    from slipway.bot.subjects.credentials.services import CredentialServices

_BROKEN_OFF = timedelta(days=7)
"""A rotation of which nothing was heard for so long, after its time of grace, is not under way."""


class RemovePlanner:
    """Plans :class:`.requests.Remove`."""

    def __init__(self, services: CredentialServices) -> None:
        self._services = services

    async def plan(self, request: Remove, now: datetime) -> Draft[Remove]:
        """Plan to take away what is named, or all that is left over.

        Raises:
            UserError: nothing is called so, it cannot be taken away, or nothing is in its place.
        """
        readings = await self._services.look()
        every = [each for reading in readings for each in reading.found]
        unread = {reading.entry: reading.problem for reading in readings if reading.problem}
        chosen = [await self._as_before(each) for each in await self._chosen(request, every, unread, now)]
        steps = [step for each in chosen for step in self._steps(each, every, now)]
        if not steps:
            return Draft(
                request, f"Nothing is left over{f' of {request.name}' if request.name else ''}.", (), {}
            )
        names = ", ".join(each.name for each in chosen)
        passed = tuple(
            f"{entry} cannot be looked at, so nothing of it is taken away: {why}"
            for entry, why in unread.items()
            if self._services.entry(entry).source in (SourceKind.APPLICATION, SourceKind.USER)
        )
        return Draft(
            request=request.model_copy(update={"keys": tuple(each.key for each in chosen)}),
            summary=f"{names} {'is' if len(chosen) == 1 else 'are'} gone for good.",
            steps=tuple(steps),
            observed={
                each.key: {"ends": format_date(each.ends_at), "accepted": each.active} for each in chosen
            },
            evidence=tuple((each.name, f"{_why(each, every, now)}{_use(each)}") for each in chosen),
            warnings=passed if not request.name else (),
            independent=len(chosen) > 1 and not any(step.LASTING for step in steps),
        )

    async def _chosen(
        self, request: Remove, every: Sequence[Credential], unread: dict[str, str], now: datetime
    ) -> list[Credential]:
        if request.keys:  # as it was agreed to: what is gone meanwhile needs nothing
            return [each for each in every if each.key in request.keys]
        wanted = request.name.casefold()
        exact = [each for each in every if each.name.casefold() == wanted]
        if exact and wanted not in {each.casefold() for each in self._services.inventory.entries}:
            _check_removable(exact[0], every, now)
            return exact
        entries = [
            each for each in self._services.inventory.entries if not wanted or each.casefold() == wanted
        ]
        if wanted and entries and entries[0] in unread:
            raise UserError(
                f"{request.name} cannot be looked at, so nothing is taken away: {unread[entries[0]]}",
                hint=f"credentials {entries[0]}",
            )
        if not entries and wanted:
            raise UserError(
                f"There is no credential {request.name}; if it was there, its source has it no more.",
                nearest=nearest(
                    request.name,
                    dict.fromkeys((*self._services.inventory.entries, *(each.name for each in every))),
                ),
                given=request.name,
                hint="credentials",
            )
        under_way = await self._under_way(entries, now)
        return [
            each
            for each in every
            if each.entry in entries and each.key not in under_way and self._is_left_over(each, every, now)
        ]

    async def _under_way(self, entries: Iterable[str], now: datetime) -> set[str]:
        """The keys of what a rotation takes away itself; one that was broken off long ago takes nothing away."""
        return {
            key
            for each in entries
            for key, rotation in (await self._services.workshop.ledger.of_entry(each)).items()
            if now - (rotation.paused_at or rotation.staged_at or rotation.noted_at)
            < self._services.entry(each).grace + _BROKEN_OFF
        }

    async def _as_before(self, credential: Credential) -> Credential:
        """As it was before Slipway made it inactive, so that a plan of which that is a step means the same behind it,
        and one that was broken off goes on."""
        rotation = await self._services.workshop.ledger.about(credential.entry, credential.key)
        paused = rotation is not None and rotation.paused_at is not None
        return replace(credential, active=True) if paused else credential

    def _is_left_over(self, credential: Credential, every: Iterable[Credential], now: datetime) -> bool:
        if credential.kind not in ROTATED:
            return False
        found = standing(credential, every, self._services.thresholds(credential.entry), now)
        return found.state is State.LEFTOVER

    def _steps(
        self, credential: Credential, every: Sequence[Credential], now: datetime
    ) -> tuple[RotationStep, ...]:
        entry = self._services.entry(credential.entry)
        common = {
            "entry": credential.entry,
            "account": entry.account,
            "holder": credential.holder,
            "credential": credential.key,
            "key": credential.source_id,
            "name": credential.name,
        }
        removal = RemoveKey(**common, why=_why(credential, every, now))
        if credential.kind is not CredentialKind.ACCESS_KEY or not credential.active:
            return (removal,)
        seconds = int(entry.grace.total_seconds())
        return (PauseKey(**common), AwaitGrace(**common, after=WaitedFor.PAUSED, seconds=seconds), removal)


def _check_removable(credential: Credential, every: Sequence[Credential], now: datetime) -> None:
    if credential.kind not in ROTATED:
        raise UserError(
            f"Slipway takes away secrets of applications and access keys, and {credential.name} is neither.",
            hint=f"credentials {credential.entry}",
        )
    ended = credential.ends_at is not None and credential.ends_at <= now and not credential.by_age
    if credential.active and not ended and _beside(credential, every, now) is None:
        raise UserError(
            f"{credential.name} works, and nothing is in its place: give it a successor first.",
            hint=f"credential rotate {credential.name}",
        )


def _beside(credential: Credential, every: Sequence[Credential], now: datetime) -> Credential | None:
    """Another one of its holder that somebody can log in with now."""
    return next(
        (
            each
            for each in every
            if each.group == credential.group
            and each.key != credential.key
            and each.kind in ROTATED
            and each.active
            and each.begun(now)
            and (each.ends_at is None or each.by_age or each.ends_at > now)
        ),
        None,
    )


def _why(credential: Credential, every: Sequence[Credential], now: datetime) -> str:
    if not credential.active:
        return "its source accepts it no more"
    if credential.ends_at is not None and credential.ends_at <= now and not credential.by_age:
        return f"it ended on {format_date(credential.ends_at)}"
    other = _beside(credential, every, now)
    return f"{other.name} is beside it" if other is not None else "it is asked for"


def _use(credential: Credential) -> str:
    """When it was used last, where its source tells."""
    if credential.use is None:
        return ""
    if credential.use.at is None:
        return "; never used, as far as its source knows"
    return f"; used last on {format_date(credential.use.at)}"
