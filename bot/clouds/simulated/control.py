"""What the HTTP servers of simulated clouds have in common: faults that happen, and a control API.

The control API lets another process drive a simulator:

- ``POST /_sim/faults`` with a :class:`Fault` as JSON arms it and answers ``{"id": …}``;
- ``GET /_sim/faults`` lists what is armed, and how often it hit, and whether it was reached;
- ``POST /_sim/faults/{id}/release`` lets a hold go on;
- ``DELETE /_sim/faults`` forgets them all and lets go of all that is held;
- ``GET /_sim/requests`` lists every request in order of arrival;
- ``GET /_sim/state`` shows what the simulated cloud holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from inspect import isawaitable
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware
from pydantic import ValidationError

from slipway.bot.clouds.simulated.faults import Armed, Fault, FaultKind, Faults

PREFIX = "/_sim/"

ARMED = web.RequestKey("armed", Armed)
"""The fault that hits this request, for handlers of long-running operations; absent where none does."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_STATUS = {
    FaultKind.THROTTLE: 429,
    FaultKind.REFUSE: 403,
    FaultKind.ERROR: 500,
    FaultKind.UNAVAILABLE: 503,
    FaultKind.NOT_FOUND: 404,
    FaultKind.CONFLICT: 409,
}


@dataclass
class Logged:
    """One request as the log keeps it. ``status`` is None while it runs, and where it got no answer; ``port`` is the
    one that it came from."""

    method: str
    path: str
    label: str
    status: int | None = None
    port: int | None = None


def middleware(
    faults: Faults,
    requests: list[Logged],
    label: Callable[[web.Request], Awaitable[str]],
    failure: Callable[[web.Request, Fault, int], web.Response],
) -> Middleware:
    """Log every request, and let the fault happen that hits it.

    Args:
        faults: asked about every request outside the control API.
        requests: the log.
        label: names a request for the faults' patterns.
        failure: renders the cloud's error answer for a fault and a status.
    """

    async def answered(request: web.Request, handler: Handler) -> web.StreamResponse | None:
        peer = request.transport.get_extra_info("peername") if request.transport is not None else None
        port = None if peer is None else int(peer[1])
        entry = Logged(request.method, request.path, await label(request), port=port)
        requests.append(entry)
        armed = faults.take(entry.label)
        if armed is None:
            answer: web.StreamResponse | None = await handler(request)
        else:
            request[ARMED] = armed
            answer = await _go_wrong(request, handler, armed, failure)
        if answer is not None:
            entry.status = answer.status
        return answer

    @web.middleware
    async def handle(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(PREFIX):
            return await handler(request)
        try:
            answer = await answered(request, handler)
        except ConnectionError:
            if request.transport is not None:
                raise
            answer = None  # whoever sent it was killed in the middle of it, so its body cannot be read
        return _hang_up(request) if answer is None else answer

    return handle


async def _go_wrong(
    request: web.Request,
    handler: Handler,
    armed: Armed,
    failure: Callable[[web.Request, Fault, int], web.Response],
) -> web.StreamResponse | None:
    """The answer that this fault leaves, None for a closed connection."""
    fault = armed.fault
    match fault.kind:
        case (
            FaultKind.THROTTLE
            | FaultKind.REFUSE
            | FaultKind.ERROR
            | FaultKind.UNAVAILABLE
            | FaultKind.NOT_FOUND
            | FaultKind.CONFLICT
        ):
            return failure(request, fault, fault.status or _STATUS[fault.kind])
        case FaultKind.GARBAGE:
            kind = "text/html" if fault.body.lstrip().startswith("<") else "application/json"
            return web.Response(text=fault.body, content_type=kind, status=fault.status or 200)
        case FaultKind.DROP:
            return None
        case FaultKind.ERROR_AFTER:
            await handler(request)
            return failure(request, fault, _STATUS[FaultKind.ERROR])
        case FaultKind.LOST_ANSWER:
            await handler(request)
            return None
        case FaultKind.SLOW | FaultKind.FAR:
            return await _answer_late(request, handler, fault)
        case FaultKind.HOLD_BEFORE:
            await armed.released.wait()
            return await handler(request)
        case FaultKind.HOLD_AFTER:
            answer = await handler(request)
            armed.reached.set()
            await armed.released.wait()
            return answer
        case FaultKind.FAIL_HALFWAY | FaultKind.NEVER_END | FaultKind.NOT_DONE:
            return await handler(request)


async def _answer_late(request: web.Request, handler: Handler, fault: Fault) -> web.StreamResponse:
    seconds = fault.seconds or 0
    if fault.kind is FaultKind.SLOW:
        await asyncio.sleep(seconds)
        return await handler(request)
    now = asyncio.get_running_loop().time
    due = now() + seconds
    await asyncio.sleep(0)  # all that came at this moment count from it, and not from each other's handling
    answer = await handler(request)
    await asyncio.sleep(max(due - now(), 0))
    return answer


def _hang_up(request: web.Request) -> web.Response:
    """Close the connection at once; the returned response finds nobody to go to."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def add_control(
    app: web.Application,
    faults: Faults,
    requests: list[Logged],
    state: Callable[[], Awaitable[dict[str, Any]] | dict[str, Any]],
) -> None:
    """Put the control API under ``/_sim/``. ``state`` describes what the cloud holds, as JSON."""

    async def arm(request: web.Request) -> web.Response:
        try:
            fault = Fault.model_validate_json(await request.text())
        except ValidationError as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        return web.json_response({"id": faults.add(fault).id})

    async def armed(_: web.Request) -> web.Response:
        shown = [
            {"id": a.id, "hits": a.hits, "reached": a.reached.is_set(), **a.fault.model_dump(mode="json")}
            for a in faults
        ]
        return web.json_response(shown)

    async def release(request: web.Request) -> web.Response:
        found = faults.get(int(request.match_info["id"]))
        if found is None:
            raise web.HTTPNotFound
        found.release()
        return web.Response(status=204)

    async def clear(_: web.Request) -> web.Response:
        faults.clear()
        return web.Response(status=204)

    async def log(_: web.Request) -> web.Response:
        return web.json_response([asdict(entry) for entry in requests])

    async def show(_: web.Request) -> web.Response:
        found = state()
        return web.json_response(await found if isawaitable(found) else found)

    app.router.add_post(f"{PREFIX}faults", arm)
    app.router.add_get(f"{PREFIX}faults", armed)
    app.router.add_delete(f"{PREFIX}faults", clear)
    app.router.add_post(PREFIX + r"faults/{id:\d{1,9}}/release", release)
    app.router.add_get(f"{PREFIX}requests", log)
    app.router.add_get(f"{PREFIX}state", show)
