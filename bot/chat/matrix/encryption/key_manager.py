"""Key management around nio's Olm machine: publishing the bot's keys, querying others', sharing room keys.

nio would do most of this by itself; but it publishes keys before it saves them, knows no fallback key, takes a count
of no one-time keys for no count at all, holds a room for shared although nobody got its key, and stops sharing for
ever when a call in the middle is cut off.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict, defaultdict
from typing import Any
from urllib.parse import quote

import structlog

from slipway.bot.chat.matrix.encryption.cross_signing import OwnDevice
from slipway.bot.chat.matrix.encryption.device_list import DeviceList, valid_claimed_keys
from slipway.bot.chat.matrix.encryption.fallback_key import FallbackKey
from slipway.bot.chat.matrix.transport.api import Client, SendRequest, load_nio, request_json
from slipway.bot.chat.shared.payloads import JsonObject
from slipway.bot.core.errors import ChatError

_KEYS = "/_matrix/client/v3/keys"
_QUERY_AGAIN_AFTER = 300.0  # seconds until a homeserver that did not tell somebody's devices is asked again
_MIN_ONE_TIME_KEYS = 25  # at the homeserver; with fewer, new ones are made: half of what an account holds
_MAX_SHARE_ATTEMPTS = 3  # members or devices may change while a room's key is shared
_MAX_REMEMBERED = 1_000

log = structlog.get_logger(__name__)


class KeyManager:
    """Keeps one logged-in device's keys, and those it shares and gets, in order.

    Args:
        client: nio's client, its store loaded.
        call: makes calls as the bot.
    """

    def __init__(self, client: Client, call: SendRequest) -> None:
        self._client = client
        self._call = call
        self._nio = load_nio()
        self._next_query_at: dict[str, float] = {}
        self._next_refresh_at: dict[str, float] = {}
        self._share_locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._query_lock = asyncio.Lock()
        self._fallback_key = FallbackKey(client, call)
        self._withheld: OrderedDict[str, str] = OrderedDict()
        self.devices = DeviceList()
        self.problem = ""  # the last failure after a sync, as long as it lasts

    @property
    def device(self) -> OwnDevice:
        """This device, as its store holds it."""
        identity = self._client.olm.account.identity_keys
        return OwnDevice(
            self._client.user_id, self._client.device_id, identity["ed25519"], identity["curve25519"]
        )

    async def publish(self, *, device_published: bool) -> None:
        """Publish the device's keys where they are not, and enough one-time keys.

        Args:
            device_published: whether the homeserver shows the device's keys already.

        Raises:
            ChatError: the homeserver does not take them.
        """
        olm = self._client.olm
        olm.account.shared = device_published
        answer = await request_json(
            self._call, "count the bot's one-time keys", "POST", f"{_KEYS}/upload", {}
        )
        olm.uploaded_key_count = _count(answer)
        await self._upload_one_time_keys()

    async def after_sync(self, response: Any, unused_fallback_keys: object) -> None:
        """Do what a sync response asks for. What fails is logged, told, and tried after the next one.

        Args:
            response: nio's answer to a sync.
            unused_fallback_keys: ``device_unused_fallback_key_types`` of that sync, which nio does not read.
        """
        olm = self._client.olm
        count = response.device_key_count.signed_curve25519
        if isinstance(count, int):  # nio itself overlooks 0
            olm.uploaded_key_count = count
        for user in response.device_list.changed:
            self._next_query_at.pop(user, None)
            self._next_refresh_at.pop(user, None)
        self._note_withheld(response.to_device_events)
        self._invalidate_members(response)
        try:
            await self._upload_one_time_keys()
            await self._fallback_key.ensure(unused_fallback_keys)
            await self.query_devices(set(olm.users_for_key_query))
            await self._claim_for_wedged_devices()
            await self._send_to_device_messages()
        except ChatError as error:
            self.problem = str(error)
            log.warning("could not keep the encryption keys in order", problem=str(error))
        else:
            self.problem = ""

    async def query_devices(self, users: set[str]) -> None:
        """Learn the devices of these people, but of nobody whose homeserver just did not tell them.

        Raises:
            ChatError: the bot's homeserver does not answer.
        """
        async with self._query_lock:
            now = asyncio.get_running_loop().time()
            wanted = sorted(user for user in users if self._next_query_at.get(user, 0.0) <= now)
            if not wanted:
                return
            body: JsonObject = {"device_keys": {user: [] for user in wanted}, "timeout": 10_000}
            answer = await request_json(self._call, "look up devices", "POST", f"{_KEYS}/query", body)
            valid = self.devices.update(answer)
            response = self._nio.KeysQueryResponse(valid, {})
            await self._client.receive_response(response)
            for user in wanted:
                if user in valid:
                    self._next_query_at.pop(user, None)
                else:
                    self._next_query_at[user] = now + _QUERY_AGAIN_AFTER
                    self._client.olm.users_for_key_query.discard(user)

    async def refresh_devices(self, user: str) -> None:
        """Look somebody's devices up now, and not again for a while.

        Raises:
            ChatError: as :meth:`query_devices`.
        """
        now = asyncio.get_running_loop().time()
        if self._next_refresh_at.get(user, 0.0) <= now:
            await self.query_devices({user})
            self._next_refresh_at[user] = now + _QUERY_AGAIN_AFTER

    async def encrypt(self, room_id: str, kind: str, content: JsonObject) -> tuple[str, JsonObject]:
        """Encrypt an event for every device of every member, after giving them the room's key.

        Raises:
            ChatError: the key could not be shared.
        """
        olm = self._client.olm
        room = self._room(room_id)
        async with self._share_locks[room_id]:
            for _ in range(_MAX_SHARE_ATTEMPTS):
                await self._fetch_members(room_id)
                if not olm.should_share_group_session(room_id):
                    # Nothing may wait between here and the encryption: the session would be another.
                    encrypted_kind, encrypted = self._client.encrypt(room_id, kind, content)
                    return encrypted_kind, encrypted
                await self._share_room_key(room, list(room.users))
        raise ChatError(f"The members of {room_id} change too fast to encrypt for them.", passing=True)

    def note_invited(self, room_id: str, user: str) -> None:
        """Give somebody a room's keys who was just invited into it, before a sync tells of that."""
        self._room(room_id).add_member(user, None, None, invited=True)

    async def request_room_key(self, event: Any) -> None:
        """Ask the device that wrote an unreadable event for its key, once a session."""
        olm = self._client.olm
        if event.session_id in olm.outgoing_key_requests:
            return
        message = event.as_key_request(
            event.sender, self._client.device_id, event.session_id, event.device_id
        )
        if message not in olm.outgoing_to_device_messages:
            olm.outgoing_to_device_messages.append(message)
        try:
            await self._send_to_device_messages()
        except ChatError as error:
            log.info("a key request will be sent later", problem=str(error))

    def withheld_code(self, session_id: str) -> str:
        """Why the key of a session was not given to the bot, as the sender's client says; or nothing."""
        return self._withheld.get(session_id, "")

    def has_session(self, room_id: str, event: Any) -> bool:
        """Whether the bot has the key with which an event was encrypted."""
        found = self._client.olm.inbound_group_store.get(room_id, event.sender_key, event.session_id)
        return found is not None

    def _invalidate_members(self, response: Any) -> None:
        """Where a sync left events out, somebody may have joined or left in them: with members loaded lazily, the
        state beside a limited timeline names only those who speak after it."""
        for room_id, info in response.rooms.join.items():
            room = self._client.rooms.get(room_id)
            if room is not None and room.encrypted and info.timeline.limited:
                room.members_synced = False
                self._client.invalidate_outbound_session(room_id)

    def _room(self, room_id: str) -> Any:
        """nio's room, which it only knows after a sync."""
        room = self._client.rooms.get(room_id)
        if room is None:
            room = self._nio.MatrixRoom(room_id, self._client.user_id, encrypted=True)
            self._client.rooms[room_id] = room
        return room

    async def _fetch_members(self, room_id: str) -> None:
        room = self._room(room_id)
        if not room.members_synced:
            path = f"/_matrix/client/v3/rooms/{quote(room_id, safe='')}/joined_members"
            answer = await request_json(self._call, f"look up the members of {room_id}", "GET", path)
            response = self._nio.JoinedMembersResponse.from_dict(answer, room_id)
            if isinstance(response, self._nio.ErrorResponse):
                raise ChatError(f"The homeserver does not say who is in {room_id}.", passing=True)
            await self._client.receive_response(response)
        await self.query_devices(set(self._client.olm.users_for_key_query))

    async def _share_room_key(self, room: Any, users: list[str]) -> None:
        """Give the room's key to all devices that have not got it."""
        olm, room_id = self._client.olm, room.room_id
        if room_id in olm.outbound_group_sessions and olm.outbound_group_sessions[room_id].expired:
            olm.rotate_outbound_group_session(room_id)
        missing = olm.get_missing_sessions(users)
        if missing:
            await self._claim_one_time_keys(missing)
        # nio must be told to give keys to devices that it has not verified, as it verifies none. Who may
        # command is decided where commands come in; who is in the room may read.
        batches = list(olm.share_group_session_parallel(room_id, users, ignore_unverified_devices=True))
        session = olm.outbound_group_sessions[room_id]
        for shared_with, messages in batches:
            path = f"/_matrix/client/v3/sendToDevice/m.room.encrypted/{secrets.token_hex(16)}"
            await request_json(self._call, f"share the key of {room_id}", "PUT", path, messages)
            session.users_shared_with.update(shared_with)
        session.shared = True
        if not room.members_synced or set(room.users) != set(users):  # somebody joined or left meanwhile
            self._client.invalidate_outbound_session(room.room_id)

    async def _claim_one_time_keys(self, wanted: dict[str, list[str]]) -> None:
        body: JsonObject = {
            "timeout": 10_000,
            "one_time_keys": {
                user: dict.fromkeys(devices, "signed_curve25519") for user, devices in wanted.items()
            },
        }
        answer = await request_json(self._call, "get one-time keys", "POST", f"{_KEYS}/claim", body)
        store = self._client.olm.device_store
        public = {
            user: {device.id: device.ed25519 for device in store.active_user_devices(user)} for user in wanted
        }
        valid = valid_claimed_keys(answer, public)
        await self._client.receive_response(self._nio.KeysClaimResponse(valid, {}))

    async def _upload_one_time_keys(self) -> None:
        """Publish new one-time keys where few are left. They are saved before anybody can use one."""
        olm = self._client.olm
        count = olm.uploaded_key_count
        if olm.account.shared and (count is None or count >= _MIN_ONE_TIME_KEYS):
            return
        if count is not None and count >= olm.account.max_one_time_keys:
            body = {"device_keys": _device_keys(olm)}
        else:
            body = olm.share_keys()
        olm.save_account()
        answer = await request_json(self._call, "publish the bot's keys", "POST", f"{_KEYS}/upload", body)
        olm.account.shared = True
        olm.uploaded_key_count = _count(answer)
        olm.mark_keys_as_published()
        olm.save_account()

    async def _claim_for_wedged_devices(self) -> None:
        """Open new sessions with devices whose last one broke. Who has no key now is not asked for one again
        before the next broken message."""
        if not self._client.should_claim_keys:
            return
        olm = self._client.olm
        wanted = {user: list(devices) for user, devices in self._client.get_users_for_key_claiming().items()}
        await self._claim_one_time_keys({user: devices for user, devices in wanted.items() if devices})
        olm.wedged_devices.clear()
        olm.key_request_devices_no_session.clear()

    async def _send_to_device_messages(self) -> None:
        for message in list(self._client.outgoing_to_device_messages):
            path = f"/_matrix/client/v3/sendToDevice/{quote(message.type, safe='')}/{secrets.token_hex(16)}"
            await request_json(self._call, "send to a device", "PUT", path, message.as_dict())
            await self._client.receive_response(self._nio.ToDeviceResponse(message))

    def _note_withheld(self, events: list[Any]) -> None:
        for event in events:
            source = getattr(event, "source", None)
            if not isinstance(source, dict) or source.get("type") != "m.room_key.withheld":
                continue
            content = source.get("content")
            content = content if isinstance(content, dict) else {}
            session, code = content.get("session_id"), content.get("code")
            if isinstance(session, str) and isinstance(code, str):
                self._withheld[session] = code
                while len(self._withheld) > _MAX_REMEMBERED:
                    self._withheld.popitem(last=False)


def _count(answer: JsonObject) -> int:
    """How many one-time keys the homeserver says it holds; not said is none (specification, ``/keys/upload``)."""
    counts = answer.get("one_time_key_counts")
    count = counts.get("signed_curve25519") if isinstance(counts, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) else 0


def _device_keys(olm: Any) -> JsonObject:
    """The device's own keys, signed, as nio makes them only together with one-time keys."""
    keys = olm.account.identity_keys
    body: JsonObject = {
        "algorithms": list(olm._algorithms),
        "device_id": olm.device_id,
        "user_id": olm.user_id,
        "keys": {
            f"curve25519:{olm.device_id}": keys["curve25519"],
            f"ed25519:{olm.device_id}": keys["ed25519"],
        },
    }
    body["signatures"] = {olm.user_id: {f"ed25519:{olm.device_id}": olm.sign_json(body)}}
    return body
