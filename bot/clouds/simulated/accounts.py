"""A simulated GitHub and GitLab, as far as they tell an account's number and its public keys to whoever asks.

GitHub's API begins at ``/github``, GitLab's at ``/gitlab/api/v4``. They answer as their documentation and GitLab's
own source say: pages with ``Link``, weak entity tags and 304, a limit an hour with the time at which it ends, names
that are not there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from aiohttp import web

from slipway.bot.clouds.simulated.control import Logged, add_control, middleware
from slipway.bot.clouds.simulated.faults import Fault, FaultKind, Faults

PER_PAGE_GITHUB = 30
PER_PAGE_GITLAB = 20
"""Entries of a page where nobody asks for another number."""

HOURLY = 60
"""Requests that GitHub allows an address without a token."""

NOBODYS_KEYS = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOYtVe0D7JuenfXYSrsiy2Qr7DCctrqNaGZoeQgE2RbJ",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK8vnAwWaQh7BLZex14R80QKvSP/QtXNuQmHmdh1pRVH",
)
"""Of which nobody has the private ones any more."""

NOBODYS_P256 = (
    "ecdsa-sha2-nistp256 "
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBCKJ1NoX2b6l98wcYURsrtmGP4rVYXsPs3XV3SjqRSi5p53pgDv49I8w8EcjE2JkwaSEP3t5Muf9h2yAWGXPYZU="
)


@dataclass
class SimulatedKey:
    """A key as an account lists it; ``usage_type`` and ``expires_at`` are GitLab's."""

    key: str
    usage_type: str = "auth_and_signing"
    expires_at: str | None = None
    id: int = field(default_factory=count(9001).__next__)


@dataclass
class SimulatedAccount:
    """An account; its number stays when its name changes."""

    name: str
    id: int
    keys: list[SimulatedKey] = field(default_factory=list)
    state: str = "active"


class SimulatedAccounts:
    """Both services on one port.

    Args:
        clock: the present, for the end of GitHub's hour.
        hourly: requests that GitHub allows before it refuses; None for any number.
    """

    def __init__(
        self,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        hourly: int | None = None,
    ) -> None:
        self.faults = Faults()
        self.requests: list[Logged] = []
        self.url = ""
        self.github: dict[str, SimulatedAccount] = {}
        self.gitlab: dict[str, SimulatedAccount] = {}
        self.hourly = hourly
        self._clock = clock
        self._hour_ends = clock() + timedelta(hours=1)
        self._asked = 0
        self._numbers = count(583231)
        self._runner: web.AppRunner | None = None

    def add(
        self, service: dict[str, SimulatedAccount], name: str, keys: Iterable[str] = ()
    ) -> SimulatedAccount:
        """Make an account with these keys."""
        account = SimulatedAccount(name, next(self._numbers), [SimulatedKey(key) for key in keys])
        service[name.casefold()] = account
        return account

    def rename(self, service: dict[str, SimulatedAccount], name: str, to: str) -> None:
        """Give an account another name, so that anybody may take the one that it had."""
        account = service.pop(name.casefold())
        account.name = to
        service[to.casefold()] = account

    @property
    def github_url(self) -> str:
        """Where GitHub's API begins."""
        return f"{self.url}/github"

    @property
    def gitlab_url(self) -> str:
        """Where GitLab's API begins."""
        return f"{self.url}/gitlab/api/v4"

    async def start(self, port: int = 0) -> str:
        """Listen on the loopback, at a free port unless one is given, and return the URL."""
        app = web.Application(middlewares=[middleware(self.faults, self.requests, _label, _failure)])
        add_control(app, self.faults, self.requests, self._state)
        app.router.add_get("/github/users/{name}", self._github_user)
        app.router.add_get("/github/users/{name}/keys", self._github_keys)
        app.router.add_get("/gitlab/api/v4/users", self._gitlab_users)
        app.router.add_get("/gitlab/api/v4/users/{id}/keys", self._gitlab_keys)
        app.router.add_get("/github/{rest:.*}", _github_not_found)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self.url

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _state(self) -> dict[str, Any]:
        both = {"github": self.github, "gitlab": self.gitlab}
        return {
            service: {each.name: {"id": each.id, "keys": len(each.keys)} for each in accounts.values()}
            for service, accounts in both.items()
        }

    async def _github_user(self, request: web.Request) -> web.Response:
        if (refusal := self._over_limit()) is not None:
            return refusal
        account = self.github.get(request.match_info["name"].casefold())
        if account is None:
            return await _github_not_found(request)
        return self._github(request, {"login": account.name, "id": account.id, "type": "User"})

    async def _github_keys(self, request: web.Request) -> web.Response:
        if (refusal := self._over_limit()) is not None:
            return refusal
        account = self.github.get(request.match_info["name"].casefold())
        if account is None:
            return await _github_not_found(request)
        entries = [{"id": each.id, "key": _bare(each.key)} for each in account.keys]
        page, link = _page(request, entries, PER_PAGE_GITHUB)
        return self._github(request, page, link)

    def _github(self, request: web.Request, body: Any, link: str = "") -> web.Response:
        """An answer as GitHub's, which is 304 where the client has it; that counts against the limit, too."""
        answer = _tagged(request, body, link)
        answer.headers.update(self._limit_headers())
        return answer

    def _limit_headers(self) -> dict[str, str]:
        limit = HOURLY if self.hourly is None else self.hourly
        left = max(0, limit - self._asked)
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": str(int(self._hour_ends.timestamp())),
        }

    def _over_limit(self) -> web.Response | None:
        """GitHub's refusal once the hour's requests are used up."""
        if self._clock() >= self._hour_ends:
            self._asked, self._hour_ends = 0, self._clock() + timedelta(hours=1)
        if self.hourly is not None and self._asked >= self.hourly:
            body = {"message": "API rate limit exceeded for 127.0.0.1."}
            return web.json_response(body, status=403, headers=self._limit_headers())
        self._asked += 1
        return None

    async def _gitlab_users(self, request: web.Request) -> web.Response:
        name = request.query.get("username")
        if not name:
            return web.json_response(
                {"message": "403 Forbidden - Not authorized to access /api/v4/users"}, status=403
            )
        found = self.gitlab.get(name.casefold())
        users = [] if found is None else [{"id": found.id, "username": found.name, "state": found.state}]
        return _tagged(request, users)

    async def _gitlab_keys(self, request: web.Request) -> web.Response:
        wanted = request.match_info["id"]
        account = next((each for each in self.gitlab.values() if str(each.id) == wanted), None)
        if account is None:
            return web.json_response({"message": "404 User Not Found"}, status=404)
        entries = [
            {
                "id": each.id,
                "title": account.name,
                "key": f"{_bare(each.key)} {account.name} (gitlab.example.org)",
                "created_at": "2026-01-02T03:04:05.678Z",
                "expires_at": each.expires_at,
                "usage_type": each.usage_type,
            }
            for each in account.keys
        ]
        page, link = _page(request, entries, PER_PAGE_GITLAB)
        return _tagged(request, page, link)


