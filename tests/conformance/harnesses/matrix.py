"""Matrix for the suite: a real Synapse, with people on clients that share no code with the bot."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import aiohttp

from slipway.bot.chat.declaration import ChatContext, KeyValueStore
from slipway.bot.chat.matrix.declaration import CHAT
from slipway.bot.chat.matrix.events.parsing import REACTION_CHOICES
from slipway.bot.chat.matrix.platform import MATRIX
from slipway.bot.chat.model import Accept, AnyEvent, Chat, Choice, Platform
from tests.conformance.harness import (
    Capability,
    MakeHarness,
    SendFault,
    SentMessage,
    VisibleMessage,
    VisiblePicture,
    Where,
)
from tests.conformance.run import WrappedChat
from tests.matrix.clients import Person
from tests.matrix.encryption.encrypted_client import EncryptedPerson
from tests.matrix.fakes import BAD_GATEWAY, Fault, FaultProxy, answers, does_it_but_hangs_up, fault_proxy
from tests.support.processes.synapse import SERVER_NAME, Account, Synapse

Json = dict[str, Any]

_REACTIONS = {choice: sign for sign, choice in REACTION_CHOICES.items()}
_SENDING = "/send/m.room."
_VERY_OFTEN = 10_000  # more than any test tries
_FORBIDDEN = answers(403, '{"errcode": "M_FORBIDDEN", "error": "not in this room"}')
_SEND_FAULTS: Mapping[SendFault, Fault] = {
    SendFault.TRANSIENT: BAD_GATEWAY,
    SendFault.LOST_RESPONSE: does_it_but_hangs_up,
    SendFault.PERMANENT: _FORBIDDEN,
}


class SyncPositions:
    """How far the bot has read; it can be set back to its first position."""

    def __init__(self) -> None:
        self.first: dict[str, str] = {}
        self.rewound = False

    def wrap(self, store: KeyValueStore, noted: asyncio.Event) -> KeyValueStore:
        return _PositionStore(store, self, noted)


class _PositionStore:
    def __init__(self, inner: KeyValueStore, positions: SyncPositions, noted: asyncio.Event) -> None:
        self._inner = inner
        self._positions = positions
        self._noted = noted

    async def load(self, name: str) -> str | None:
        if self._positions.rewound and name in self._positions.first:
            return self._positions.first[name]
        return await self._inner.load(name)

    async def save(self, name: str, value: str) -> None:
        await self._inner.save(name, value)
        self._positions.first.setdefault(name, value)
        self._noted.set()


class _WatchedChat(WrappedChat):
    """The adapter; tells which events it has handed in."""

    def __init__(self, chat: Chat) -> None:
        super().__init__(chat)
        self.taken: set[str] = set()
        self.changed = asyncio.Condition()

    async def run(self, accept: Accept) -> None:
        async def watched(event: AnyEvent) -> bool | None:
            answer = await accept(event)
            async with self.changed:
                self.taken.add(event.event_id)
                self.changed.notify_all()
            return answer

        await self._chat.run(watched)


class MatrixHarness:
    """A room in which everybody reads everything; reactions are buttons."""

    platform: Platform = MATRIX
    missing: Mapping[Capability, str] = {}
    redelivers_at_start = True
    encrypted = False

    def __init__(self, synapse: Synapse, folder: Path) -> None:
        self._synapse = synapse
        self._folder = folder
        self._suffix = uuid4().hex[:8]
        self._stack = AsyncExitStack()
        self._people: dict[str, Any] = {}  # Person or SecretPerson: what is used of them is the same
        self._account: Account
        self._proxy: FaultProxy
        self._room = ""
        self._direct: dict[str, str] = {}
        self._positions = SyncPositions()
        self._listening = asyncio.Event()
        self._chat: _WatchedChat | None = None
        self._last_press: tuple[str, str] = ("", "")
        self._forged: set[str] = set()  # said by the bot's account, and not by the bot

    async def open(self) -> None:
        self._proxy = await self._stack.enter_async_context(fault_proxy(self._synapse.url))
        self._account = await asyncio.to_thread(self._synapse.register, displayname="Slipway Bot")
        alice = self._people["alice"] = await self._stack.enter_async_context(self._enter("alice"))
        self._room = await self._make_room(alice, self._account.user_id)
        await self._person("bob")

    async def _person(self, who: str) -> Any:
        """Somebody in the room; who comes late was not needed before."""
        if who not in self._people:
            person = await self._stack.enter_async_context(self._enter(who))
            self._people[who] = person
            invitation = {"user_id": person.id}
            await self._people["alice"].call("POST", f"/rooms/{quote(self._room)}/invite", invitation)
            await person.call("POST", f"/join/{quote(self._room)}", {})
            await person.sync()
        return self._people[who]

    def _id(self, who: str) -> str:
        return f"@{self._name(who)}:{SERVER_NAME}"

    def _name(self, who: str) -> str:
        return f"{who}-{self._suffix}"

    def _enter(self, who: str) -> Any:
        return Person.of(self._synapse, self._name(who))

    async def _make_room(self, by: Any, *who: str, direct: bool = False) -> str:
        room: str = await by.create_room(invite=who, direct=direct)
        return room

    async def close(self) -> None:
        await self._stack.aclose()

    def configuration(self) -> Json:
        token = self._folder / "token"
        token.touch(0o600)
        token.write_text(self._account.access_token)
        return {
            "matrix": {
                "homeserver": self._proxy.url,
                "user_id": self._account.user_id,
                "device_id": self._account.device_id,
                "access_token_file": str(token),
                "rooms": [self._room],
                "edit_interval": "1s",
                "request_timeout": "10s",
            }
        }

    def identity(self, who: str) -> str:
        return f"matrix:{self._id(who)}"

    def make_chat(self, context: ChatContext[Any]) -> Chat:
        self._listening.clear()
        store = self._positions.wrap(context.own_store, self._listening)
        self._chat = _WatchedChat(CHAT.build(replace(context, own_store=store)))
        return self._chat

    async def ready(self) -> None:
        await self._listening.wait()  # its first batch is taken in, with all that was said before
        for person in self._people.values():
            await person.sync()
        await self._people["alice"].member(self._room, self._account.user_id)

    async def stopped(self) -> None:
        self._chat = None
        self._positions.rewound = False

    async def settle(self) -> None:
        """Events of a room are taken in one after the other: once the last one is, all are."""
        await self._taken(await self._people["alice"].say(self._room, "that was all"))

    async def _taken(self, event_id: str) -> None:
        chat = self._chat
        assert chat is not None
        async with chat.changed:
            await chat.changed.wait_for(lambda: event_id in chat.taken)

    async def say(
        self, who: str, text: str, *, where: Where, thread: str | None, mention: bool
    ) -> SentMessage:
        person = await self._person(who)
        room = await self._direct_room(who) if where is Where.DIRECT else self._room
        content: Json = {"msgtype": "m.text", "body": text}
        if mention:
            bot = self._account.user_id
            content |= {
                "body": f"Slipway Bot: {text}",
                "format": "org.matrix.custom.html",
                "formatted_body": f'<a href="https://matrix.to/#/{bot}">Slipway Bot</a>: {text}',
                "m.mentions": {"user_ids": [bot]},
            }
        if thread is not None:
            content["m.relates_to"] = {"rel_type": "m.thread", "event_id": thread}
        event_id = await person.send(room, "m.room.message", content)
        if where is Where.DIRECT:
            await self._taken(event_id)
        return SentMessage(event_id, who)

    async def _direct_room(self, who: str) -> str:
        if who not in self._direct:
            person = await self._person(who)
            room = await self._make_room(person, self._account.user_id, direct=True)
            await person.member(room, self._account.user_id)
            self._direct[who] = room
        return self._direct[who]

    async def press(self, who: str, choice: Choice, card: VisibleMessage) -> None:
        person = await self._person(who)
        self._last_press = who, await person.react(self._room, card.id, _REACTIONS[choice])

    async def press_shortcut(self, who: str, label: str, card: VisibleMessage) -> None:
        raise NotImplementedError

    async def withdraw_press(self) -> None:
        who, event_id = self._last_press
        await self._people[who].redact(self._room, event_id)

    async def edit(self, said: SentMessage, text: str) -> None:
        new = {"msgtype": "m.text", "body": text}
        relation = {"rel_type": "m.replace", "event_id": said.id}
        content = {**new, "body": f"* {text}", "m.new_content": new, "m.relates_to": relation}
        await self._people[said.who].send(self._room, "m.room.message", content)

    async def delete(self, said: SentMessage) -> None:
        await self._people[said.who].redact(self._room, said.id)

    async def say_as_bots(self, text: str) -> None:
        """Bots speak in notices; the bot's own account may be used elsewhere."""
        await self._people["alice"].send(self._room, "m.room.message", {"msgtype": "m.notice", "body": text})
        async with Person(self._synapse, self._account) as itself:
            self._forged.add(await itself.say(self._room, text))

    async def visible_messages(self, who: str, where: Where) -> list[VisibleMessage]:
        room = self._direct.get(who) if where is Where.DIRECT else self._room
        if room is None:
            return []
        await (await self._person(who)).sync()
        return list(self._read(self._events(who, room)))

    def _events(self, who: str, room: str) -> list[Json]:
        events: list[Json] = self._people[who].events.get(room, [])
        return events

    def _read(self, events: Sequence[Json]) -> list[VisibleMessage]:
        names = {person.id: name for name, person in self._people.items()}
        gone = {each.get("redacts") or each["content"].get("redacts") for each in events} - {None}
        living = [each for each in events if each["event_id"] not in gone and each["content"]]
        mine = [each for each in living if each["sender"] == self._account.user_id]
        related: dict[str, list[Json]] = {}
        for event in mine:
            relation = event["content"].get("m.relates_to", {})
            if relation.get("rel_type") in ("m.replace", "m.annotation"):
                related.setdefault(relation["event_id"], []).append(event)
        found = []
        for event in mine:
            content, relation = event["content"], event["content"].get("m.relates_to", {})
            if content.get("msgtype") not in ("m.notice", "m.text") or event["event_id"] in self._forged:
                continue
            if relation.get("rel_type") == "m.replace":
                continue
            about = related.get(event["event_id"], [])
            edits = [each["content"]["m.new_content"] for each in about if each["type"] == "m.room.message"]
            if edits and edits[-1]["msgtype"] in ("m.file", "m.image"):
                continue
            found.append(
                VisibleMessage(
                    id=event["event_id"],
                    text=(edits[-1] if edits else content)["body"],
                    choices=frozenset(
                        REACTION_CHOICES[each["content"]["m.relates_to"]["key"]]
                        for each in about
                        if each["type"] == "m.reaction"
                    ),
                    thread=relation.get("event_id") if relation.get("rel_type") == "m.thread" else None,
                    edits=len(edits),
                    mentions=frozenset(
                        names.get(user, user)
                        for user in (edits[-1] if edits else content)
                        .get("m.mentions", {})
                        .get("user_ids", ())
                    ),
                )
            )
        return found

    async def redeliver(self) -> None:
        self._positions.rewound = True

    def inject_fault(self, fault: SendFault, times: int = 1) -> None:
        self._proxy.faults[_SENDING].extend([_SEND_FAULTS[fault]] * times)

    def set_away(self, away: bool) -> None:
        self._proxy.faults[_SENDING].clear()
        self._proxy.faults[_SENDING].extend([BAD_GATEWAY] * (_VERY_OFTEN if away else 0))

    async def set_room_gone(self, gone: bool) -> None:
        """Alice puts the bot out, and invites it again."""
        how = "kick" if gone else "invite"
        alice, bot = self._people["alice"], self._account.user_id
        await alice.call("POST", f"/rooms/{quote(self._room)}/{how}", {"user_id": bot})
        if gone:
            return
        path = f"/rooms/{quote(self._room)}/joined_members"
        while bot not in (await alice.call("GET", path))["joined"]:  # noqa: ASYNC110 - as the homeserver has it
            await asyncio.sleep(0.02)

    async def files(self) -> list[str]:
        await self._people["alice"].sync()
        contents = [event["content"] for event in self._events("alice", self._room)]
        return [
            (await self._download(content)).decode()
            for content in contents
            if content.get("msgtype") == "m.file"
        ]

    async def pictures(self) -> list[VisiblePicture]:
        await self._people["alice"].sync()
        events = {event["event_id"]: event["content"] for event in self._events("alice", self._room)}
        images = [each for each in events.values() if each.get("msgtype") == "m.image"]
        return [
            VisiblePicture(
                await self._download(content),
                content["body"],
                events[content["m.relates_to"]["event_id"]].get("m.relates_to", {}).get("event_id"),
            )
            for content in images
        ]

    async def private_files(self, who: str) -> list[str]:
        """Those in the direct chat that a person began."""
        await self._people[who].sync()
        contents = [event["content"] for event in self._events(who, self._direct[who])]
        files = [content for content in contents if content.get("msgtype") == "m.file"]
        return [(await self._download(content)).decode() for content in files]

    async def _download(self, content: Json) -> bytes:
        return await self._fetch(content["url"])

    async def _fetch(self, url: str) -> bytes:
        token = self._people["alice"].account.access_token
        address = f"{self._synapse.url}/_matrix/client/v1/media/download/{url.removeprefix('mxc://')}"
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session,
            session.get(address) as answer,
        ):
            assert answer.status == 200
            return await answer.read()


