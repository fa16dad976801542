"""An unmodified Bolt app before a simulator, for the simulator's own tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from tests.slack.simulator.server import SimulatedSlack

_PING = 1.0  # seconds; how soon the client notices a broken socket. It gives one up after half of it, too


def client_of(sim: SimulatedSlack, *, token: str | None = None, timeout: int = 10) -> AsyncWebClient:
    """A Web API client that retries nothing."""
    return AsyncWebClient(
        token=token or sim.bot_token, base_url=sim.api_url, timeout=timeout, retry_handlers=[]
    )


@asynccontextmanager
async def over_socket(sim: SimulatedSlack, set_up: Callable[[AsyncApp], None]) -> AsyncIterator[AsyncApp]:
    """A Bolt app on Socket Mode, connected."""
    app = AsyncApp(client=client_of(sim), signing_secret="")
    set_up(app)
    before = sim.sockets.opened
    handler = AsyncSocketModeHandler(app, sim.app_token, web_client=client_of(sim), ping_interval=_PING)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    await sim.connected(after=before)
    try:
        yield app
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def over_http(
    sim: SimulatedSlack, set_up: Callable[[AsyncApp], None], *, secret: str | None = None
) -> AsyncIterator[AsyncApp]:
    """A Bolt app behind a request URL, to which the simulator delivers."""
    app = AsyncApp(client=client_of(sim), signing_secret=secret or sim.signing_secret)
    set_up(app)
    runner = web.AppRunner(app.web_app(path="/slack/events"), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    try:
        await sim.deliver_over_http(f"http://127.0.0.1:{port}/slack/events")
        yield app
    finally:
        await runner.cleanup()
