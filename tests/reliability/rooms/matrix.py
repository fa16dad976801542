"""Matrix: a real Synapse behind a proxy that fails as it is told to, and people on clients of their own, encrypting
ones where the room is encrypted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any, ClassVar, Protocol
from urllib.parse import quote

import aiohttp
from aiohttp import web

from slipway.bot.chat.matrix.encryption.seeds import CrossSigningSeeds
from slipway.bot.chat.matrix.events.parsing import REACTION_CHOICES
from slipway.bot.chat.model import Choice
from tests.matrix.clients import Message, Person, RefusedError, messages_in, reactions_in
from tests.matrix.encryption.encrypted_client import EncryptedPerson
from tests.matrix.fakes import (
    BAD_GATEWAY,
    TOO_FAST,
    Fault,
    FaultProxy,
    Forward,
    does_it_but_hangs_up,
    fault_proxy,
    hangs_up,
)
from tests.reliability.deeds import Trouble
from tests.reliability.messages import Seen
from tests.reliability.options import PEOPLE
from tests.reliability.rooms.room import Said
from tests.support.processes.synapse import Account, Synapse

REQUEST_TIMEOUT = "5s"

_SIGNS = {choice: sign for sign, choice in REACTION_CHOICES.items()}
_SYNC_MS = 1000
_POSITIONS = 40  # of those that the bot was at last, how many may come again


class Member(Protocol):
    """Somebody in the room, on whichever client."""

    id: str

    @property
    def events(self) -> Mapping[str, Sequence[Any]]:
        """What they saw in each room, as their client keeps it."""
        ...

    async def call(self, method: str, path: str, body: Any = None) -> Any: ...
    async def say(self, room: str, text: str, *, thread: str | None = None) -> str: ...
    async def react(self, room: str, event_id: str, key: str = ...) -> str: ...
    async def redact(self, room: str, event_id: str) -> None: ...
    async def sync(self, *, wait_ms: int = 0) -> None: ...


class MatrixRoom:
    """One room, everybody in it; all see the same, so one of them looks."""

    name = "matrix"
    places: ClassVar[Sequence[str]] = (*("/send/m.room.message",) * 5, "/send/m.reaction", *("/sync",) * 2)
    """Which calls of the bot's can fail, by a part of their path."""

    def __init__(
        self,
        synapse: Synapse,
        folder: Path,
        edit_interval: float,
        *,
        replicas: int = 1,
        watch: Callable[[web.Request], None] = lambda _request: None,
    ) -> None:
        self._replicas, self._watch = replicas, watch
        self._synapse = synapse
        self._folder = folder
        self._edit_interval = edit_interval
        self._stack = AsyncExitStack()
        self._people: dict[str, Member] = {}
        self._account: Account
        self.proxy: FaultProxy  # between the bot and the homeserver
        self._room = ""
        self._looking: asyncio.Task[None]

    async def open(self) -> None:
        self.proxy = await self._stack.enter_async_context(fault_proxy(self._synapse.url))
        self.proxy.watch = self._watch
        self._account = await asyncio.to_thread(self._synapse.register, displayname="Slipway Bot")
        for who in PEOPLE:
            self._people[who] = await self._stack.enter_async_context(self._enter(who))
        alice, *others = self._people.values()
        self._room = str((await alice.call("POST", "/createRoom", self._new_room()))["room_id"])
        for invited in (*(each.id for each in others), self._account.user_id):
            await alice.call("POST", f"/rooms/{quote(self._room)}/invite", {"user_id": invited})
        for other in others:
            await other.call("POST", f"/join/{quote(self._room)}", {})
            await other.sync()
        self._looking = asyncio.create_task(self._look(alice), name="alice looks into the room")

    def _enter(self, who: str) -> AbstractAsyncContextManager[Member]:
        return Person.of(self._synapse)

    async def _client(self, who: str) -> Member:
        """Somebody who is about to say or press something."""
        return self._people[who]

    def _new_room(self) -> Mapping[str, Any]:
        return {"preset": "private_chat"}

    async def close(self) -> None:
        self._looking.cancel()
        await asyncio.gather(self._looking, return_exceptions=True)
        await self._stack.aclose()

    def configuration(self, replica: int = 1) -> Mapping[str, Any]:
        if self._replicas > 1:  # each logs in as a device of its own
            secret = {"password_file": self._secret("password", self._account.password)}
        else:
            token = self._secret("token", self._account.access_token)
            secret = {"device_id": self._account.device_id, "access_token_file": token}
        return {
            "matrix": {
                "homeserver": self.proxy.url,
                "user_id": self._account.user_id,
                **secret,
                "encryption": False,
                "rooms": [self._room],
                "edit_interval": f"{max(1, int(self._edit_interval))}s",
                "request_timeout": REQUEST_TIMEOUT,
            }
        }

    def _secret(self, name: str, text: str) -> str:
        """The path of a file that holds it."""
        file = self._folder / f"matrix-{name}"
        file.touch(0o600)
        file.write_text(text)
        return str(file)

    def account(self, who: str) -> str:
        return f"matrix:{self._people[who].id}"

    async def topic(self, who: str, text: str) -> str | None:
        return await (await self._client(who)).say(self._room, text)

    async def say(self, who: str, text: str, thread: str | None) -> Said | None:
        return Said(await (await self._client(who)).say(self._room, text, thread=thread), 0.0)

    async def press(self, who: str, choice: Choice, message: Seen) -> Said | None:
        try:
            return Said(await (await self._client(who)).react(self._room, message.id, _SIGNS[choice]), 0.0)
        except RefusedError:  # they have reacted so already
            return None

    async def take_back(self, said: Said) -> bool:
        owner = next((each for each in self._events() if each["event_id"] == said.id), None)
        if owner is None:
            return False
        person = next(each for each in self._people.values() if each.id == owner["sender"])
        await person.redact(self._room, said.id)
        return True

    async def again(self, pick: float) -> bool:
        """The next sync begins where an older one began, and so brings the same events."""
        if not self.proxy.positions:
            return False
        self.proxy.faults["/sync"].append(self._from(pick))
        return True

    def seen(self) -> list[Seen]:
        events = self._events()
        sent = {each["event_id"]: each["origin_server_ts"] / 1000 for each in events}
        return [
            self._seen(events, each, sent[each.id]) for each in messages_in(events, self._account.user_id)
        ]

    def at(self, event_id: str) -> float | None:
        """When the homeserver took an event."""
        found = next((each for each in self._events() if each["event_id"] == event_id), None)
        return None if found is None else float(found["origin_server_ts"]) / 1000

    def trouble(self, trouble: Trouble, place: float, times: int, seconds: float) -> bool:
        path = self.places[int(place * len(self.places))]
        faults: dict[Trouble, Fault] = {
            Trouble.REFUSED: BAD_GATEWAY,
            Trouble.THROTTLED: TOO_FAST,
            Trouble.SLOW: _slow(seconds),
            Trouble.LATE: _late(seconds),
            Trouble.LOST: does_it_but_hangs_up,
            Trouble.BROKEN: _broken,
            Trouble.CUT: hangs_up,
            Trouble.UNHEARD: does_it_but_hangs_up,
        }
        self.proxy.faults[path].extend([faults[trouble]] * times)
        return True

    def set_away(self, away: bool) -> None:
        self.proxy.down = away

    async def calm(self) -> None:
        self.proxy.down = False
        for faults in self.proxy.faults.values():
            faults.clear()

    def _seen(self, events: Sequence[Any], message: Message, at: float) -> Seen:
        signs = {sign for user, sign in reactions_in(events, message.id) if user == self._account.user_id}
        return Seen(
            chat=self.name,
            id=message.id,
            at=at,
            text=message.body,
            thread=message.thread,
            choices=frozenset(REACTION_CHOICES[sign] for sign in signs if sign in REACTION_CHOICES),
            edits=message.edits,
        )

    def _events(self) -> Sequence[Any]:
        """What alice can read, as the specification has it."""
        return self._people[PEOPLE[0]].events.get(self._room, ())

    async def _look(self, alice: Member) -> None:
        while True:
            try:
                await alice.sync(wait_ms=_SYNC_MS)
            except (aiohttp.ClientError, TimeoutError, RefusedError):
                await asyncio.sleep(0.2)

    def _from(self, pick: float) -> Fault:
        async def replayed(request: web.Request, forward: Forward) -> web.StreamResponse:
            own = self.proxy.positions.get(request.headers["Authorization"], [])
            known = own[-_POSITIONS:]  # no later one, nor another device's: that would leave something out
            if not known:
                return await forward()
            since = known[int(pick * len(known))]
            query = {**request.query, "since": since, "timeout": "0"}
            headers = {"Authorization": request.headers["Authorization"]}
            url = f"{self._synapse.url}{quote(request.path)}"
            async with (
                aiohttp.ClientSession(headers=headers) as session,
                session.get(url, params=query) as answer,
            ):
                return web.Response(
                    status=answer.status, body=await answer.read(), content_type=answer.content_type
                )

        return replayed


