"""A simulated EC2: moto's own server behind a front that adds what moto lacks and what can go wrong.

``python -m slipway.bot.clouds.simulated.aws.simulator [--port 0] [--region us-east-1]`` serves Fedora's images
until it is ended, and says ``{"url": "http://127.0.0.1:…"}`` on its first line. In a program use
:class:`SimulatedAws`.

The front listens at once; moto starts beside it in a process of its own (see ``moto_server.py``), and the first
request waits for it. Labels for faults are EC2's actions, such as ``RunInstances``,
and ``DryRun`` for one that only asks whether it would be done.

What the front adds: the ClientToken of RunInstances (the same token and parameters give the first answer
again, other parameters give IdempotentParameterMismatch, and machines that are gone meanwhile
IdempotentInstanceTerminated) and the filter of that name, the messages of error codes
(``messages.py``), the faults, the control API (``control.py``) and the log. NOT_DONE means something for
TerminateInstances only, FAIL_HALFWAY for RunInstances only: EC2 ends the machines at once, and says so in their
StateReason, of which the fault's ``code`` and ``message`` are the parts. NEVER_END means nothing here.

How it differs from the real EC2:

- machines are running, and terminated ones gone, at once, and terminated ones are shown for ever;
- a ClientToken is remembered for ever, and the repeated answer shows the machines as they were at first;
- every caller may do everything that is not ``denied``, with any credentials, and sees the same account; what only
  asks whether it would be done (DryRun) is answered by that right alone, but for RunInstances;
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
import re
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4
from xml.sax.saxutils import escape

from aiohttp import web

from slipway.bot.clouds.simulated.aws.answers import (
    STANDARD_QUOTA,
    InstanceRefresh,
    quota_answer,
    refreshes_answer,
    with_console,
    with_health,
)
from slipway.bot.clouds.simulated.aws.messages import STATUS, message_of
from slipway.bot.clouds.simulated.aws.moto_server import ACCOUNT
from slipway.bot.clouds.simulated.aws.process import MOTO, MotoProcess, SimulatorError
from slipway.bot.clouds.simulated.aws.rights import UNAUTHORIZED, dry_answer, refusal_of_other
from slipway.bot.clouds.simulated.aws.seed import SeedAmi, SeedMachines, fedora_machines
from slipway.bot.clouds.simulated.aws.throttles import Throttles
from slipway.bot.clouds.simulated.aws.trail import SimulatedTrail
from slipway.bot.clouds.simulated.consoles import console_text
from slipway.bot.clouds.simulated.control import ARMED, Logged, add_control, middleware
from slipway.bot.clouds.simulated.faults import Armed, Fault, FaultKind, Faults

# The host is part of what is signed.
_FORWARDED = (
    "Authorization",
    "Content-Type",
    "Host",
    "X-Amz-Date",
    "X-Amz-Target",
    "Smithy-Protocol",
    "Accept",
)
_ANSWERED = ("Content-Type", "Smithy-Protocol", "X-Amzn-Errortype")
_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"

_USUAL = {
    FaultKind.THROTTLE: "RequestLimitExceeded",
    FaultKind.REFUSE: "UnauthorizedOperation",
    FaultKind.ERROR: "InternalError",
    FaultKind.ERROR_AFTER: "InternalError",
    FaultKind.UNAVAILABLE: "Unavailable",
    FaultKind.NOT_FOUND: "InvalidInstanceID.NotFound",
    FaultKind.CONFLICT: "IncorrectInstanceState",
}

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([a-z0-9-]+)/")
_MACHINE = re.compile(rb"<instanceId>(i-[0-9a-f]+)</instanceId>")
_KEPT_FORMS = 1000

DRY_RUN = "DryRun"
"""The label of what only asks whether it would be done."""

_ASKED = web.RequestKey("asked", str)
"""The action of EC2's that a request asks for; absent in requests to other services."""


@dataclass(frozen=True)
class _Remembered:
    """The launch that a ClientToken stands for."""

    parameters: frozenset[tuple[str, str]]
    body: bytes

    @property
    def machines(self) -> list[str]:
        """The ids of what it made."""
        return [each.decode() for each in _MACHINE.findall(self.body)]


