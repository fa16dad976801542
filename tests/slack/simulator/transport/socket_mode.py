"""Socket Mode: connections, envelopes, acknowledgements, and what can go wrong with them.

Source: docs.slack.dev/apis/events-api/using-socket-mode.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import StrEnum
from secrets import token_hex
from time import monotonic

from aiohttp import WSMessage, WSMsgType, web

from tests.slack.simulator.changes import ChangeNotifier
from tests.slack.simulator.transport.delivery import Delivery, Kind, Outbox
from tests.slack.simulator.world import Json

MOST_CONNECTIONS = 10
_HOST = "applink-sim"
_CLOSE_TIMEOUT = 3.0  # seconds in which a client answers a close


class Reason(StrEnum):
    """Why Slack asks a client to leave."""

    WARNING = "warning"  # about ten seconds are left
    REFRESH_REQUESTED = "refresh_requested"
    LINK_DISABLED = "link_disabled"
    TOO_MANY_WEBSOCKETS = "too_many_websockets"


@dataclass(eq=False)
class Connection:
    """One open socket."""

    number: int
    socket: web.WebSocketResponse
    request: web.Request
    envelopes: int = 0
    frozen: bool = False
    leaving: bool = False
    asked_to_leave: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    since: float = field(default_factory=monotonic)

    @property
    def usable(self) -> bool:
        """Whether new envelopes may go to it."""
        return not (self.socket.closed or self.leaving)

    async def close(self) -> None:
        """Close it from Slack's side, and wait until the client has answered."""
        self.asked_to_leave.set()
        await self.ended.wait()

    async def messages(self) -> AsyncGenerator[WSMessage, None]:
        """What the client sends, until it closes or is to be closed.

        ``close`` of aiohttp's server, called beside a ``receive``, would drop the line before the client answers.
        """
        leaving = asyncio.ensure_future(self.asked_to_leave.wait())
        try:
            while True:
                receiving = asyncio.ensure_future(self.socket.receive())
                await asyncio.wait({receiving, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if not receiving.done():
                    receiving.cancel()
                    await asyncio.gather(receiving, return_exceptions=True)
                    return
                message = receiving.result()
                if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED):
                    return
                yield message
        finally:
            leaving.cancel()


class SocketModeServer:
    """The socket side of the simulator, and its faults.

    ``drop_acks``: so many of the next acknowledgements get lost on the way.
    ``refuse``: so many of the next connections are refused with a 403.
    ``mute``: so many of the next connections are opened and answer pings, but bring nothing, not even a greeting.
    ``cut_on_send``: so many of the next envelopes break their connection right after they were sent.
    """

    def __init__(self, changes: ChangeNotifier, app_id: str, *, seed: int = 7) -> None:
        self.connections: list[Connection] = []
        self.opened = 0
        self.enabled = True
        self.refuse = 0
        self.mute = 0
        self.drop_acks = 0
        self.cut_on_send = 0
        self.lost_acks: list[str] = []
        self._changes = changes
        self._app_id = app_id
        self._tickets: set[str] = set()
        self._choice = random.Random(seed)
        self.outbox: Outbox | None = None

    def new_url(self, base: str) -> str:
        """A socket address that works once, as ``apps.connections.open`` gives it."""
        ticket = token_hex(8)
        self._tickets.add(ticket)
        return f"{base.replace('http', 'ws', 1)}/link/?ticket={ticket}&app_id={self._app_id}"

    @property
    def live(self) -> list[Connection]:
        """The connections that take envelopes."""
        return [connection for connection in self.connections if connection.usable]

    async def connected(self, count: int = 1, *, after: int = 0, within: float = 20) -> list[Connection]:
        """Wait until so many connections are live, all of them opened after the ``after``-th."""

        def enough() -> list[Connection] | None:
            fresh = [connection for connection in self.live if connection.number > after]
            return fresh if len(fresh) >= count else None

        return await self._changes.until(enough, f"{count} live connection(s)", within)

    async def send(self, delivery: Delivery) -> bool:
        """Hand an envelope to one of the live connections, picked at random, as Slack does."""
        while self.live:
            connection = self._choice.choice(self.live)
            try:
                if not connection.frozen:
                    await connection.socket.send_str(json.dumps(envelope(delivery)))
            except ConnectionError:
                connection.leaving = True
                continue
            connection.envelopes += 1
            delivery.sent()
            if self.cut_on_send > 0:
                self.cut_on_send -= 1
                self._abort(connection)
            return True
        return False

    async def disconnect(self, reason: Reason = Reason.REFRESH_REQUESTED, *, most: int | None = None) -> int:
        """Ask every client to leave, or so many, and return the number of connections opened so far.

        After a ``warning`` the socket stays open until the client closes it; after the others it is closed.
        """
        before = self.opened
        for connection in self.live[:most]:
            connection.leaving = True
            try:
                await connection.socket.send_str(_disconnect(reason))
            except ConnectionError:  # it has broken meanwhile
                continue
            if reason is Reason.LINK_DISABLED:
                self.enabled = False
            if reason is not Reason.WARNING:
                await connection.close()
        self._changes.notify()
        return before

    def cut(self) -> int:
        """Break every connection without a word, and return the number of connections opened so far."""
        before = self.opened
        for connection in list(self.connections):
            self._abort(connection)
        return before

    def freeze(self) -> int:
        """Let the open sockets fall silent: no pong, envelopes and acknowledgements lost on the way.

        Returns the number of connections opened so far.
        """
        for connection in self.connections:
            connection.frozen = True
        return self.opened

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One client's connection, from its opening to its end."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=400, text="invalid ticket")
        if self.refuse > 0:  # that uses the address not up, as far as is known
            self.refuse -= 1
            self._changes.notify()
            return web.Response(status=403, text="refused")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(autoping=False, timeout=_CLOSE_TIMEOUT)
        await socket.prepare(request)
        if len(self.live) >= MOST_CONNECTIONS:
            left = {"num_connections": len(self.live), "connection_info": {"app_id": self._app_id}}
            await socket.send_str(_disconnect(Reason.TOO_MANY_WEBSOCKETS, left))
            await socket.close()
            return socket
        self.opened += 1
        connection = Connection(self.opened, socket, request)
        if self.mute > 0:
            self.mute -= 1
            connection.leaving = True
        else:
            await socket.send_str(json.dumps(self._hello(len(self.live) + 1)))
        self.connections.append(connection)
        self._changes.notify()
        try:
            if self.outbox is not None:
                await self.outbox.send_waiting()
            async with aclosing(connection.messages()) as messages:
                async for message in messages:
                    await self._received(connection, message)
            if not connection.frozen:
                await socket.close()
        finally:
            connection.ended.set()
            self.connections.remove(connection)
            self._changes.notify()
        return socket

    async def stop(self) -> None:
        """Close everything."""
        await asyncio.gather(*(connection.close() for connection in list(self.connections)))

    def _hello(self, count: int) -> Json:
        return {
            "type": "hello",
            "num_connections": count,
            "debug_info": {"host": _HOST, "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self._app_id},
        }

    async def _received(self, connection: Connection, message: WSMessage) -> None:
        if connection.frozen:
            return
        if message.type is WSMsgType.PING:
            await connection.socket.pong(message.data)
        elif message.type is WSMsgType.TEXT:
            self._acknowledged(json.loads(message.data))

    def _acknowledged(self, ack: Json) -> None:
        envelope_id = str(ack.get("envelope_id", ""))
        if self.drop_acks > 0:
            self.drop_acks -= 1
            self.lost_acks.append(envelope_id)
            self._changes.notify()
            return
        if self.outbox is not None:
            self.outbox.answered(envelope_id, ack.get("payload"))

    def _abort(self, connection: Connection) -> None:
        connection.leaving = True
        if connection.request.transport is not None:
            connection.request.transport.abort()


def envelope(delivery: Delivery) -> Json:
    """The envelope of a delivery's next attempt. Only events carry the retry fields."""
    body: Json = {
        "envelope_id": delivery.envelope_id,
        "payload": delivery.payload,
        "type": delivery.kind.value,
        "accepts_response_payload": delivery.answerable,
    }
    if delivery.kind is Kind.EVENT:
        body |= {"retry_attempt": delivery.attempts, "retry_reason": delivery.retry_reason or ""}
    return body


def _disconnect(reason: Reason, more: Json | None = None) -> str:
    told: Json = {"type": "disconnect", "reason": reason.value, "debug_info": {"host": _HOST}}
    return json.dumps(told | (more or {}))
