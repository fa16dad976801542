"""A person in a Matrix room, by plain HTTP: shares no code with the bot, and sees what a client would see.

Use it as a context manager: ``async with Person.of(synapse) as alice``. Whatever is waited for is waited for
on ``/sync``, until a deadline.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import aiohttp

from tests.support.processes.synapse import Account, Synapse

T = TypeVar("T")

APPROVE, REJECT = "✅", "❌"
_PATIENCE = 20.0
_POLL_MS = 2_000


class RefusedError(Exception):
    """The homeserver said no."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.errcode = body.get("errcode", "")


@dataclass(frozen=True)
class Message:
    """A message as a person sees it now: the latest edit applied."""

    id: str
    sender: str
    body: str
    html: str
    msgtype: str
    thread: str | None
    edits: int
    content: dict[str, Any]  # of the message as first sent
    shown: dict[str, Any]  # of its newest edit, or as first sent


class Person:
    """One account on one homeserver."""

    def __init__(self, synapse: Synapse, account: Account) -> None:
        self.id = account.user_id
        self.account = account
        self.url = synapse.url
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {account.access_token}"},
            timeout=aiohttp.ClientTimeout(total=30),
        )
        self._since: str | None = None
        self._transactions = itertools.count(1)
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.invites: set[str] = set()
        self.typing: dict[str, list[str]] = {}  # who types in a room now
        self.receipts: dict[tuple[str, str], str] = {}  # what somebody has read last in a room

    @classmethod
    @asynccontextmanager
    async def of(cls, synapse: Synapse, name: str | None = None) -> AsyncIterator[Self]:
        """A newly registered person; without a name, one nobody has yet."""
        account = await asyncio.to_thread(synapse.register, name)
        async with cls(synapse, account) as person:
            yield person

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def call(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """One call of the client-server API, below ``/_matrix/client/v3``.

        Raises:
            RefusedError: any status but 200.
        """
        async with self._session.request(
            method, f"{self.url}/_matrix/client/v3{path}", json=body, params=query
        ) as answer:
            found = await answer.json()
            if answer.status != 200:
                raise RefusedError(answer.status, found)
            return found

    async def create_room(
        self,
        *,
        invite: tuple[str, ...] = (),
        alias: str | None = None,
        public: bool = False,
        encrypted: bool = False,
        direct: bool = False,
    ) -> str:
        """Make a room and return its id."""
        state = {"type": "m.room.encryption", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
        body: dict[str, Any] = {
            "preset": "public_chat" if public else "private_chat",
            "invite": list(invite),
            "is_direct": direct,
            "initial_state": [state] if encrypted else [],
        }
        if alias is not None:
            body["room_alias_name"] = alias
        answer = await self.call("POST", "/createRoom", body)
        return str(answer["room_id"])

    async def invite(self, room: str, user: str) -> None:
        """Invite somebody."""
        await self.call("POST", f"/rooms/{quote(room)}/invite", {"user_id": user})

    async def join(self, room: str) -> None:
        """Enter a room."""
        await self.call("POST", f"/join/{quote(room)}", {})

    async def send(self, room: str, kind: str, content: dict[str, Any]) -> str:
        """Send any event and return its id."""
        path = f"/rooms/{quote(room)}/send/{kind}/t{next(self._transactions)}"
        answer = await self.call("PUT", path, content)
        return str(answer["event_id"])

    async def say(
        self,
        room: str,
        text: str,
        *,
        thread: str | None = None,
        msgtype: str = "m.text",
        more: dict[str, Any] | None = None,
    ) -> str:
        """Say something; ``more`` goes into the event's content as it is."""
        full: dict[str, Any] = {"msgtype": msgtype, "body": text, **(more or {})}
        if thread is not None:
            full["m.relates_to"] = {"rel_type": "m.thread", "event_id": thread}
        return await self.send(room, "m.room.message", full)

    async def edit(self, room: str, event_id: str, text: str) -> str:
        """Edit an own message."""
        new = {"msgtype": "m.text", "body": text}
        relation = {"rel_type": "m.replace", "event_id": event_id}
        content = {**new, "body": f"* {text}", "m.new_content": new, "m.relates_to": relation}
        return await self.send(room, "m.room.message", content)

    async def react(self, room: str, event_id: str, key: str = APPROVE) -> str:
        """React to a message."""
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": key}
        return await self.send(room, "m.reaction", {"m.relates_to": relation})

    async def unread(self, room: str) -> tuple[int, int]:
        """How many messages of a room this person was notified of since they read or spoke there, and how many of
        these call upon them: as the homeserver counts by the push rules that everybody has."""
        answer = await self.call("GET", "/sync", None, filter='{"room":{"timeline":{"limit":1}}}')
        counts = answer["rooms"]["join"][room]["unread_notifications"]
        return counts["notification_count"], counts["highlight_count"]

    async def redact(self, room: str, event_id: str) -> None:
        """Take an event back."""
        path = f"/rooms/{quote(room)}/redact/{quote(event_id)}/t{next(self._transactions)}"
        await self.call("PUT", path, {})

    async def sync(self, *, wait_ms: int = 0) -> None:
        """Take in what is new."""
        query = {"timeout": str(wait_ms), "filter": '{"room":{"timeline":{"limit":100}}}'}
        if self._since is not None:
            query["since"] = self._since
        answer = await self.call("GET", "/sync", None, **query)
        self._since = answer["next_batch"]
        rooms = answer.get("rooms", {})
        self.invites.update(rooms.get("invite", {}))
        for room, news in rooms.get("join", {}).items():
            self.events.setdefault(room, []).extend(news["timeline"]["events"])
            for event in news.get("ephemeral", {}).get("events", []):
                self._note_ephemeral(room, event)

    def _note_ephemeral(self, room: str, event: dict[str, Any]) -> None:
        if event["type"] == "m.typing":
            self.typing[room] = event["content"]["user_ids"]
        elif event["type"] == "m.receipt":
            for event_id, kinds in event["content"].items():
                for user in kinds.get("m.read", {}):
                    self.receipts[room, user] = event_id

    async def until(self, condition: Callable[[], T | None], *, what: str = "something") -> T:
        """Look until the condition gives something true, and return that.

        Raises:
            AssertionError: it did not within the deadline.
        """
        try:
            async with asyncio.timeout(_PATIENCE):
                await self.sync()
                while not (found := condition()):
                    await self.sync(wait_ms=_POLL_MS)
                return found
        except TimeoutError:
            raise AssertionError(f"{self.id} waited in vain for {what}; saw {self.events}") from None

    def messages(self, room: str, sender: str | None = None) -> list[Message]:
        """The room's messages so far, oldest first, each as it reads now; redacted ones are gone."""
        return messages_in(self.events.get(room, []), sender)

    def reactions(self, room: str, event_id: str) -> set[tuple[str, str]]:
        """The reactions a message has now, as (user, sign)."""
        return reactions_in(self.events.get(room, []), event_id)

    async def member(self, room: str, user: str) -> None:
        """Wait until somebody has entered the room."""

        def there() -> bool:
            return any(
                event["type"] == "m.room.member"
                and event["state_key"] == user
                and event["content"]["membership"] == "join"
                for event in self.events.get(room, [])
            )

        await self.until(there, what=f"{user} to enter")

    async def message(self, room: str, text: str, *, sender: str | None = None) -> Message:
        """Wait for a message that holds a text now."""

        def said() -> Message | None:
            return next((each for each in self.messages(room, sender) if text in each.body), None)

        return await self.until(said, what=f"“{text}”")

    async def reacted(self, room: str, event_id: str, expected: set[tuple[str, str]]) -> None:
        """Wait until a message has exactly these reactions."""
        await self.until(lambda: self.reactions(room, event_id) == expected, what=f"reactions {expected}")


def messages_in(events: Sequence[dict[str, Any]], sender: str | None = None) -> list[Message]:
    """The messages among a room's events, oldest first, each as it reads now; redacted ones are gone."""
    said = [event for event in events if event["type"] == "m.room.message"]
    gone = _redacted(events)
    edits: dict[str, list[dict[str, Any]]] = {}
    for event in said:
        relation = event["content"].get("m.relates_to", {})
        if relation.get("rel_type") == "m.replace":
            edits.setdefault(relation["event_id"], []).append(event["content"]["m.new_content"])
    return [
        _message(event, edits.get(event["event_id"], []))
        for event in said
        if event["event_id"] not in gone
        and event["content"].get("m.relates_to", {}).get("rel_type") != "m.replace"
        and event["content"]
        and sender in (None, event["sender"])
    ]


def reactions_in(events: Sequence[dict[str, Any]], event_id: str) -> set[tuple[str, str]]:
    """The reactions that a message has by a room's events, as (user, sign)."""
    gone = _redacted(events)
    return {
        (event["sender"], event["content"]["m.relates_to"]["key"])
        for event in events
        if event["type"] == "m.reaction"
        and event["event_id"] not in gone
        and event["content"].get("m.relates_to", {}).get("event_id") == event_id
    }


def _redacted(events: Sequence[dict[str, Any]]) -> set[str]:
    return {
        event.get("redacts") or event["content"].get("redacts")
        for event in events
        if event["type"] == "m.room.redaction"
    }


def _message(event: dict[str, Any], edits: list[dict[str, Any]]) -> Message:
    content = event["content"]
    now = edits[-1] if edits else content
    relation = content.get("m.relates_to", {})
    return Message(
        id=event["event_id"],
        sender=event["sender"],
        body=now.get("body", ""),
        html=now.get("formatted_body", ""),
        msgtype=now.get("msgtype", ""),
        thread=relation.get("event_id") if relation.get("rel_type") == "m.thread" else None,
        edits=len(edits),
        content=content,
        shown=now,
    )
