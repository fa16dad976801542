"""The applications of a directory, as Microsoft Graph v1.0 answers for them, beside the simulated Resource Manager.

Source: Microsoft Graph reference, “List applications”, “Get application”, “passwordCredential”; error codes are those
of its troubleshooting pages. No listing holds a secret: ``secretText`` is null in every one of them, and stands in
the answer to “addPassword” alone. What a token service says of secrets is in :mod:`.login`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import Any
from uuid import uuid4

from aiohttp import web

from slipway.bot.clouds.simulated.azure.login import SimulatedLogin
from slipway.bot.clouds.simulated.azure.routes import Names, Routes

_PAGE = 100
_MOST = 999
_USUAL_LIFE = timedelta(days=730)  # where nobody says how long a secret is to live


@dataclass
class SeedCredential:
    """A secret or certificate; dates as Graph writes them, whatever they are."""

    id: str
    label: str | None
    starts: str | None
    ends: str | None
    hint: str = "Q~8"
    text: str = field(default="", repr=False)


@dataclass
class SeedApplication:
    """An application of the directory."""

    id: str
    client_id: str
    name: str
    secrets: list[SeedCredential] = field(default_factory=list)
    certificates: list[SeedCredential] = field(default_factory=list)


class SimulatedGraph:
    """What the directory holds. It may be changed while it is served.

    Attributes:
        applications: what there is.
        page_size: so many a page has at most, whatever is asked for.
        circles: whether the last page names the first as the next one.
        refuses: whether the caller lacks the right to read.
        refuses_changes: whether the caller is no owner of what it wants to change.
        longest_life: so long a secret may live by the tenant's policy; None for no such policy.
        login: the token service.
        base_url: gives the address at which it is served, for links.
    """

    def __init__(self, base_url: Callable[[], str], clock: Callable[[], datetime]) -> None:
        self.applications: list[SeedApplication] = []
        self.page_size = _MOST
        self.circles = False
        self.refuses = False
        self.refuses_changes = False
        self.longest_life: timedelta | None = None
        self._clock = clock
        self.login = SimulatedLogin(self._find, base_url, clock)
        self._base_url = base_url

    def add_to(self, table: Routes) -> None:
        """All addresses that are answered."""
        table.add("/v1.0/applications", GET=self._list)
        table.add("/v1.0/applications(appId='{client}')", GET=self._get_by_client)
        table.add("/v1.0/applications(appId='{client}')/addPassword", POST=self._add_password)
        table.add("/v1.0/applications(appId='{client}')/removePassword", POST=self._remove_password)
        table.add("/v1.0/applications/{id}", GET=self._get)
        self.login.add_to(table)

    async def _list(self, request: web.Request, _names: Names) -> web.Response:
        if self.refuses:
            return _error(
                403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
            )
        asked = request.query.get("$top", str(_PAGE))
        if not asked.isdigit() or not 0 < int(asked) <= _MOST:
            words = f"Invalid page size specified: '{asked}'. Must be between 1 and 999 inclusive."
            return _error(400, "Request_BadRequest", words)
        size = min(int(asked), self.page_size)
        start = int(request.query.get("$skiptoken", "0"))
        page: dict[str, Any] = {
            "@odata.context": f"{self._base_url()}/v1.0/$metadata#applications",
            "value": [self._shown(each, request) for each in self.applications[start : start + size]],
        }
        after = start + size
        if after < len(self.applications) or self.circles:
            query = dict(request.query) | {"$skiptoken": str(after % max(1, len(self.applications)))}
            page["@odata.nextLink"] = str(
                request.url.with_query(query).with_path("/v1.0/applications", keep_query=True)
            )
        return web.json_response(page)

    async def _get_by_client(self, request: web.Request, names: Names) -> web.Response:
        return self._one(request, names["client"], lambda each: each.client_id)

    async def _get(self, request: web.Request, names: Names) -> web.Response:
        return self._one(request, names["id"], lambda each: each.id)

    def _find(self, client_id: str) -> SeedApplication | None:
        found = (each for each in self.applications if each.client_id.casefold() == client_id.casefold())
        return next(found, None)

    async def _add_password(self, request: web.Request, names: Names) -> web.Response:
        """Add a secret, which is told in this answer and never again."""
        application = self._find(names["client"])
        if (refused := self._refused(application, names["client"])) is not None or application is None:
            return refused or _missing(names["client"])
        wanted = (await request.json()).get("passwordCredential") or {}
        now = self._clock().astimezone(UTC)
        ends = str(wanted.get("endDateTime") or _written(now + _USUAL_LIFE))
        too_long = self.longest_life is not None and datetime.fromisoformat(ends) - now > self.longest_life
        if too_long:
            words = "Credential lifetime exceeds the max value allowed as per assigned policy."
            return _error(400, "CredentialInvalidLifetimeAsPerAppPolicy", words)
        text = f"Sim8Q~{token_urlsafe(25)}"
        made = SeedCredential(
            str(uuid4()),
            wanted.get("displayName"),
            str(wanted.get("startDateTime") or _written(now)),
            ends,
            text[:3],
            text,
        )
        application.secrets.append(made)
        self.login.is_new(made.id)
        shown = {**_dates(made), "hint": made.hint, "secretText": text, "customKeyIdentifier": None}
        return web.json_response(
            {"@odata.context": f"{self._base_url()}/v1.0/$metadata#passwordCredential", **shown}
        )

    async def _remove_password(self, request: web.Request, names: Names) -> web.Response:
        application = self._find(names["client"])
        if (refused := self._refused(application, names["client"])) is not None or application is None:
            return refused or _missing(names["client"])
        key = str((await request.json()).get("keyId"))
        kept = [each for each in application.secrets if each.id != key]
        if len(kept) == len(application.secrets):
            return _error(400, "Request_BadRequest", f"No password credential found with keyId {key}.")
        application.secrets[:] = kept
        return web.Response(status=204)

    def _refused(self, application: SeedApplication | None, client_id: str) -> web.Response | None:
        if self.refuses or self.refuses_changes:
            return _error(
                403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
            )
        return _missing(client_id) if application is None else None

    def _one(
        self, request: web.Request, wanted: str, id_of: Callable[[SeedApplication], str]
    ) -> web.Response:
        if self.refuses:
            return _error(
                403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
            )
        for each in self.applications:
            if id_of(each).casefold() == wanted.casefold():
                return web.json_response(self._shown(each, request))
        return _missing(wanted)

    def _shown(self, application: SeedApplication, request: web.Request) -> dict[str, Any]:
        whole: dict[str, Any] = {
            "id": application.id,
            "deletedDateTime": None,
            "appId": application.client_id,
            "displayName": application.name,
            "passwordCredentials": [
                {**_dates(each), "hint": each.hint, "secretText": None, "customKeyIdentifier": None}
                for each in application.secrets
            ],
            "keyCredentials": [
                {
                    **_dates(each),
                    "type": "AsymmetricX509Cert",
                    "usage": "Verify",
                    "key": None,
                    "customKeyIdentifier": "0D8F",
                }
                for each in application.certificates
            ],
        }
        selected = request.query.get("$select")
        if selected is None:
            return whole
        wanted = {name.strip() for name in selected.split(",")} | {"id"}
        return {name: value for name, value in whole.items() if name in wanted}


def _missing(wanted: str) -> web.Response:
    words = f"Resource '{wanted}' does not exist or one of its queried reference-property objects are not present."
    return _error(404, "Request_ResourceNotFound", words)


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _dates(credential: SeedCredential) -> dict[str, Any]:
    return {
        "keyId": credential.id,
        "displayName": credential.label,
        "startDateTime": credential.starts,
        "endDateTime": credential.ends,
    }


def _error(status: int, code: str, message: str) -> web.Response:
    inner = {
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": str(uuid4()),
        "client-request-id": str(uuid4()),
    }
    body = {"error": {"code": code, "message": message, "innerError": inner}}
    return web.json_response(body, status=status)
