"""Deployments of templates, as far as azure-cli makes machines by them: plain values, no expressions.

Recorded in 2026: a deployment that is done. What a template asks for is made when the deployment is taken, and the
machine's own operation goes on; where one resource is refused, the deployment is, with the refusal inside.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from aiohttp import web

from slipway.bot.clouds.simulated.azure import routes
from slipway.bot.clouds.simulated.azure.errors import ArmError
from slipway.bot.clouds.simulated.azure.machines.parts import ADDRESSES, INTERFACES, MACHINES
from slipway.bot.clouds.simulated.azure.machines.state import MachinesState
from slipway.bot.clouds.simulated.azure.requests import body_of
from slipway.bot.clouds.simulated.azure.routes import Names, Routes
from slipway.bot.clouds.simulated.azure.version_rules import without_nulls

_DEPLOYMENT = f"{routes.GROUP}/providers/Microsoft.Resources/deployments/{{name}}"
_KINDS = {kind.casefold(): kind for kind in (ADDRESSES, INTERFACES, MACHINES)}


class DeploymentsApi:
    """Takes deployments into the group of machines."""

    def __init__(self, state: MachinesState) -> None:
        self._state = state
        self._deployments: dict[str, dict[str, Any]] = {}

    def add_to(self, table: Routes) -> None:
        """All addresses that are answered."""
        table.add(_DEPLOYMENT, GET=self._get, PUT=self._put)
        table.add(f"{_DEPLOYMENT}/operationStatuses/{{id}}", GET=self._get_status)

    async def _put(self, request: web.Request, names: Names) -> web.Response:
        body = without_nulls(await body_of(request))
        template = body["properties"]["template"]
        made = [self._make(each) for each in template["resources"]]
        name = names["name"]
        shown: dict[str, Any] = {
            "id": f"{self._state.group_id}/providers/Microsoft.Resources/deployments/{name}",
            "name": name,
            "type": "Microsoft.Resources/deployments",
            "properties": {
                "templateHash": str(int(sha256(json.dumps(template).encode()).hexdigest()[:16], 16)),
                "parameters": {},
                "mode": "Incremental",
                "provisioningState": "Succeeded",
                "timestamp": "2026-04-23T03:06:23.3180484Z",
                "duration": "PT36.2539754S",
                "correlationId": "00000000-0000-4000-8000-0000000000cc",
                "providers": [],
                "dependencies": [],
                "outputs": {},
                "outputResources": [{"id": each} for each in made],
            },
        }
        self._deployments[name.casefold()] = shown
        accepted = {**shown, "properties": {**shown["properties"], "provisioningState": "Accepted"}}
        answer = web.json_response(accepted, status=201)
        status = f"{request.url.origin()}{request.path}/operationStatuses/1"
        answer.headers["Azure-AsyncOperation"] = f"{status}?api-version={request.query['api-version']}"
        return answer

    def _make(self, resource: Mapping[str, Any]) -> str:
        kind = _KINDS.get(str(resource.get("type")).casefold(), "")
        name = str(resource["name"])
        body = {key: resource[key] for key in ("location", "tags", "properties", "sku") if key in resource}
        try:
            if kind == MACHINES:
                self._state.put(name, body, if_none_match=None)
            elif kind:
                self._state.put_thing(kind, name, body)
            else:
                raise ArmError(400, "InvalidTemplate", f"The simulator makes no {resource.get('type')}.")
        except ArmError as error:
            inner = f"{error.code}: {error.message}"
            raise ArmError(
                400,
                "InvalidTemplateDeployment",
                f"The template deployment is not valid. See inner errors for details. {inner}",
            ) from error
        return self._state.id(kind, name)

    async def _get(self, _: web.Request, names: Names) -> web.Response:
        found = self._deployments.get(names["name"].casefold())
        if found is None:
            raise ArmError(404, "DeploymentNotFound", f"Deployment '{names['name']}' could not be found.")
        return web.json_response(found)

    async def _get_status(self, _: web.Request, names: Names) -> web.Response:
        self._state.all_machines()  # a look at the deployment is one at what it makes
        busy = any(machine.running for machine in self._state.machines.values())
        return web.json_response({"status": "Running" if busy else "Succeeded"})
