"""A simulated EC2: moto's own server behind a front that adds what moto lacks and what can go wrong.

``python -m slipway.bot.clouds.simulated.aws.simulator [--port 0] [--region us-east-1]`` serves Fedora's images
until it is ended, and says ``{"url": "http://127.0.0.1:…"}`` on its first line. In a program use
:class:`SimulatedAws`.

The front listens at once; moto starts beside it in a process of its own (see ``moto_server.py``), and the first
request waits for it. Labels for faults are EC2's actions, such as ``RunInstances``.

What the front adds: the ClientToken of RunInstances (the same token and parameters give the first answer
again, other parameters give IdempotentParameterMismatch), the faults, the control API (``control.py``) and
the log. NOT_DONE means something for TerminateInstances only; FAIL_HALFWAY and NEVER_END mean nothing here.

How it differs from the real EC2:

- machines are running, and terminated ones gone, at once, and terminated ones are shown for ever;
- a ClientToken is remembered for ever, and the repeated answer shows the machines as they were at first;
- every caller may do everything, with any credentials, and sees the same account;
- MaxCount, the network interfaces and the shutdown behaviour of a launch template, and the tags of network
  interfaces are ignored; an unknown template *id* gives a bare error 500;
- DescribeImages gives one page whatever its size, the same in all regions, deprecated images included;
- an image that does not fit the machine's architecture is launched all the same, and tags that begin with
  ``aws:`` are taken.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4
from xml.sax.saxutils import escape

from aiohttp import web

from slipway.bot.clouds.simulated.aws.process import MotoProcess, SimulatorError
from slipway.bot.clouds.simulated.aws.seed import SeedMachines, fedora_machines
from slipway.bot.clouds.simulated.control import ARMED, Logged, add_control, middleware
from slipway.bot.clouds.simulated.faults import Armed, Fault, FaultKind, Faults

_FORWARDED = ("Authorization", "Content-Type", "X-Amz-Date")
_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"

_USUAL = {
    FaultKind.THROTTLE: ("RequestLimitExceeded", "Request limit exceeded."),
    FaultKind.REFUSE: (
        "UnauthorizedOperation",
        "You are not authorized to perform this operation. Encoded authorization failure message: "
        + "Qx7-f" * 90,
    ),
    FaultKind.ERROR: ("InternalError", "An internal error has occurred"),
    FaultKind.UNAVAILABLE: ("Unavailable", "The server is overloaded and can't handle the request."),
    FaultKind.NOT_FOUND: ("InvalidInstanceID.NotFound", "The instance ID does not exist"),
    FaultKind.CONFLICT: (
        "IncorrectInstanceState",
        "The instance is not in a state from which it can do that",
    ),
}

_STATUS = {
    "RequestLimitExceeded": 503,
    "Unavailable": 503,
    "ServiceUnavailable": 503,
    "InternalError": 500,
    "InternalFailure": 500,
    "InsufficientInstanceCapacity": 500,
    "UnauthorizedOperation": 403,
    "AuthFailure": 401,
}
"""What EC2 answers beside the code; 400 where nothing else is said ("Error codes for the Amazon EC2 API")."""


@dataclass(frozen=True)
class _Remembered:
    """The launch that a ClientToken stands for."""

    parameters: frozenset[tuple[str, str]]
    body: bytes


class SimulatedAws:
    """A simulated EC2 on a loopback port. ``faults`` and ``requests`` are those of the control API.

    Args:
        seed: what it holds at first.
        port: where to listen; 0 lets the system choose.
    """

    def __init__(self, seed: SeedMachines, *, port: int = 0) -> None:
        self.faults = Faults()
        self.requests: list[Logged] = []
        self._seed = seed
        self._port = port
        self._url = ""
        self._launches: dict[str, _Remembered] = {}
        self._launching = asyncio.Lock()
        self._runner: web.AppRunner | None = None
        self._moto: MotoProcess | None = None

    @property
    def url(self) -> str:
        """Where it listens, once started."""
        return self._url

    async def start(self) -> str:
        """Listen, and give the address; moto goes on starting, and requests wait for it.

        Raises:
            SimulatorError: moto is not installed, or the port is taken.
        """
        self._moto = await MotoProcess.start(self._seed)
        try:
            self._url = await self._listen(self._moto)
        except OSError as error:
            await self.stop()
            raise SimulatorError(f"The simulated AWS cannot listen on port {self._port}.") from error
        return self._url

    async def ready(self) -> None:
        """Wait until moto answers; only for those who want to know, since requests wait by themselves.

        Raises:
            SimulatorError: it did not start; the words hold the end of what it said.
        """
        await self._started_moto().ready()

    async def stop(self) -> None:
        """End both servers, and let go of all that is held."""
        self.faults.clear()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._moto is not None:
            await self._moto.stop()
            self._moto = None

    async def state(self) -> dict[str, Any]:
        """The machines, gone ones included, and the tags of the volumes: past EC2, so without faults."""
        return await self._started_moto().state()

    async def __aenter__(self) -> SimulatedAws:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _started_moto(self) -> MotoProcess:
        if self._moto is None:
            raise SimulatorError("The simulated AWS has not been started.")
        return self._moto

    async def _listen(self, moto: MotoProcess) -> str:
        app = web.Application(middlewares=[middleware(self.faults, self.requests, _action, _failure)])
        add_control(app, self.faults, self.requests, moto.state)
        app.router.add_post("/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        host, port = self._runner.addresses[0]
        return f"http://{host}:{port}"

    async def _serve(self, request: web.Request) -> web.Response:
        form = _form(await request.read())
        armed: Armed | None = request.get(ARMED)
        match form.get("Action"):
            case "TerminateInstances" if armed is not None and armed.fault.kind is FaultKind.NOT_DONE:
                return _pretended_termination(form)
            case "RunInstances" if form.get("ClientToken"):
                return await self._launch_once(request, form)
            case _:
                return await self._forward(request)

    async def _launch_once(self, request: web.Request, form: Mapping[str, str]) -> web.Response:
        token, parameters = form["ClientToken"], frozenset(form.items())
        async with self._launching:
            before = self._launches.get(token)
            if before is None:
                answer = await self._forward(request)
                if answer.status == 200 and isinstance(answer.body, bytes):
                    self._launches[token] = _Remembered(parameters, answer.body)
                return answer
        if before.parameters != parameters:
            return _error(
                "IdempotentParameterMismatch", "Arguments on this idempotent request differ from before"
            )
        return _xml(before.body)

    async def _forward(self, request: web.Request) -> web.Response:
        headers = {name: request.headers[name] for name in _FORWARDED if name in request.headers}
        try:
            status, body = await self._started_moto().post(request.path, await request.read(), headers)
        except SimulatorError as error:
            return _error("Unavailable", str(error))
        return _xml(body, status=status)


def _form(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))


async def _action(request: web.Request) -> str:
    return _form(await request.read()).get("Action", "")


def _failure(_request: web.Request, fault: Fault, status: int) -> web.Response:
    code, message = _USUAL[fault.kind]
    return _error(fault.code or code, fault.message or message)


def _error(code: str, message: str) -> web.Response:
    errors = (
        f"<Errors><Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error></Errors>"
    )
    body = f"<Response>{errors}<RequestID>{uuid4()}</RequestID></Response>"
    return _xml(body.encode(), status=_STATUS.get(code, 400))


def _pretended_termination(form: Mapping[str, str]) -> web.Response:
    """The answer to a termination that is not going to happen."""
    machines = "".join(
        f"<item><instanceId>{escape(value)}</instanceId>"
        "<currentState><code>32</code><name>shutting-down</name></currentState>"
        "<previousState><code>16</code><name>running</name></previousState></item>"
        for name, value in form.items()
        if name.startswith("InstanceId.")
    )
    body = f'<TerminateInstancesResponse xmlns="{_NAMESPACE}"><requestId>{uuid4()}</requestId>'
    return _xml(f"{body}<instancesSet>{machines}</instancesSet></TerminateInstancesResponse>".encode())


def _xml(body: bytes, *, status: int = 200) -> web.Response:
    return web.Response(body=body, status=status, content_type="text/xml", charset="utf-8")


async def _main(port: int, region: str) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with SimulatedAws(fedora_machines(datetime.now(UTC), region), port=port) as simulated:
        sys.stdout.write(json.dumps({"url": simulated.url}) + "\n")
        sys.stdout.flush()
        await ended.wait()


def main() -> None:
    """Serve until interrupted or terminated."""
    parser = argparse.ArgumentParser(
        prog="python -m slipway.bot.clouds.simulated.aws.simulator", description="A simulated EC2."
    )
    parser.add_argument("--port", type=int, default=0, help="0 lets the system choose")
    parser.add_argument("--region", default="us-east-1")
    arguments = parser.parse_args()
    asyncio.run(_main(arguments.port, arguments.region))


if __name__ == "__main__":
    main()
