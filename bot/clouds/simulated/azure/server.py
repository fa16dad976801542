"""The simulated Azure as a server: its start and end, its faults and conditions, looks behind it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from slipway.bot.clouds.simulated.azure import answers
from slipway.bot.clouds.simulated.azure.activity import ActivityLog, Caller
from slipway.bot.clouds.simulated.azure.conditions import AS_RECORDED, Conditions
from slipway.bot.clouds.simulated.azure.errors import ArmError
from slipway.bot.clouds.simulated.azure.gallery_api import GalleryApi
from slipway.bot.clouds.simulated.azure.graph import SimulatedGraph
from slipway.bot.clouds.simulated.azure.machines.api import MachinesApi
from slipway.bot.clouds.simulated.azure.machines.state import MachinesState
from slipway.bot.clouds.simulated.azure.quotas import Quotas
from slipway.bot.clouds.simulated.azure.seed import Seed
from slipway.bot.clouds.simulated.azure.state import GalleryState, Record
from slipway.bot.clouds.simulated.azure.vault import SimulatedVault
from slipway.bot.clouds.simulated.azure.version_rules import region_flags
from slipway.bot.clouds.simulated.control import PREFIX, Handler, Logged, add_control, middleware
from slipway.bot.clouds.simulated.faults import Fault, Faults


class SimulatedAzure:
    """An Azure that holds one gallery, and a resource group for machines.

    Args:
        seed: what the gallery holds.
        page_size: so many entries a page of a listing has.
        polls: so often an operation is seen running before it ends, where ``conditions`` name no durations.
        clock: the present moment, for published dates, ends of life, and operations that take time.
        conditions: rights, locks, entity tags, durations; :attr:`conditions` changes them while it runs.
        pause_ms: what clients are asked to wait between two looks at an operation, in milliseconds. None: nothing
            is said, as in every recorded answer of a gallery.
        location_only: whether deletions are polled by ``Location`` alone, as older services do.
    """

    def __init__(
        self,
        seed: Seed,
        *,
        page_size: int = 50,
        polls: int = 1,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        conditions: Conditions = AS_RECORDED,
        pause_ms: int | None = 5,
        location_only: bool = False,
    ) -> None:
        self.seed = seed
        self.faults = Faults()
        self.requests: list[Logged] = []
        self.url = ""
        state = GalleryState(seed, clock, polls, conditions)
        self.activity = ActivityLog(clock)
        """Who wrote and deleted versions."""
        self._api = GalleryApi(
            seed,
            state,
            page_size=page_size,
            pause_ms=pause_ms,
            location_only=location_only,
            activity=self.activity,
        )
        self.machines = MachinesState(seed, lambda: self.state, clock, polls)
        """What there is of machines."""
        self._machines_api = MachinesApi(seed, self.machines, page_size=page_size, pause_ms=pause_ms)
        self.graph = SimulatedGraph(lambda: self.url, clock)
        """The applications of its directory."""
        self.vault = SimulatedVault(lambda: self.url, clock)
        """The secrets of a key vault, which clients ask over TLS alone."""
        self._request_ids = count(1)
        self._quotas = Quotas()
        self._clock = clock
        self._runner: web.AppRunner | None = None

    @property
    def state(self) -> GalleryState:
        """What the gallery holds; another may be put in its place."""
        return self._api.state

    @state.setter
    def state(self, state: GalleryState) -> None:
        self._api.state = state

    @property
    def conditions(self) -> Conditions:
        """What it is like besides what it holds; others may be put in their place."""
        return self.state.conditions

    @conditions.setter
    def conditions(self, conditions: Conditions) -> None:
        self.state.conditions = conditions

    @property
    def writes(self) -> list[Logged]:
        """The requests that were to change something, in order of arrival."""
        return [entry for entry in self.requests if entry.method != "GET"]

    async def start(self, port: int = 0, *, tls: ssl.SSLContext | None = None) -> str:
        """Listen on the loopback, at a free port unless one is given, and return the URL.

        With ``tls`` it speaks https, which clients that send a token insist on.
        """
        app = web.Application(middlewares=[self._faulty(), self._with_headers])
        add_control(app, self.faults, self.requests, self.snapshot)
        app.router.add_get(f"{PREFIX}conditions", self._show_conditions)
        app.router.add_put(f"{PREFIX}conditions", self._set_conditions)
        routes = self._api.routes()
        self._machines_api.add_to(routes)
        self.graph.add_to(routes)
        self.vault.add_to(routes)
        self.activity.add_to(routes)
        app.router.add_route("*", "/{path:.*}", routes.answer)
        # Not waiting for requests at the end: one that is held would hold the end, too.
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=tls)
        await site.start()
        host, bound = self._runner.addresses[0][:2]
        self.url = f"{'http' if tls is None else 'https'}://{host}:{bound}"
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

    def patch_by(self, caller: Caller, definition: str, version: str, body: dict[str, Any]) -> None:
        """Have somebody else change a version, which the activity log tells of."""
        record, _ = self.state.patch(definition, version, body)
        self.activity.note(record.document["id"], "write", caller)

    def delete_by(self, caller: Caller, definition: str, version: str) -> None:
        """Have somebody else delete a version, which the activity log tells of."""
        resource = self.state.version(definition, version).document["id"]
        self.state.delete(definition, version)
        self.activity.note(resource, "delete", caller)

    def versions(self, definition: str) -> dict[str, Any]:
        """The versions of one definition, by name: state, flag, the regions' own flags."""
        records = self.state.versions.get(definition.lower(), {})
        return {record.name: _shown(record) for record in records.values()}

    def snapshot(self) -> dict[str, Any]:
        """Every definition with its versions: state, flag, the regions' own flags; latest by region; and machines."""
        shown: dict[str, Any] = {}
        for folded, document in self.state.definitions.items():
            records = list(self.state.versions.get(folded, {}).values())
            regions = sorted({name for record in records for name in region_flags(record.document)})
            shown[document["name"]] = {
                "versions": self.versions(folded),
                "latest": {region: self.latest(folded, region) for region in regions},
            }
        machines = {
            machine.name: {"state": machine.state, "power": machine.power, "tags": machine.document["tags"]}
            for machine in self.machines.machines.values()
        }
        return {"definitions": shown, "machines": machines}

    def _faulty(self) -> Any:
        async def label(request: web.Request) -> str:
            return f"{request.method} {request.path}"

        def failure(request: web.Request, fault: Fault, status: int) -> web.Response:
            answer = answers.faulty(request, fault, status)
            answer.headers["x-ms-request-id"] = self._request_id()
            return answer

        return middleware(self.faults, self.requests, label, failure)

    @web.middleware
    async def _with_headers(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Give every answer its request id, and every failure ARM's shape."""
        limits, now = self.conditions.limits, self._clock()
        refused = self._quotas.ask(request.method, request.path, limits, now)
        try:
            answer = await handler(request) if refused is None else refused
        except ArmError as error:
            answer = answers.failure(error)
        self._quotas.tell(answer, request.method, request.path, limits, now)
        answer.headers["x-ms-request-id"] = self._request_id()
        return answer

    def _request_id(self) -> str:
        return f"{next(self._request_ids):012x}"

    async def _show_conditions(self, _: web.Request) -> web.Response:
        return web.json_response(self.conditions.model_dump(mode="json"))

    async def _set_conditions(self, request: web.Request) -> web.Response:
        try:
            self.conditions = Conditions.model_validate_json(await request.text())
        except ValidationError as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        return web.Response(status=204)


def _shown(record: Record) -> dict[str, Any]:
    profile = record.document["properties"].get("publishingProfile") or {}
    return {
        "state": record.state,
        "excluded": profile.get("excludeFromLatest"),
        "regions": region_flags(record.document),
        "end_of_life": profile.get("endOfLifeDate"),
        "tags": record.document.get("tags", {}),
    }
