"""The server: the listener of operators and that which the world may reach, put together."""

from __future__ import annotations

from collections.abc import Iterable

from slipway.bot.config.http_settings import OpsSettings
from slipway.bot.core.http.routes import OpsRoute, RouteTable
from slipway.bot.web.limits import USUAL_LIMITS, Limits
from slipway.bot.web.listener import Answered, Listener
from slipway.bot.web.public import PublicListener


class HttpServer:
    """Both listeners; each is open only where something is to be heard there.

    Args:
        public: the one that the world may reach.
        ops: where operators ask; None for nowhere.
        ops_routes: what they may ask.
        answered: hears of each request of operators.
        limits: what one peer may take.
    """

    def __init__(
        self,
        public: PublicListener,
        ops: OpsSettings | None,
        ops_routes: Iterable[OpsRoute],
        *,
        answered: Answered = lambda _route, _status, _seconds: None,
        limits: Limits = USUAL_LIMITS,
    ) -> None:
        self.public = public
        self.ops = (
            None
            if ops is None
            else Listener(
                "operators",
                ops.listen,
                RouteTable(OpsRoute, ops_routes),
                lambda route: route.handler,
                answered=answered,
                limits=limits,
            )
        )

    async def open(self) -> None:
        """Listen.

        Raises:
            ListenError: an address cannot be listened on.
        """
        if self.ops is not None:
            await self.ops.open()
        await self.public.open()

    async def close(self) -> None:
        """Listen no more: the world first."""
        await self.public.close()
        if self.ops is not None:
            await self.ops.close()
