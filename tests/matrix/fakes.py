"""Fakes: a homeserver that fails, behind a proxy; a sleep that does not wait; an ``accept`` that records."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from slipway.bot.chat.matrix.chat import MatrixChat
from slipway.bot.chat.model import AnyEvent, MessageEvent

Forward = Callable[[], Awaitable[web.Response]]
Fault = Callable[[web.Request, Forward], Awaitable[web.StreamResponse]]


class FaultProxy:
    """Passes everything on to Synapse, but for the faults that wait for a kind of call."""

    def __init__(self, behind: str) -> None:
        self._behind = behind
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)  # by a part of the path
        self.url = ""
        self.asked: list[str] = []  # the paths, in order
        self.positions: dict[str, list[str]] = {}  # from where each token's syncs went on, each once
        self.watch: Callable[[web.Request], None] = lambda _request: None
        self.down = False

    async def handle(self, request: web.Request) -> web.StreamResponse:
        async def forward() -> web.Response:
            body = await request.read()
            headers = {
                name: request.headers[name]
                for name in ("Authorization", "Content-Type")
                if name in request.headers
            }
            async with (
                aiohttp.ClientSession() as session,
                session.request(
                    request.method, f"{self._behind}{request.rel_url}", data=body, headers=headers
                ) as answer,
            ):
                return web.Response(
                    status=answer.status, body=await answer.read(), content_type=answer.content_type
                )

        self.asked.append(request.path)
        self.watch(request)
        known = self.positions.setdefault(request.headers.get("Authorization", ""), [])
        if (since := request.query.get("since")) and since not in known[-1:]:
            known.append(since)
        if self.down:
            return await hangs_up(request, forward)
        for part, faults in self.faults.items():
            if part in request.path and faults:
                return await faults.popleft()(request, forward)
        return await forward()


def answers(status: int, body: str, content_type: str = "application/json") -> Fault:
    async def fault(_request: web.Request, _forward: Forward) -> web.StreamResponse:
        return web.Response(status=status, text=body, content_type=content_type)

    return fault


async def hangs_up(request: web.Request, _forward: Forward) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def does_it_but_hangs_up(request: web.Request, forward: Forward) -> web.StreamResponse:
    await forward()
    return await hangs_up(request, forward)


async def never_answers(_request: web.Request, _forward: Forward) -> web.StreamResponse:
    await asyncio.Event().wait()
    return web.Response()


BAD_GATEWAY = answers(502, "<html>Bad Gateway</html>", "text/html")
TOO_FAST = answers(429, '{"errcode": "M_LIMIT_EXCEEDED", "error": "slow down", "retry_after_ms": 1}')
UNKNOWN_TOKEN = answers(401, '{"errcode": "M_UNKNOWN_TOKEN", "error": "secret words", "soft_logout": false}')
SOFT_LOGOUT = answers(401, '{"errcode": "M_UNKNOWN_TOKEN", "error": "expired", "soft_logout": true}')


@asynccontextmanager
async def fault_proxy(behind: str) -> AsyncIterator[FaultProxy]:
    """A proxy in front of a homeserver, for as long as the block lasts."""
    proxy = FaultProxy(behind)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", proxy.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield proxy
    finally:
        await runner.cleanup()


class RecordingSleep:
    """A sleep that does not, and remembers what it was asked for and what the chat then said of itself."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.details: list[str] = []
        self.chat: MatrixChat | None = None

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if self.chat is not None:
            health = self.chat.health()
            assert not health.connected
            self.details.append(health.detail)


class EventRecorder:
    """An ``accept`` that keeps what it was given and can be waited on."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []
        self._news = asyncio.Condition()

    async def __call__(self, event: AnyEvent) -> None:
        async with self._news:
            self.events.append(event)
            self._news.notify_all()

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, MessageEvent)]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20), self._news:
            await self._news.wait_for(condition)

    async def received(self, text: str) -> MessageEvent:
        await self.until(lambda: text in self.texts)
        return next(event for event in self.events if isinstance(event, MessageEvent) and event.text == text)
