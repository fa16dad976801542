"""What brings Slack's events to two replicas: to one of them, or to both at once, as a retry does."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack

import aiohttp
from aiohttp import web

from tests.slack.simulator import SimulatedSlack
from tests.slack.simulator.transport.delivery import Delivery, Kind

BOTH = 0.4
"""How often an event goes to both."""


class Twice:
    """A transport that sends some events once more at once, by whichever connection.

    Args:
        sim: the workspace whose transport it stands before.
        seed: of what is sent twice.
    """

    def __init__(self, sim: SimulatedSlack, seed: str) -> None:
        self._sim = sim
        self._inner = sim.outbox.transport
        self._rng = random.Random(f"both {seed}")
        self._again: set[asyncio.Task[Delivery]] = set()

    async def send(self, delivery: Delivery) -> bool:
        """One attempt, or two."""
        gone = await self._inner.send(delivery)
        first = delivery.kind is Kind.EVENT and delivery.attempts == 1
        if gone and first and self._rng.random() < BOTH:
            task = asyncio.ensure_future(self._sim.again(delivery))
            self._again.add(task)
            task.add_done_callback(self._again.discard)
        return gone


class Balancer:
    """What stands between Slack and replicas that listen for requests, and can lose the answer to one.

    Args:
        ports: of the replicas.
        seed: of who gets what.
    """

    def __init__(self, ports: Sequence[int], seed: str) -> None:
        self.ports = ports
        self.url = ""
        self.lose = 0
        self._rng = random.Random(f"balancer {seed}")

    async def serve(self, stack: AsyncExitStack) -> None:
        """Pass on until the stack is closed."""
        session = await stack.enter_async_context(aiohttp.ClientSession())

        async def handle(request: web.Request) -> web.Response:
            body = await request.read()
            ports = self._rng.sample(self.ports, len(self.ports))
            is_event = request.content_type == "application/json"
            if len(ports) > 1 and is_event and self._rng.random() < BOTH:
                found = await asyncio.gather(*(self._post(session, each, body, request) for each in ports))
                answer = next((each for each in found if _taken(each)), found[0])
            else:
                for port in ports:
                    if (answer := await self._post(session, port, body, request)) is not None:
                        break
            if self.lose and request.transport is not None:
                self.lose -= 1
                request.transport.abort()
            return answer or web.Response(status=502)

        app = web.Application()
        app.router.add_post("/", handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"

    async def _post(
        self, session: aiohttp.ClientSession, port: int, body: bytes, request: web.Request
    ) -> web.Response | None:
        """What one of them answers; None where nobody listens there."""
        try:
            async with session.post(
                f"http://127.0.0.1:{port}/slack/events", data=body, headers=request.headers
            ) as answer:
                text = await answer.read()
        except aiohttp.ClientError:
            return None
        return web.Response(status=answer.status, body=text, content_type=answer.content_type)


def _taken(answer: web.Response | None) -> bool:
    return answer is not None and answer.status < 400
