"""HTTP said byte by byte, as no library would let one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from slipway.bot.core.http.routes import OpsRoute, RouteTable
from slipway.bot.web.limits import USUAL_LIMITS, Limits
from slipway.bot.web.listener import Answered, Listener

PATIENCE = 60.0
"""Seconds that a test waits for what takes a moment, on a machine that does other things."""


@asynccontextmanager
async def listening(
    *routes: OpsRoute,
    limits: Limits = USUAL_LIMITS,
    answered: Answered = lambda _route, _status, _seconds: None,
) -> AsyncIterator[int]:
    """A listener with these routes; gives its port."""
    listener = Listener(
        "a test",
        "127.0.0.1:0",
        RouteTable(OpsRoute, routes),
        lambda route: route.handler,
        answered=answered,
        limits=limits,
    )
    await listener.open()
    assert listener.port is not None
    try:
        yield listener.port
    finally:
        await listener.close()


async def say(port: int, *parts: bytes, end: bool = False) -> bytes:
    """Send these, and return all that comes until the other end hangs up; ``end`` says that nothing more is sent."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
            if end:
                writer.write_eof()
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


def get(path: str, *headers: str) -> bytes:
    """A request after which the other end hangs up."""
    return "\r\n".join(
        [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
    ).encode()


def statuses(answers: bytes) -> list[int]:
    """The numbers of all answers in what came."""
    return [int(number) for number in re.findall(rb"HTTP/1\.[01] (\d+) ", answers)]
