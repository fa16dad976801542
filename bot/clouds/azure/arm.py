"""Single calls into Azure Resource Manager by the unmodified SDK.

Importing this takes a second or so: :class:`slipway.bot.clouds.azure.gallery.AzureGallery` does it in a thread, at
its first call. Every method raises :class:`slipway.bot.core.errors.CloudError` and nothing else of the SDK's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlsplit

from azure.core import AsyncPipelineClient
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    AsyncRetryPolicy,
    CustomHookPolicy,
    RequestIdPolicy,
    SansIOHTTPPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.identity.aio import ClientSecretCredential, DefaultAzureCredential
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy

from slipway import __version__
from slipway.bot.clouds.azure.access import Access, Anonymous, ClientSecret, DefaultChain
from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.documents import read_version
from slipway.bot.clouds.azure.reading import ThrottledReads, read_pages
from slipway.bot.clouds.azure.sdk_errors import is_throttle, translate_errors
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.azure.throttling import Patience, ThrottleGate
from slipway.bot.clouds.azure.version_update import update_body
from slipway.bot.clouds.model import ImageVersion, VersionNumber

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.polling import AsyncLROPoller

_API_VERSION = "2026-03-03"
"""Of listings: what azure-mgmt-compute 39 asks galleries for."""

_LOCKS = "/providers/Microsoft.Authorization/locks?api-version=2020-05-01"
"""Below a scope. Source: REST reference, Management Locks, “List By Scope”."""

_USER_AGENT = f"slipway/{__version__}"


@dataclass(frozen=True)
class VersionDocument:
    """A version as it was read: understood, and as Azure's own document, with its ETag where one came."""

    version: ImageVersion
    document: dict[str, Any]
    etag: str | None


class _Poller(Protocol):
    async def result(self) -> object: ...


class Arm:
    """Calls on one gallery. Made in a thread; used on one event loop."""

    def __init__(
        self,
        settings: AzureSettings,
        access: Access,
        account: AzureAccount,
        *,
        backoff: float,
        polling: float,
        patience: Patience,
    ) -> None:
        self._account = account
        self._gallery = (settings.resource_group, settings.gallery)
        self._gallery_url = (
            f"{access.base_url}/subscriptions/{quote(settings.subscription_id, safe='')}"
            f"/resourceGroups/{quote(settings.resource_group, safe='')}"
            f"/providers/Microsoft.Compute/galleries/{quote(settings.gallery, safe='')}"
        )
        timeout = settings.timeout.total_seconds()
        self._credential = _credential(access, settings.max_attempts)
        loopback = isinstance(access.credential, Anonymous)
        gate = ThrottleGate(patience)

        def on_the_way() -> list[Any]:
            """The SDK's own list also registers resource providers and follows redirects. Slipway changes nothing
            that nobody asked for, and takes its token nowhere else."""
            return [
                _SameHost(access.base_url, account),
                ThrottledReads(gate),
                _Retry(settings.max_attempts, longest_wait=timeout, backoff=backoff),
            ]

        def authentication() -> Any:
            if loopback:
                return SansIOHTTPPolicy[Any, Any]()
            return AsyncARMChallengeAuthenticationPolicy(self._credential, access.scope)

        transport = AioHttpTransport(
            connection_timeout=timeout, read_timeout=timeout, use_env_settings=not loopback
        )
        self._client = ComputeManagementClient(
            self._credential,
            settings.subscription_id,
            access.base_url,
            policies=[
                RequestIdPolicy(),
                UserAgentPolicy(_USER_AGENT),
                CustomHookPolicy(),
                *on_the_way(),
                authentication(),
            ],
            authentication_policy=authentication(),
            polling_interval=polling,
            transport=transport,
        )
        # Listings take the same way with fewer stations, since there are thousands of them: their headers come with
        # the request, and the client does not copy it. The transport is closed with the client.
        self._reading: AsyncPipelineClient[HttpRequest, AsyncHttpResponse] = AsyncPipelineClient(
            access.base_url,
            policies=[*on_the_way(), *([] if loopback else [authentication()])],
            transport=transport,
        )

    def definitions(self) -> AsyncIterator[tuple[Any, ...]]:
        """The pages of the listing of definitions, as JSON."""
        return self._pages("/images", "the image definitions")

    def versions(self, definition: str) -> AsyncIterator[tuple[Any, ...]]:
        """The pages of the listing of a definition's versions, as JSON."""
        return self._pages(f"/images/{definition}/versions", f"the versions of {definition}")

    def _pages(self, below: str, what: str) -> AsyncIterator[tuple[Any, ...]]:
        return self._read_pages(f"{below}?api-version={_API_VERSION}", what)

    def _read_pages(self, below: str, what: str) -> AsyncIterator[tuple[Any, ...]]:
        first = f"{self._gallery_url}{below}"
        return read_pages(self._reading.send_request, first, what, self._account, user_agent=_USER_AGENT)

    async def read(self, definition: str, number: VersionNumber) -> VersionDocument:
        """One version as it is now."""
        answers: list[PipelineResponse[Any, Any]] = []
        with translate_errors(self._account, f"show {number} of {definition}"):
            await self._client.gallery_image_versions.get(
                *self._gallery, definition, str(number), raw_response_hook=answers.append
            )
            answer = answers.pop().http_response
            document = answer.json()
            version = read_version(document, definition, self._account, number)
        return VersionDocument(version, document, answer.headers.get("ETag"))

    async def begin_write(self, read: VersionDocument, *, excluded: bool, action: str) -> _Poller:
        """Write the version back with its flag, and that of every region which has one, set so.

        :func:`slipway.bot.clouds.azure.version_update.update_body` says what is sent. Where the answer carried an
        ETag, the write is bound to it, so that somebody else's change in between is refused (412) rather than
        overwritten. Sent once: whoever asked reads again before another try.
        """
        with translate_errors(self._account, action):
            body: Any = update_body(read.document, excluded=excluded)
            poller: AsyncLROPoller[Any]
            poller = await self._client.gallery_image_versions.begin_create_or_update(
                *self._gallery,
                read.version.definition,
                str(read.version.number),
                body,
                headers={"If-Match": read.etag} if read.etag else {},
            )
        return poller

    async def begin_delete(self, definition: str, number: VersionNumber, *, action: str) -> _Poller:
        """Start deleting a version. Sent once: whoever asked looks again before another try."""
        with translate_errors(self._account, action):
            poller: AsyncLROPoller[None] = await self._client.gallery_image_versions.begin_delete(
                *self._gallery, definition, str(number)
            )
        return poller

    def locks(self) -> AsyncIterator[tuple[Any, ...]]:
        """The pages of the listing of locks on the gallery, what is in it, and the resource group around it."""
        return self._read_pages(_LOCKS, "the locks on the gallery")

    async def finish(self, poller: _Poller, *, action: str) -> None:
        """Wait for the end of a long-running operation; the caller sets the limit."""
        with translate_errors(self._account, action):
            await poller.result()

    async def close(self) -> None:
        """Let go of connections, the credential's own included."""
        await self._client.close()
        await self._credential.close()


