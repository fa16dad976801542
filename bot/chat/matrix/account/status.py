"""`slipway matrix status`: the bot's device, identity, keys and rooms, and what is wrong with them.

Everything is only looked at, so this may be done while the bot runs.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from slipway.bot.chat.matrix.account.account_store import AccountStore, Login
from slipway.bot.chat.matrix.encryption.cross_signing import (
    CrossSigningIdentity,
    OwnDevice,
    PublicIdentity,
    query_keys,
)
from slipway.bot.chat.matrix.encryption.seeds import configured_seeds
from slipway.bot.chat.matrix.rooms import power_levels
from slipway.bot.chat.matrix.settings import MatrixSettings
from slipway.bot.chat.matrix.transport.api import (
    SendRequest,
    await_response,
    load_nio,
    request_json,
    send_request,
)
from slipway.bot.chat.matrix.transport.errors import error_from_response
from slipway.bot.chat.shared.payloads import JsonObject, value_at

_LOGIN = "slipway matrix login"
_NEW_DEVICE = "slipway matrix login --new-device"
_NEW_IDENTITY = "slipway matrix login --new-identity"
_RUN = "slipway run"
_FEW_ONE_TIME_KEYS = 10  # one-time keys
_PICKLE_KEY = "DEFAULT_KEY"  # nio's own; what protects the store is the folder's mode
_MAX_ROOMS = 50  # asked about one by one


_NONE: JsonObject = {"types": []}
_INVITES_ALONE: JsonObject = {
    "presence": _NONE,
    "account_data": _NONE,
    "room": {"timeline": {"limit": 0, **_NONE}, "state": _NONE, "ephemeral": _NONE, "account_data": _NONE},
}
"""A filter for a sync that is to name rooms, and tell nothing of them."""


@dataclass(frozen=True)
class AccountProblem:
    """Something that is wrong, and what to type; ``command`` is empty where nothing typed here helps."""

    sentence: str
    command: str = ""


@dataclass
class StatusReport:
    """What was found, as lines of label and value, and what is wrong."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    problems: list[AccountProblem] = field(default_factory=list)


