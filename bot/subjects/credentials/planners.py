"""Planning to put a reminder off, and to say that a credential is seen to, which its source has to show."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from slipway.bot.core.errors import UserError
from slipway.bot.core.steps import Draft
from slipway.bot.core.times import format_date
from slipway.bot.subjects.credentials.answers import snoozed_until
from slipway.bot.subjects.credentials.finding import find_credential, reminded_of
from slipway.bot.subjects.credentials.model import Credential, CredentialKind
from slipway.bot.subjects.credentials.requests import Done, Snooze
from slipway.bot.subjects.credentials.standing import last_threshold
from slipway.bot.subjects.credentials.steps import KeepAnswer
from slipway.bot.subjects.credentials.words import NEW_DATE, days

if TYPE_CHECKING:
    from slipway.bot.subjects.credentials.services import CredentialServices


class SnoozePlanner:
    """Plans :class:`.requests.Snooze`."""

    def __init__(self, services: CredentialServices) -> None:
        self._services = services

    async def plan(self, request: Snooze, now: datetime) -> Draft[Snooze]:
        """Plan to put the reminder off, and never past the last one before the end.

        Raises:
            UserError: there is no such credential, it cannot be read, or it is too late to put anything off.
        """
        found = await find_credential(self._services, request.name, request.key, now, meant=reminded_of)
        credential = found.credential
        pinned = request.model_copy(update={"key": credential.key})
        ends = credential.ends_at
        if ends is None or not found.stands.step:
            return Draft(
                pinned, f"Nobody is reminded of {credential.name} now: {_why_not(credential)}.", (), {}
            )
        last = last_threshold(credential, self._services.thresholds(credential.entry))
        asked = timedelta(seconds=request.seconds)
        until = request.until or snoozed_until(now, asked, ends, last)
        if until is None:
            left = credential.left(now) or timedelta()
            when = f"ends in {days(left)}" if left > timedelta() else f"ended on {format_date(ends)}"
            raise UserError(
                f"{credential.name} {when}: that is too late to put it off.",
                hint=f"credential done {credential.name}",
            )
        cut = ends - until <= last  # the same whenever it is planned again
        stays = f": the last reminder before {format_date(ends)} stays, whatever is asked" if cut else ""
        return Draft(
            request=pinned.model_copy(update={"until": until}),
            summary=f"Nobody is reminded of {credential.name} until {until:%Y-%m-%d %H:%M} UTC{stays}.",
            steps=(_step(credential, ends, request.person, until),),
            observed={},
        )


class DonePlanner:
    """Plans :class:`.requests.Done`."""

    def __init__(self, services: CredentialServices) -> None:
        self._services = services

    async def plan(self, request: Done, now: datetime) -> Draft[Done]:
        """Plan to remind nobody any more, where the source shows another one in its place.

        Raises:
            UserError: there is no such credential, it cannot be read, or its source shows nothing that is done.
        """
        found = await find_credential(self._services, request.name, request.key, now, meant=reminded_of)
        credential, after = found.credential, found.stands.successor
        pinned = request.model_copy(update={"key": credential.key})
        ends = credential.ends_at
        if ends is None or not found.stands.step:
            return Draft(pinned, f"{credential.name} is well: {_why_not(credential)}.", (), {})
        answer = await self._services.answers.about(credential.key, ends)
        if answer is not None and answer.until is None and after is not None:
            person = self._services.people.name(answer.person)
            return Draft(pinned, f"{person} said already that {credential.name} is seen to.", (), {})
        if credential.by_age and after is not None:
            raise UserError(
                f"{after.name} is beside it, and its source accepts {credential.name} still, which is too old: "
                "deactivate it there, and it is done.",
                hint=f"credentials {credential.entry}",
            )
        if credential.kind is CredentialKind.DECLARED:
            raise UserError(
                f"slipway.toml says that {credential.name} ends on {format_date(ends)}, "
                f"and nothing else knows of it. {NEW_DATE}",
                hint=f"credentials {credential.entry}",
            )
        if after is None:
            raise UserError(
                f"Its source shows {credential.name} with the end {format_date(ends)} still, and none in its place; "
                "once it shows another, nobody is reminded any more.",
                hint=f"credentials {credential.entry}",
            )
        when = format_date(after.ends_at)
        return Draft(
            request=pinned,
            summary=f"Nobody is reminded of {credential.name} any more: {after.name} is in its place, until {when}.",
            steps=(_step(credential, ends, request.person, None),),
            observed={"successor": after.key},
            evidence=(("In its place", f"{after.title}, until {when}"),),
            warnings=(
                f"Until {format_date(ends)} both are accepted; what uses which, its source does not tell.",
            )
            if credential.use is None and ends > now
            else (),
        )


def _step(credential: Credential, ends: datetime, person: str, until: datetime | None) -> KeepAnswer:
    return KeepAnswer(
        credential=credential.key, name=credential.name, ends_at=ends, person=person, until=until
    )


def _why_not(credential: Credential) -> str:
    if not credential.active:
        return "its source accepts it no more"
    return "it has no end" if credential.ends_at is None else f"it ends on {format_date(credential.ends_at)}"
