"""``/metrics``, for those who may read it."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.bot.core.http.messages import HttpRequest, HttpResponse, Method
from slipway.bot.core.http.routes import OpsRoute
from slipway.bot.web.access import OpsAccess
from slipway.bot.web.metrics.prometheus import CONTENT_TYPE, PrometheusMeter
from slipway.bot.web.metrics.samples import Sources, samples


class MetricsRoutes:
    """All measurements, as text.

    Args:
        meter: has those that were reported.
        sources: where the others are looked at.
        access: who may read them.
    """

    def __init__(self, meter: PrometheusMeter, sources: Sources, access: OpsAccess) -> None:
        self._meter = meter
        self._sources = sources
        self._access = access

    def routes(self) -> Iterator[OpsRoute]:
        """What is answered."""
        yield OpsRoute(Method.GET, "/metrics", self._access.guarding(self._metrics))

    async def _metrics(self, _request: HttpRequest) -> HttpResponse:
        body = self._meter.render(await samples(self._sources))
        return HttpResponse(body=body, content_type=CONTENT_TYPE)
