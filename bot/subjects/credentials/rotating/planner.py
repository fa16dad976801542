"""Planning a rotation: what gets a successor, where that goes, and when the former is taken away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from slipway.bot.clouds.ports.credential_rotation import CredentialRotation, HeldKey
from slipway.bot.core.errors import UserError
from slipway.bot.core.model import Json
from slipway.bot.core.steps import Draft
from slipway.bot.core.times import format_date, format_duration
from slipway.bot.subjects.credentials.finding import find_credential
from slipway.bot.subjects.credentials.model import ROTATED, Credential, State
from slipway.bot.subjects.credentials.rotating.proving import IN_A_ROW
from slipway.bot.subjects.credentials.rotating.requests import Rotate
from slipway.bot.subjects.credentials.rotating.steps import (
    AwaitGrace,
    PauseKey,
    RemoveKey,
    RotationStep,
    StageSuccessor,
    WaitedFor,
)
from slipway.bot.subjects.credentials.settings import LIFETIME, CredentialSettings, SourceKind
from slipway.bot.subjects.credentials.standing import Standing

if TYPE_CHECKING:
    from slipway.bot.subjects.credentials.services import CredentialServices

_AN_HOUR = timedelta(hours=1)
"""So long a token lives that was given for a secret: what uses it asks anew by then."""


class RotatePlanner:
    """Plans :class:`.requests.Rotate`."""

    def __init__(self, services: CredentialServices) -> None:
        self._services = services

    async def plan(self, request: Rotate, now: datetime) -> Draft[Rotate]:
        """Plan to give it a successor.

        Raises:
            UserError: there is no such credential, it is none that is rotated, or there is no room beside it.
        """
        ledger = self._services.workshop.ledger
        rotations = {
            entry: tuple((await ledger.of_entry(entry)).values())
            for entry in self._services.inventory.entries
        }

        def meant(credential: Credential, _stands: Standing) -> bool:
            under_way = rotations.get(credential.entry, ())
            made = any(each.may_have_made(credential.source_id) for each in under_way)
            return _is_meant(credential, now) and not made

        found = await find_credential(self._services, request.name, request.key, now, meant=meant)
        credential = found.credential
        entry = self._services.entry(credential.entry)
        _check_rotated(credential, entry)
        port = self._services.workshop.port(entry.account)
        keys = await port.keys(credential.holder)
        await self._check_room(credential, port, keys)
        titles = tuple(each.title for each in entry.sinks)
        steps = _steps(credential, entry, pauses=port.pauses)
        lifetime = steps[0].lifetime if isinstance(steps[0], StageSuccessor) else None
        observed: dict[str, Json] = {"rotated": credential.key, "places": list(entry.deliver)}
        return Draft(
            request=request.model_copy(update={"key": credential.key}),
            summary=f"A successor of {credential.name} works and is in {' and '.join(titles)}, "
            f"and {credential.name} is removed.",
            steps=steps,
            observed=observed,
            evidence=(
                ("What", credential.title),
                ("Ends", _ends(credential, now, ended=found.stands.state is State.ENDED)),
                *((("Used by", entry.used_by),) if entry.used_by else ()),
                ("Delivered to", ", ".join(titles)),
                ("Tried", f"{IN_A_ROW} logins in a row, before anybody gets it"),
                *(
                    (("Successor lives", format_duration(timedelta(seconds=lifetime))),)
                    if lifetime is not None
                    else ()
                ),
            ),
            warnings=_warnings(entry, port),
        )

    async def _check_room(
        self, credential: Credential, port: CredentialRotation, keys: Sequence[HeldKey]
    ) -> None:
        """Refuse where nothing more can be made: of two keys, which one goes is a person's choice."""
        rotation = await self._services.workshop.ledger.about(credential.entry, credential.key)
        ours: set[str] = set()
        if rotation is not None:
            ours = {
                rotation.made,
                *rotation.left,
                *(each.id for each in rotation.unused(keys, labels=port.labels)),
                *(each.id for each in rotation.doubtful(keys, labels=port.labels)),
            }
        others = [each for each in keys if each.id not in ours and each.id != credential.source_id]
        if port.most is None or len(others) + 1 < port.most:
            return
        told = "; ".join(_key_in_words(each) for each in keys)
        raise UserError(
            f"There is room for {port.most} keys, and both are there: {told}. Remove the one that nothing uses.",
            hint=f"credentials {credential.entry}",
        )


def _is_meant(credential: Credential, now: datetime) -> bool:
    """Of several credentials of a table, the one that is in use is rotated: it is accepted now, and has not ended."""
    left = credential.left(now)
    lives = left is None or left > timedelta() or credential.by_age
    return credential.kind in ROTATED and credential.active and credential.begun(now) and lives


def _check_rotated(credential: Credential, entry: CredentialSettings) -> None:
    if credential.kind not in ROTATED:
        raise UserError(
            f"Slipway rotates secrets of applications and access keys, and {credential.name} is neither: make a new "
            "one, and see that everything uses it.",
            hint=f"credentials {credential.entry}",
        )
    if not entry.deliver:
        raise UserError(
            f"Nobody says where a new secret of {credential.entry} goes: whoever runs Slipway writes "
            f"credentials.{credential.entry}.deliver.",
            hint=f"credentials {credential.entry}",
        )


def _steps(credential: Credential, entry: CredentialSettings, *, pauses: bool) -> tuple[RotationStep, ...]:
    common = {
        "entry": credential.entry,
        "account": entry.account,
        "holder": credential.holder,
        "credential": credential.key,
        "key": credential.source_id,
        "name": credential.name,
    }
    seconds = int(entry.grace.total_seconds())
    lifetime = None
    if entry.source is SourceKind.APPLICATION:
        lifetime = int((entry.lifetime or LIFETIME).total_seconds())
    sinks = tuple(each.title for each in entry.sinks)
    pausing = (
        (PauseKey(**common), AwaitGrace(**common, after=WaitedFor.PAUSED, seconds=seconds)) if pauses else ()
    )
    return (
        StageSuccessor(**common, sinks=sinks, lifetime=lifetime),
        AwaitGrace(**common, seconds=seconds),
        *pausing,
        RemoveKey(**common),
    )


def _ends(credential: Credential, now: datetime, *, ended: bool) -> str:
    if credential.ends_at is None or credential.left(now) is None:
        return "never"
    return f"{format_date(credential.ends_at)}{', and is over' if ended else ''}"


def _warnings(entry: CredentialSettings, port: CredentialRotation) -> tuple[str, ...]:
    words = []
    if entry.grace < _AN_HOUR:
        words.append(f"What uses it has {format_duration(entry.grace)} to take up the successor.")
    if any(not each.can_undo for each in entry.sinks) and len(entry.sinks) > 1:
        words.append("What a command has delivered cannot be put back, should another place fail behind it.")
    if not port.pauses:
        words.append("Whether something still uses the old one, its source does not tell.")
    return tuple(words)


def _key_in_words(key: HeldKey) -> str:
    used = f"used last on {format_date(key.used_at)}" if key.used_at is not None else "never used"
    return f"{key.id}, {'' if key.active else 'inactive, '}made on {format_date(key.made_at)}, {used}"
