"""A person in encrypted rooms: a nio client of its own, with cross-signing by code that is not the bot's.

A *strict* one does as MSC4153 says: it gives keys only to devices that their owner has cross-signed, and does not
read what others wrote.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
import nio
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tests.matrix.clients import RefusedError
from tests.support.processes.synapse import Account, Synapse

T = TypeVar("T")
_PATIENCE = 20.0


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def unb64(text: str) -> bytes:
    return base64.b64decode(text + "===")


def canonical(value: dict[str, Any]) -> bytes:
    kept = {key: inner for key, inner in value.items() if key not in ("signatures", "unsigned")}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def verifies(value: dict[str, Any], user: str, key_id: str, public: str) -> bool:
    """Whether a signature is there and right, by the cryptography library alone."""
    signature = value.get("signatures", {}).get(user, {}).get(key_id)
    if signature is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(unb64(public)).verify(unb64(signature), canonical(value))
    except InvalidSignature:
        return False
    return True


def is_cross_signed(answer: dict[str, Any], user: str, device: str) -> bool:
    """Whether an answer to /keys/query shows a device that its owner has cross-signed, link by link."""
    master = answer.get("master_keys", {}).get(user)
    middle = answer.get("self_signing_keys", {}).get(user)
    if master is None or middle is None:
        return False
    ((master_id, master_key),) = master["keys"].items()
    ((middle_id, middle_key),) = middle["keys"].items()
    return verifies(middle, user, master_id, master_key) and verifies(
        answer["device_keys"][user][device], user, middle_id, middle_key
    )


def _refused(answer: nio.ErrorResponse) -> RefusedError:
    status = answer.transport_response.status if answer.transport_response is not None else 0
    return RefusedError(status, {"errcode": answer.status_code, "error": answer.message})


class EncryptedPerson:
    """One account on one encrypted device."""

    def __init__(self, synapse: Synapse, account: Account, folder: Path, *, strict: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.id = account.user_id
        self.account = account
        self.strict = strict
        self._url = synapse.url
        config = nio.AsyncClientConfig(store_sync_tokens=False, encryption_enabled=True)
        self.client = nio.AsyncClient(
            synapse.url, account.user_id, device_id=account.device_id, store_path=str(folder), config=config
        )
        self.client.restore_login(account.user_id, account.device_id, account.access_token)
        self.events: dict[str, list[Any]] = {}
        self.withheld: list[dict[str, Any]] = []
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {account.access_token}"}, timeout=aiohttp.ClientTimeout(30)
        )

    @classmethod
    @asynccontextmanager
    async def of(
        cls,
        synapse: Synapse,
        folder: Path,
        *,
        name: str | None = None,
        signed: bool = True,
        strict: bool = False,
    ) -> AsyncIterator[EncryptedPerson]:
        """A newly registered person, whose device is cross-signed or not; without a name, one nobody has yet."""
        account = await asyncio.to_thread(synapse.register, name)
        person = cls(synapse, account, folder, strict=strict)
        try:
            await person.client.keys_upload()
            if signed:
                await person.cross_sign()
            yield person
        finally:
            await person.close()

    async def close(self) -> None:
        await self._session.close()
        await self.client.close()

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        async with self._session.request(method, f"{self._url}/_matrix/client/v3{path}", json=body) as answer:
            found = await answer.json()
            assert answer.status == 200, (answer.status, found)
            return found

    async def cross_sign(self) -> None:
        """Make cross-signing keys and sign this device with them."""
        master, middle = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()

        def public(key: Ed25519PrivateKey) -> str:
            return b64(key.public_key().public_bytes_raw())

        def key(of: Ed25519PrivateKey, usage: str) -> dict[str, Any]:
            return {"user_id": self.id, "usage": [usage], "keys": {f"ed25519:{public(of)}": public(of)}}

        def signed(value: dict[str, Any], by: Ed25519PrivateKey) -> dict[str, Any]:
            signatures = {**value.get("signatures", {}).get(self.id, {})}
            signatures[f"ed25519:{public(by)}"] = b64(by.sign(canonical(value)))
            return {**value, "signatures": {self.id: signatures}}

        await self.call(
            "POST",
            "/keys/device_signing/upload",
            {
                "master_key": key(master, "master"),
                "self_signing_key": signed(key(middle, "self_signing"), master),
            },
        )
        keys = await self.keys_of(self.id)
        device = keys["device_keys"][self.id][self.account.device_id]
        device.pop("unsigned", None)
        body = {self.id: {self.account.device_id: signed(device, middle)}}
        answer = await self.call("POST", "/keys/signatures/upload", body)
        assert not answer.get("failures")

    async def keys_of(self, user: str) -> dict[str, Any]:
        """What the homeserver serves of somebody's keys."""
        found: dict[str, Any] = await self.call("POST", "/keys/query", {"device_keys": {user: []}})
        return found

    async def create_room(self, *invite: str, encrypted: bool = True, direct: bool = False) -> str:
        state = {"type": "m.room.encryption", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
        body = {
            "preset": "private_chat",
            "invite": list(invite),
            "is_direct": direct,
            "initial_state": [state] if encrypted else [],
        }
        answer = await self.call("POST", "/createRoom", body)
        return str(answer["room_id"])

    async def sync(self, *, wait_ms: int = 0) -> None:
        """Take in what is new, and keep the keys in order.

        Raises:
            RefusedError: the homeserver does not answer as it should.
        """
        answer = await self.client.sync(timeout=wait_ms, sync_filter={"room": {"timeline": {"limit": 100}}})
        if not isinstance(answer, nio.SyncResponse):
            raise _refused(answer)
        for event in answer.to_device_events:
            if event.source.get("type") == "m.room_key.withheld":
                self.withheld.append(event.source["content"])
        for room, info in answer.rooms.join.items():
            for event in info.timeline.events:
                if await self._read(event):
                    self.events.setdefault(room, []).append(event)
        if self.client.should_upload_keys:
            await self.client.keys_upload()
        if self.client.should_query_keys:
            await self.client.keys_query()
        await self.client.send_to_device_messages()

    async def _read(self, event: Any) -> bool:
        if not self.strict or not event.decrypted or event.sender == self.id:
            return True
        keys = await self.keys_of(event.sender)
        return any(
            device["keys"].get(f"curve25519:{name}") == event.sender_key
            and is_cross_signed(keys, event.sender, name)
            for name, device in keys["device_keys"][event.sender].items()
        )

    async def say(self, room: str, text: str, *, thread: str | None = None, **more: Any) -> str:
        """Say something, encrypted where the room is."""
        content: dict[str, Any] = {"msgtype": "m.text", "body": text, **more}
        if thread is not None:
            content["m.relates_to"] = {"rel_type": "m.thread", "event_id": thread}
        return await self.send(room, "m.room.message", content)

    async def send(self, room: str, kind: str, content: dict[str, Any]) -> str:
        """Send any event and return its id.

        Raises:
            RefusedError: the homeserver said no.
        """
        await self._members(room)
        answer = await self.client.room_send(room, kind, content, ignore_unverified_devices=True)
        if not isinstance(answer, nio.RoomSendResponse):
            raise _refused(answer)
        return str(answer.event_id)

    async def say_in_clear(self, room: str, text: str) -> str:
        """Put clear text into an encrypted room, as a homeserver that forges would."""
        body = {"msgtype": "m.text", "body": text}
        path = f"/rooms/{quote(room)}/send/m.room.message/clear{len(self.events.get(room, []))}{quote(text)}"
        answer = await self.call("PUT", path, body)
        return str(answer["event_id"])

    async def react(self, room: str, event_id: str, key: str = "✅") -> str:
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": key}
        return await self.send(room, "m.reaction", {"m.relates_to": relation})

    async def redact(self, room: str, event_id: str) -> None:
        await self.client.room_redact(room, event_id)

    async def _members(self, room: str) -> None:
        await self.client.joined_members(room)
        if self.client.should_query_keys:
            await self.client.keys_query()
        if self.strict:
            for user in self.client.rooms[room].users:
                keys = await self.keys_of(user)
                for device in self.client.device_store.active_user_devices(user):
                    if not is_cross_signed(keys, user, device.id):
                        self.client.blacklist_device(device)
                    else:
                        self.client.unblacklist_device(device)

    async def until(self, condition: Callable[[], T | None], *, what: str) -> T:
        """Look until the condition gives something true."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self.sync()
                while not (found := condition()):
                    await self.sync(wait_ms=1_000)
                return found
        except TimeoutError:
            seen = {room: [each.source for each in events] for room, events in self.events.items()}
            raise AssertionError(f"waited in vain for {what}; saw {seen}") from None

    async def member(self, room: str, user: str) -> None:
        def there() -> bool:
            return any(
                event.source.get("type") == "m.room.member"
                and event.source.get("state_key") == user
                and event.source["content"]["membership"] == "join"
                for event in self.events.get(room, [])
            )

        await self.until(there, what=f"{user} to enter")

    async def until_answered(self, room: str, bot: str) -> None:
        """Talk until the bot has entered and listens; what falls into its first look is history to it."""
        await self.member(room, bot)
        for _ in range(60):
            await self.say(room, "!whoami")
            await self.sync(wait_ms=500)
            if self.texts(room, bot):
                return
        raise AssertionError("the bot never listened")

    def texts(self, room: str, sender: str) -> list[str]:
        """What somebody said, oldest first; edits by their new text."""
        return [
            event.source["content"].get("m.new_content", event.source["content"])["body"]
            for event in self.events.get(room, [])
            if event.source.get("type") == "m.room.message"
            and event.sender == sender
            and event.source["content"]
        ]

    async def message(self, room: str, text: str) -> Any:
        """Wait for a message, or an edit, that holds a text."""

        def said() -> Any:
            for event in reversed(self.events.get(room, [])):
                content = event.source.get("content", {})
                if event.source.get("type") == "m.room.message" and event.sender != self.id:
                    shown = content.get("m.new_content", content)
                    if text in shown.get("body", ""):
                        return event
            return None

        return await self.until(said, what=f"“{text}”")

    def reactions(self, room: str, event_id: str) -> set[tuple[str, str]]:
        return {
            (event.sender, event.source["content"]["m.relates_to"]["key"])
            for event in self.events.get(room, [])
            if event.source.get("type") == "m.reaction"
            and event.source["content"].get("m.relates_to", {}).get("event_id") == event_id
        }
