"""A look at everything that ``[credentials]`` names: what is there, and what could not be read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

from slipway.bot.clouds.capabilities import Clouds
from slipway.bot.clouds.ports.access_keys import ACCESS_KEYS
from slipway.bot.clouds.ports.app_credentials import APP_CREDENTIALS, Application
from slipway.bot.core.errors import CloudError, UserError
from slipway.bot.core.patterns import fits
from slipway.bot.subjects.credentials.model import Credential, Reading, UnreadableError
from slipway.bot.subjects.credentials.settings import CredentialSettings, SourceKind, is_pattern
from slipway.bot.subjects.credentials.sources import AskToken, of_applications, of_single, of_users

T = TypeVar("T")

_AT_ONCE = 8  # sources that are asked at the same time


def _log() -> Any:
    """The log, whose library takes longer to load than a declaration may."""
    import structlog

    return structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Listings:
    """What accounts list as a whole, or why they could not, each asked once a look."""

    applications: Mapping[str, Sequence[Application] | str]
    users: Mapping[str, Sequence[str] | str]


class Inventory:
    """Looks at every source. A source that fails spoils no other, and what it holds is never taken for gone.

    Args:
        entries: ``[credentials.NAME]``, in the configuration's order: the first that fits a credential has it.
        clouds: have the applications and the users.
        tokens: ask chat platforms about the bot's own tokens, by platform.
        key_age: how old access keys may become, where an entry does not say.
    """

    def __init__(
        self,
        entries: Mapping[str, CredentialSettings],
        clouds: Clouds,
        tokens: Mapping[str, AskToken],
        key_age: timedelta,
    ) -> None:
        self.entries = entries
        self._clouds = clouds
        self._tokens = tokens
        self._key_age = key_age

    async def look(self) -> tuple[Reading, ...]:
        """What there is by each entry, in their order."""
        gate = asyncio.Semaphore(_AT_ONCE)
        listings = _Listings(
            await self._whole(SourceKind.APPLICATION, self._applications, gate),
            await self._whole(SourceKind.USER, self._users, gate),
        )
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._read(name, entry, listings, gate))
                for name, entry in self.entries.items()
            ]
        return _each_once([task.result() for task in tasks])

    async def _whole(
        self, kind: SourceKind, ask: Callable[[str], Awaitable[Sequence[T]]], gate: asyncio.Semaphore
    ) -> dict[str, Sequence[T] | str]:
        """What each account lists of which an entry with a pattern asks."""
        accounts = dict.fromkeys(
            entry.account
            for entry in self.entries.values()
            if entry.source is kind and is_pattern(str(getattr(entry, kind.value)))
        )

        async def listed(account: str) -> Sequence[T] | str:
            async with gate:
                return await _or_why(ask(account))

        return dict(zip(accounts, await asyncio.gather(*map(listed, accounts)), strict=True))

    async def _applications(self, account: str) -> Sequence[Application]:
        return await self._clouds.get(APP_CREDENTIALS, account).applications()

    async def _users(self, account: str) -> Sequence[str]:
        return await self._clouds.get(ACCESS_KEYS, account).users()

    async def _read(
        self, name: str, entry: CredentialSettings, listings: _Listings, gate: asyncio.Semaphore
    ) -> Reading:
        async with gate:
            found = await _or_why(self._found(name, entry, listings))
        return Reading(name, problem=found) if isinstance(found, str) else Reading(name, tuple(found))

    async def _found(self, name: str, entry: CredentialSettings, listings: _Listings) -> Sequence[Credential]:
        account = entry.account
        match entry.source:
            case SourceKind.APPLICATION if is_pattern(entry.application):
                listed = _known(listings.applications[account])
                return of_applications(
                    name, account, [each for each in listed if fits(each.name, entry.application)]
                )
            case SourceKind.APPLICATION:
                port = self._clouds.get(APP_CREDENTIALS, account)
                return of_applications(name, account, [await port.application(entry.application)])
            case SourceKind.USER:
                users = _known(listings.users[account]) if is_pattern(entry.user) else ()
                max_age = entry.max_age or self._key_age
                keys = self._clouds.get(ACCESS_KEYS, account)
                return await of_users(name, account, keys, entry.user, users, max_age)
            case _:
                return (await of_single(name, entry, self._tokens),)


def _each_once(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """What two entries find, the first has."""
    taken: set[str] = set()
    found = []
    for reading in readings:
        kept = tuple(each for each in reading.found if each.key not in taken)
        taken |= {each.key for each in kept}
        found.append(replace(reading, found=kept))
    return tuple(found)


def _known(listed: Sequence[T] | str) -> Sequence[T]:
    if isinstance(listed, str):
        raise UnreadableError(listed)
    return listed


async def _or_why(looked: Awaitable[Sequence[T]]) -> Sequence[T] | str:
    """What a look brought, or why it brought nothing."""
    try:
        return await looked
    except CloudError as error:
        return error.words
    except (UserError, UnreadableError) as error:
        return error.sentence
    except Exception:  # noqa: BLE001 - a boundary: whatever is wrong with one source, the others are looked at
        _log().exception("credentials could not be looked at")
        return "Slipway failed at that, which is a fault of its own; its log says more."
