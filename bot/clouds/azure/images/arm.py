"""Single calls into Azure Resource Manager by the unmodified SDK.

Importing this takes a second or so: :class:`slipway.bot.clouds.azure.images.gallery.AzureGallery` does it in a
thread, at its first call. Every method raises :class:`slipway.bot.core.errors.CloudError` and nothing else of the
SDK's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import quote, urlencode

from azure.core import MatchConditions
from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.policies import (
    CustomHookPolicy,
    RequestIdPolicy,
    SansIOHTTPPolicy,
    UserAgentPolicy,
)
from azure.core.rest import HttpRequest
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy

from slipway import __version__
from slipway.bot.clouds.azure.access import Access, Anonymous
from slipway.bot.clouds.azure.account import AzureAccount
from slipway.bot.clouds.azure.credential_links import Links
from slipway.bot.clouds.azure.documents import Page, read_page
from slipway.bot.clouds.azure.identity import sdk_credential
from slipway.bot.clouds.azure.images.edits import Edit
from slipway.bot.clouds.azure.images.locks import API_VERSION as LOCKS_VERSION
from slipway.bot.clouds.azure.images.version_documents import read_version, read_version_page
from slipway.bot.clouds.azure.images.version_update import update_body
from slipway.bot.clouds.azure.pacing import Pacer
from slipway.bot.clouds.azure.reading import (
    Listing,
    NotesClock,
    NotesDeletions,
    PatientReads,
    SameHost,
    ask,
    is_blob_address,
    raise_refused,
)
from slipway.bot.clouds.azure.sdk_errors import is_end, translate_errors
from slipway.bot.clouds.azure.settings import AzureSettings
from slipway.bot.clouds.azure.transport import PacedTransport, ReadingTransport, ReadRequest, ReadResponse
from slipway.bot.clouds.model import ImageVersion, VersionListing, VersionNumber
from slipway.bot.clouds.throttling import Patience, ThrottleGate
from slipway.bot.core.errors import CloudError
from slipway.bot.core.waiting import Sleep

if TYPE_CHECKING:
    from azure.core.polling import AsyncLROPoller

_API_VERSION = "2026-03-03"
"""Of reads: what azure-mgmt-compute 39 asks galleries for."""

_WITH_COPIES = f"api-version={_API_VERSION}&$expand=ReplicationStatus"
"""Source: the specification, “Gallery Image Versions - Get”. The SDK's own call makes models of the answer, which
takes a millisecond or several of a processor, and a plan makes thousands."""

_LOCKS = f"/providers/Microsoft.Authorization/locks?api-version={LOCKS_VERSION}"
"""Below a scope. Source: REST reference, Management Locks, “List By Scope”."""

_USER_AGENT = f"slipway/{__version__}"

_ACCEPT = {"Accept": "application/json"}

T = TypeVar("T")


@dataclass(frozen=True)
class VersionDocument:
    """A version as it was read: understood, and as Azure's own document, with its ETag where one came."""

    version: ImageVersion
    document: dict[str, Any]
    etag: str | None


class Poller(Protocol):
    """Follows a long-running operation."""

    async def result(self) -> object:
        """Wait for its end."""
        ...


