"""Deployments of templates: of their own, as far as azure-cli makes machines by them, and of template specs.

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
from slipway.bot.clouds.simulated.azure.machines.template_specs import resources_of
from slipway.bot.clouds.simulated.azure.operations import Terms
from slipway.bot.clouds.simulated.azure.requests import body_of, terms_of
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
        name, asked = names["name"], body["properties"]
        if self._state_of(name) == "Running":
            raise ArmError(
                409,
                "DeploymentActive",
                f"Unable to edit or replace deployment '{name}': previous deployment is still active. "
                "Please see https://aka.ms/arm-deploy for usage details.",
            )
        link = asked.get("templateLink", {}).get("id")
        template = self._state.specs.template(link) if link else asked["template"]
        resources = template["resources"]
        if link:
            resources = resources_of(template, asked.get("parameters", {}), self._state.group_id)
        made = [self._make(each, terms_of(request)) for each in resources]
        shown: dict[str, Any] = {
            "id": f"{self._state.group_id}/providers/Microsoft.Resources/deployments/{name}",
            "name": name,
            "type": "Microsoft.Resources/deployments",
            "tags": dict(body.get("tags") or {}),
            "properties": {
                **({"templateLink": {"id": link, "contentVersion": "1.0.0.0"}} if link else {}),
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

    def _state_of(self, name: str) -> str:
        """Where a deployment is, by the machines that it makes; empty where there is none."""
        found = self._deployments.get(name.casefold())
        if found is None:
            return ""
        names = [each["id"].rpartition("/")[2] for each in found["properties"]["outputResources"]]
        made = [
            self._state.machines[each] for each in map(str.casefold, names) if each in self._state.machines
        ]
        if any(machine.running is not None for machine in made):
            return "Running"
        return "Failed" if any(machine.failed is not None for machine in made) else "Succeeded"

    def _make(self, resource: Mapping[str, Any], terms: Terms) -> str:
        kind = _KINDS.get(str(resource.get("type")).casefold(), "")
        name = str(resource["name"])
        body = {key: resource[key] for key in ("location", "tags", "properties", "sku") if key in resource}
        try:
            if kind == MACHINES:
                self._state.put(name, body, if_none_match=None, terms=terms)
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
        self._state.all_machines()  # a look at the deployment is one at what it makes
        state = self._state_of(names["name"])
        properties = {**found["properties"], "provisioningState": state}
        if state == "Failed":
            properties["error"] = self._error(found)
        return web.json_response({**found, "properties": properties})

    def _error(self, deployment: Mapping[str, Any]) -> dict[str, Any]:
        """Why a deployment failed: what became of its machine stands inside."""
        made = [each["id"].rpartition("/")[2] for each in deployment["properties"]["outputResources"]]
        failures = [self._state.machines[each.casefold()].failed for each in made]
        details = [{"code": each[0], "message": each[1]} for each in failures if each is not None]
        message = "At least one resource deployment operation failed. Please list deployment operations for details."
        return {"code": "DeploymentFailed", "message": message, "details": details}

    async def _get_status(self, _: web.Request, names: Names) -> web.Response:
        self._state.all_machines()  # a look at the deployment is one at what it makes
        busy = any(machine.running for machine in self._state.machines.values())
        return web.json_response({"status": "Running" if busy else "Succeeded"})