class StatusReporter:
    """Inspects one account.

    Args:
        settings: the account and its rooms.
        store: where its login and keys are kept.
    """

    def __init__(self, settings: MatrixSettings, store: AccountStore) -> None:
        self._settings = settings
        self._store = store
        self._findings = StatusReport()

    async def report(self) -> StatusReport:
        """Look at everything.

        Raises:
            ChatError: the homeserver cannot be reached, or a file cannot be read.
        """
        settings, report = self._settings, self._findings
        report.lines.append(("Account", f"{settings.user_id} on {settings.homeserver}"))
        nio = await asyncio.to_thread(load_nio)
        client = nio.AsyncClient(
            settings.homeserver.rstrip("/"),
            settings.user_id,
            config=nio.AsyncClientConfig(request_timeout=settings.request_timeout.total_seconds()),
        )
        try:
            look = self._look(nio, client)
            await await_response("look at the account", look, 3 * settings.request_timeout.total_seconds())
        finally:
            await client.close()
        return report

    async def _look(self, nio: Any, client: Any) -> None:
        login = self._login()
        if login is None:
            self._findings.lines.append(("Device", "none yet: the bot has not logged in"))
            usable = self._settings.password is not None
            self._findings.problems.append(
                AccountProblem("The bot has no device yet.", _RUN if usable else _LOGIN)
            )
            return
        call: SendRequest = partial(send_request, client, token=login.access_token)
        status, who = await call("GET", "/_matrix/client/v3/account/whoami", None)
        if status != HTTPStatus.OK:
            self._logged_out(
                login, error_from_response("ask who the bot is logged in as", status, who).logged_out
            )
            return
        device_id = str(who.get("device_id", login.device_id))
        if self._settings.encryption:
            await self._encryption(nio, call, device_id)
        else:
            self._findings.lines += [
                ("Device", device_id),
                ("Encryption", "off (encryption under [matrix])"),
            ]
        await self._old_devices(call, login)
        await self._rooms(call)

    def _login(self) -> Login | None:
        settings = self._settings
        if settings.access_token is not None:
            token = settings.access_token.get_secret_value()
            return Login(settings.homeserver, settings.user_id, settings.device_id, token)
        return self._store.load_login(settings.homeserver, settings.user_id)

    def _logged_out(self, login: Login, how: str) -> None:
        self._findings.lines.append(("Device", f"{login.device_id}, logged out"))
        if how == "soft":
            sentence = f"The homeserver ended the login of device {login.device_id}, which is still there."
        else:
            sentence = (
                f"The homeserver no longer knows device {login.device_id}: it was removed or logged out."
            )
        self._findings.problems.append(AccountProblem(sentence, _LOGIN))

    async def _encryption(self, nio: Any, call: SendRequest, device_id: str) -> None:
        user, report = self._settings.user_id, self._findings
        answer = await query_keys(call, user)
        published = answer.get("device_keys", {}).get(user, {}).get(device_id)
        identity = PublicIdentity.read(answer, user)
        ours = self._our_identity()
        signed = identity is not None and identity.has_signed(published)
        state = "not published" if published is None else "signed" if signed else "not signed"
        report.lines.append(("Device", f"{device_id}, {state}"))
        self._compare_store(nio, device_id, published)
        if identity is None:
            report.lines.append(("Identity", "none published"))
            report.problems.append(
                AccountProblem("The bot has published no cross-signing identity yet.", _RUN)
            )
        else:
            mine = ours is not None and ours.master.public == identity.master
            whose = "the bot's own" if mine else "not the bot's"
            report.lines.append(("Identity", f"master key {identity.master}, {whose}"))
            if not mine:
                seeds = "The seeds are of another one." if ours else "Its seeds are not here."
                report.problems.append(
                    AccountProblem(
                        f"The account's cross-signing identity is not the bot's. {seeds} Put them back from a "
                        f"backup ({self._store.seeds_path}), or replace the identity.",
                        _NEW_IDENTITY,
                    )
                )
            elif not signed:
                report.problems.append(
                    AccountProblem(
                        f"The device {device_id} is not signed; others' clients will not speak with it.", _RUN
                    )
                )
        counts = await request_json(call, "count one-time keys", "POST", "/_matrix/client/v3/keys/upload", {})
        count = counts.get("one_time_key_counts", {}).get("signed_curve25519", 0)
        report.lines.append(("One-time keys", f"{count} at the homeserver"))
        if published is not None and count < _FEW_ONE_TIME_KEYS:
            report.problems.append(
                AccountProblem(
                    "There are few one-time keys left, with which others start encrypted sessions with the bot.",
                    _RUN,
                )
            )

    def _our_identity(self) -> CrossSigningIdentity | None:
        given_seeds = self._settings.cross_signing_seeds
        seeds = configured_seeds(given_seeds.get_secret_value()) if given_seeds else self._store.load_seeds()
        return CrossSigningIdentity(seeds, self._settings.user_id) if seeds else None

    def _compare_store(self, nio: Any, device_id: str, published: object) -> None:
        if published is None:
            return
        lost = AccountProblem(
            f"The encryption keys of device {device_id} are lost: they are not in {self._store.path}. Put it back "
            "from a backup, or make a new device.",
            _NEW_DEVICE,
        )
        if not self._store.has_key_store(device_id):
            self._findings.problems.append(lost)
            return
        user, name = self._settings.user_id, self._store.key_store_name(device_id)
        peewee = importlib.import_module("peewee")
        try:
            store = nio.store.SqliteStore(user, device_id, str(self._store.path), _PICKLE_KEY, name)
            try:
                account = store.load_account()
            finally:
                store.database.close()
        except (ValueError, sqlite3.Error, peewee.PeeweeException):
            account = None
        keys = None if account is None else account.identity_keys
        if keys is None or not OwnDevice(user, device_id, keys["ed25519"], keys["curve25519"]).matches(
            published
        ):
            self._findings.problems.append(lost)

    async def _old_devices(self, call: SendRequest, login: Login) -> None:
        if not login.lost_devices:
            return
        answer = await request_json(call, "list the account's devices", "GET", "/_matrix/client/v3/devices")
        there = {each.get("device_id") for each in answer.get("devices", ()) if isinstance(each, dict)}
        still = [device for device in login.lost_devices if device in there]
        if still:
            self._findings.problems.append(
                AccountProblem(
                    f"The account still has {_listed('device', still)}, whose keys are lost. Log in to the account "
                    "with any Matrix client, and sign it out there (in Element: Settings, Sessions)."
                )
            )

    async def _rooms(self, call: SendRequest) -> None:
        answer = await request_json(
            call, "ask which rooms the bot is in", "GET", "/_matrix/client/v3/joined_rooms"
        )
        joined = [room for room in answer.get("joined_rooms", ()) if isinstance(room, str)]
        for room in joined[:_MAX_ROOMS]:
            self._findings.lines.append(("Room", f"{room}, {await self._describe(call, room)}"))
        if len(joined) > _MAX_ROOMS:
            self._findings.lines.append(("Room", f"and {len(joined) - _MAX_ROOMS} more"))
        missing = {}
        for name in self._settings.rooms:
            found = await self._resolve(call, name)
            if found is None:
                self._findings.problems.append(AccountProblem(f"The room {name} does not exist."))
            elif found not in joined:
                missing[name] = found
            else:
                await self._levels(call, found)
        invited = await _invitations(call) if missing else frozenset()
        for name, room in missing.items():
            if room in invited:
                self._findings.lines.append(
                    ("Room", f"{name}, invited; the bot enters when it runs: `slipway run`")
                )
            else:
                self._findings.problems.append(
                    AccountProblem(f"The bot is not in {name}. Invite {self._settings.user_id} into it.")
                )

    async def _levels(self, call: SendRequest, room: str) -> None:
        """Whether the bot may do in a room what it does there."""
        path = f"/_matrix/client/v3/rooms/{quote(room, safe='')}/state/"
        status, levels = await call("GET", f"{path}m.room.power_levels/", None)
        if status != HTTPStatus.OK:
            return
        encrypted, _ = await call("GET", f"{path}m.room.encryption/", None)
        user = self._settings.user_id
        missing = power_levels.missing_rights(levels, user, encrypted=encrypted == HTTPStatus.OK)
        if missing:
            sentence = power_levels.sentence(room, missing, power_levels.level_of(levels, user))
            needed = max(missing.values())
            self._findings.problems.append(
                AccountProblem(f"{sentence} Give {user} level {needed} in the room's permissions.")
            )

    async def _describe(self, call: SendRequest, room: str) -> str:
        path = f"/_matrix/client/v3/rooms/{quote(room, safe='')}/state/"
        status, _ = await call("GET", f"{path}m.room.encryption/", None)
        words = ["encrypted" if status == HTTPStatus.OK else "not encrypted"]
        if status == HTTPStatus.OK and not self._settings.encryption:
            self._findings.problems.append(
                AccountProblem(f"The room {room} is encrypted, and encryption is off.")
            )
        _, named = await call("GET", f"{path}m.room.name/", None)
        if isinstance(named.get("name"), str):
            words.append(f"“{named['name']}”")
        return ", ".join(words)

    async def _resolve(self, call: SendRequest, name: str) -> str | None:
        if not name.startswith("#"):
            return name
        path = f"/_matrix/client/v3/directory/room/{quote(name, safe='')}"
        status, answer = await call("GET", path, None)
        room = answer.get("room_id")
        if status not in (HTTPStatus.OK, HTTPStatus.NOT_FOUND):
            raise error_from_response(f"look up {name}", status, answer)
        return room if isinstance(room, str) else None


async def _invitations(call: SendRequest) -> frozenset[str]:
    """The rooms that the bot is invited into and has not entered. A sync without a token takes nothing away.

    Synapse gives the same answer to the same sync for two minutes (``sync_response_cache_duration``), also when
    somebody has invited the bot since; so each one asks a little differently.
    """
    once = {**_INVITES_ALONE, "account_data": {"not_types": ["*", uuid4().hex]}}
    path = f"/_matrix/client/v3/sync?timeout=0&filter={quote(json.dumps(once), safe='')}"
    answer = await request_json(call, "ask which rooms the bot is invited into", "GET", path)
    invited = value_at(answer, "rooms", "invite")
    return frozenset(invited) if isinstance(invited, dict) else frozenset()


def _listed(word: str, names: Iterable[str]) -> str:
    listed = list(names)
    return f"the {word}{'s' if len(listed) > 1 else ''} {', '.join(listed)}"