def demo_accounts() -> SimulatedAccounts:
    """Those of the people of the demo: alice's on GitHub, bob's on GitLab."""
    accounts = SimulatedAccounts()
    accounts.add(accounts.github, "alice", NOBODYS_KEYS)
    accounts.add(accounts.gitlab, "bob", (NOBODYS_P256,))
    return accounts


def _bare(key: str) -> str:
    """A key without its comment, as both services store it."""
    return " ".join(key.split()[:2])


def _page(request: web.Request, entries: list[Any], usual: int) -> tuple[list[Any], str]:
    """One page of a list, and the links to others."""
    size = min(int(request.query.get("per_page", usual)), 100)
    number = int(request.query.get("page", 1))
    page = entries[(number - 1) * size : number * size]
    if number * size >= len(entries):
        return page, ""
    following = request.url.update_query(page=str(number + 1))
    return page, f'<{following}>; rel="next"'


def _tagged(request: web.Request, body: Any, link: str = "") -> web.Response:
    """The body, or 304 where the client has just that."""
    text = json.dumps(body)
    etag = f'W/"{hashlib.sha256(text.encode()).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": "public, max-age=60, s-maxage=60"}
    if link:
        headers["Link"] = link
    if request.headers.get("If-None-Match") == etag:
        return web.Response(status=304, headers=headers)
    return web.Response(text=text, content_type="application/json", headers=headers)


async def _github_not_found(_request: web.Request) -> web.Response:
    body = {"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}
    return web.json_response(body, status=404)


async def _label(request: web.Request) -> str:
    return f"{request.method} {request.path}"


def _failure(request: web.Request, fault: Fault, status: int) -> web.Response:
    """An error as the services write it; a throttle with the pause that it asks for."""
    headers = {}
    if fault.kind in (FaultKind.THROTTLE, FaultKind.UNAVAILABLE) and fault.seconds is not None:
        headers["Retry-After"] = str(int(fault.seconds))
    if request.path.startswith("/gitlab") and fault.kind is FaultKind.THROTTLE:
        body: dict[str, Any] = {
            "message": {"error": "This endpoint has been requested too many times. Try again later."}
        }
    else:
        body = {"message": fault.message or fault.code or "Something went wrong"}
    return web.json_response(body, status=status, headers=headers)