class _Retry(AsyncRetryPolicy[Any, Any]):
    """Try again, within bounds, what may be tried again: reads.

    A change is never sent again here, whatever came of it: meanwhile somebody may have changed what it rests on,
    so whoever asked looks first.

    Args:
        attempts: how often in all.
        longest_wait: a longer Retry-After, in seconds, ends the attempts.
        backoff: seconds that the waits without a Retry-After begin with.
    """

    def __init__(self, attempts: int, *, longest_wait: float, backoff: float) -> None:
        again = attempts - 1
        super().__init__(
            retry_total=again,
            retry_connect=again,
            retry_read=again,
            retry_status=again,
            retry_backoff_factor=backoff,
            retry_backoff_max=longest_wait,
        )
        self._longest_wait = longest_wait

    def configure_retries(self, options: dict[str, Any]) -> dict[str, Any]:
        """Leave changes alone where no answer came."""
        return {**super().configure_retries(options), "methods": frozenset({"GET"})}

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        """Whether this answer is worth another attempt."""
        status = response.http_response.status_code
        if status < 400 or response.http_request.method not in settings["methods"]:
            return False
        try:
            pause = self.get_retry_after(response)
        except ValueError:
            return False
        if pause is not None and pause > self._longest_wait:
            return False
        if is_throttle(status, pause):
            return False  # all reads pause together: ThrottledReads
        return status in (408, 500, 502, 503, 504)


class _SameHost(SansIOHTTPPolicy[Any, Any]):
    """Follow links only to the endpoint itself or below it: a token goes nowhere else."""

    def __init__(self, base_url: str, account: AzureAccount) -> None:
        self._account = account
        parts = urlsplit(base_url)
        self._scheme, self._host = parts.scheme, (parts.hostname or "")

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Refuse a link that leads elsewhere."""
        parts = urlsplit(request.http_request.url)
        host = parts.hostname or ""
        if parts.scheme != self._scheme or not (host == self._host or host.endswith(f".{self._host}")):
            raise self._account.unexpected_answer(
                f"{self._account.title} pointed to another host, where Slipway does not go."
            )


class _NoCredential:
    """Stands where the SDK insists on a credential; there is no token to get."""

    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        raise AssertionError("a token was asked for where none may go")

    async def close(self) -> None:
        """Nothing to let go of."""

    async def __aenter__(self) -> _NoCredential:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to let go of."""


def _credential(access: Access, attempts: int) -> AsyncTokenCredential:
    match access.credential:
        case Anonymous():
            return _NoCredential()
        case ClientSecret(tenant, client, secret):
            again = attempts - 1
            bounds = {
                "retry_total": again,
                "retry_connect": again,
                "retry_read": again,
                "retry_status": again,
            }
            return ClientSecretCredential(tenant, client, secret.get_secret_value(), **bounds)
        case DefaultChain(environment=True):
            return DefaultAzureCredential()
        case DefaultChain(client_id=client_id):
            return DefaultAzureCredential(
                exclude_environment_credential=True, managed_identity_client_id=client_id
            )