class EncryptedMatrixHarness(MatrixHarness):
    """The same in an encrypted room; whatever the bot says there in clear text is not seen at all."""

    def _enter(self, who: str) -> Any:
        return EncryptedPerson.of(self._synapse, self._folder / who, name=self._name(who))

    async def _make_room(self, by: Any, *who: str, direct: bool = False) -> str:
        room: str = await by.create_room(*who, direct=direct)
        return room

    def configuration(self) -> Json:
        """Reactions count here by the operator's wish: nobody can encrypt them."""
        counts = {"encrypted_reactions": True}
        return {**super().configuration(), "policy": {"promote": counts, "cleanup": counts}}

    def _events(self, who: str, room: str) -> list[Json]:
        """What stands there encrypted, and what cannot be: reactions and what takes something back."""
        return [
            event.source
            for event in self._people[who].events.get(room, [])
            if getattr(event, "decrypted", False) or event.source.get("type") != "m.room.message"
        ]

    async def _download(self, content: Json) -> bytes:
        from nio.crypto.attachments import decrypt_attachment

        file = content["file"]
        data = await self._fetch(file["url"])
        plain: bytes = decrypt_attachment(data, file["key"]["k"], file["hashes"]["sha256"], file["iv"])
        return plain


def _on_synapse(harness: type[MatrixHarness]) -> MakeHarness:
    """The homeserver is only started where it is needed."""
    return lambda request: harness(request.getfixturevalue("synapse"), request.getfixturevalue("tmp_path"))


HARNESSES: Mapping[str, MakeHarness] = {
    "matrix": _on_synapse(MatrixHarness),
    "encrypted": _on_synapse(EncryptedMatrixHarness),
}

OTHER_TRANSPORTS = ("encrypted",)
