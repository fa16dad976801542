"""``/livez`` and ``/readyz``, as container platforms ask for them.

Anybody who reaches the listener learns whether the bot lives and is ready, as a platform's own checks can show no
token; what is wrong is told to those who may read metrics.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus

from slipway.bot.core.http.messages import HttpRequest, HttpResponse, Method
from slipway.bot.core.http.routes import OpsRoute
from slipway.bot.core.model import Json
from slipway.bot.health.readiness import Check, Looked, Readiness
from slipway.bot.web.access import OpsAccess

FRESH_SECONDS = 1.0
"""For how long one look answers all who ask, so that asking often costs nothing."""


class HealthRoutes:
    """Whether the bot lives, and is ready.

    Args:
        readiness: looks.
        access: who may read details.
        monotonic: seconds that have passed.
    """

    def __init__(
        self, readiness: Readiness, access: OpsAccess, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._readiness = readiness
        self._access = access
        self._monotonic = monotonic
        self._looking = asyncio.Lock()
        self._looked: tuple[float, Looked] | None = None

    def routes(self) -> Iterator[OpsRoute]:
        """What is answered."""
        yield OpsRoute(Method.GET, "/livez", self._live)
        yield OpsRoute(Method.GET, "/readyz", self._ready)

    async def _live(self, _request: HttpRequest) -> HttpResponse:
        """The loop answers, which is all that a new start could mend: neither database nor platforms are asked."""
        return HttpResponse.text("ok")

    async def _ready(self, request: HttpRequest) -> HttpResponse:
        verbose = "verbose" in request.query
        if verbose and (refused := self._access.refusal(request)) is not None:
            return refused
        looked = await self.look()
        status = HTTPStatus.OK if looked.ready else HTTPStatus.SERVICE_UNAVAILABLE
        checks: dict[str, Json] = {check.name: _told(check, verbose=verbose) for check in looked.checks}
        which: dict[str, Json] = {"replica": looked.replica} if looked.replica else {}
        told: dict[str, Json] = {"ready": looked.ready, "role": looked.role, **which, "checks": checks}
        return HttpResponse.json(told, status)

    async def look(self) -> Looked:
        """How everything is, as of a second ago at most."""
        async with self._looking:
            if self._looked is None or self._monotonic() - self._looked[0] > FRESH_SECONDS:
                self._looked = self._monotonic(), await self._readiness.look()
            return self._looked[1]


def _told(check: Check, *, verbose: bool) -> Json:
    if not verbose:
        return "ok" if check.ok else "failing"
    age: Json = None if check.age is None else round(check.age, 1)
    return {"ok": check.ok, "detail": check.problem or check.detail, "age_seconds": age}
