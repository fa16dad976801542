"""GitHub and GitLab: the calls by which they tell an account's number and its keys. No account is needed for them.

GitHub: ``GET /users/NAME`` and ``/users/NAME/keys``. GitLab: ``GET /users?username=NAME``, which finds one or none,
and ``/users/ID/keys``; its ``/users/ID`` itself wants a token. Signing keys of GitHub are listed elsewhere, those of
GitLab among the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from slipway.bot.core.errors import UserError
from slipway.bot.core.times import Clock, format_date
from slipway.bot.subjects.machines.keys.http import KeyHttp, NotThereError
from slipway.bot.subjects.machines.keys.model import Account
from slipway.bot.subjects.machines.keys.published import (
    MOST_LISTED,
    KeyService,
    Listing,
    NoSuchAccountError,
    PublishedKey,
)
from slipway.bot.subjects.machines.keys.settings import KeySettings


class GitHub:
    """Accounts on GitHub, or on a GitHub Enterprise Server."""

    title = "GitHub"

    def __init__(self, http: KeyHttp) -> None:
        self._http = http

    async def listing(self, name: str) -> Listing:
        """As :meth:`.published.KeyService.listing`."""
        try:
            user = _entry(self._http, await self._http.get(f"/users/{name}"), "login")
            keys = await _keys(self._http, f"/users/{name}/keys", Account("github", name))
        except NotThereError:
            raise _unknown(self.title, name) from None
        return Listing(
            Account("github", user["login"]), str(user["id"]), tuple(_published(each) for each in keys)
        )


class GitLab:
    """Accounts on gitlab.com, or on another GitLab.

    Args:
        http: asks it.
        clock: the present, for keys that end.
    """

    title = "GitLab"

    def __init__(self, http: KeyHttp, clock: Clock) -> None:
        self._http = http
        self._clock = clock

    async def listing(self, name: str) -> Listing:
        """As :meth:`.published.KeyService.listing`."""
        account = Account("gitlab", name)
        found = await self._http.get("/users", {"username": name})
        if not isinstance(found, list):
            raise self._http.odd("a list was expected")
        users = [_entry(self._http, each, "username") for each in found]
        user = next((each for each in users if each["username"].casefold() == name.casefold()), None)
        if user is None:
            raise _unknown(self.title, name)
        if user.get("state", "active") != "active":
            raise UserError(f"The account {account} is not active on GitLab, so its keys are not used.")
        try:
            keys = await _keys(self._http, f"/users/{user['id']}/keys", account)
        except NotThereError:
            raise _unknown(self.title, name) from None
        published = tuple(PublishedKey(each["key"], self._refused(each)) for each in keys)
        return Listing(Account("gitlab", user["username"]), str(user["id"]), published)

    def _refused(self, key: Mapping[str, Any]) -> str:
        """Why a key does not count on GitLab itself."""
        if key.get("usage_type") == "signing":
            return "is for signing alone"
        ends = key.get("expires_at")
        if not isinstance(ends, str):
            return ""
        try:
            moment = datetime.fromisoformat(ends)
        except ValueError:
            raise self._http.odd("the end of a key is no moment") from None
        if moment.tzinfo is None or moment > self._clock():
            return ""
        return f"ended on {format_date(moment)}"


def key_hosts(settings: KeySettings, clock: Clock) -> Mapping[str, KeyService]:
    """The services by the names that stand before the colon of an account."""

    def http(title: str, name: str, address: str) -> KeyHttp:
        return KeyHttp(title, name, address, settings.timeout, clock)

    return {
        "github": GitHub(http("GitHub", "github", settings.github)),
        "gitlab": GitLab(http("GitLab", "gitlab", settings.gitlab), clock),
    }


def _unknown(title: str, name: str) -> NoSuchAccountError:
    return NoSuchAccountError(f"{title} knows nobody called {name}.")


def _published(entry: Mapping[str, Any]) -> PublishedKey:
    return PublishedKey(entry["key"])


def _entry(http: KeyHttp, found: object, name: str) -> dict[str, Any]:
    """An account as it was answered, with its number and its name."""
    if not isinstance(found, dict) or not isinstance(found.get(name), str):
        raise http.odd("an account was expected")
    number = found.get("id")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise http.odd("an account has no number")
    return found


async def _keys(http: KeyHttp, path: str, account: Account) -> list[dict[str, Any]]:
    """All keys of an account, as they were answered.

    Raises:
        UserError: there are too many.
        NotThereError: there is no such account.
        CloudError: they cannot be had.
    """
    found: list[dict[str, Any]] = []
    async for entry in http.all(path):
        if not isinstance(entry, dict) or not isinstance(entry.get("key"), str):
            raise http.odd("a key was expected")
        found.append(entry)
        if len(found) > MOST_LISTED:
            raise UserError(
                f"{account} lists more than {MOST_LISTED} keys, and so many are not read: paste those that you use."
            )
    return found
