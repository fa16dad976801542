"""Requests and answers of HTTP. Knows no server: that is :mod:`slipway.bot.web`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address

from slipway.bot.core.model import Json

Peer = IPv4Address | IPv6Address


class Method(StrEnum):
    """How something may be asked for. A route for ``GET`` answers ``HEAD``, too, without a body."""

    GET = "GET"
    POST = "POST"


@dataclass(frozen=True)
class HttpRequest:
    """A request whose body was read, within the limits of its route.

    Attributes:
        method: how it asks.
        path: of its address, as it was sent: nothing in it is decoded.
        parameters: what stood in the places of the route's path that are in braces.
        query: what follows the question mark, decoded; of a name that stands there twice, the last.
        headers: by their names in lower case; values of one that stands there twice are joined by a comma.
        repeated: names of headers that stand there twice, in lower case.
        peer: whose connection it is: a proxy's, where one stands between. None where the system does not tell.
        body: all of it.
    """

    method: Method
    path: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    repeated: frozenset[str] = frozenset()
    peer: Peer | None = None
    body: bytes = b""

    def header(self, name: str) -> str:
        """A header's value, by its name in any case; empty where it is not there."""
        return self.headers.get(name.lower(), "")

    @property
    def content_type(self) -> str:
        """The type of the body without its parameters, in lower case; empty where none is said."""
        return self.header("content-type").partition(";")[0].strip().lower()


@dataclass(frozen=True)
class HttpResponse:
    """An answer.

    Attributes:
        status: its number.
        body: what is sent; for ``HEAD`` its length alone.
        content_type: what the body is.
        headers: more of them.
    """

    status: int = HTTPStatus.OK
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def text(cls, text: str, status: int = HTTPStatus.OK) -> HttpResponse:
        """A line of plain text."""
        return cls(status, f"{text}\n".encode())

    @classmethod
    def json(cls, value: Json, status: int = HTTPStatus.OK) -> HttpResponse:
        """A value as JSON, for people who read it in a terminal as well."""
        body = json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"
        return cls(status, body, "application/json")
