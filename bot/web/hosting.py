"""What the bot hears and shows by HTTP, from its start to its stop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.http.routes import OpsRoute, PublicRoute
from slipway.bot.health.readiness import Readiness
from slipway.bot.web.access import OpsAccess
from slipway.bot.web.health import HealthRoutes
from slipway.bot.web.limits import USUAL_LIMITS, Limits
from slipway.bot.web.public import PublicListener
from slipway.bot.web.server import HttpServer


class WebHost:
    """The server of one bot. Before it is opened it is there for whoever has public routes.

    Args:
        settings: where it listens, and who may ask.
        listen: where the world is heard.
        routes: what the world may ask.
        limits: what one peer may take.
    """

    def __init__(
        self,
        settings: SlipwaySettings,
        listen: str,
        routes: Iterable[PublicRoute],
        limits: Limits = USUAL_LIMITS,
    ) -> None:
        self._settings = settings
        self._limits = limits
        self._server: HttpServer | None = None
        self.public = PublicListener(listen, routes, limits=limits)

    @property
    def server(self) -> HttpServer:
        """Both listeners.

        Raises:
            RuntimeError: it was not opened.
        """
        if self._server is None:
            raise RuntimeError("the server was not opened")
        return self._server

    async def open(self, readiness: Readiness) -> None:
        """Listen, and tell of this.

        Raises:
            ListenError: an address cannot be listened on.
        """
        self._server = HttpServer(
            self.public, self._settings.http.ops, self._ops_routes(readiness), limits=self._limits
        )
        await self._server.open()

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            await self._server.close()

    def _ops_routes(self, readiness: Readiness) -> Iterator[OpsRoute]:
        ops = self._settings.http.ops
        if ops is None:
            return
        access = OpsAccess(ops)
        yield from HealthRoutes(readiness, access).routes()
