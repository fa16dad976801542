"""What one peer may take of the server, for both listeners alike.

Clients that mean well are far below all of it; it is there for those that do not, and for those that hang.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The bounds of a listener.

    Attributes:
        connections: open at a time; further ones are closed at once.
        connections_of_peer: of one address, or one /64 network of IPv6. Where a proxy stands in front, that is its
            address, so these are not few.
        head_seconds: from a request's first byte to the end of its headers. Whoever sends them byte by byte keeps no
            connection (slowloris).
        body_seconds: for its body.
        answer_seconds: for the client to take the answer.
        idle_seconds: a connection is kept for without a request; longer than the 60 seconds for which nginx keeps its
            own, so that it is the proxy that closes one, and no request meets a closed connection.
        line_bytes: of the request line, and of one header.
        headers: how many there may be.
        stop_seconds: that requests get to end in when the bot stops.
    """

    connections: int = 256
    connections_of_peer: int = 64
    head_seconds: float = 10.0
    body_seconds: float = 15.0
    answer_seconds: float = 30.0
    idle_seconds: float = 75.0
    line_bytes: int = 8190
    headers: int = 64
    stop_seconds: float = 1.0


USUAL_LIMITS = Limits()