class SimulatedAws:
    """A simulated EC2 on a loopback port, with CloudWatch, the Service Quotas and Auto Scaling beside it. ``faults``
    and ``requests`` are those of the control API; ``forms`` are the newest EC2 requests' parameters, as they came;
    ``quotas`` are the account's, by their codes; ``consoles`` says what machines write there, by their ids, where
    that is not the usual, ``healths`` what the status checks of machines say, by their ids or ``*``, such as
    ``impaired``, ``refreshes`` what is under way in Auto Scaling groups, by their names; ``trail`` is its
    CloudTrail's history of who changed images; ``denied`` are actions, by their names alone, that callers may not
    do, tried or done.

    Args:
        seed: what it holds at first.
        port: where to listen; 0 lets the system choose.
        program: what runs moto.
        throttles: how many requests are taken; None for any number.
    """

    def __init__(
        self,
        seed: SeedMachines,
        *,
        port: int = 0,
        program: Sequence[str] = MOTO,
        throttles: Throttles | None = None,
    ) -> None:
        self.throttles = throttles
        self.faults = Faults()
        self.requests: list[Logged] = []
        self.forms: deque[dict[str, str]] = deque(maxlen=_KEPT_FORMS)
        self.quotas: dict[str, float] = {STANDARD_QUOTA: 64.0}
        self.consoles: dict[str, str] = {}
        self.healths: dict[str, str] = {}
        self.refreshes: dict[str, list[InstanceRefresh]] = {}
        self.trail = SimulatedTrail(ACCOUNT)
        self.denied: set[str] = set()
        self._seed = seed
        self._port = port
        self._program = program
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
        self._moto = await MotoProcess.start(self._seed, self._program)
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

    async def add_amis(self, amis: Iterable[SeedAmi]) -> None:
        """Make images as an upload does, each in its region."""
        body = json.dumps({"amis": [each.model_dump(mode="json") for each in amis]}).encode()
        await self._started_moto().post("/_sim/amis", body, {"Content-Type": "application/json"})

    async def end(self, machines: list[str], code: str, message: str) -> None:
        """End machines as EC2 does by itself, with a StateReason."""
        body = json.dumps({"machines": machines, "code": code, "message": message}).encode()
        await self._started_moto().post("/_sim/end", body, {"Content-Type": "application/json"})

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
        body = await request.read()
        form = _form(body)
        if (form.get("Action") or await _action(request)) in self.denied:
            return _error(*UNAUTHORIZED) if _is_ec2(request) else refusal_of_other(request)
        if "Action" not in form:
            return await self._serve_others(request, body)
        self.forms.append(form)
        if (told := dry_answer(form)) is not None:
            return _error(*told)
        if self.throttles is not None and not self.throttles.takes(_region(request), form):
            return _error(_USUAL[FaultKind.THROTTLE])
        return await self._act(request, form)

    async def _act(self, request: web.Request, form: Mapping[str, str]) -> web.Response:
        armed: Armed | None = request.get(ARMED)
        kind = armed.fault.kind if armed is not None else None
        match form.get("Action"):
            case "TerminateInstances" if kind is FaultKind.NOT_DONE:
                return _pretended_termination(form)
            case "RunInstances" if form.get("ClientToken"):
                answer = await self._launch_once(request, form)
                if armed is not None and kind is FaultKind.FAIL_HALFWAY and answer.status == 200:
                    code = armed.fault.code or "Server.InternalError"
                    message = armed.fault.message or "Client.InternalError: Client error on launch"
                    await self.end(self._launches[form["ClientToken"]].machines, code, message)
                return answer
            case "GetConsoleOutput":
                text = self.consoles.get(form.get("InstanceId", ""), console_text(form.get("InstanceId", "")))
                return _changed(await self._forward(request), lambda body: with_console(body, text))
            case "DescribeInstanceStatus":
                answer = await self._forward(request)
                return _changed(answer, lambda body: with_health(body, self.healths))
            case "DescribeInstanceRefreshes":
                group = form.get("AutoScalingGroupName", "")
                return _xml(refreshes_answer(group, self.refreshes.get(group, ())))
            case "DescribeInstances":
                return await self._forward(request, urlencode(self._by_token(form)).encode())
            case action:
                answer = await self._forward(request)
                if answer.status == 200 and isinstance(answer.body, bytes):
                    self.trail.served(action, form, answer.body, request.headers)
                return answer

    async def _serve_others(self, request: web.Request, body: bytes) -> web.Response:
        """What is asked of services beside EC2."""
        match await _action(request):
            case "GetServiceQuota":
                return quota_answer(self.quotas, body)
            case "LookupEvents":
                return self.trail.answer(body, request.headers)
            case _:
                return await self._forward(request)

    def _by_token(self, form: Mapping[str, str]) -> dict[str, str]:
        """The same request with the ids of a launch's machines where it filters by ``client-token``, which moto
        does not know."""
        asked = next(
            (name for name, value in form.items() if name.endswith(".Name") and value == "client-token"), None
        )
        if asked is None:
            return dict(form)
        prefix = asked.removesuffix("Name")
        tokens = [value for name, value in form.items() if name.startswith(f"{prefix}Value.")]
        launches = (self._launches[token] for token in tokens if token in self._launches)
        machines = [machine for launch in launches for machine in launch.machines] or ["i-none"]
        rest = {name: value for name, value in form.items() if not name.startswith(prefix)}
        values = {f"{prefix}Value.{number}": machine for number, machine in enumerate(machines, start=1)}
        return {**rest, f"{prefix}Name": "instance-id", **values}

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
            return _error("IdempotentParameterMismatch")
        if await self._any_gone(before.machines):
            return _error("IdempotentInstanceTerminated")
        return _xml(before.body)

    async def _any_gone(self, machines: list[str]) -> bool:
        held = (await self._started_moto().state())["instances"]
        return any(each["id"] in machines and each["state"] == "terminated" for each in held)

    async def _forward(self, request: web.Request, changed: bytes | None = None) -> web.Response:
        headers = {name: request.headers[name] for name in _FORWARDED if name in request.headers}
        sent = changed if changed is not None else await request.read()
        try:
            answer = await self._started_moto().post(request.path, sent, headers)
        except SimulatorError as error:
            return _error("Unavailable", str(error))
        told = {name: answer.headers[name] for name in _ANSWERED if name in answer.headers}
        return web.Response(body=answer.body, status=answer.status, headers=told)


