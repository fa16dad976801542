"""Applications of a tenant as the port wants them: whole listings, bounded waits, refusals that name the right."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from slipway.bot.clouds.azure.documents import Page
from slipway.bot.clouds.azure.graph.access import GraphAccount, graph_access
from slipway.bot.clouds.azure.graph.documents import SELECT, read_application, read_page
from slipway.bot.clouds.azure.opening import LazyClient
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.azure.timing import RetryTiming
from slipway.bot.clouds.declaration import CloudContext
from slipway.bot.clouds.ports.app_credentials import Application
from slipway.bot.core.errors import CloudError, CloudErrorKind, Remedy
from slipway.bot.core.times import format_duration

if TYPE_CHECKING:
    from slipway.bot.clouds.azure.graph.client import GraphClient

T = TypeVar("T")

_PAGE = 999  # the most that Graph gives of applications in one answer; its reference, “List applications”
_RIGHT = "Application.Read.All"
"""The least permission that reads applications. Source: as above."""

_WRITE_RIGHT = "Application.ReadWrite.OwnedBy, or is no owner of the application"
"""The least permission that changes one that the caller owns. Source: “application: addPassword”."""

_CLIENT_ID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", re.ASCII)

_PATIENCE = timedelta(minutes=1)
"""Somebody may wait for the answer, and what is looked at changes in days."""


class AzureApplications:
    """Fulfils :class:`slipway.bot.clouds.ports.app_credentials.AppCredentials` by Microsoft Graph v1.0.

    A page takes at most ``timeout`` times ``max_attempts``, and the pauses of a throttle; a listing at most
    ``operation_timeout``.

    Args:
        settings: ``[azure]`` or ``[azure.NAME]``.
        context: the adapter's name, and where credentials are looked for that the settings leave out.
        timing: waits between attempts; None for the usual ones, with the pauses of the context.

    Raises:
        ConfigError: the endpoint or the credentials cannot be used.
    """

    def __init__(
        self, settings: AzureSettings, context: CloudContext, *, timing: RetryTiming | None = None
    ) -> None:
        self._settings = settings
        self.account = GraphAccount(context.name, fence=context.fence)
        self.access = graph_access(settings, context.environ, context.name, context.secret_files)
        self._timing = timing or RetryTiming.by(context.sleep, _PATIENCE)
        self._client = LazyClient(self._build)

    async def applications(self) -> Sequence[Application]:
        """All applications of the tenant, by name; a call a page of 999."""
        query = {"$select": SELECT, "$top": str(_PAGE)}
        pages = await self._pages(
            "/applications", query, "the applications", lambda body: read_page(body, self.account)
        )
        found = [each for page in pages for each in page]
        return sorted(found, key=lambda each: (each.name.casefold(), each.client_id))

    async def application(self, client_id: str) -> Application:
        """One application, in one call.

        Raises:
            CloudError: NOT_FOUND where the tenant has none; INVALID where the id cannot be one.
        """
        path = self._path(client_id)
        (found,) = await self._pages(
            path,
            {"$select": SELECT},
            f"the application {client_id}",
            lambda body: Page(read_application(body, self.account), None),
        )
        return found

    async def change(self, client_id: str, action: str, document: Mapping[str, object], what: str) -> bytes:
        """Call an action of an application, such as ``addPassword``, once; the answer's body.

        Raises:
            CloudError: it was refused, or it is not known what became of it.
        """
        path = f"{self._path(client_id)}/{action}"
        client = await self._client.get()
        async with self._within(what, _WRITE_RIGHT):
            return await client.post(path, document, what)

    def _path(self, client_id: str) -> str:
        if _CLIENT_ID.fullmatch(client_id) is None:  # it becomes part of an address
            sentence = (
                f"{self.account.title} knows applications by ids like 22222222-2222-2222-2222-222222222222."
            )
            raise self.account.error(CloudErrorKind.INVALID, sentence)
        return f"/applications(appId='{client_id}')"

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()

    async def _pages(
        self, path: str, query: dict[str, str], what: str, read: Callable[[bytes], Page[T]]
    ) -> list[T]:
        client = await self._client.get()
        listing = client.listing(path, query, what, read)
        found: list[T] = []
        async with self._within(f"list {what}"):
            while not listing.ended:
                found.append(await listing.next_page())
        return found

    @asynccontextmanager
    async def _within(self, action: str, right: str = _RIGHT) -> AsyncIterator[None]:
        limit = self._settings.operation_timeout
        try:
            async with asyncio.timeout(limit.total_seconds()):
                yield
        except TimeoutError as error:
            asked = f"{self.account.title} was asked to {action}"
            sentence = f"{asked} and has not finished within {format_duration(limit)}."
            raise self.account.error(CloudErrorKind.TIMED_OUT, sentence) from error
        except CloudError as error:
            if error.code != "Authorization_RequestDenied":
                raise
            refused = self.account.error(
                CloudErrorKind.REFUSED,
                f"{self.account.title} refused to {action}: Slipway's identity lacks the application permission "
                f"{right} ({error.code}).",
                error.code,
                error.reason,
            )
            refused.remedy = Remedy(when="once it is granted, with an administrator's consent")
            raise refused from error

    def _build(self) -> GraphClient:
        """Import the SDK, and make the client."""
        from slipway.bot.clouds.azure.graph.client import GraphClient

        return GraphClient(
            self._settings,
            self.access,
            self.account,
            backoff=self._timing.backoff.total_seconds(),
            patience=self._timing.patience,
            sleep=self._timing.sleep,
        )
