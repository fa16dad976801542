"""The credential that somebody names, as its source shows it now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from slipway.bot.core.errors import UserError
from slipway.bot.core.text import nearest
from slipway.bot.subjects.credentials.model import Credential
from slipway.bot.subjects.credentials.standing import Standing, standing

if TYPE_CHECKING:
    from slipway.bot.subjects.credentials.services import CredentialServices


@dataclass(frozen=True)
class FoundCredential:
    """A credential that somebody names, how it stands, and all others that were seen."""

    credential: Credential
    stands: Standing
    every: tuple[Credential, ...]


def _any(_credential: Credential, _stands: Standing) -> bool:
    return True


def reminded_of(_credential: Credential, stands: Standing) -> bool:
    """Whether its owner is reminded of it now: who answers a reminder means that one."""
    return bool(stands.step)


async def find_credential(
    services: CredentialServices,
    name: str,
    key: str,
    now: datetime,
    *,
    meant: Callable[[Credential, Standing], bool] = _any,
) -> FoundCredential:
    """What is named, as its source shows it now; the watch looks soon, too, since somebody is about to change it.

    Args:
        services: look at every source.
        name: what somebody typed.
        key: what was found by that before; empty for nothing yet.
        now: the present.
        meant: of several of one table, which can be meant.

    Raises:
        UserError: there is no such credential, or several, or it cannot be read.
    """
    readings = await services.look()
    every = tuple(each for reading in readings for each in reading.found)
    named = _named(every, name, key)
    stands = {each.key: standing(each, every, services.thresholds(each.entry), now) for each in named}
    if len(named) > 1:
        named = [each for each in named if meant(each, stands[each.key])] or named
    unread = next((each for each in readings if each.problem and _is_of(name, each.entry)), None)
    if not named and unread is not None:
        raise UserError(
            f"{name} cannot be looked at, so nothing is believed of it: {unread.problem}",
            hint=f"credentials {unread.entry}",
        )
    if not named:
        raise UserError(
            f"There is no credential {name}; if it was there, its source has it no more.",
            nearest=nearest(
                name, dict.fromkeys((*services.inventory.entries, *(each.name for each in every)))
            ),
            given=name,
            hint="credentials",
        )
    if len(named) > 1:
        raise UserError(
            f"{name} has {len(named)} credentials; say which.",
            nearest=tuple(each.name for each in named[:3]),
            given=name,
            hint=f"credentials {name}",
        )
    (one,) = named
    return FoundCredential(one, stands[one.key], every)


def _named(every: Sequence[Credential], name: str, key: str) -> list[Credential]:
    if key:
        return [each for each in every if each.key == key]
    wanted = name.casefold()
    exact = [each for each in every if each.name.casefold() == wanted]
    return exact or [each for each in every if each.entry.casefold() == wanted]


def _is_of(name: str, entry: str) -> bool:
    return f"{name.casefold()}/".startswith(f"{entry.casefold()}/")
