"""A key vault's secrets, as its data plane 7.4 answers for them, beside the simulated Resource Manager.

Who asks without a token is challenged. The newest version is what is got without naming one, also where it is
disabled. What is deleted keeps its name until somebody purges it.

Source: Key Vault REST reference, “Set Secret”, “Get Secret”, “Update Secret”, “Get Secret Versions”, “Delete Secret”,
“Purge Deleted Secret”; recorded answers of its clients for the challenge and the codes within errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from aiohttp import web

from slipway.bot.clouds.simulated.azure.routes import Handler, Names, Routes

_LARGEST = 25 * 1024  # bytes of a value
TENANT = "11111111-1111-1111-1111-111111111111"
"""The tenant whose tokens the vault takes."""

_ACTIONS = {
    "GET": "getSecret/action",
    "PUT": "setSecret/action",
    "PATCH": "update/action",
    "DELETE": "delete",
}
_GIVEN = ("enabled", "nbf", "exp")


@dataclass
class VaultVersion:
    """One version of a secret."""

    id: str
    value: str = field(repr=False)
    attributes: dict[str, Any]
    tags: dict[str, str]
    content_type: str | None


class SimulatedVault:
    """What the vault holds. It may be changed while it is served.

    Attributes:
        secrets: all versions of each, the newest last.
        deleted: those that were deleted and are kept.
        lacks: what the caller may not do, such as ``setSecret``.
        firewall: whether it does not let the caller in.
        challenges: how many requests came without a token.
        asked: the rights that were asked for, as a role names them.

    Args:
        base_url: gives the address at which it is served.
        clock: the present.
    """

    def __init__(self, base_url: Callable[[], str], clock: Callable[[], datetime]) -> None:
        self.secrets: dict[str, list[VaultVersion]] = {}
        self.deleted: dict[str, list[VaultVersion]] = {}
        self.lacks: set[str] = set()
        self.firewall = False
        self.challenges = 0
        self.asked: set[str] = set()
        self._base_url = base_url
        self._clock = clock

    def add_to(self, table: Routes) -> None:
        """All addresses that are answered."""
        table.add(
            "/secrets/{name}",
            GET=self._asked(self._get),
            PUT=self._asked(self._set),
            DELETE=self._asked(self._delete),
        )
        table.add("/secrets/{name}/versions", GET=self._asked(self._versions, "readMetadata/action"))
        table.add("/secrets/{name}/{version}", GET=self._asked(self._get), PATCH=self._asked(self._update))
        table.add("/deletedsecrets/{name}", DELETE=self._asked(self._purge, "purge/action"))

    def put(self, name: str, value: str, **more: Any) -> VaultVersion:
        """Make a version, as somebody else would."""
        made = VaultVersion(
            uuid4().hex,
            value,
            {"enabled": True, **more.get("attributes", {})},
            more.get("tags") or {},
            more.get("content_type"),
        )
        now = int(self._clock().timestamp())
        made.attributes |= {
            "created": now,
            "updated": now,
            "recoveryLevel": "Recoverable+Purgeable",
            "recoverableDays": 90,
        }
        self.secrets.setdefault(name, []).append(made)
        return made

    def _asked(self, handler: Handler, action: str = "") -> Handler:
        """Let nobody through without a token and the right."""

        async def answer(request: web.Request, names: Names) -> web.Response:
            if request.headers.get("Authorization") != "Bearer simulated":
                self.challenges += 1
                refused = _error(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.")
                challenge = (
                    f'Bearer authorization="{self._base_url()}/{TENANT}", resource="https://vault.azure.net"'
                )
                refused.headers["WWW-Authenticate"] = challenge
                return refused
            if "api-version" not in request.query:
                return _error(400, "BadParameter", "The request URI contains no api-version.")
            if self.firewall:
                words = "Client address is not authorized and caller is not a trusted service."
                return _error(403, "Forbidden", words, "ForbiddenByFirewall")
            wanted = action or _ACTIONS[request.method]
            self.asked.add(f"Microsoft.KeyVault/vaults/secrets/{wanted}")
            if wanted.partition("/")[0] in self.lacks:
                return _by_rbac(wanted, names["name"])
            return await handler(request, names)

        return answer

    async def _set(self, request: web.Request, names: Names) -> web.Response:
        name, wanted = names["name"], await request.json()
        if name in self.deleted:
            words = (
                f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in "
                "this state, the secret can only be recovered or purged."
            )
            return _error(409, "Conflict", words, "ObjectIsDeletedButRecoverable")
        value = wanted.get("value")
        if not isinstance(value, str) or len(value.encode()) > _LARGEST:
            return _error(400, "BadParameter", "Property value has invalid value")
        made = self.put(
            name,
            value,
            attributes=_given(wanted),
            tags=wanted.get("tags"),
            content_type=wanted.get("contentType"),
        )
        return web.json_response(self._bundle(name, made))

    async def _get(self, _request: web.Request, names: Names) -> web.Response:
        found = self._find(names)
        if found is None:
            return _missing(names["name"])
        if not found.attributes["enabled"]:
            words = "Operation get is not allowed on a disabled secret."
            return _error(403, "Forbidden", words, "SecretDisabled")
        return web.json_response(self._bundle(names["name"], found))

    async def _update(self, request: web.Request, names: Names) -> web.Response:
        found = self._find(names)
        if found is None:
            return _missing(names["name"])
        wanted = await request.json()
        found.attributes |= _given(wanted) | {"updated": int(self._clock().timestamp())}
        found.tags = wanted.get("tags") or found.tags
        shown = self._bundle(names["name"], found)
        del shown["value"]
        return web.json_response(shown)

    async def _versions(self, _request: web.Request, names: Names) -> web.Response:
        found = self.secrets.get(names["name"])
        if found is None:
            return _missing(names["name"])
        shown = [self._bundle(names["name"], each) for each in found]
        for each in shown:
            del each["value"]
        return web.json_response({"value": shown, "nextLink": None})

    async def _delete(self, _request: web.Request, names: Names) -> web.Response:
        found = self.secrets.pop(names["name"], None)
        if found is None:
            return _missing(names["name"])
        self.deleted[names["name"]] = found
        shown = self._bundle(names["name"], found[-1])
        del shown["value"]
        now = int(self._clock().timestamp())
        recovery = f"{self._base_url()}/deletedsecrets/{names['name']}"
        return web.json_response({**shown, "recoveryId": recovery, "deletedDate": now})

    async def _purge(self, _request: web.Request, names: Names) -> web.Response:
        if self.deleted.pop(names["name"], None) is None:
            return _missing(names["name"])
        return web.Response(status=204)

    def _find(self, names: Names) -> VaultVersion | None:
        held = self.secrets.get(names["name"], [])
        wanted = names.get("version")
        if wanted is None:
            return held[-1] if held else None
        return next((each for each in held if each.id == wanted), None)

    def _bundle(self, name: str, version: VaultVersion) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "value": version.value,
            "id": f"{self._base_url()}/secrets/{name}/{version.id}",
            "attributes": version.attributes,
            "tags": version.tags,
        }
        return shown | ({"contentType": version.content_type} if version.content_type is not None else {})


def _given(wanted: Mapping[str, Any]) -> dict[str, Any]:
    attributes = wanted.get("attributes") or {}
    return {name: attributes[name] for name in _GIVEN if attributes.get(name) is not None}


def _by_rbac(action: str, name: str) -> web.Response:
    words = "\r\n".join(
        (
            "Caller is not authorized to perform action on resource.",
            "If role assignments or role definitions were changed recently, please observe propagation time.",
            f"Caller: appid={TENANT};oid={TENANT};iss=https://sts.windows.net/{TENANT}/",
            f"Action: 'Microsoft.KeyVault/vaults/secrets/{action}'",
            f"Resource: '/subscriptions/{TENANT}/resourcegroups/x/providers/microsoft.keyvault/vaults/x/{name}'",
            "Assignment: (not found)",
            "DecisionReason: 'DeniedWithNoValidRBAC' ",
            "Vault: x;location=eastus",
            "",
        )
    )
    return _error(403, "Forbidden", words, "ForbiddenByRbac")


def _missing(name: str) -> web.Response:
    words = (
        f"A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret "
        "you may be able to recover it using the correct recovery command."
    )
    return _error(404, "SecretNotFound", words)


def _error(status: int, code: str, message: str, inner: str = "") -> web.Response:
    error: dict[str, Any] = {"code": code, "message": message}
    if inner:
        error["innererror"] = {"code": inner}
    return web.json_response({"error": error}, status=status)
