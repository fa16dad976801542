"""The routes of the pages, each for those who may read them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from importlib.resources import files

from slipway.bot.core.http.messages import HttpRequest, HttpResponse, Method
from slipway.bot.core.http.routes import Handler, OpsRoute
from slipway.bot.web.access import OpsAccess
from slipway.bot.web.pages import audit, operations, overview, problems, schedules
from slipway.bot.web.pages.parts import HEADERS, ROOT, Frame
from slipway.bot.web.pages.sources import PageSources

Page = Callable[[PageSources, Frame, HttpRequest], Awaitable[HttpResponse]]

_PAGES: tuple[tuple[str, Page], ...] = (
    (ROOT, overview.overview),
    (f"{ROOT}/operations", operations.listing),
    (f"{ROOT}/operations/{{id}}", operations.one),
    (f"{ROOT}/schedules", schedules.listing),
    (f"{ROOT}/problems", problems.listing),
    (f"{ROOT}/audit", audit.trail),
)


class PageRoutes:
    """All pages.

    Args:
        sources: where they read.
        access: who may read them.
    """

    def __init__(self, sources: PageSources, access: OpsAccess) -> None:
        self._sources = sources
        self._access = access
        self._style = files(__package__).joinpath("style.css").read_bytes()

    def routes(self) -> Iterator[OpsRoute]:
        """What is answered."""
        for path, page in _PAGES:
            yield OpsRoute(Method.GET, path, self._access.guarding_pages(self._handler(page)))
        yield OpsRoute(Method.GET, f"{ROOT}/style.css", self._access.guarding_pages(self._stylesheet))

    def _handler(self, page: Page) -> Handler:
        async def handle(request: HttpRequest) -> HttpResponse:
            services = self._sources.services
            frame = Frame(
                services.settings.name,
                services.settings.zone,
                services.clock(),
                self._access.user(request),
                "refresh" in request.query,
            )
            return await page(self._sources, frame, request)

        return handle

    async def _stylesheet(self, _request: HttpRequest) -> HttpResponse:
        return HttpResponse(body=self._style, content_type="text/css; charset=utf-8", headers=HEADERS)