@dataclass(frozen=True)
class Answer:
    """What was answered: the body as JSON, None where there was none."""

    status: int
    headers: Mapping[str, str]
    body: object


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
        sleep: Sleep,
        deletions: Pacer,
    ) -> None:
        self._account = account
        self._gallery = (settings.resource_group, settings.gallery)
        self._gallery_url = (
            f"{access.base_url}/subscriptions/{quote(settings.subscription_id, safe='')}"
            f"/resourceGroups/{quote(settings.resource_group, safe='')}"
            f"/providers/Microsoft.Compute/galleries/{quote(settings.gallery, safe='')}"
        )
        self._base_url = access.base_url
        timeout = settings.timeout.total_seconds()
        self._credential = sdk_credential(access, settings.max_attempts)
        self._links = Links(self._credential)
        loopback = isinstance(access.credential, Anonymous)
        gate = ThrottleGate(patience, account.title, account.contact.throttled)

        def on_the_way() -> list[Any]:
            """The SDK's own list also registers resource providers and follows redirects. Slipway changes nothing
            that nobody asked for, and takes its token nowhere else."""
            return [
                SameHost(access.base_url, account),
                NotesClock(account.contact),
                PatientReads(
                    gate, attempts=settings.max_attempts, longest_wait=timeout, backoff=backoff, sleep=sleep
                ),
            ]

        def authentication() -> Any:
            if loopback:
                return SansIOHTTPPolicy[Any, Any]()
            return AsyncARMChallengeAuthenticationPolicy(self._credential, access.scope)

        transport = PacedTransport(
            sleep,
            account.fence,
            connection_timeout=timeout,
            read_timeout=timeout,
            use_env_settings=not loopback,
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
                NotesDeletions(deletions),
                authentication(),
            ],
            authentication_policy=authentication(),
            polling_interval=polling,
            transport=transport,
        )
        self._blobs = ReadingTransport(transport, timeout, account.fence)
        # Reads take the same way with fewer stations, since there are thousands of them: their headers come with
        # the request, and the client does not copy it. The connections are closed with the client.
        self._reading: AsyncPipeline[ReadRequest, ReadResponse] = AsyncPipeline(
            self._blobs, [*on_the_way(), *([] if loopback else [authentication()])]
        )

    @property
    def credential_link(self) -> str:
        """Which link of azure-identity's chain gave a token, by the name of its class; empty where none did."""
        return self._links.successful

    def definitions(self) -> Listing[tuple[Any, ...]]:
        """The pages of the listing of definitions, as JSON."""
        return self._pages(f"/images?api-version={_API_VERSION}", "the image definitions")

    def versions(self, definition: str) -> Listing[VersionListing]:
        """The pages of the listing of a definition's versions."""
        return self._listing(
            f"/images/{definition}/versions?api-version={_API_VERSION}",
            f"the versions of {definition}",
            lambda body: read_version_page(body, definition, self._account),
        )

    def _pages(self, below: str, what: str) -> Listing[tuple[Any, ...]]:
        return self._listing(below, what, lambda body: read_page(body, what, self._account))

    def _listing(self, below: str, what: str, read: Callable[[bytes], Page[T]]) -> Listing[T]:
        first = f"{self._gallery_url}{below}"
        return Listing(self._send, first, what, self._account, read=read, user_agent=_USER_AGENT)

    async def _send(self, request: ReadRequest) -> ReadResponse:
        return (await self._reading.run(request)).http_response

    async def read(self, definition: str, number: VersionNumber) -> VersionDocument:
        """One version as it is now, with how far its copies are; no listing can be asked for these (``$expand`` is a
        parameter of “Gallery Image Versions - Get” alone)."""
        address = f"{self._gallery_url}/images/{definition}/versions/{number}?{_WITH_COPIES}"
        with translate_errors(self._account, f"show {number} of {definition}"):
            answer = await ask(self._send, address, _USER_AGENT)
            document = json.loads(answer.content)
            version = read_version(document, definition, self._account, number)
        return VersionDocument(version, document, answer.headers.get("ETag"))

    async def begin_write(self, read: VersionDocument, edit: Edit, *, action: str) -> Poller:
        """Write the version back with something changed.

        :func:`slipway.bot.clouds.azure.images.version_update.update_body` says what is sent. Where the answer carried
        an ETag, the write is bound to it, so that somebody else's change in between is refused (412) rather than
        overwritten. Sent once: whoever asked reads again before another try.
        """
        with translate_errors(self._account, action):
            body: Any = update_body(read.document, edit)
            poller: AsyncLROPoller[Any]
            poller = await self._client.gallery_image_versions.begin_create_or_update(
                *self._gallery,
                read.version.definition,
                str(read.version.number),
                body,
                headers={"If-Match": read.etag} if read.etag else {},
            )
        return poller

    async def begin_delete(self, definition: str, number: VersionNumber, *, action: str) -> Poller:
        """Start deleting a version. Sent once: whoever asked looks again before another try."""
        with translate_errors(self._account, action):
            poller: AsyncLROPoller[None] = await self._client.gallery_image_versions.begin_delete(
                *self._gallery, definition, str(number)
            )
        return poller

    def locks(self) -> Listing[tuple[Any, ...]]:
        """The pages of the listing of locks on the gallery, what is in it, and the resource group around it."""
        return self._pages(_LOCKS, "the locks on the gallery")

    def listing(self, path: str, query: Mapping[str, str], what: str) -> Listing[tuple[Any, ...]]:
        """The pages of any listing below the endpoint, as JSON."""
        return Listing(
            self._send,
            f"{self._base_url}{path}?{urlencode(query)}",
            what,
            self._account,
            read=lambda body: read_page(body, what, self._account),
            user_agent=_USER_AGENT,
        )

    async def ask(
        self, method: str, path: str, query: Mapping[str, str], body: object = None, *, action: str
    ) -> Answer:
        """Send one request, and read its answer. A change is sent once."""
        request = HttpRequest(
            method, f"{self._base_url}{path}?{urlencode(query)}", json=body, headers=_ACCEPT
        )
        with translate_errors(self._account, action):
            answer = await self._client.send_request(request)
            if answer.status_code >= 400:
                raise_refused(answer)
            content: bytes = answer.content
            return Answer(
                answer.status_code, answer.headers, json.loads(content) if content.strip() else None
            )

    async def begin_create_machine(
        self, group: str, name: str, body: dict[str, Any], *, action: str
    ) -> Poller:
        """Start making a machine; refused (409 or 412) where there is one of this name. Sent once."""
        document: Any = body
        with translate_errors(self._account, action):
            poller: AsyncLROPoller[Any] = await self._client.virtual_machines.begin_create_or_update(
                group, name, document, match_condition=MatchConditions.IfMissing
            )
        return poller

    async def blob(self, address: str, *, action: str) -> bytes:
        """What stands at an address of Azure's storage that carries its own signature: no token goes there.

        Raises:
            CloudError: it is no such address, or what is there cannot be read. The address stands in none.
        """
        if not is_blob_address(address, self._base_url):
            raise self._account.unexpected_answer(
                f"{self._account.title} pointed to another host, where Slipway does not go."
            )
        try:
            with translate_errors(self._account, action):
                answer = await self._blobs.send(ReadRequest(address, {"User-Agent": _USER_AGENT}))
                if answer.status_code != 200:
                    raise_refused(answer)
                content: bytes = answer.content
        except CloudError as error:
            raise error from None  # what caused it may show the address, and its signature opens the log to anybody
        return content

    async def finish(self, poller: Poller, *, action: str) -> None:
        """Wait for the end of a long-running operation; the caller sets the limit.

        Raises:
            CloudError: it ended in failure; or, where ``doubtful``, it could not be followed to its end.
        """
        try:
            with translate_errors(self._account, action):
                await poller.result()
        except CloudError as error:
            error.doubtful = not is_end(error)
            raise

    async def close(self) -> None:
        """Let go of connections, the credential's own included."""
        await self._client.close()
        await self._credential.close()
