"""What the world may ask: routes that were declared, each answered as long as whoever declared it listens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus

from slipway.bot.core.errors import DeclarationError
from slipway.bot.core.http.messages import HttpRequest, HttpResponse
from slipway.bot.core.http.routes import Handler, PublicRoute, RouteTable
from slipway.bot.web.limits import USUAL_LIMITS, Limits
from slipway.bot.web.listener import Answered, Listener


class PublicListener:
    """Fulfils :class:`slipway.bot.core.http.routes.PublicHttp`. Is open only where a route is declared.

    Args:
        listen: the host and port.
        routes: what is declared.
        answered: hears of each request.
        limits: what one peer may take.
    """

    def __init__(
        self,
        listen: str,
        routes: Iterable[PublicRoute],
        *,
        answered: Answered = lambda _route, _status, _seconds: None,
        limits: Limits = USUAL_LIMITS,
    ) -> None:
        self._handlers: dict[PublicRoute, Handler] = {}
        self._listener = Listener(
            "the public",
            listen,
            RouteTable(PublicRoute, routes),
            lambda route: self._handlers.get(route, _later),
            answered=answered,
            limits=limits,
        )

    @property
    def port(self) -> int | None:
        """The port that is listened on; None while none is."""
        return self._listener.port

    @property
    def routes(self) -> tuple[PublicRoute, ...]:
        """What is declared."""
        return self._listener.routes.routes

    @contextmanager
    def answering(self, route: PublicRoute, handler: Handler) -> Iterator[None]:
        """Have a declared route answered within the block.

        Raises:
            DeclarationError: nobody declared the route, or it is being answered already.
        """
        if route not in self.routes:
            raise DeclarationError(f"Nobody declared the route {route.method} {route.path}.")
        if route in self._handlers:
            raise DeclarationError(f"The route {route.method} {route.path} is answered already.")
        self._handlers[route] = handler
        try:
            yield
        finally:
            del self._handlers[route]

    async def open(self) -> None:
        """Listen, if anything is to be heard.

        Raises:
            ListenError: the address cannot be listened on.
        """
        if self.routes:
            await self._listener.open()

    async def close(self) -> None:
        """Listen no more."""
        await self._listener.close()


async def _later(_request: HttpRequest) -> HttpResponse:
    """Whoever this is for does not listen yet, or not any more."""
    return HttpResponse(HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": "5"})
