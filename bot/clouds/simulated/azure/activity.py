"""The activity log of a simulated Azure: who wrote or deleted versions.

Sources: REST reference, Activity Logs - List (2015-04-01), for the filters that are taken and the shape of entries;
“Azure Activity Log event schema”, category Administrative, for what stands in them.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from aiohttp import web

from slipway.bot.clouds.simulated.azure import answers, routes
from slipway.bot.clouds.simulated.azure.errors import ArmError
from slipway.bot.clouds.simulated.azure.routes import Names, Routes
from slipway.bot.clouds.simulated.azure.times import read_arm_time

KEPT = timedelta(days=90)
MOST_KEPT = 10_000
"""So many entries are remembered."""

API_VERSION = "2015-04-01"
VALUES = f"{routes.SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values"

PORTAL = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"
CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"

_NAME = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
_FILTER = re.compile(
    r"eventTimestamp ge '(?P<since>[^']+)'(?: and eventTimestamp le '(?P<until>[^']+)')?"
    r"(?: and (?P<key>resourceUri|resourceGroupName|resourceProvider|correlationId) eq '?(?P<value>[^']+?)'?)?"
)


@dataclass(frozen=True)
class Caller:
    """Who calls. ``name`` is the user's principal name, or the object id of an application; ``application`` the id of
    the program."""

    name: str
    application: str = ""


OWN = Caller("00000000-0000-4000-8000-00000000c1e4", "00000000-0000-4000-8000-0000000000a9")
"""Whoever calls the API: the simulator asks for no token."""


@dataclass
class ActivityLog:
    """What is logged, and whom it shows that to.

    Attributes:
        clock: the present.
        late: how long after a change its entries can be read.
        refuses: whether callers lack the right to read.
    """

    clock: Callable[[], datetime]
    late: timedelta = timedelta()
    refuses: bool = False
    page_size: int = 50
    _entries: deque[tuple[datetime, dict[str, Any]]] = field(default_factory=lambda: deque(maxlen=MOST_KEPT))

    def note(self, resource: str, verb: str, caller: Caller = OWN) -> None:
        """Log that a version was written or deleted: as it began, and as it ended.

        Args:
            resource: its id.
            verb: ``write`` or ``delete``.
            caller: by whom.
        """
        now, correlation = self.clock(), str(uuid4())
        operation = f"Microsoft.Compute/galleries/images/versions/{verb}"
        claims = {"appid": caller.application, _NAME: caller.name, "ipaddr": "203.0.113.7"}
        for status in ("Started", "Succeeded"):
            entry = {
                "caller": caller.name,
                "claims": claims,
                "correlationId": correlation,
                "eventDataId": str(uuid4()),
                "eventTimestamp": f"{now:%Y-%m-%dT%H:%M:%S.%f}0Z",
                "operationName": _localizable(operation),
                "resourceId": resource,
                "status": _localizable(status),
                "category": _localizable("Administrative"),
                "level": "Informational",
            }
            self._entries.append((now, entry))

    def add_to(self, table: Routes) -> None:
        """Its one address."""
        table.add(VALUES, GET=self._list)

    async def _list(self, request: web.Request, _names: Names) -> web.Response:
        if self.refuses:
            raise ArmError(
                403,
                "AuthorizationFailed",
                f"The client '{OWN.name}' with object id '{OWN.name}' does not have authorization to perform action "
                "'microsoft.insights/eventtypes/values/read' over scope '/subscriptions' or the scope is invalid.",
            )
        asked = _FILTER.fullmatch(request.query.get("$filter", ""))
        if request.query.get("api-version") != API_VERSION or asked is None:
            raise ArmError(400, "BadRequest", "The api-version or the $filter is not supported.")
        now = self.clock()
        since = max(read_arm_time(asked["since"]), now - KEPT)
        until = min(read_arm_time(asked["until"]) if asked["until"] else now, now - self.late)
        found = [
            _selected(entry, request.query.get("$select", ""))
            for at, entry in reversed(self._entries)
            if since <= at <= until and _fits(entry, asked["key"], asked["value"])
        ]
        return answers.page(request, found, self.page_size)


def _localizable(value: str) -> dict[str, str]:
    return {"value": value, "localizedValue": value}


def _fits(entry: dict[str, Any], key: str | None, value: str | None) -> bool:
    if key is None or value is None:
        return True
    resource, wanted = entry["resourceId"].casefold(), value.casefold()
    match key:
        case "resourceUri":
            return bool(resource == wanted)
        case "resourceGroupName":
            return f"/resourcegroups/{wanted}/" in resource
        case "correlationId":
            return bool(entry["correlationId"] == value)
        case _:  # resourceProvider
            return f"/providers/{wanted}/" in resource


def _selected(entry: dict[str, Any], names: str) -> dict[str, Any]:
    wanted = {each.strip() for each in names.split(",")} if names else set(entry)
    return {name: value for name, value in entry.items() if name in wanted}
