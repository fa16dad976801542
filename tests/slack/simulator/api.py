"""The Web API's door: who calls, with which token, what goes wrong, which method answers."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from secrets import token_hex
from typing import Any

from aiohttp import web

from tests.slack.simulator.calls import ApiError, Args, require
from tests.slack.simulator.core import Call, Core
from tests.slack.simulator.faults import Fault, FaultKind
from tests.slack.simulator.methods import chat, conversations, files, users, views
from tests.slack.simulator.transport.socket_mode import SocketModeServer
from tests.slack.simulator.world import Json

Method = Callable[[Core, Args], Awaitable[Json]]

METHODS: dict[str, Method] = {
    "auth.teams.list": users.list_teams,
    "auth.test": users.auth_test,
    "blocks.validate": chat.validate,
    "bots.info": users.bot_info,
    "chat.delete": chat.delete,
    "chat.getPermalink": chat.permalink,
    "chat.postEphemeral": chat.post_ephemeral,
    "chat.postMessage": chat.post_message,
    "chat.update": chat.update,
    "conversations.history": conversations.history,
    "conversations.info": conversations.info,
    "conversations.join": conversations.join,
    "conversations.list": conversations.list_all,
    "conversations.members": conversations.members,
    "conversations.open": conversations.open_direct,
    "conversations.replies": conversations.replies,
    "files.completeUploadExternal": files.complete_upload,
    "files.getUploadURLExternal": files.get_upload_url,
    "reactions.add": chat.add_reaction,
    "team.info": users.team_info,
    "usergroups.list": users.list_groups,
    "usergroups.users.list": users.list_group_users,
    "users.conversations": conversations.list_own,
    "users.info": users.user_info,
    "views.open": views.open_view,
    "views.publish": views.publish_view,
    "views.push": views.push_view,
    "views.update": views.update_view,
}
_WRITES = ("chat.postMessage", "chat.postEphemeral", "chat.update", "chat.delete")


POLICIES: dict[str, tuple[str, ...]] = {
    "compliance_exports_prevent_deletion": ("chat.delete",),
    "file_uploads_disabled": ("files.getUploadURLExternal",),
    "message_limit_exceeded": ("chat.postMessage", "chat.postEphemeral", "chat.update"),
    "posting_to_channel_denied": ("chat.update", "files.completeUploadExternal"),
    "storage_limit_reached": ("files.getUploadURLExternal",),
}
"""What a workspace may forbid as a whole, by the name of the refusal, and the methods that refuse so."""


@dataclass
class ApiRequest:
    """One request, read."""

    method: str
    token: str
    args: Json
    remarks: tuple[str, ...] = ()  # what Slack warns of in whatever it answers


class Api:
    """Answers ``/api/<method>``."""

    def __init__(self, core: Core, sockets: SocketModeServer) -> None:
        self.core = core
        self.sockets = sockets

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One call, with whatever fault waits for it."""
        try:
            asked = await _read(request)
        except ApiError as refused:
            return self._answered(ApiRequest(request.match_info["method"], "", {}), 200, refused.body)
        fault = self.core.faults.take(asked.method)
        if fault is not None:
            return await self._struck(request, asked, fault)
        return await self._handled(asked)

    async def _struck(self, request: web.Request, asked: ApiRequest, fault: Fault) -> web.StreamResponse:
        if fault.kind is FaultKind.RATE_LIMIT:
            return self._answered(asked, 429, _ratelimited(), {"Retry-After": str(fault.retry_after)})
        if fault.kind is FaultKind.REFUSE:
            return self._answered(asked, 200, ApiError(fault.error, **fault.more).body)
        if fault.kind is FaultKind.SERVER_ERROR:
            self._log(asked, fault.status, "server error")
            return _failed(fault.status)
        if fault.kind in (FaultKind.SLOW, FaultKind.HANG):
            await fault.hold()
        if fault.kind is FaultKind.HANG:
            self._log(asked, 0, "no answer")
            return _cut(request)
        answer = await self._handled(asked)
        if fault.kind is FaultKind.LATE_ANSWER:
            await fault.hold()
        if fault.kind is FaultKind.LOST_ANSWER:
            return _cut(request)
        if fault.kind is FaultKind.BROKEN_AFTER:
            return _failed(fault.status)
        return answer

    async def _handled(self, asked: ApiRequest) -> web.Response:
        wait = self.core.limits.wait_for(asked.method, str(asked.args.get("channel", "")))
        if wait:
            return self._answered(asked, 429, _ratelimited(), {"Retry-After": str(wait)})
        try:
            body = await self._call(asked)
        except ApiError as refused:
            body = refused.body
        return self._answered(asked, 200, _remarked(body, asked.remarks))

    async def _call(self, asked: ApiRequest) -> Json:
        core = self.core
        method = METHODS.get(asked.method)
        if method is None and asked.method != "apps.connections.open":
            raise ApiError("unknown_method", req_method=asked.method)
        _check_token(core, asked)
        for policy in core.world.policies:
            if asked.method in POLICIES[policy]:
                raise ApiError(policy)
        if method is None:
            if not self.sockets.enabled:
                raise ApiError("forbidden_team")
            return {"ok": True, "url": self.sockets.new_url(core.url)}
        if asked.method in _WRITES:
            require(core, "chat:write")
        return await method(core, Args(asked.args))

    def _log(self, asked: ApiRequest, status: int, error: str | None) -> None:
        core = self.core
        args = {name: value for name, value in asked.args.items() if name != "token"}
        core.calls.append(Call(asked.method, args, core.ids.now(), status, error))
        core.call_counts[asked.method] = core.call_counts.get(asked.method, 0) + 1
        core.changes.notify()

    def _answered(
        self, asked: ApiRequest, status: int, body: Json, headers: dict[str, str] | None = None
    ) -> web.Response:
        self._log(asked, status, body.get("error"))
        date = formatdate(self.core.ids.now(), usegmt=True)
        shown = {"Date": date, "x-slack-req-id": token_hex(16), **(headers or {})}
        if asked.token == self.core.app.bot_token:
            shown["x-oauth-scopes"] = ",".join(sorted(self.core.app.scopes))
        elif asked.token == self.core.app.app_token:
            shown["x-oauth-scopes"] = "connections:write"
        return web.json_response(body, status=status, headers=shown)


