"""Slipway as a process that is killed, before a simulated Slack and gallery that live on in the test.

The bot needs no hook for that: a test holds one of its calls, or loses an acknowledgement, and kills it at that
moment, which the simulators see.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
from aiohttp import web

from benchmarks.program import Clouds, document, write_toml
from slipway.bot.clouds.simulated.azure import SimulatedAzure
from slipway.bot.clouds.simulated.fedora import fedora_gallery, many
from slipway.bot.core.times import system_clock
from tests.slack.harness import apply_manifest
from tests.slack.simulator import Delivery, Message, SimulatedSlack
from tests.slack.simulator.seed import ALICE, BOB, IMAGES
from tests.support.processes.program import ROOT, TIMEOUT_SECONDS, environment

CROWDED = "Fedora-Cloud-1000-x64"
"""The definition with many versions."""

TIMEOUT = 30.0
"""Seconds that anything may take which takes a moment, on a machine that is busy."""


class BotProcess:
    """A bot that can be killed, and started again on what it left behind."""

    def __init__(self, config: Path, sim: SimulatedSlack, azure: SimulatedAzure, relay: Relay | None) -> None:
        self.sim = sim
        self.azure = azure
        self._config = config
        self._relay = relay
        self._process: Process | None = None
        self._log: asyncio.Task[bytes] | None = None

    async def start(self) -> None:
        """Start it, and return when it listens to Slack."""
        before = self.sim.sockets.opened
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "slipway", "run", "--config", str(self._config)),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
            cwd=ROOT,
            env=environment(
                SLIPWAY_SLACK_BOT_TOKEN=self.sim.bot_token,
                SLIPWAY_SLACK_APP_TOKEN=self.sim.app_token,
                SLIPWAY_SLACK_SIGNING_SECRET=self.sim.signing_secret,
            ),
        )
        assert self._process.stderr is not None
        await asyncio.wait_for(_until_ready(self._process.stderr), TIMEOUT_SECONDS)
        self._log = asyncio.create_task(self._process.stderr.read())
        if self._relay is None:
            await self.sim.connected(after=before, within=TIMEOUT)
        elif self.sim.http is None:
            await self.sim.deliver_over_http(self._relay.url)

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        assert self._process is not None
        return self._process.pid

    async def kill(self) -> None:
        """End it as the kernel or a power cut does: it gets to do nothing more."""
        assert self._process is not None
        assert self._process.returncode is None, "it ended by itself"
        self._process.kill()
        await self._wait()

    async def start_again(self) -> None:
        """After it was killed: the clouds and Slack have no fault left that would strike it."""
        self.heal()
        await self.start()

    def heal(self) -> None:
        """Let nothing go wrong any more; what was held goes on."""
        for fault in self.azure.faults:
            fault.release()
        self.sim.faults.clear()

    async def stop(self) -> None:
        """Let it end all its work and then itself: whatever it was going to say or do is said and done."""
        assert self._process is not None
        self._process.terminate()
        assert await self._wait() == 0

    async def close(self) -> None:
        """Leave no process behind."""
        if self._process is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._wait()

    async def wait_for_lost_ack(self, delivery: Delivery) -> None:
        """Wait until the bot has acknowledged something in vain."""
        if self._relay is None:
            lost = self.sim.sockets.lost_acks
            await self.sim.until(lambda: delivery.envelope_id in lost, "a lost ack", within=TIMEOUT)
        else:
            await self.sim.until(lambda: bool(delivery.error), "a lost answer", within=TIMEOUT)

    def lose_next_ack(self) -> None:
        """Let the next acknowledgement get lost on the way."""
        if self._relay is None:
            self.sim.sockets.drop_acks = 1
        else:
            self._relay.lose = 1

    async def wait_for_message(self, *words: str) -> Message:
        """Wait for a message of the bot that holds all of these words."""
        return await self.sim.message(
            "images", lambda message: all(word in message.all_text for word in words), within=TIMEOUT
        )

    def texts(self) -> list[str]:
        """All that stands of the bot in the channel and its threads."""
        return [message.all_text for message in self.sim.from_bot("images")]

    async def _wait(self) -> int:
        assert self._process is not None
        code = await asyncio.wait_for(self._process.wait(), TIMEOUT_SECONDS)
        if self._log is not None:
            await self._log
        return code


class Relay:
    """What stands between Slack and a bot that listens for requests, and can lose the answer to one."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = ""
        self.lose = 0

    async def serve(self, stack: AsyncExitStack) -> None:
        """Relay until the stack is closed."""
        session = await stack.enter_async_context(aiohttp.ClientSession())

        async def relay(request: web.Request) -> web.Response:
            to = f"http://127.0.0.1:{self.port}/slack/events"
            try:
                async with session.post(to, data=await request.read(), headers=request.headers) as answer:
                    body = await answer.read()
            except aiohttp.ClientError:  # nobody listens there
                return web.Response(status=502)
            if self.lose and request.transport is not None:
                self.lose -= 1
                request.transport.abort()
            return web.Response(status=answer.status, body=body, content_type=answer.content_type)

        app = web.Application()
        app.router.add_post("/", relay)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"


@asynccontextmanager
async def running_process(
    folder: Path, *, over_http: bool = False, crowd: int = 0
) -> AsyncIterator[BotProcess]:
    """A running bot for Alice and Bob in ``#images``; ``crowd`` is how many versions ``CROWDED`` has."""
    async with AsyncExitStack() as stack:
        sim = await stack.enter_async_context(SimulatedSlack(patience=TIMEOUT))
        apply_manifest(sim)
        gallery = fedora_gallery(system_clock())
        crowded = many(1, crowd, system_clock()).definitions if crowd else ()
        azure = SimulatedAzure(replace(gallery, definitions=(*gallery.definitions, *crowded)))
        azure_url = await azure.start()
        stack.push_async_callback(azure.stop)
        configuration = document(Clouds(azure_url, None), folder / "state")
        configuration |= {"console": {"enabled": False}, "schedule": []}
        slack = {"channels": [IMAGES], "endpoint": sim.api_url}
        relay = None
        if over_http:
            relay = Relay(free_port())
            await relay.serve(stack)
            slack |= {"transport": "http", "listen": f"127.0.0.1:{relay.port}"}
        configuration["slack"] = slack
        for person, account in zip(configuration["person"], (ALICE, BOB), strict=False):
            person["identities"] = [f"slack:{account}"]
        write_toml(folder / "slipway.toml", configuration)
        bot = BotProcess(folder / "slipway.toml", sim, azure, relay)
        stack.push_async_callback(bot.close)
        await bot.start()
        yield bot


async def _until_ready(stderr: asyncio.StreamReader) -> None:
    said = b""
    while line := await stderr.readline():
        said += line
        if b'"event": "ready"' in line:
            return
    raise AssertionError(f"the bot did not start:\n{said.decode(errors='replace')}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
