"""Which requests are answered, and at which of the two listeners.

Routes of operators and routes that the world may reach are two classes, and a table of routes holds one of them: what
belongs to the one can be handed to the other neither by a type checker's leave nor at run time.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from slipway.bot.core.errors import DeclarationError
from slipway.bot.core.http.messages import HttpRequest, HttpResponse, Method

Handler = Callable[[HttpRequest], Awaitable[HttpResponse]]

ANSWERED_WITHIN = 30.0
"""Seconds that an answer may take, unless its route says otherwise."""

NO_BODY = 0

_PATH = re.compile(r"(?:/(?:[A-Za-z0-9._~-]+|\{[a-z]+\}))+|/")


@dataclass(frozen=True)
class PublicRoute:
    """A request that the world may make: declared by the chat that it is for. Whoever has it checks who asks.

    Attributes:
        method: how it asks.
        path: its address without the host, each part word for word.
        body_limit: bytes of its body; more is refused.
        answered_within: seconds that the answer may take.
    """

    method: Method
    path: str
    body_limit: int = NO_BODY
    answered_within: float = ANSWERED_WITHIN

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True)
class OpsRoute:
    """A request of those who run the bot, and what answers it.

    Attributes:
        method: how it asks.
        path: its address without the host. A part in braces, ``{id}``, stands for any one part.
        handler: answers.
        body_limit: as of :class:`PublicRoute`.
        answered_within: as of :class:`PublicRoute`.
    """

    method: Method
    path: str
    handler: Handler
    body_limit: int = NO_BODY
    answered_within: float = ANSWERED_WITHIN

    def __post_init__(self) -> None:
        _check(self)


class Route(Protocol):
    """What routes of both listeners have."""

    @property
    def method(self) -> Method:
        """How it is asked for."""
        ...

    @property
    def path(self) -> str:
        """Its address without the host."""
        ...

    @property
    def body_limit(self) -> int:
        """Bytes of a request's body."""
        ...

    @property
    def answered_within(self) -> float:
        """Seconds that an answer may take."""
        ...


RouteT = TypeVar("RouteT", bound=Route)


def _check(route: PublicRoute | OpsRoute) -> None:
    if _PATH.fullmatch(route.path) is None:
        raise DeclarationError(f"A route cannot have the path {route.path!r}: write it like /slack/events.")


class PublicHttp(Protocol):
    """The listener that the world may reach, for whoever declared a route there."""

    def answering(self, route: PublicRoute, handler: Handler) -> AbstractContextManager[None]:
        """Have a declared route answered within the block; else it is told to come back later.

        Raises:
            DeclarationError: nobody declared the route, or it is being answered already.
        """
        ...

    @property
    def port(self) -> int | None:
        """The port that is listened on; None where the listener is not open."""
        ...


@dataclass(frozen=True)
class Found(Generic[RouteT]):
    """The route of a request, and what stands in its places in braces."""

    route: RouteT
    parameters: dict[str, str]


@dataclass(frozen=True)
class OtherMethods:
    """The methods by which a path may be asked for, where it was asked for by another."""

    allowed: tuple[Method, ...]


class RouteTable(Generic[RouteT]):
    """The routes of one listener.

    Args:
        of: the class that all of them have to be.
        routes: they.

    Raises:
        DeclarationError: a route is another listener's, or two claim one method and path.
    """

    def __init__(self, of: type[RouteT], routes: Iterable[RouteT]) -> None:
        self.routes: tuple[RouteT, ...] = tuple(routes)
        taken: set[tuple[Method, str]] = set()
        for route in self.routes:
            if type(route) is not of:
                raise DeclarationError(f"The route {route.path} belongs to the other listener.")
            shape = route.method, re.sub(r"\{[a-z]+\}", "{}", route.path)
            if shape in taken:
                raise DeclarationError(f"The route {route.method} {route.path} is claimed twice.")
            taken.add(shape)

    def find(self, method: str, path: str) -> Found[RouteT] | OtherMethods | None:
        """The route of a request: one word for word goes before one in braces. None where nothing has the path."""
        here = sorted(self._of_path(path), key=lambda found: len(found.parameters))
        wanted = Method.GET if method == "HEAD" else method
        fitting = [found for found in here if found.route.method == wanted]
        if fitting:
            return fitting[0]
        return OtherMethods(tuple(dict.fromkeys(found.route.method for found in here))) if here else None

    def _of_path(self, path: str) -> Iterator[Found[RouteT]]:
        parts = path.split("/")
        for route in self.routes:
            declared = route.path.split("/")
            if len(declared) != len(parts):
                continue
            pairs = list(zip(declared, parts, strict=True))
            if all(wanted == part or (wanted.startswith("{") and part) for wanted, part in pairs):
                yield Found(
                    route, {wanted.strip("{}"): part for wanted, part in pairs if wanted.startswith("{")}
                )
