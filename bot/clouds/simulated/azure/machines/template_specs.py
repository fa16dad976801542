"""Template specs, and what their templates come to, as far as simple expressions go.

Recorded in 2020: a version shows ``systemData`` and its template; a deployment names it by ``templateLink.id``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from slipway.bot.clouds.simulated.azure import answers, routes
from slipway.bot.clouds.simulated.azure.errors import ArmError
from slipway.bot.clouds.simulated.azure.machines import errors
from slipway.bot.clouds.simulated.azure.routes import Names, Routes

KIND = "Microsoft.Resources/templateSpecs"
_PAGE = 100

_VERSIONS = f"{routes.GROUP}/providers/{KIND}/{{name}}/versions"
_CALL = re.compile(r"(?P<name>[A-Za-z]+)\((?P<arguments>[^()]*)\)")
_ARGUMENT = re.compile(r"'([^']*)'")

Document = dict[str, Any]


class TemplateSpecs:
    """All template specs of a subscription.

    Args:
        subscription: its id.
        clock: the present moment.
    """

    def __init__(self, subscription: str, clock: Callable[[], datetime]) -> None:
        self._root = f"/subscriptions/{subscription}"
        self._clock = clock
        self._versions: dict[tuple[str, str], dict[str, Document]] = {}

    def add(self, group: str, name: str, version: str, template: Document) -> str:
        """Keep a version of a spec, a new one or a known one written anew; returns its id."""
        this = f"{self._root}/resourceGroups/{group}/providers/{KIND}/{name}/versions/{version}"
        known = self._versions.setdefault((group.casefold(), name.casefold()), {})
        now = self._clock().isoformat().replace("+00:00", "Z")
        made = known.get(version.casefold(), {}).get("systemData", {}).get("createdAt", now)
        by = {"createdBy": "alice@example.org", "createdByType": "User", "createdAt": made}
        known[version.casefold()] = {
            "location": "eastus",
            "systemData": {**by, "lastModifiedBy": by["createdBy"], "lastModifiedAt": now},
            "properties": {"mainTemplate": template},
            "id": this,
            "type": f"{KIND}/versions",
            "name": version,
        }
        return this

    def template(self, link: str) -> Document:
        """The template that a deployment names, or 404."""
        parts = link.strip("/").split("/")
        if len(parts) != 10:
            raise ArmError(400, "InvalidTemplateSpecId", f"The template spec id '{link}' is not valid.")
        found: Document = self._version(parts[3], parts[7], parts[9])["properties"]["mainTemplate"]
        return found

    def add_to(self, table: Routes) -> None:
        """All addresses that are answered."""
        table.add(_VERSIONS, GET=self._list)
        table.add(f"{_VERSIONS}/{{version}}", GET=self._get)

    async def _list(self, request: web.Request, names: Names) -> web.Response:
        found = self._versions.get((names["group"].casefold(), names["name"].casefold()))
        if found is None:
            raise errors.not_found(KIND, names["name"], names["group"])
        return answers.page(request, list(found.values()), _PAGE)

    async def _get(self, _: web.Request, names: Names) -> web.Response:
        return web.json_response(self._version(names["group"], names["name"], names["version"]))

    def _version(self, group: str, name: str, version: str) -> Document:
        found = self._versions.get((group.casefold(), name.casefold()), {}).get(version.casefold())
        if found is None:
            raise errors.not_found(f"{KIND}/{name}/versions", version, group)
        return found


def resources_of(template: Document, given: Mapping[str, Any], group_id: str) -> list[Document]:
    """What a template asks for with these parameters: plain values, and calls one in another.

    Raises:
        ArmError: a parameter is missing or too many, or an expression is more than the simulator works out.
    """
    declared = template.get("parameters", {})
    values = {name: each["value"] for name, each in given.items()}
    if extra := values.keys() - declared.keys():
        raise _invalid(
            f"The following parameters were supplied, but do not correspond to any: {sorted(extra)}"
        )
    for name, each in declared.items():
        if name not in values:
            if "defaultValue" not in each:
                raise _invalid(f"The value for the template parameter '{name}' is not provided.")
            values[name] = each["defaultValue"]
    made: list[Document] = [
        _resolved(each, values, template.get("variables", {}), group_id) for each in template["resources"]
    ]
    return made


def _resolved(written: Any, values: Mapping[str, Any], variables: Mapping[str, Any], group: str) -> Any:
    if isinstance(written, dict):
        return {name: _resolved(each, values, variables, group) for name, each in written.items()}
    if isinstance(written, list):
        return [_resolved(each, values, variables, group) for each in written]
    if not (isinstance(written, str) and written.startswith("[") and written.endswith("]")):
        return written
    whole = re.fullmatch(r"\[parameters\('([^']+)'\)\]", written)
    if whole is not None:  # may be something else than a text
        return values[whole[1]]

    left = written[1:-1]
    while _CALL.search(left):
        left = _CALL.sub(lambda match: f"'{_called(match, values, variables, group)}'", left)
    return left.strip("'")


def _called(match: re.Match[str], values: Mapping[str, Any], variables: Mapping[str, Any], group: str) -> str:
    """What a call comes to whose arguments are plain texts."""
    arguments = _ARGUMENT.findall(match["arguments"])
    match match["name"]:
        case "parameters":
            return str(values[arguments[0]])
        case "variables":
            return str(_resolved(variables[arguments[0]], values, variables, group))
        case "concat":
            return "".join(arguments)
        case "format":
            return str(arguments[0].format(*arguments[1:]))
        case "resourceId":
            provider, *types = arguments[0].split("/")
            pairs = zip(types, arguments[1:], strict=True)
            return f"{group}/providers/{provider}/{'/'.join(f'{kind}/{name}' for kind, name in pairs)}"
        case name:
            raise _invalid(f"The simulator works out no {name}.")


def _invalid(message: str) -> ArmError:
    return ArmError(400, "InvalidTemplate", f"Deployment template validation failed: '{message}'.")