def _is_ec2(request: web.Request) -> bool:
    """Whether it is signed for EC2; Auto Scaling and IAM have forms, too."""
    return "/ec2/aws4_request" in request.headers.get("Authorization", "/ec2/aws4_request")


def _region(request: web.Request) -> str:
    """Of a signature of version 4: ``AWS4-HMAC-SHA256 Credential=KEY/20261120/us-east-1/ec2/aws4_request, …``."""
    found = _SCOPE.search(request.headers.get("Authorization", ""))
    return found[1] if found else ""


def _form(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))


async def _action(request: web.Request) -> str:
    """What a request asks for, whichever protocol its service has: EC2's forms, JSON or CBOR."""
    if target := request.headers.get("X-Amz-Target"):
        return target.rpartition(".")[2]
    if "/operation/" in request.path:
        return request.path.rpartition("/")[2]
    form = _form(await request.read())
    request[_ASKED] = form.get("Action", "")
    return DRY_RUN if form.get("DryRun") == "true" else form.get("Action", "")


def _failure(request: web.Request, fault: Fault, status: int) -> web.Response:
    code = fault.code or _USUAL[fault.kind]
    message = fault.message or message_of(code, request.get(_ASKED, ""))
    if "X-Amz-Target" in request.headers:  # of a service that speaks JSON
        told = {"__type": code, "message": message}
        return web.json_response(
            told, status=STATUS.get(code, 400), content_type="application/x-amz-json-1.1"
        )
    return _error(code, message)


def _changed(answer: web.Response, change: Callable[[bytes], bytes]) -> web.Response:
    """An answer of moto's with something that it lacks; an error stays as it is."""
    if answer.status != 200 or not isinstance(answer.body, bytes):
        return answer
    return _xml(change(answer.body))


def _error(code: str, message: str = "") -> web.Response:
    message = message or message_of(code)
    errors = (
        f"<Errors><Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error></Errors>"
    )
    body = f"<Response>{errors}<RequestID>{uuid4()}</RequestID></Response>"
    return _xml(body.encode(), status=STATUS.get(code, 400))


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
