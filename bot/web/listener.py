"""A listener: takes requests in within limits, finds their route, and sends what its handler answers.

The only module that knows aiohttp's server.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Generic

import structlog
from aiohttp import web

from slipway.bot.config.http_settings import host_of, port_of
from slipway.bot.core.errors import ListenError
from slipway.bot.core.http.messages import HttpRequest, HttpResponse, Method
from slipway.bot.core.http.routes import Found, Handler, OtherMethods, RouteT, RouteTable
from slipway.bot.web.connections import Connection, Connections
from slipway.bot.web.limits import USUAL_LIMITS, Limits

log = structlog.get_logger(__name__)

_SILENT = logging.getLogger("slipway.http")
"""Where aiohttp tells of clients that speak no HTTP: anybody could fill the log with that."""
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False

_ALWAYS = {"X-Content-Type-Options": "nosniff", "Server": "slipway", "Cache-Control": "no-store"}
"""Headers of every answer. Nothing that is told here is to be kept: it is how things are now."""

Answered = Callable[[str, int, float], None]
"""Hears of each request: its route's path (empty where none has it), the status, and how many seconds it took."""


class Listener(Generic[RouteT]):
    """One address that is listened on, and the routes that are answered there.

    Args:
        name: what it is for, in the log.
        listen: the host and port.
        routes: what is answered; all else is not found.
        handler: what answers a route.
        answered: hears of each request.
        limits: what one peer may take.
    """

    def __init__(
        self,
        name: str,
        listen: str,
        routes: RouteTable[RouteT],
        handler: Callable[[RouteT], Handler],
        *,
        answered: Answered = lambda _route, _status, _seconds: None,
        limits: Limits = USUAL_LIMITS,
    ) -> None:
        self._name = name
        self._listen = listen
        self._routes = routes
        self._handler = handler
        self._answered = answered
        self._limits = limits
        self._connections = Connections(limits)
        self._http: web.Server | None = None
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int | None:
        """The port that is listened on; None while none is."""
        if self._server is None or not self._server.sockets:
            return None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def routes(self) -> RouteTable[RouteT]:
        """What is answered here."""
        return self._routes

    async def open(self) -> None:
        """Listen.

        Raises:
            ListenError: the address cannot be listened on.
        """
        limits = self._limits
        # Requests that are sent before the first is answered (pipelining) are bounded by aiohttp itself.
        self._http = http = web.Server(self._respond)
        loop = asyncio.get_running_loop()

        def connected() -> Connection:
            protocol = _Protocol(
                http,
                loop=loop,
                access_log=None,  # type: ignore[arg-type]  # aiohttp's own way of having none
                logger=_SILENT,
                keepalive_timeout=limits.idle_seconds,
                max_line_size=limits.line_bytes,
                max_field_size=limits.line_bytes,
                max_headers=limits.headers,
                lingering_time=limits.stop_seconds,
                auto_decompress=False,  # no client of these routes packs anything
            )
            return Connection(self._connections, protocol)

        try:
            host, port = host_of(self._listen), port_of(self._listen)
            self._server = await loop.create_server(connected, host, port)
        except (OSError, OverflowError) as error:
            raise ListenError(
                f"Could not listen on {self._listen} for {self._name}: {_why(error)}."
            ) from error
        log.info("listening", listener=self._name, address=self._listen, port=self.port)

    async def close(self) -> None:
        """Listen no more; requests under way get a moment to end."""
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._http is not None:
            self._http.pre_shutdown()
            await self._http.shutdown(self._limits.stop_seconds)
            self._http = None

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = self._connections.of(request.protocol)
        if connection is None:  # closed meanwhile; nobody reads this
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
        began = time.monotonic()
        with connection.answering():
            path = request.rel_url.raw_path
            found = self._routes.find(request.method, path)
            answer = await self._answer(request, found, connection)
            response = web.Response(
                status=answer.status,
                body=answer.body,
                headers={**_ALWAYS, **answer.headers, "Content-Type": answer.content_type},
            )
            if not isinstance(found, Found) or answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                response.force_close()
            name = found.route.path if isinstance(found, Found) else ""
            self._answered(name, answer.status, time.monotonic() - began)
            try:
                async with asyncio.timeout(self._limits.answer_seconds):
                    await response.prepare(request)
                    await response.write_eof()
            except (TimeoutError, ConnectionError):  # it reads nothing, or has hung up
                connection.abort()
        return response

    async def _answer(
        self, request: web.BaseRequest, found: Found[RouteT] | OtherMethods | None, connection: Connection
    ) -> HttpResponse:
        match found:
            case None:
                return HttpResponse.text("Not found.", HTTPStatus.NOT_FOUND)
            case OtherMethods(allowed):
                headers = {"Allow": ", ".join(allowed)}
                return HttpResponse(HTTPStatus.METHOD_NOT_ALLOWED, headers=headers)
            case Found(route, parameters):
                body = await self._body(request, route.body_limit)
                if isinstance(body, HttpResponse):
                    return body
                asked = HttpRequest(
                    Method.GET if request.method == "HEAD" else Method(request.method),
                    request.rel_url.raw_path,
                    parameters,
                    dict(request.rel_url.query),
                    *_headers(request),
                    connection.peer,
                    body,
                )
                return await self._handle(route, asked)

    async def _handle(self, route: RouteT, asked: HttpRequest) -> HttpResponse:
        try:
            async with asyncio.timeout(route.answered_within):
                return await self._handler(route)(asked)
        except TimeoutError:
            log.warning("a request was not answered in time", listener=self._name, path=route.path)
            return HttpResponse(HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": "10"})
        except Exception:
            # The last boundary of a request: whoever asked learns nothing of a fault but that there is one.
            log.exception("a request failed inside Slipway", listener=self._name, path=route.path)
            return HttpResponse.text("Something went wrong inside Slipway.", HTTPStatus.INTERNAL_SERVER_ERROR)

    async def _body(self, request: web.BaseRequest, limit: int) -> bytes | HttpResponse:
        """A request's body, or the answer to one that is too large, too slow or broken off."""
        too_large = HttpResponse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if (request.content_length or 0) > limit:
            return too_large
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                async for chunk in request.content.iter_any():
                    body += chunk
                    if len(body) > limit:
                        return too_large
        except TimeoutError:
            return HttpResponse(HTTPStatus.REQUEST_TIMEOUT, headers={"Connection": "close"})
        except (web.RequestPayloadError, ConnectionError):
            return HttpResponse(HTTPStatus.BAD_REQUEST)
        return bytes(body)


def _why(error: OSError | OverflowError) -> str:
    """Why something cannot be listened on, without what asyncio adds to the system's words."""
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return getattr(error, "strerror", None) or str(error)  # of a name, by whoever looked it up


class _Protocol(web.RequestHandler):
    """HTTP, as aiohttp speaks it; whoever speaks no HTTP learns no more than that."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what is no request, or was not answered for a fault of the server's own."""
        if exc is not None and status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("a request failed inside the server", exc_info=exc)
        response = web.Response(status=status, headers=_ALWAYS)
        response.force_close()
        return response


def _headers(request: web.BaseRequest) -> tuple[dict[str, str], frozenset[str]]:
    found: dict[str, str] = {}
    repeated = set()
    for name, value in request.headers.items():
        key = name.lower()
        if key in found:
            repeated.add(key)
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found, frozenset(repeated)
