"""The HTTP side of the simulated Azure: routes, paging, operations, error bodies."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from aiohttp import web

from slipway.bot.clouds.simulated.azure.seed import Seed
from slipway.bot.clouds.simulated.azure.state import (
    ArmError,
    GalleryState,
    LongRunningOperation,
    Outcome,
    Record,
)
from slipway.bot.clouds.simulated.control import ARMED, Handler, Logged, add_control, middleware
from slipway.bot.clouds.simulated.faults import Fault, FaultKind, Faults

_CODES = {429: "TooManyRequests", 403: "AuthorizationFailed", 500: "InternalServerError"}
_OPERATIONS = (
    "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/capsOperations/{id}"
)
_GALLERY = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/galleries/{gallery}"
)


class SimulatedAzure:
    """An Azure that holds one gallery.

    Args:
        seed: what the gallery holds.
        page_size: so many entries a page of a listing has.
        polls: so often an operation is seen running before it ends.
        clock: the present moment, for published dates and protection until the end of life.
        pause_ms: what clients are asked to wait between two looks at an operation, in milliseconds.
        location_only: whether deletions are polled by ``Location`` alone, as older services do.
    """

    def __init__(
        self,
        seed: Seed,
        *,
        page_size: int = 50,
        polls: int = 1,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause_ms: int = 5,
        location_only: bool = False,
    ) -> None:
        self.seed = seed
        self.faults = Faults()
        self.requests: list[Logged] = []
        self.state = GalleryState(seed, clock, polls)
        self.url = ""
        self._page_size = page_size
        self._pause_ms = pause_ms
        self._location_only = location_only
        self._request_ids = count(1)
        self._runner: web.AppRunner | None = None

    @property
    def writes(self) -> list[Logged]:
        """The requests that were to change something, in order of arrival."""
        return [entry for entry in self.requests if entry.method != "GET"]

    async def start(self, port: int = 0) -> str:
        """Listen on the loopback, at a free port unless one is given, and return the URL."""
        app = web.Application(middlewares=[self._faulty(), self._with_headers])
        add_control(app, self.faults, self.requests, self.snapshot)
        router = app.router
        router.add_get(_GALLERY, self._get_gallery)
        router.add_get(f"{_GALLERY}/images", self._list_definitions)
        router.add_get(f"{_GALLERY}/images/{{image}}", self._get_definition)
        router.add_delete(f"{_GALLERY}/images/{{image}}", self._delete_definition)
        router.add_get(f"{_GALLERY}/images/{{image}}/versions", self._list_versions)
        one = f"{_GALLERY}/images/{{image}}/versions/{{version}}"
        router.add_get(one, self._get_version)
        router.add_put(one, self._put_version)
        router.add_patch(one, self._patch_version)
        router.add_delete(one, self._delete_version)
        router.add_get(_OPERATIONS, self._get_operation)
        # Not waiting for requests at the end: one that is held would hold the end, too.
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        host, bound = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{bound}"
        return self.url

    async def stop(self) -> None:
        """Let go of all that is held, and stop listening."""
        self.faults.clear()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def latest(self, definition: str, region: str) -> str | None:
        """What a launch of the definition resolves to there; None where it finds nothing."""
        return self.state.latest(definition, region)

    def snapshot(self) -> dict[str, Any]:
        """Every definition with its versions: state, flag, the regions' own flags; and latest by region."""
        shown: dict[str, Any] = {}
        for folded, document in self.state.definitions.items():
            records = list(self.state.versions.get(folded, {}).values())
            regions = sorted({name for record in records for name in _region_flags(record)})
            shown[document["name"]] = {
                "versions": {record.document["name"]: _shown(record) for record in records},
                "latest": {region: self.latest(folded, region) for region in regions},
            }
        return {"definitions": shown}

    def _faulty(self) -> Any:
        async def label(request: web.Request) -> str:
            return f"{request.method} {request.path}"

        def failure(_: web.Request, fault: Fault, status: int) -> web.Response:
            message = fault.message or f"The request failed on purpose with status {status}."
            answer = _failure(status, fault.code or _CODES[status], message)
            if fault.kind is FaultKind.THROTTLE and fault.seconds is not None:
                answer.headers["Retry-After"] = f"{fault.seconds:g}"
            answer.headers["x-ms-request-id"] = self._request_id()
            return answer

        return middleware(self.faults, self.requests, label, failure)

    @web.middleware
    async def _with_headers(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Give every answer its request id, and every failure ARM's shape."""
        try:
            answer = await handler(request)
        except ArmError as failure:
            answer = _failure(failure.status, failure.code, failure.message)
        except web.HTTPException as error:
            if request.path.startswith("/_sim/"):
                raise
            code = "MethodNotAllowed" if error.status == 405 else "InvalidResourceType"
            answer = _failure(error.status, code, "There is nothing of that kind here.")
        answer.headers["x-ms-request-id"] = self._request_id()
        return answer

    def _request_id(self) -> str:
        return f"{next(self._request_ids):012x}"

    def _enter(self, request: web.Request) -> None:
        """Refuse what names no API version, or another subscription, resource group or gallery."""
        parts = request.match_info
        if not request.query.get("api-version"):
            raise ArmError(400, "MissingApiVersionParameter", "The api-version query parameter is required.")
        if parts["subscription"].casefold() != self.seed.subscription_id.casefold():
            raise ArmError(404, "SubscriptionNotFound", "The subscription could not be found.")
        if parts.get("group", self.seed.resource_group).casefold() != self.seed.resource_group.casefold():
            raise ArmError(404, "ResourceGroupNotFound", "The resource group could not be found.")
        if parts.get("gallery", self.seed.gallery).casefold() != self.seed.gallery.casefold():
            raise ArmError(404, "ParentResourceNotFound", "The gallery could not be found.")

    async def _get_gallery(self, request: web.Request) -> web.Response:
        self._enter(request)
        seed = self.seed
        shown = {"id": seed.gallery_id, "name": seed.gallery, "location": seed.location}
        return web.json_response({**shown, "properties": {"provisioningState": "Succeeded"}})

    async def _list_definitions(self, request: web.Request) -> web.Response:
        self._enter(request)
        return self._page(request, list(self.state.definitions.values()))

    async def _get_definition(self, request: web.Request) -> web.Response:
        self._enter(request)
        return web.json_response(self.state.definition(request.match_info["image"]))

    async def _delete_definition(self, request: web.Request) -> web.Response:
        self._enter(request)
        there = self.state.delete_definition(request.match_info["image"])
        return web.Response(status=200 if there else 204)

    async def _list_versions(self, request: web.Request) -> web.Response:
        self._enter(request)
        records = self.state.versions_of(request.match_info["image"])
        return self._page(request, [record.document for record in records])

    async def _get_version(self, request: web.Request) -> web.Response:
        self._enter(request)
        record = self.state.version(request.match_info["image"], request.match_info["version"])
        if "$expand" not in request.query:
            return _version(record, 200)
        regions = [
            {"region": name, "state": "Completed", "progress": 100, "details": ""}
            for name in _region_flags(record)
        ]
        status = {"aggregatedState": "Completed", "summary": regions}
        return _version(record, 200, extra={"replicationStatus": status})

    async def _put_version(self, request: web.Request) -> web.Response:
        self._enter(request)
        names = request.match_info
        record, running, created = self.state.put(
            names["image"], names["version"], await _body(request), *self._terms(request)
        )
        answer = _version(record, 201 if created else 200)
        self._announce(answer, running)
        return answer

    async def _patch_version(self, request: web.Request) -> web.Response:
        self._enter(request)
        names = request.match_info
        record, running = self.state.patch(
            names["image"], names["version"], await _body(request), *self._terms(request)
        )
        answer = _version(record, 200)
        self._announce(answer, running)
        return answer

    async def _delete_version(self, request: web.Request) -> web.Response:
        self._enter(request)
        names = request.match_info
        running = self.state.delete(names["image"], names["version"], *self._terms(request))
        if running is None:
            return web.Response(status=204)
        answer = web.Response(status=202)
        answer.headers["Location"] = self._operation_url(running, monitor=True)
        if not self._location_only:
            self._announce(answer, running)
        return answer

    async def _get_operation(self, request: web.Request) -> web.Response:
        self._enter(request)
        running = self.state.operation(request.match_info["id"])
        if request.query.get("monitor") == "true":
            if running.done and running.outcome is not Outcome.SUCCEEDED:
                return _failure(409, running.code, "The operation did not succeed.")
            answer = web.Response(status=200 if running.done else 202)
            answer.headers["Location"] = self._operation_url(running, monitor=True)
        else:
            shown: dict[str, Any] = {"name": running.id, "status": running.status}
            if running.done and running.outcome is not Outcome.SUCCEEDED:
                shown["error"] = {"code": running.code, "message": "The operation did not succeed."}
            answer = web.json_response(shown)
        answer.headers["x-ms-retry-after-ms"] = str(self._pause_ms)
        return answer

    def _page(self, request: web.Request, entries: list[dict[str, Any]]) -> web.Response:
        start = int(request.query.get("$skiptoken", "0"))
        end = start + self._page_size
        shown: dict[str, Any] = {"value": entries[start:end]}
        if end < len(entries):
            link = request.url.update_query({"$skiptoken": str(end)})
            shown["nextLink"] = str(link.with_host("127.0.0.1"))
        return web.json_response(shown)

    def _announce(self, answer: web.Response, running: LongRunningOperation) -> None:
        answer.headers["Azure-AsyncOperation"] = self._operation_url(running, monitor=False)
        answer.headers["x-ms-retry-after-ms"] = str(self._pause_ms)

    def _operation_url(self, running: LongRunningOperation, *, monitor: bool) -> str:
        path = _OPERATIONS.format(
            subscription=self.seed.subscription_id, location=self.seed.location, id=running.id
        )
        return f"{self.url}{path}?{'monitor=true&' if monitor else ''}api-version=2026-03-03"

    @staticmethod
    def _terms(request: web.Request) -> tuple[str | None, FaultKind | None, str]:
        """What a write depends on: If-Match, and the fault that its operation shall meet."""
        armed = request.get(ARMED)
        fault = None if armed is None else armed.fault
        return request.headers.get("If-Match"), fault and fault.kind, fault.code if fault else ""


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except json.JSONDecodeError as error:
        raise ArmError(400, "InvalidRequestContent", "The request content is not JSON.") from error
    if not isinstance(body, dict):
        raise ArmError(400, "InvalidRequestContent", "The request content is not an object.")
    return body


def _version(record: Record, status: int, *, extra: dict[str, Any] | None = None) -> web.Response:
    document = {**record.document, "properties": {**record.document["properties"], **(extra or {})}}
    return web.json_response(document, status=status, headers={"ETag": record.etag})


def _failure(status: int, code: str, message: str) -> web.Response:
    body = {"error": {"code": code, "message": message}}
    return web.json_response(body, status=status, headers={"x-ms-failure-cause": "gateway"})


def _region_flags(record: Record) -> dict[str, bool | None]:
    regions = record.document["properties"]["publishingProfile"]["targetRegions"]
    return {region["name"]: region.get("excludeFromLatest") for region in regions}


def _shown(record: Record) -> dict[str, Any]:
    profile = record.document["properties"]["publishingProfile"]
    return {
        "state": record.state,
        "excluded": profile.get("excludeFromLatest"),
        "regions": _region_flags(record),
        "end_of_life": profile.get("endOfLifeDate"),
        "tags": record.document.get("tags", {}),
    }
