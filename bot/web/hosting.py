"""What the bot hears and shows by HTTP, from its start to its stop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from slipway.bot.config.http_settings import Pages
from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.http.routes import OpsRoute, PublicRoute
from slipway.bot.core.measuring.meter import OTHER, UNMETERED, Bound, Meter
from slipway.bot.core.measuring.metrics import HTTP_SECONDS
from slipway.bot.health.readiness import Readiness
from slipway.bot.messages.service import MessageService
from slipway.bot.operations.registry import SubjectRegistry
from slipway.bot.operations.services import Services
from slipway.bot.store.database import Database
from slipway.bot.web.access import OpsAccess
from slipway.bot.web.health import HealthRoutes
from slipway.bot.web.limits import USUAL_LIMITS, Limits
from slipway.bot.web.public import PublicListener
from slipway.bot.web.server import HttpServer

if TYPE_CHECKING:  # Prometheus' library is loaded where somebody may ask for metrics
    from slipway.bot.web.metrics.prometheus import PrometheusMeter
    from slipway.bot.web.metrics.samples import Standing
    from slipway.bot.web.pages.verification import Verification


@dataclass(frozen=True)
class Shown:
    """What of the running bot is shown to operators.

    Attributes:
        readiness: how ready it is.
        services: what commands work with.
        messages: what it says.
        database: what is stored.
        registry: the kinds of operation.
    """

    readiness: Readiness
    services: Services
    messages: MessageService
    database: Database
    registry: SubjectRegistry


class WebHost:
    """The server of one bot, and what takes its measurements. Before it is opened, both are there for whoever needs
    them.

    Args:
        settings: where it listens, and who may ask.
        listen: where the world is heard.
        routes: what the world may ask.
        label_values: what labels of measurements may be that configuration and declarations bound.
        limits: what one peer may take.
    """

    def __init__(
        self,
        settings: SlipwaySettings,
        listen: str,
        routes: Iterable[PublicRoute],
        label_values: Mapping[Bound, frozenset[str]],
        limits: Limits = USUAL_LIMITS,
    ) -> None:
        self._settings = settings
        self._limits = limits
        self._server: HttpServer | None = None
        self._endpoints = ExitStack()
        self._verification: Verification | None = None
        self._prometheus = _prometheus(label_values) if settings.http.ops is not None else None
        self.public = PublicListener(
            listen, routes, answered=partial(self._answered, "public"), limits=limits
        )

    @property
    def meter(self) -> Meter:
        """Takes measurements; keeps none where nobody may ask for them."""
        return self._prometheus or UNMETERED

    @property
    def server(self) -> HttpServer:
        """Both listeners.

        Raises:
            RuntimeError: it was not opened.
        """
        if self._server is None:
            raise RuntimeError("the server was not opened")
        return self._server

    async def open(self, shown: Shown) -> None:
        """Listen, and tell of this.

        Raises:
            ListenError: an address cannot be listened on.
        """
        self._server = HttpServer(
            self.public,
            self._settings.http.ops,
            self._ops_routes(shown),
            answered=partial(self._answered, "ops"),
            limits=self._limits,
        )
        for endpoint in shown.registry.endpoints.values():
            if endpoint.wanted(self._settings):
                answering = self.public.answering(endpoint.route, partial(endpoint.answer, shown.services))
                self._endpoints.enter_context(answering)
        await self._server.open()

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            await self._server.close()
        self._endpoints.close()
        if self._verification is not None:
            await self._verification.close()

    def _ops_routes(self, shown: Shown) -> Iterator[OpsRoute]:
        ops = self._settings.http.ops
        if ops is None or self._prometheus is None:
            return
        from slipway.bot.web.metrics.routes import MetricsRoutes
        from slipway.bot.web.metrics.samples import Sources

        access, services = OpsAccess(ops), shown.services
        health = HealthRoutes(shown.readiness, access)
        yield from health.routes()
        sources = Sources(
            look=health.look,
            standing=partial(_standing, services),
            deployment=self._settings.name,
            chats=services.chats,
            contacts=services.clouds.contacts,
            behind_since=lambda: shown.messages.behind_since,
            clock=services.clock,
        )
        yield from MetricsRoutes(self._prometheus, sources, access).routes()
        if ops.pages is not Pages.OFF:
            yield from self._pages(shown, health, access)

    def _pages(self, shown: Shown, health: HealthRoutes, access: OpsAccess) -> Iterator[OpsRoute]:
        from slipway.bot.web.pages.routes import PageRoutes
        from slipway.bot.web.pages.sources import PageSources
        from slipway.bot.web.pages.verification import Verification

        self._verification = Verification(shown.database, shown.services.clock)
        sources = PageSources(shown.services, shown.database, shown.registry, health.look, self._verification)
        yield from PageRoutes(sources, access).routes()

    def _answered(self, listener: str, route: str, status: int, seconds: float) -> None:
        self.meter.observe(HTTP_SECONDS, seconds, listener, route or OTHER, str(status))


def _prometheus(label_values: Mapping[Bound, frozenset[str]]) -> PrometheusMeter:
    from slipway.bot.web.metrics.prometheus import PrometheusMeter

    return PrometheusMeter(label_values)


async def _standing(services: Services) -> Standing:
    """How much of everything there is."""
    from slipway.bot.web.metrics.samples import Standing

    still_open = await services.operations.open_ones()
    backlog = await services.backlog()
    problems = await services.problems.open_problems()
    return Standing(
        tuple(each.state for each in still_open),
        backlog.waiting,
        backlog.dropped,
        len(problems),
        await services.locks.all(),
        bool(await services.freezes.all()),
    )