class EncryptedMatrixRoom(MatrixRoom):
    """The same, encrypted. Everybody has cross-signed their device, and believes only devices that are; what the bot
    says in clear text, or what nobody can read, is as if it were not there."""

    places = (
        *("/send/m.room.encrypted",) * 5,
        "/send/m.reaction",
        *("/sync",) * 2,
        *("/sendToDevice", "/keys/claim", "/keys/query", "/keys/upload"),
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._seeds = CrossSigningSeeds.new().text

    def _enter(self, who: str) -> AbstractAsyncContextManager[Member]:
        return EncryptedPerson.of(self._synapse, self._folder / who, strict=True)

    async def _client(self, who: str) -> Member:
        """Whose keys somebody has to give theirs to, only a look tells them; alice looks all the time."""
        person = self._people[who]
        if who != PEOPLE[0]:
            await person.sync()
        return person

    def _new_room(self) -> Mapping[str, Any]:
        state = {"type": "m.room.encryption", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
        return {**super()._new_room(), "initial_state": [state]}

    def configuration(self, replica: int = 1) -> Mapping[str, Any]:
        own = super().configuration(replica)["matrix"]
        shared = (
            {"cross_signing_seeds_file": self._secret("seeds", self._seeds)} if self._replicas > 1 else {}
        )
        return {"matrix": {**own, **shared, "encryption": True}}

    def _events(self) -> Sequence[Any]:
        return [
            each.source
            for each in super()._events()
            if each.decrypted or each.source["type"] != "m.room.message"
        ]


def _slow(seconds: float) -> Fault:
    async def fault(_request: web.Request, forward: Forward) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await forward()

    return fault


def _late(seconds: float) -> Fault:
    async def fault(_request: web.Request, forward: Forward) -> web.StreamResponse:
        answer = await forward()
        await asyncio.sleep(seconds)
        return answer

    return fault


async def _broken(request: web.Request, forward: Forward) -> web.StreamResponse:
    await forward()
    return await BAD_GATEWAY(request, forward)
