"""What the world may ask a subject by HTTP, declared."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slipway.bot.config.settings import SlipwaySettings
from slipway.bot.core.declared_fields import Declaration, check_callables, check_type
from slipway.bot.core.http.messages import HttpRequest, HttpResponse
from slipway.bot.core.http.routes import PublicRoute

if TYPE_CHECKING:  # the database behind these takes most of a second, and `slipway check` needs none
    from slipway.bot.operations.services import Services


@dataclass(frozen=True)
class PublicEndpoint(Declaration):
    """A request that the world may make of a subject, at ``[http.public]``. It checks itself who asks.

    Attributes:
        route: the request.
        answer: answers it, by the running bot's services.
        wanted: whether it is heard by these settings; else the listener does not even know its path.
    """

    route: PublicRoute
    answer: Callable[[Services, HttpRequest], Awaitable[HttpResponse]]
    wanted: Callable[[SlipwaySettings], bool] = lambda _settings: True

    def __post_init__(self) -> None:
        check_type("A public endpoint", "route", self.route, PublicRoute, "a PublicRoute")
        check_callables(f"The endpoint {self.route.path}", self, ("answer", "wanted"))
