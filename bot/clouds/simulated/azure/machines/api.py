"""The addresses of machines, and of what surrounds them, and what they answer."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from slipway.bot.clouds.simulated.azure import answers, routes
from slipway.bot.clouds.simulated.azure.errors import (
    ArmError,
    invalid,
    resource_group_not_found,
    subscription_not_found,
)
from slipway.bot.clouds.simulated.azure.machines import errors
from slipway.bot.clouds.simulated.azure.machines.deployments import DeploymentsApi
from slipway.bot.clouds.simulated.azure.machines.parts import (
    ADDRESSES,
    DISKS,
    INTERFACES,
    MACHINES,
    NETWORKS,
    SCALE_SETS,
    SCHEDULES,
    SECURITY_GROUPS,
)
from slipway.bot.clouds.simulated.azure.machines.seed import size_document, usage_document
from slipway.bot.clouds.simulated.azure.machines.state import Machine, MachinesState
from slipway.bot.clouds.simulated.azure.operations import LongRunningOperation
from slipway.bot.clouds.simulated.azure.regions import short_name
from slipway.bot.clouds.simulated.azure.requests import (
    CERTIFICATE,
    body_of,
    check_signature,
    poll_answer,
    signature,
    terms_of,
)
from slipway.bot.clouds.simulated.azure.routes import Names, Routes
from slipway.bot.clouds.simulated.azure.seed import Seed

_GROUP = routes.GROUP
_COMPUTE = f"{routes.SUBSCRIPTION}/providers/Microsoft.Compute"
_BLOB = "/blobs/{machine}.serialconsole.log"
_BLOB_SIGNATURE = "simulated"


class MachinesApi:
    """Answers for one resource group with machines.

    Args:
        seed: names the subscription and the group.
        state: what is held.
        page_size: so many entries a page of a listing has.
        pause_ms: what clients are asked to wait between two looks at an operation; None: nothing is said.
    """

    def __init__(self, seed: Seed, state: MachinesState, *, page_size: int, pause_ms: int | None) -> None:
        self.seed = seed
        self.state = state
        self._page_size = page_size
        self._pause_ms = pause_ms

    def add_to(self, table: Routes) -> None:
        """All addresses that are answered."""
        machine = f"{_GROUP}/providers/{MACHINES}/{{name}}"
        table.add(f"{_GROUP}/providers/{MACHINES}", GET=self._list_machines)
        table.add(f"{routes.SUBSCRIPTION}/providers/{MACHINES}", GET=self._list_everywhere)
        table.add(f"{routes.SUBSCRIPTION}/providers/{SCALE_SETS}", GET=self._list_scale_sets)
        table.add(
            machine,
            GET=self._get_machine,
            PUT=self._put_machine,
            PATCH=self._patch_machine,
            DELETE=self._delete_machine,
        )
        table.add(f"{machine}/instanceView", GET=self._get_view)
        for verb, power in (("deallocate", "deallocated"), ("start", "running"), ("powerOff", "stopped")):
            table.add(f"{machine}/{verb}", POST=self._acting(power))
        table.add(f"{machine}/retrieveBootDiagnosticsData", POST=self._diagnostics)
        table.add(f"{machine}/providers/Microsoft.Resources/tags/default", PATCH=self._merge_tags)
        table.add(f"{machine}/providers/Microsoft.Insights/metrics", GET=self._metrics)
        for kind in (INTERFACES, ADDRESSES, DISKS, SCHEDULES, NETWORKS, SECURITY_GROUPS):
            self._add_kind(table, kind)
        table.add(f"{_GROUP}/providers/{NETWORKS}/{{network}}/subnets/{{name}}", GET=self._get_subnet)
        table.add(f"{_COMPUTE}/skus", GET=self._list_sizes)
        table.add(f"{_COMPUTE}/locations/{{location}}/usages", GET=self._list_usages)
        for provider in ("Microsoft.Compute", "Microsoft.Network"):
            path = f"{routes.SUBSCRIPTION}/providers/{provider}/locations/{{location}}/operations/{{id}}"
            table.add(path, GET=self._get_operation)
        table.add("{scope*}/providers/Microsoft.Authorization/permissions", GET=self._list_permissions)
        table.add(_BLOB, GET=self._get_blob)
        DeploymentsApi(self.state).add_to(table)
        self.state.specs.add_to(table)

    def _add_kind(self, table: Routes, kind: str) -> None:
        async def listed(request: web.Request, names: Names) -> web.Response:
            self._enter(request, names)
            return answers.page(
                request, [_shown(each) for each in self.state.things[kind].values()], self._page_size
            )

        async def one(request: web.Request, names: Names) -> web.Response:
            self._enter(request, names)
            document = _shown(self.state.thing(kind, names["name"]))
            return web.json_response(
                document, headers={"ETag": document["etag"]} if "etag" in document else {}
            )

        async def deleted(request: web.Request, names: Names) -> web.Response:
            self._enter(request, names)
            running = self.state.delete_thing(kind, names["name"])
            if running is None:
                return web.Response(status=204)
            if kind == SCHEDULES:
                return web.Response(status=200)
            return self._accepted(request, running, kind.partition("/")[0])

        async def put(request: web.Request, names: Names) -> web.Response:
            self._enter(request, names)
            known = names["name"].casefold() in self.state.things[kind]
            stored = self.state.put_schedule(names["name"], await body_of(request))
            return web.json_response(stored, status=200 if known else 201)

        handlers = {"GET": one, "DELETE": deleted, **({"PUT": put} if kind == SCHEDULES else {})}
        table.add(f"{_GROUP}/providers/{kind}", GET=listed)
        table.add(f"{_GROUP}/providers/{kind}/{{name}}", **handlers)

    def _enter(self, request: web.Request, names: Names) -> None:
        """Refuse what names no API version, or another subscription or resource group."""
        if not request.query.get("api-version"):
            raise ArmError(
                400,
                "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.",
            )
        subscription = names.get("subscription", self.seed.subscription_id)
        if subscription.casefold() != self.seed.subscription_id.casefold():
            raise subscription_not_found(subscription)
        group = names.get("group", self.state.seed.group)
        if group.casefold() != self.state.seed.group.casefold():
            raise resource_group_not_found(group)

    async def _list_machines(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        if "$expand" in request.query and "$filter" not in request.query:
            raise invalid("The expand option is supported only with a filter.")
        shown = [machine.document for machine in self.state.all_machines()]
        return answers.page(request, shown, self._page_size)

    async def _list_everywhere(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        machines = self.state.all_machines()
        if request.query.get("statusOnly", "").casefold() == "true":
            return answers.page(request, [self._status_only(each) for each in machines], self._page_size)
        return answers.page(request, [each.document for each in machines], self._page_size)

    async def _list_scale_sets(self, request: web.Request, names: Names) -> web.Response:
        """Those of the whole subscription. They are put here by whoever runs the simulator."""
        self._enter(request, names)
        held = self.state.things[SCALE_SETS].values()
        return answers.page(request, [_shown(each) for each in held], self._page_size)

    def _status_only(self, machine: Machine) -> dict[str, Any]:
        document = machine.document
        head = {key: document[key] for key in ("name", "id", "type", "location")}
        kept = {key: document["properties"][key] for key in ("vmId", "provisioningState")}
        return {**head, "properties": {**kept, "instanceView": self.state.view(machine)}}

    async def _get_machine(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        machine = self.state.machine(names["name"])
        document = machine.document
        if request.query.get("$expand", "").casefold() == "instanceview":
            view = self.state.view(machine)
            document = {**document, "properties": {**document["properties"], "instanceView": view}}
        return web.json_response(document)

    async def _get_view(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        return web.json_response(self.state.view(self.state.machine(names["name"])))

    async def _put_machine(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        machine, running, created = self.state.put(
            names["name"],
            await body_of(request),
            if_none_match=request.headers.get("If-None-Match"),
            terms=terms_of(request),
        )
        document = machine.document
        if created:  # shown as it was when it began, however soon it ended
            document = {**document, "properties": {**document["properties"], "provisioningState": "Creating"}}
        answer = web.json_response(document, status=201 if created else 200)
        self._announce(request, answer, running, "Microsoft.Compute")
        return answer

    async def _patch_machine(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        return web.json_response(self.state.patch(names["name"], await body_of(request)).document)

    async def _delete_machine(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        running = self.state.delete(names["name"], terms_of(request))
        if running is None:
            return web.Response(status=204)
        return self._accepted(request, running, "Microsoft.Compute")

    def _acting(self, power: str) -> routes.Handler:
        async def act(request: web.Request, names: Names) -> web.Response:
            self._enter(request, names)
            running = self.state.act(names["name"], power, terms_of(request))
            return self._accepted(request, running, "Microsoft.Compute")

        return act

    async def _diagnostics(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        machine = self.state.machine(names["name"], looks=False)
        asked = machine.document["properties"].get("diagnosticsProfile", {}).get("bootDiagnostics", {})
        if not asked.get("enabled"):
            raise errors.no_diagnostics()
        path = _BLOB.format(machine=machine.name)
        signed = f"?sv=2021-08-06&sr=b&sp=r&sig={_BLOB_SIGNATURE}"
        base = f"{request.url.origin()}{path}"
        return web.json_response(
            {
                "consoleScreenshotBlobUri": f"{base.replace('serialconsole.log', 'screenshot.bmp')}{signed}",
                "serialConsoleLogBlobUri": f"{base}{signed}",
            }
        )

    async def _get_blob(self, request: web.Request, names: Names) -> web.Response:
        """Storage, not Resource Manager: it wants the signature of the address and no token beside it."""
        if request.query.get("sig") != _BLOB_SIGNATURE or "Authorization" in request.headers:
            return web.Response(status=403, text="<Error><Code>AuthenticationFailed</Code></Error>")
        written = self.state.machine(names["machine"], looks=False).console
        if not written:
            return web.Response(status=404, text="<Error><Code>BlobNotFound</Code></Error>")
        return web.Response(body=written, content_type="application/octet-stream")

    async def _merge_tags(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        body = await body_of(request)
        if body.get("operation") != "Merge":
            raise invalid("The value of parameter operation is invalid.")
        tags = self.state.merge_tags(names["name"], body.get("properties", {}).get("tags", {}))
        shown = {"id": request.path, "name": "default", "type": "Microsoft.Resources/tags"}
        return web.json_response({**shown, "properties": {"tags": tags}})

    async def _metrics(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        machine = self.state.machine(names["name"], looks=False)
        wanted = request.query.get("metricnames", "").split(",")
        span = request.query.get("timespan", "")
        shown = [
            {
                "id": f"{machine.document['id']}/providers/Microsoft.Insights/metrics/{name}",
                "type": "Microsoft.Insights/metrics",
                "name": {"value": name, "localizedValue": name},
                "unit": "Percent" if name == "Percentage CPU" else "Bytes",
                "timeseries": _series(name, machine.metrics.get(name)),
                "errorCode": "Success",
            }
            for name in wanted
        ]
        head = {"cost": 0, "timespan": span, "interval": request.query.get("interval", "PT1M")}
        tail = {"namespace": MACHINES, "resourceregion": machine.document["location"]}
        return web.json_response({**head, "value": shown, **tail})

    async def _get_subnet(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        network = self.state.thing(NETWORKS, names["network"])
        for subnet in network["properties"]["subnets"]:
            if subnet["name"].casefold() == names["name"].casefold():
                return web.json_response(subnet)
        raise errors.not_found(f"{NETWORKS}/{network['name']}/subnets", names["name"], self.state.seed.group)

    async def _list_sizes(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        wanted = request.query.get("$filter", "").partition("location eq ")[2].strip("'")
        places = [each for each in self.state.seed.locations if not wanted or short_name(wanted) == each]
        shown = [size_document(size, place) for place in places for size in self.state.seed.sizes]
        return web.json_response({"value": shown})

    async def _list_usages(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        place, seed = short_name(names["location"]), self.state.seed
        families = dict.fromkeys(size.family for size in seed.sizes)
        shown = [
            usage_document("cores", "Total Regional vCPUs", self.state.used(place), seed.region_cores),
            *(
                usage_document(family, f"{family} vCPUs", self.state.used(place, family), seed.cores)
                for family in families
            ),
        ]
        return answers.page(request, shown, self._page_size)

    async def _list_permissions(self, request: web.Request, names: Names) -> web.Response:
        seed = self.state.seed
        shown = {"actions": list(seed.actions), "notActions": list(seed.not_actions)}
        return web.json_response({"value": [{**shown, "dataActions": [], "notDataActions": []}]})

    async def _get_operation(self, request: web.Request, names: Names) -> web.Response:
        self._enter(request, names)
        check_signature(request, names["id"])
        running = self.state.operation(names["id"])
        answer = poll_answer(
            request, running, self._address(request, running, names["location"], "Compute", monitor=True)
        )
        self._pause(answer)
        return answer

    def _accepted(self, request: web.Request, running: LongRunningOperation, provider: str) -> web.Response:
        answer = web.Response(status=202)
        place = self.state.seed.locations[0]
        answer.headers["Location"] = self._address(
            request, running, place, provider.partition(".")[2], monitor=True
        )
        self._announce(request, answer, running, provider)
        return answer

    def _announce(
        self, request: web.Request, answer: web.Response, running: LongRunningOperation, provider: str
    ) -> None:
        place = self.state.seed.locations[0]
        answer.headers["Azure-AsyncNotification"] = "Enabled"
        answer.headers["Azure-AsyncOperation"] = self._address(
            request, running, place, provider.partition(".")[2], monitor=False
        )
        self._pause(answer)

    def _pause(self, answer: web.Response) -> None:
        if self._pause_ms is not None:
            answer.headers["x-ms-retry-after-ms"] = str(self._pause_ms)

    def _address(
        self, request: web.Request, running: LongRunningOperation, place: str, provider: str, *, monitor: bool
    ) -> str:
        path = (
            f"/subscriptions/{self.seed.subscription_id}/providers/Microsoft.{provider}/locations/{place}"
            f"/operations/{running.id}"
        )
        # Recorded in 2026: a parameter p stands before the version, and all is signed.
        version = request.query.get("api-version", "")
        asked = f"p={running.id}&{'monitor=true&' if monitor else ''}api-version={version}"
        return f"{request.url.origin()}{path}?{asked}&t=0&c={CERTIFICATE}&s={signature(running.id)}&h=hash"


def _shown(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if not key.startswith("_")}


def _series(name: str, values: list[float] | None) -> list[dict[str, Any]]:
    """The numbers of a metric; none where the machine never sent any."""
    if values is None:
        return []
    field = "average" if name == "Percentage CPU" else "total"
    data = [
        {"timeStamp": f"2026-11-20T{number // 12:02}:{number % 12 * 5:02}:00Z", field: value}
        for number, value in enumerate(values)
    ]
    return [{"metadatavalues": [], "data": data}]
