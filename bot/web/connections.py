"""Connections of one listener: how many there are, from whom, and how long each takes for a request's head."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, IPv6Network, ip_address

from slipway.bot.core.http.messages import Peer
from slipway.bot.web.limits import Limits


def peer_of(transport: asyncio.BaseTransport) -> Peer | None:
    """Who is at the other end; None where the system does not tell."""
    name = transport.get_extra_info("peername")
    try:
        found = ip_address(str(name[0]).partition("%")[0])
    except (TypeError, IndexError, ValueError):
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def _whose(peer: Peer | None) -> Peer | IPv6Network | None:
    """Whose connections are counted together: of IPv6, one machine has all addresses of a /64 network. Source: RFC
    4291, section 2.5.4."""
    if isinstance(peer, IPv6Address) and not peer.is_loopback:
        return IPv6Network((peer, 64), strict=False)
    return peer


class Connections:
    """All of one listener.

    Args:
        limits: how many there may be.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._of_peer: Counter[Peer | IPv6Network | None] = Counter()
        self._by_protocol: dict[asyncio.BaseProtocol, Connection] = {}

    @property
    def count(self) -> int:
        """How many are open."""
        return self._of_peer.total()

    def admit(self, peer: Peer | None) -> bool:
        """Count one more, if there may be one more."""
        limits, whose = self.limits, _whose(peer)
        if self.count >= limits.connections or self._of_peer[whose] >= limits.connections_of_peer:
            return False
        self._of_peer[whose] += 1
        return True

    def left(self, peer: Peer | None) -> None:
        """One that was admitted is gone."""
        whose = _whose(peer)
        self._of_peer[whose] -= 1
        if not self._of_peer[whose]:
            del self._of_peer[whose]

    def know(self, connection: Connection, protocol: asyncio.BaseProtocol) -> None:
        """Find a connection by what speaks HTTP on it, until it is forgotten."""
        self._by_protocol[protocol] = connection

    def forget(self, protocol: asyncio.BaseProtocol) -> None:
        """It is closed."""
        self._by_protocol.pop(protocol, None)

    def of(self, protocol: asyncio.BaseProtocol) -> Connection | None:
        """The connection on which this speaks HTTP; None where it was closed meanwhile."""
        return self._by_protocol.get(protocol)


class Connection(asyncio.Protocol):
    """One connection: hands all that comes to what speaks HTTP, and keeps to the limits around that.

    Args:
        connections: those of the listener.
        http: speaks HTTP.
    """

    def __init__(self, connections: Connections, http: asyncio.Protocol) -> None:
        self._connections = connections
        self._http = http
        self._transport: asyncio.Transport | None = None
        self._peer: Peer | None = None
        self._answering = False
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Speak HTTP on it, unless there are too many."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker; it is TCP
        peer = peer_of(transport)
        if not self._connections.admit(peer):
            transport.abort()
            return
        self._transport, self._peer = transport, peer
        self._connections.know(self, self._http)
        self._http.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        if self._transport is None:
            return
        self._be_patient()
        self._connections.left(self._peer)
        self._connections.forget(self._http)
        self._transport = None
        self._http.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something came: a head, or a part of one, unless a request is being answered."""
        if self._transport is None:
            return
        if not self._answering and self._patience is None:
            seconds = self._connections.limits.head_seconds
            self._patience = asyncio.get_running_loop().call_later(seconds, self._transport.abort)
        self._http.data_received(data)

    def eof_received(self) -> bool | None:
        """The other end says no more."""
        return None if self._transport is None else self._http.eof_received()

    def pause_writing(self) -> None:
        """The other end does not take what was sent."""
        if self._transport is not None:
            self._http.pause_writing()

    def resume_writing(self) -> None:
        """It took it."""
        if self._transport is not None:
            self._http.resume_writing()

    @property
    def peer(self) -> Peer | None:
        """Who is at the other end."""
        return self._peer

    @contextmanager
    def answering(self) -> Iterator[None]:
        """A request's head is there, and it is answered within the block."""
        self._be_patient()
        self._answering = True
        try:
            yield
        finally:
            self._answering = False

    def abort(self) -> None:
        """Close it, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    def _be_patient(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