def _failed(status: int) -> web.Response:
    return web.Response(status=status, text="upstream connect error", content_type="text/html")


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _check_token(core: Core, asked: ApiRequest) -> None:
    if not asked.token:
        raise ApiError("not_authed")
    if asked.token not in (core.app.bot_token, core.app.app_token):
        raise ApiError("invalid_auth")
    if core.app.revoked:
        raise ApiError("token_revoked")
    for_the_app = asked.method == "apps.connections.open"
    if for_the_app != (asked.token == core.app.app_token) and asked.method != "auth.test":
        raise ApiError("not_allowed_token_type")


def _ratelimited() -> Json:
    return {"ok": False, "error": "ratelimited"}


def _remarks(request: web.Request) -> tuple[str, ...]:
    """What Slack warns of in how a call was made."""
    if request.content_type == "application/json":
        return () if request.charset else ("missing_charset",)
    return ("superfluous_charset",) if request.method == "POST" and request.charset else ()


def _remarked(body: Json, remarks: tuple[str, ...]) -> Json:
    """An answer with warnings beside those that it has."""
    if not remarks:
        return body
    metadata = body.get("response_metadata", {})
    found = [*metadata.get("warnings", ()), *remarks]
    return body | {"warning": ",".join(found), "response_metadata": metadata | {"warnings": found}}


async def _read(request: web.Request) -> ApiRequest:
    args: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.text() or "{}")
        except json.JSONDecodeError:
            raise ApiError("invalid_json") from None
        if not isinstance(body, dict):
            raise ApiError("json_not_object")
        args |= body
    elif request.method == "POST":
        args |= dict(await request.post())
    header = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    token = header or str(args.pop("token", ""))
    args.pop("token", None)
    return ApiRequest(request.match_info["method"], token, args, _remarks(request))
